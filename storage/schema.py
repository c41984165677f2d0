"""Bringing a database's tables up to date, also while processes of the last release run on it.

Called by `deskbell migrate`, `demo`, and `serve` on start. Every migration names its `phase` (ADR 10): `founding`
ones are older than the first release that can be upgraded while it runs, `expand` ones only add, and `contract`
ones take away what only the last release used. The latter are a chain of their own, applied only when asked for;
their revisions begin with `contract_`, so that an older process that meets an unknown one knows that it must not run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from storage.engine import Locked, Unusable, is_postgres, make_engine, reading, writing

MIGRATIONS = Path(__file__).parent / "migrations"
Access = Callable[[Engine], AbstractContextManager[Connection]]
"""`reading` or `writing`."""
LOCK = 0x6465736B
"""Replicas that start together migrate one after the other."""
LOCK_MS = 1_000
"""How long turns may queue behind a migration that waits for a table, which a backup may hold for long."""
TRIES, PAUSE = 60, 2.0
"""Then it lets go of the queue, and tries again after so many seconds."""
CONTRACT = "contract_"

log = structlog.get_logger(__name__)


class Phase(StrEnum):
    FOUNDING = "founding"
    EXPAND = "expand"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Revisions that a database lacks, oldest first. `newer`: it has some that this version does not know."""

    needed: Sequence[str]
    """Without these this version does not run."""
    contract: Sequence[str]
    newer: bool


def migrate(url: str, *, contract: bool = False, told: Callable[[str], None] = log.warning) -> Missing:
    """Apply what is missing, in one transaction, with `contract` also what takes away; what was missing before.

    A database of a newer version is left as it is. `told` hears why it waits. Raises Unavailable, and Unusable for
    a database that was contracted for a newer version.
    """
    for _ in range(TRIES - 1):
        try:
            return _migrate(url, contract=contract)
        except Locked:
            told(f"Something else, such as a backup, holds a table; trying again in {PAUSE:g} s.")
            time.sleep(PAUSE)
    return _migrate(url, contract=contract)


def missing_migrations(url: str) -> Missing:
    """Raises Unavailable, and Unusable for a database that was contracted for a newer version."""
    with _connected(url, reading) as connection:
        return _missing(connection)


def pending_migrations(url: str) -> tuple[str, ...]:
    """The revisions without which this version does not run, oldest first. Raises as `missing_migrations`."""
    return tuple(missing_migrations(url).needed)


def _migrate(url: str, *, contract: bool) -> Missing:
    with _connected(url) as connection:
        if is_postgres(connection):
            connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        missing = _missing(connection)
        if contract and missing.contract and missing.newer:
            raise Unusable("it is of a newer version: contract it with that one")
        config = _config()
        config.attributes["connection"] = connection
        for chain in (missing.needed, missing.contract if contract else ()):
            if chain:
                command.upgrade(config, chain[-1])
        connection.commit()
    return missing


def _missing(connection: Connection) -> Missing:
    script = ScriptDirectory.from_config(_config())
    known = {revision.revision: Phase(revision.module.phase) for revision in script.walk_revisions()}
    heads = MigrationContext.configure(connection).get_current_heads()
    newer = [head for head in heads if head not in known]
    if any(head.startswith(CONTRACT) for head in newer):
        raise Unusable(
            "it was contracted for a newer version of Deskbell, which this one cannot run beside: run the newer one, "
            "or restore a backup from before (docs/operations.md)"
        )
    applied = {step.revision for head in heads if head in known for step in script.iterate_revisions(head, "base")}
    oldest_first = [revision for revision in reversed(known) if revision not in applied]
    return Missing(
        needed=[] if newer else [revision for revision in oldest_first if known[revision] is not Phase.CONTRACT],
        contract=[revision for revision in oldest_first if known[revision] is Phase.CONTRACT],
        newer=bool(newer),
    )


@contextmanager
def _connected(url: str, access: Access = writing) -> Iterator[Connection]:
    engine = make_engine(url, timeouts=False)
    try:
        with access(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
