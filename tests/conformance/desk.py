"""A desk for a local client: desk.yaml, the sample articles, and `deskbell serve` on them.

Tickets are promised an answer within hours; urgent ones within seconds, so that a test can see a
promise being broken.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot import sample
from tests.conformance.programs import Program, running

Json = dict[str, Any]

PROMISES = {
    "normal": {"first_response": "4h", "resolution": "24h", "hours": "calendar"},
    "urgent": {"first_response": "2s", "hours": "calendar"},
}
KNOWN = "My VPN keeps disconnecting"
"""A question that the sample articles answer."""
ANSWER = "VPN keeps dropping"
"""The title of the article that does."""
UNKNOWN = "The projector bulb exploded"
"""A question that no sample article is near to."""


def desk_yaml(*, places: Json, people: Json, channels: Mapping[str, Json]) -> Json:
    """The four teams of the sample articles; `channels` holds IT's, by platform."""
    calendar = {"timezone": "Europe/London", "hours": {"mon-sun": ["00:00-24:00"]}}
    it = {"name": "IT", "agents": ["lee", "kim"], "lead": "kim", "calendar": calendar, "sla": PROMISES, **channels}
    others = {id: {"name": name, "agents": ["lee"]} for id, name in OTHERS.items()}
    return {"kb": "kb/", "places": places, "people": people, "teams": {"it": it, **others}}


OTHERS = {"hr": "HR", "finance": "Finance", "facilities": "Facilities"}


@contextmanager
def serving(folder: Path, desk: Json, *, port: int, environ: Mapping[str, str]) -> Iterator[Program]:
    """`deskbell serve`, ready to take messages."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(sample.files() / "kb", folder / "kb")
    config = folder / "desk.yaml"
    config.write_text(json.dumps(desk, ensure_ascii=False, indent=1), encoding="utf-8")
    command = [Path(sys.executable).with_name("deskbell"), "serve", "--config", config, "--data", folder / "data"]
    with running(
        [*command, "--port", str(port)],
        url=f"http://127.0.0.1:{port}",
        ready="/readyz",
        folder=folder,
        environ=environ,
    ) as program:
        yield program
