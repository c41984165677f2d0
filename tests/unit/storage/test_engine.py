"""Databases are opened the way the desk needs them, and fail in the desk's words."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from storage import engine as engine_module
from storage.engine import database_url, make_engine, reading, translated, writing
from storage.pen import Pen
from storage.rows import inbox
from storage.sql import SqlStorage
from tests.contract.storages import AT, Bench
from triage.errors import Conflict, Unavailable


def scalar(bench: Bench, statement: str) -> object:
    assert bench.engine is not None
    with bench.engine.connect() as connection:
        return connection.scalar(text(statement))


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 1500)]
)
def test_sqlite_is_durable_and_strict(sqlite_bench: Bench, pragma: str, value: object) -> None:
    """WAL, full synchronisation, foreign keys, and patience for another writer."""
    assert scalar(sqlite_bench, f"PRAGMA {pragma}") == value


@pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout"])
def test_postgres_gives_up_in_time(postgres_bench: Bench, setting: str) -> None:
    """A statement takes no longer than a turn may."""
    assert scalar(postgres_bench, f"SHOW {setting}") == "2s"


def test_options_in_the_url_are_kept(postgres_url: str) -> None:
    """An admin's own settings stand beside ours, and win."""
    join = "&" if "?" in postgres_url else "?"
    engine = make_engine(f"{postgres_url}{join}options=-c%20application_name%3Ddesk%20-c%20lock_timeout%3D7s")
    with engine.connect() as connection:
        shown = [connection.scalar(text(f"SHOW {name}")) for name in ("application_name", "lock_timeout")]
    engine.dispose()
    assert shown == ["desk", "7s"]


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg2://u@h/d"])
def test_every_postgres_url_means_our_driver(url: str) -> None:
    """Whatever driver the URL names, psycopg 3 is used."""
    assert database_url(url).drivername == "postgresql+psycopg"


def test_another_database_is_refused() -> None:
    """The message names what can be used."""
    with pytest.raises(ValueError, match="sqlite:/// or postgresql://"):
        make_engine("mysql://u@h/d")


def test_a_reader_sees_nothing_half_done(sqlite_bench: Bench) -> None:
    """Reading goes on beside a writer and sees only what was committed."""
    assert sqlite_bench.engine is not None
    with writing(sqlite_bench.engine) as writer:
        writer.execute(text("INSERT INTO reference (key, reference) VALUES ('k', 'r')"))
        with reading(sqlite_bench.engine) as reader:
            assert reader.scalar(text("SELECT count(*) FROM reference")) == 0


def test_no_server_is_unavailable() -> None:
    """A database that does not answer is for the caller to retry."""
    storage = SqlStorage(make_engine("postgresql://nobody@127.0.0.1:9/none"))
    with pytest.raises(Unavailable):
        storage.ping()


def test_no_file_is_unavailable(tmp_path: Path) -> None:
    """So is a file that cannot be opened."""
    storage = SqlStorage(make_engine(f"sqlite:///{tmp_path / 'missing' / 'desk.db'}"))
    with pytest.raises(Unavailable):
        storage.ping()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    """The message says what SQLite found."""
    (tmp_path / "desk.db").write_text("this is not a database, but it is long enough to be looked at" * 20)
    storage = SqlStorage(make_engine(f"sqlite:///{tmp_path / 'desk.db'}"))
    with pytest.raises(Unavailable, match="not a database"):
        storage.ping()


@pytest.mark.parametrize(("code", "expected"), [("40P01", Conflict), ("40001", Conflict), ("57014", Unavailable)])
def test_a_lost_race_is_a_conflict(code: str, expected: type[Exception]) -> None:
    """Deadlock and serialisation failure are decided again; a time-out is not."""
    original = type("Original", (Exception,), {"sqlstate": code})("lost")
    with pytest.raises(expected), translated():
        raise OperationalError("UPDATE", {}, original)


@pytest.mark.parametrize("mistake", [ProgrammingError, IntegrityError])
def test_a_mistake_of_ours_stays_visible(mistake: type[Exception]) -> None:
    """Bad SQL and a missing parent row are defects, not weather."""
    with pytest.raises(mistake), translated():
        raise mistake("SELECT", {}, Exception("42601"))


def test_a_connection_that_broke_while_it_rested_is_replaced(
    migrated_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first statement after a restart of PostgreSQL is not lost to a connection of before."""
    monkeypatch.setattr(engine_module, "IDLE_SECONDS", -1.0)
    engine, other = make_engine(migrated_postgres), make_engine(migrated_postgres)
    with reading(engine) as db:
        before = db.scalar(text("SELECT pg_backend_pid()"))
    with other.begin() as admin:
        assert admin.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": before})
    with reading(engine) as db:
        assert db.scalar(text("SELECT pg_backend_pid()")) != before
    engine.dispose()
    other.dispose()


def keep_keys(bench: Bench, *keys: str, cut: bool = False) -> None:
    """Each in a statement of its own, all in one go; `cut`: the server ends the connection before."""
    assert bench.engine is not None
    with writing(bench.engine) as connection:
        if cut:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
            scalar(bench, f"SELECT pg_terminate_backend({backend}, 5000)")
        pen = Pen(connection)
        for key in keys:
            pen.keep_back(inbox.insert(), [{"key": key, "at": AT}])
        pen.commit()


def test_a_conflict_among_statements_that_go_together_is_told_as_one(postgres_bench: Bench) -> None:
    """The driver itself raises it, after the last of them; nothing is stored, and the connection is as good as new."""
    with pytest.raises(Conflict):
        keep_keys(postgres_bench, "k", "k")
    keep_keys(postgres_bench, "k1", "k2")
    assert scalar(postgres_bench, "SELECT count(*) FROM inbox") == 2


def test_a_connection_that_breaks_under_statements_that_go_together_is_unavailable(postgres_bench: Bench) -> None:
    """And a new one takes its place."""
    with pytest.raises(Unavailable):
        keep_keys(postgres_bench, "k1", "k2", cut=True)
    keep_keys(postgres_bench, "k1", "k2")
    assert scalar(postgres_bench, "SELECT count(*) FROM inbox") == 2
