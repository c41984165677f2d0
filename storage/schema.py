"""Bringing a database's tables up to date. Called by `deskbell migrate`, `demo`, and `serve` on start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from storage.engine import is_postgres, make_engine, reading, writing

MIGRATIONS = Path(__file__).parent / "migrations"
Access = Callable[[Engine], AbstractContextManager[Connection]]
"""`reading` or `writing`."""
LOCK = 0x6465736B
"""Replicas that start together migrate one after the other."""


def migrate(url: str) -> None:
    """Apply every migration that is still missing, in one transaction. Raises Unavailable."""
    with _connected(url) as connection:
        if is_postgres(connection):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def pending_migrations(url: str) -> tuple[str, ...]:
    """The revisions that `migrate` would apply, oldest first. Raises Unavailable."""
    script = ScriptDirectory.from_config(_config())
    with _connected(url, reading) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    missing = script.iterate_revisions("head", current or "base")
    return tuple(revision.revision for revision in missing)[::-1]


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
