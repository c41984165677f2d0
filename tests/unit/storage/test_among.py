"""`column IN (some values)` as one statement: what it finds, and what it does not take for something else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, create_engine, select

from storage.among import Among

ODD = ["a", "é", "\u2028", 'q"\\', "😀", "", " a"]
THINGS = Table("things", MetaData(), Column("key", String), Column("number", Integer))


@pytest.fixture(scope="module")
def db() -> Iterator[Connection]:
    """SQLite with a row for each odd key."""
    engine = create_engine("sqlite://")
    THINGS.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.execute(THINGS.insert(), [{"key": key, "number": place} for place, key in enumerate(ODD)])
        yield connection
    engine.dispose()


def found(db: Connection, keys: list[str]) -> set[str]:
    return set(db.scalars(select(THINGS.c.key).where(Among(THINGS.c.key, "keys")), {"keys": keys}))


@given(st.sets(st.sampled_from([*ODD, "b", "A"])))
def test_just_the_values_given_are_found(db: Connection, keys: set[str]) -> None:
    """Whatever letters are in them, and none of none."""
    assert found(db, list(keys)) == keys & set(ODD)


def test_numbers_are_numbers(db: Connection) -> None:
    """Not their digits."""
    assert set(db.scalars(select(THINGS.c.number).where(Among(THINGS.c.number, "some")), {"some": [1, 3]})) == {1, 3}


def test_none_of_no_values_leaves_everything(db: Connection) -> None:
    """As `NOT IN ()` does."""
    left = db.scalars(select(THINGS.c.key).where(~Among(THINGS.c.key, "keys")), {"keys": []})
    assert set(left) == set(ODD)


def test_what_follows_nul_is_not_forgotten(db: Connection) -> None:
    """Else somebody's "a\\0b" would be taken for "a", and what came with it for a repeat."""
    assert found(db, ["a\0b", "é"]) == {"é"}
