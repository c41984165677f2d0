"""One database, opened the way the desk needs it, and its errors in the desk's words.

SQLite: WAL, synchronous=FULL, one writer at a time, and a write transaction takes the write lock
when it begins (a transaction that reads first may fail when it turns to writing). PostgreSQL:
psycopg 3, statements and lock waits limited to the two seconds that a turn has. Called by
`bot.compose`, and by `storage` for every transaction.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    Table,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.pool import ConnectionPoolEntry

from storage.pen import Db, write
from triage.errors import Conflict, TurnError, Unavailable

BUSY_MS = 1_500
"""How long a writer waits for another on SQLite."""
SQLITE = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
"""The last so that what is deleted is overwritten, not only let go of: an erased person is in no free page."""
STATEMENT_MS = 2_000
"""How long PostgreSQL may work on one statement, or wait for one lock."""
UNIQUE = frozenset({"23505", sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
RACES = frozenset({"40001", "40P01"})
"""Serialisation failure and deadlock: another transaction won."""
LOCKED = "55P03"
"""PostgreSQL: a lock was waited for long enough."""
AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
"""Of the driver: the database could not be asked."""


FULL, READ_ONLY, DAMAGED, DISK, LOST = (
    "the disk or the quota is full: free space, and the desk goes on by itself",
    "it cannot be written: check who owns the file, its folder and the disk (or whether the server is a standby)",
    "the database is damaged: stop the desk, keep the files, and restore the newest backup (docs/data.md)",
    "the disk does not read or write: look at its health and at the system's log",
    "the file of the database is gone, or another is in its place: stop the desk, and restore the newest backup"
    " (docs/data.md)",
)
WAYS_OUT = {
    sqlite3.SQLITE_FULL: FULL,
    "53100": FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    "25006": READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    sqlite3.SQLITE_IOERR: DISK,
    sqlite3.SQLITE_CANTOPEN: READ_ONLY,
    "58030": DISK,
}
"""By SQLite's primary code or PostgreSQL's state: what does not pass by waiting, and what to do then."""


class Unusable(Unavailable):
    """Nothing can be stored until somebody does something; the message says what."""


class Locked(Unavailable):
    """Somebody else has what is needed, for longer than it was waited for."""


def database_url(url: str) -> URL:
    """The URL with the driver we use. Raises ValueError for anything but SQLite and PostgreSQL."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"{other!r} is not a database Deskbell knows; use sqlite:/// or postgresql://")


def make_engine(url: str, *, timeouts: bool = True) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://…`; `timeouts` is off for migrations only."""
    parsed = database_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        if parsed.database and parsed.database != ":memory:":
            _SameFile(Path(parsed.database).absolute()).watch(engine)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    limits = f" -c statement_timeout={STATEMENT_MS} -c lock_timeout={STATEMENT_MS}" if timeouts else ""
    options = f"-c timezone=UTC{limits} {parsed.query.get('options', '')}".strip()
    arguments = {"options": options, "connect_timeout": 3}
    engine = create_engine(parsed, hide_parameters=True, connect_args=arguments)
    event.listen(engine, "checkin", _rested)
    event.listen(engine, "checkout", _tried)
    return engine


def is_new(url: str) -> bool:
    """Whether it is an embedded database whose file is still to be made: connecting would make it."""
    parsed = database_url(url)
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reads; nothing done on it is kept."""
    with translated(), engine.connect() as connection:
        yield connection


@contextmanager
def glancing(engine: Engine) -> Iterator[Connection]:
    """A connection for a read or two that need not agree: on PostgreSQL without the cost of a transaction."""
    with reading(engine) as connection:
        if is_postgres(connection):
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection for one write transaction; what is not committed is rolled back."""
    with translated(), engine.connect() as connection:
        yield connection.execution_options(immediate=True)


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the database as Unavailable or Conflict; programming mistakes stay what they are."""
    try:
        yield
    except PoolExhausted as error:
        raise Unavailable(str(error)) from error
    except DBAPIError as error:
        if meant := _meant(error.orig, refused=isinstance(error, IntegrityError), away=_is_away(error)):
            raise meant from error
        raise
    except psycopg.Error as error:  # of statements that went together: SQLAlchemy did not see it
        refused, away = isinstance(error, psycopg.IntegrityError), isinstance(error, AWAY)
        if meant := _meant(error, refused=refused, away=away):
            raise meant from error
        raise


def _meant(error: BaseException | None, *, refused: bool, away: bool) -> TurnError | None:
    """What the driver's error is in the desk's words; None for a mistake in the program. `refused`: a row broke a
    rule of its table; `away`: the database did not do its part."""
    code, said = _code(error), str(error)
    if refused:
        return Conflict(said) if code in UNIQUE else None
    if code in RACES:
        return Conflict(said)
    if code == LOCKED:
        return Locked(said)
    if way_out := _way_out(code):
        return Unusable(f"{said}: {way_out}")
    return Unavailable(said) if away else None


def _is_away(error: DBAPIError) -> bool:
    return isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError


def insert_new(connection: Db, table: Table, row: dict[str, Any], *key: str) -> bool:
    """Insert the row, or leave the one with the same key alone; whether it was inserted."""
    statement = _insert_new(connection.dialect.name, table, key)
    return connection.execute(statement, row, execution_options={"preserve_rowcount": True}).rowcount == 1


def insert_all_new(connection: Db, table: Table, rows: Sequence[dict[str, Any]], *key: str) -> None:
    """`insert_new` for some rows with the same columns, without an answer: a pen keeps them back."""
    write(connection, _insert_new(connection.dialect.name, table, key), rows)


def upsert(connection: Db, table: Table, row: dict[str, Any], *key: str) -> None:
    """Insert the row, or overwrite the one with the same key; a pen keeps it back."""
    upsert_all(connection, table, [row], *key)


def upsert_all(connection: Db, table: Table, rows: Sequence[dict[str, Any]], *key: str) -> None:
    """`upsert` for many rows with the same columns."""
    if rows:
        write(connection, _upsert(connection.dialect.name, table, key, tuple(rows[0])), rows)


def insert_into(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of this dialect, which knows ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def is_postgres(connection: Db) -> bool:
    return connection.dialect.name == "postgresql"


@cache
def _insert_new(dialect: str, table: Table, key: tuple[str, ...]) -> sqlite.Insert | postgresql.Insert:
    return insert_into(dialect, table).on_conflict_do_nothing(index_elements=key)


@cache
def _upsert(
    dialect: str, table: Table, key: tuple[str, ...], names: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    insert = insert_into(dialect, table)
    kept = {name: insert.excluded[name] for name in names if name not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=kept)


def _code(error: BaseException | None) -> Any:
    return getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorcode", None)


def _way_out(code: Any) -> str | None:
    return WAYS_OUT.get(code & 0xFF if isinstance(code, int) else code)


IDLE_SECONDS = 5.0
"""A connection that rested longer is tried before it is used; one that breaks sooner fails a statement."""


def _rested(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _tried(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """The pool makes a new connection in place of one that is gone."""
    if time.monotonic() - record.info.get("rests_since", math.inf) > IDLE_SECONDS:
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except psycopg.Error as error:
            raise DisconnectionError from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_MS}", *SQLITE):
        connection.execute(f"PRAGMA {pragma}")


class _SameFile:
    """No transaction begins on a file that was taken away: SQLite would go on in what nobody finds any more, or
    make an empty one in its place. Nor on one that was found damaged, which writing makes worse."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None
        self._damaged = False

    def watch(self, engine: Engine) -> None:
        event.listen(engine, "do_connect", lambda *_: self._prove())
        event.listen(engine, "connect", lambda *_: self._remember())
        event.listen(engine, "begin", lambda _: self._prove())
        event.listen(engine, "handle_error", self._notice)

    def _remember(self) -> None:
        self._opened = self._opened or self._now()

    def _prove(self) -> None:
        """Raises Unusable."""
        if self._damaged:
            raise Unusable(DAMAGED)
        if self._opened is not None and self._now() != self._opened:
            raise Unusable(LOST)

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _notice(self, context: ExceptionContext) -> None:
        code = getattr(context.original_exception, "sqlite_errorcode", 0)
        self._damaged = self._damaged or WAYS_OUT.get(code & 0xFF) is DAMAGED


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
