"""`python -m tests.fuzz TARGET SECONDS`: run one target with atheris. Called by `make fuzz`.

What was found to reach new code is kept in `.fuzz/TARGET`, and an input that failed as `.fuzz/TARGET-crash-…`; given
that file instead of seconds, it is run once more. A file of articles is UTF-8; a message may hold halves of pairs.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import atheris

INSTRUMENTED = ["bot", "adapters.slack.inbound", "adapters.slack.entities", "adapters.teams.inbound", "triage"]

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz.targets import TARGETS

FOLDER = Path(".fuzz")
MESSAGES = ("text", "matcher", "commands")
LONGEST = 4_096
"""Bytes of an input; what is long is tested apart."""
SLOW = 10
"""Seconds that one input may take."""


def main(name: str, what: str) -> None:
    target, seeds = TARGETS[name]
    errors = "surrogatepass" if name in MESSAGES else "replace"

    def one(data: bytes) -> None:
        target(_text(data, errors))

    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        content = seed.encode()
        (corpus / sha256(content).hexdigest()).write_bytes(content)
    options = [f"-artifact_prefix={FOLDER / name}-", f"-timeout={SLOW}", f"-max_len={LONGEST}", "-rss_limit_mb=3000"]
    options += ["-len_control=0", "-print_final_stats=1"]
    told = [f"-max_total_time={what}", str(corpus)] if what.isdigit() else [what]
    atheris.Setup([sys.argv[0], *options, *told], one)
    atheris.Fuzz()


def _text(data: bytes, errors: str) -> str:
    try:
        return data.decode(errors=errors)
    except UnicodeDecodeError:
        return data.decode(errors="replace")


main(*sys.argv[1:])
