"""The second migration keeps what people said of answers before there were cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from storage.engine import make_engine, writing
from storage.schema import MIGRATIONS, migrate
from storage.sql import SqlStorage
from triage.learning import CaseKind

ROWS = (
    ("ann", "my vpn drops", "vpn", "solved"),
    ("ann", "my vpn drops", "vpn", "solved"),
    ("bob", "mail is gone", "mail", "unsolved"),
    ("bob", "coffee", None, "none"),
    ("bob", "coffee", "mail", "picked"),
)


def at_first_schema(url: str) -> None:
    """A database as version 0.1 made it, with feedback in it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    insert = text(
        "INSERT INTO feedback (at, person, question, article, verdict) VALUES ('2026-03-06 09:00', :p, :q, :a, :v)"
    )
    engine = make_engine(url, timeouts=False)
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO person (id, name, language) VALUES ('ann', 'Ann', 'en')"))
        for row in ROWS:
            connection.execute(insert, dict(zip("pqav", row, strict=True)))
        connection.commit()
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_feedback_becomes_cases(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each verdict once; without an audience, so that no matcher is calibrated with them."""
    url = f"sqlite:///{tmp_path / 'desk.db'}" if kind == "sqlite" else request.getfixturevalue("new_postgres")
    at_first_schema(url)
    migrate(url)
    storage = SqlStorage(make_engine(url))
    cases = sorted((case.text, case.article, case.kind, case.person) for case in storage.cases())
    assert {case.audience for case in storage.cases()} == {""}
    with storage.reading() as reading:
        assert not reading.people(["ann"])["ann"].guest
    storage.close()
    assert cases == sorted(
        [
            ("my vpn drops", "vpn", CaseKind.CONFIRMED, "ann"),
            ("mail is gone", "mail", CaseKind.CONTRADICTED, "bob"),
            ("coffee", None, CaseKind.NONE_OF_THESE, "bob"),
        ],
        key=lambda case: case[0],
    )
