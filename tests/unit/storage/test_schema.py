"""Migrations make the schema that the rows describe."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from storage.columns import METADATA
from storage.engine import make_engine
from storage.schema import migrate, pending_migrations
from tests.contract.storages import Bench
from triage.errors import Unavailable


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_migrations_make_the_schema_of_the_rows(kind: str, request: pytest.FixtureRequest) -> None:
    """Tables, columns, types, indexes and constraints are the same."""
    bench: Bench = request.getfixturevalue(f"{kind}_bench")
    assert bench.engine is not None
    with bench.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_partial_indexes_keep_their_conditions(kind: str, request: pytest.FixtureRequest) -> None:
    """The comparison above does not look at them."""
    bench: Bench = request.getfixturevalue(f"{kind}_bench")
    assert bench.engine is not None
    inspected = inspect(bench.engine)
    partial = {
        str(index["name"])
        for table in METADATA.sorted_tables
        for index in inspected.get_indexes(table.name)
        if index["dialect_options"].get(f"{bench.engine.dialect.name}_where") is not None
    }
    expected = {
        str(index.name)
        for table in METADATA.sorted_tables
        for index in table.indexes
        if index.dialect_options[bench.engine.dialect.name]["where"] is not None
    }
    assert partial == expected


def test_a_new_database_has_everything_pending(tmp_path: Path) -> None:
    """Until it is migrated; migrating again changes nothing."""
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    assert pending_migrations(url) == ("0001", "0002", "0003", "0004")
    migrate(url)
    migrate(url)
    assert pending_migrations(url) == ()


def test_a_migrated_postgres_has_nothing_pending(migrated_postgres: str) -> None:
    """Migrating again changes nothing there either."""
    migrate(migrated_postgres)
    assert pending_migrations(migrated_postgres) == ()


def test_a_percent_sign_in_the_path_does_no_harm(tmp_path: Path) -> None:
    """Alembic's configuration would read it as an interpolation."""
    url = f"sqlite:///{tmp_path / '100%'}.db"
    migrate(url)
    with make_engine(url).connect() as connection:
        assert inspect(connection).has_table("ticket")
        connection.engine.dispose()


def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    """The command then exits with 3."""
    with pytest.raises(Unavailable):
        migrate(f"sqlite:///{tmp_path / 'missing' / 'desk.db'}")
