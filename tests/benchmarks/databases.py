"""The databases that benchmarks run on: SQLite files, and a PostgreSQL server that keeps what it says it keeps.

`tests.postgres` starts the server for tests, which need no durability; here it is switched on. Called by
`tests.benchmarks.sweeps`, `datejobs` and `lateness`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, create_engine, event, make_url, text

from storage.engine import make_engine
from storage.schema import migrate
from tests import postgres

SQLITE, POSTGRES = "SQLite", "PostgreSQL"


@contextmanager
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server whose commits are on the disk when they are answered."""
    with postgres.server() as url:
        if postgres.NAMED is None:
            with _administering(url) as admin, admin.connect() as db:
                db.execute(text("ALTER SYSTEM SET fsync = on"))
                db.execute(text("SELECT pg_reload_conf()"))
        yield url


@contextmanager
def fresh(kind: str, server: str | None) -> Iterator[str]:
    """The URL of a migrated database without rows, gone afterwards."""
    place = sqlite_file() if server is None or kind == SQLITE else postgres.new_database(server)
    with place as url:
        migrate(url)
        yield url


@contextmanager
def sqlite_file() -> Iterator[str]:
    with TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'desk.db'}"


@contextmanager
def _administering(server: str) -> Iterator[Engine]:
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        yield engine
    finally:
        engine.dispose()


def filling_engine(url: str) -> Engine:
    """For a database that nobody looks at yet, and that is thrown away if this fails."""
    engine = make_engine(url, timeouts=False)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _hurry)
    return engine


def _hurry(db: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000"):
        db.execute(f"PRAGMA {pragma}")


def versions(server: str | None) -> str:
    """Of both databases, and what PostgreSQL does at a commit."""
    found = f"SQLite {sqlite3.sqlite_version} (WAL, synchronous=FULL)"
    if server is None:
        return found
    with _administering(server) as admin, admin.connect() as db:
        shown = {name: db.execute(text(f"SHOW {name}")).scalar() for name in ("server_version", "fsync")}
        commit = db.execute(text("SHOW synchronous_commit")).scalar()
    return f"{found}, PostgreSQL {shown['server_version']} (fsync={shown['fsync']}, synchronous_commit={commit})"
