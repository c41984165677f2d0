"""Migrations while the last release runs: expanding only adds, and taking away waits until it is asked for (ADR 10)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, inspect, make_url, text

from bot.cli import main
from storage import schema
from storage.engine import Unusable, make_engine
from storage.schema import CONTRACT, MIGRATIONS, Phase, migrate, missing_migrations, pending_migrations
from tests.migrations import CONTRACTED, EXPANDED, newest_expand, planted, scripts

REVISIONS = list(reversed(list(scripts().walk_revisions())))
EXPANDING = [(step.down_revision, step.revision) for step in REVISIONS if step.module.phase == Phase.EXPAND]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.db'}"
    found: str = request.getfixturevalue("new_postgres")
    return found


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """As if this were a version with two migrations more; `undo` makes it this version again."""
    folder = planted(tmp_path, contract=True)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", folder)
        yield patch


# --- the files ---------------------------------------------------------------------------------
@pytest.mark.parametrize("step", REVISIONS, ids=lambda step: step.revision)
def test_every_migration_names_its_phase(step: Any) -> None:
    """And one that takes away is known by its revision, which is all that an older process sees of it."""
    phase = Phase(step.module.phase)
    assert step.revision.startswith(CONTRACT) == (phase is Phase.CONTRACT)


def test_each_phase_is_a_chain() -> None:
    """What is missing is then the end of a chain, and never depends on something having been taken away."""
    heads = scripts().get_heads()
    assert len([head for head in heads if not head.startswith(CONTRACT)]) == 1
    assert len([head for head in heads if head.startswith(CONTRACT)]) <= 1


def test_nothing_is_founded_once_a_release_can_be_upgraded_while_it_runs() -> None:
    """Those three are history: whatever comes now expands or contracts."""
    founding = [step.revision for step in REVISIONS if step.module.phase == Phase.FOUNDING]
    assert founding == ["0001", "0002", "0003"]


# --- expanding only adds -----------------------------------------------------------------------
def at(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = make_engine(url, timeouts=False)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def shape(url: str) -> dict[str, Any]:
    """What an older version's statements rest on."""
    engine = make_engine(url)
    with engine.connect() as db:
        found = inspect(db)
        tables = {
            table: {
                "columns": {column["name"]: _column(column) for column in found.get_columns(table)},
                "primary": found.get_pk_constraint(table)["constrained_columns"],
                "refusing": sorted(_refusing(db, table)),
            }
            for table in found.get_table_names()
            if table != "alembic_version"
        }
    engine.dispose()
    return tables


def _column(column: Any) -> tuple[str, bool, bool]:
    """Its type, whether it may be empty, and whether it fills itself."""
    return str(column["type"]), column["nullable"], column["default"] is not None


def _refusing(db: Connection, table: str) -> Iterator[str]:
    """What may refuse a row: unique indexes and constraints, checks, references, triggers."""
    found = inspect(db)
    yield from (f"unique {index['column_names']}" for index in found.get_indexes(table) if index["unique"])
    yield from (f"unique {each['column_names']}" for each in found.get_unique_constraints(table))
    yield from (f"check {each['sqltext']}" for each in found.get_check_constraints(table))
    yield from (f"reference {each['constrained_columns']}" for each in found.get_foreign_keys(table))
    triggers = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
        if db.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE tgrelid = CAST(:table AS regclass) AND NOT tgisinternal"
    )
    yield from (f"trigger {name}" for name in db.scalars(text(triggers), {"table": table}))


def _narrowed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Each thing that an older version may stumble over."""
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield f"{name} is gone"
            continue
        if (old["primary"], old["refusing"]) != (new["primary"], new["refusing"]):
            yield f"{name} refuses other rows"
        for column in old["columns"]:
            if new["columns"].get(column) != old["columns"][column]:
                yield f"{name}.{column} is not what it was"
        for column in new["columns"].keys() - old["columns"].keys():
            _, may_be_empty, fills_itself = new["columns"][column]
            if not may_be_empty and not fills_itself:
                yield f"{name}.{column} wants a value"


@pytest.mark.parametrize(("before", "revision"), EXPANDING, ids=[revision for _, revision in EXPANDING])
def test_expanding_only_adds(url: str, before: str, revision: str) -> None:
    """All that was there is there, of the same kind; what is new needs nothing of who does not know it."""
    at(url, before)
    old = shape(url)
    at(url, revision)
    assert list(_narrowed(old, shape(url))) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DROP TABLE retention", "retention is gone"),
        ("ALTER TABLE ticket DROP COLUMN subject", "ticket.subject is not what it was"),
        ("ALTER TABLE person ADD COLUMN shoe INTEGER NOT NULL", "person.shoe wants a value"),
        ("ALTER TABLE person ALTER COLUMN surrogate SET NOT NULL", "person.surrogate is not what it was"),
        ("ALTER TABLE person ALTER COLUMN language TYPE varchar(2)", "person.language is not what it was"),
        ("CREATE UNIQUE INDEX one ON person (name)", "person refuses other rows"),
        ("ALTER TABLE person ADD CHECK (name <> '')", "person refuses other rows"),
    ],
)
def test_the_comparison_sees_what_takes_away(new_postgres: str, statement: str, told: str) -> None:
    """Each of these would stop an older version's statements."""
    migrate(new_postgres)
    old = shape(new_postgres)
    engine = make_engine(new_postgres)
    with engine.begin() as db:
        db.execute(text(statement))
    engine.dispose()
    assert list(_narrowed(old, shape(new_postgres))) == [told]


# --- applying ----------------------------------------------------------------------------------
def test_taking_away_waits_until_it_is_asked_for(url: str, newer: pytest.MonkeyPatch) -> None:
    """Migrating expands, and this version then runs; only `contract` contracts."""
    found = migrate(url)
    assert (found.needed[-1], found.contract) == (EXPANDED, [CONTRACTED])
    assert "erasure" in shape(url)
    assert pending_migrations(url) == ()
    migrate(url, contract=True)
    assert "erasure" not in shape(url)
    assert not missing_migrations(url).contract


def test_an_older_version_runs_on_an_expanded_database(url: str, newer: pytest.MonkeyPatch) -> None:
    """It has nothing to apply, and leaves the database as it is."""
    migrate(url)
    shaped = shape(url)
    newer.undo()
    assert pending_migrations(url) == ()
    assert migrate(url).newer
    assert shape(url) == shaped


def test_an_older_version_does_not_run_on_a_contracted_database(url: str, newer: pytest.MonkeyPatch) -> None:
    """What it needs may be gone: it says so and what to do, before it reads or writes anything."""
    migrate(url, contract=True)
    newer.undo()
    for tried in (migrate, pending_migrations):
        with pytest.raises(Unusable, match="contracted for a newer version"):
            tried(url)


def test_migrating_waits_for_a_table_that_a_backup_holds(
    new_postgres: str, newer: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lets turns pass meanwhile, says why it waits, and goes on by itself."""
    monkeypatch.setattr(schema, "PAUSE", 0.05)
    with monkeypatch.context() as this_version:
        this_version.setattr(schema, "MIGRATIONS", MIGRATIONS)
        migrate(new_postgres)
    told: list[str] = []
    waited = threading.Event()

    def hear(sentence: str) -> None:
        told.append(sentence)
        waited.set()

    engine = create_engine(make_url(new_postgres).set(drivername="postgresql+psycopg"))
    with engine.connect() as backup:
        backup.execute(text("LOCK TABLE ticket IN ACCESS SHARE MODE"))
        thread = threading.Thread(target=migrate, args=(new_postgres,), kwargs={"told": hear})
        thread.start()
        assert waited.wait(30)
        assert EXPANDED in missing_migrations(new_postgres).needed
        backup.rollback()
        thread.join(30)
    engine.dispose()
    assert pending_migrations(new_postgres) == ()
    assert "backup" in told[0]


def test_the_command_says_what_is_left_to_take_away(
    tmp_path: Path, newer: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever upgrades reads the last step, and is not told of it again once it was taken."""
    assert main(["migrate", "--data", str(tmp_path)]) == 0
    assert "--contract" in capsys.readouterr().err
    assert main(["migrate", "--contract", "--data", str(tmp_path)]) == 0
    assert main(["migrate", "--data", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.splitlines() == ["1 migrations applied.", "The database is up to date."]


def test_the_newest_expanding_migration_is_what_a_next_one_follows() -> None:
    """The template writes `expand`, and the chain has one end."""
    assert 'phase = "expand"' in (MIGRATIONS / "script.py.mako").read_text()
    assert newest_expand() == [step.revision for step in REVISIONS if step.module.phase != Phase.CONTRACT][-1]
