"""The desk under load: its processes on one database, the Slack they talk to, and what must be true of both.

Used by `tests.load.__main__`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sqlalchemy import text

from bot import sample
from storage.engine import make_engine
from tests.conformance.programs import free_port
from tests.fakes.slack_server import FakeSlack
from tests.load.driver import Driver
from tests.load.office import Office, desk_yaml
from tests.load.processes import family_seconds
from tests.load.slack import Slack
from tests.load.wire import serve
from tests.served.process import Served


class NotDurable(AssertionError):
    """The desk acknowledged something that is not in its database, or the database does not sync."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    url: str
    processes: Sequence[Served]
    driver: Driver
    slack: Slack

    @property
    def ports(self) -> Sequence[int]:
        return [process.port for process in self.processes]

    def database_seconds(self) -> float:
        """Processor time of PostgreSQL so far; none for SQLite, which works inside the desk's own processes."""
        if self.url.startswith("sqlite"):
            return 0.0
        engine = make_engine(self.url)
        with engine.connect() as db:
            backend = db.scalar(text("SELECT pg_backend_pid()"))
            found = family_seconds(int(backend or 0))
        engine.dispose()
        return found


@asynccontextmanager
async def loaded(url: str, processes: int, *, seed: int) -> AsyncIterator[Loaded]:
    """So many processes, ready to take messages; they and all they wrote are gone afterwards."""
    office: Office
    driver: Driver

    def arrived(key: str, at: float) -> None:
        driver.arrived(key, at)

    def posted(channel: str, ts: str, body: bytes) -> None:
        office.posted(channel, ts, body)

    def busy(key: str) -> None:
        driver.busy(key)

    slack = Slack(arrived, posted, busy)
    server, port = await serve(slack)
    office = Office(random=Random(seed), clock=time.time, actions=f"http://127.0.0.1:{port}/actions")
    driver = Driver(office, Random(seed + 1))
    with TemporaryDirectory() as name:
        desks = [_desk(Path(name), n, url, port) for n in range(processes)]
        try:
            for desk in desks:
                desk.start()
            for desk in desks:
                await desk.ready()
            yield Loaded(url=url, processes=desks, driver=driver, slack=slack)
        finally:
            for desk in desks:
                if desk.alive:
                    await desk.stop()
            server.close()


def _desk(folder: Path, n: int, url: str, slack: int) -> Served:
    config = folder / "desk.yaml"
    if not config.exists():
        shutil.copytree(sample.files() / "kb", folder / "kb")
        config.write_text(json.dumps(desk_yaml()), encoding="utf-8")
    environ = {
        "DESKBELL_DATABASE_URL": url,
        "SLACK_BOT_TOKEN": FakeSlack.token,
        "SLACK_SIGNING_SECRET": FakeSlack.signing_secret,
        "SLACK_API_URL": f"http://127.0.0.1:{slack}/api/",
        "DESKBELL_LOG_FORMAT": "json",
        "DESKBELL_ENCODER": "off",
    }
    return Served(
        config=config,
        folder=folder / f"desk{n}",
        port=free_port(),
        environ=environ,
    )


def assert_syncs(url: str) -> None:
    """A commit is on the disk when it is answered. Raises NotDurable."""
    engine = make_engine(url)
    with engine.connect() as db:
        if url.startswith("sqlite"):
            held = db.scalar(text("PRAGMA synchronous")) == 2
        else:
            held = all(db.scalar(text(f"SHOW {name}")) == "on" for name in ("fsync", "synchronous_commit"))
    engine.dispose()
    if not held:
        raise NotDurable("the database does not write to the disk before it answers")


def assert_kept(url: str, keys: Sequence[str]) -> None:
    """Each of these events has its inbox row and a change besides: something to be said. Raises NotDurable."""
    engine = make_engine(url)
    with engine.connect() as db:
        inbox = set(db.scalars(text("SELECT key FROM inbox")))
        said = {key.partition("/")[0] for key in db.scalars(text("SELECT key FROM outbox"))}
    engine.dispose()
    for name, kept in (("inbox", inbox), ("outbox", said)):
        if missing := [key for key in keys if key not in kept]:
            raise NotDurable(f"{len(missing)} of {len(keys)} acknowledged are not in the {name}, first {missing[0]}")
