"""Fixtures for every test: a clean environment, one PostgreSQL server a session, and a clean storage.

The storages are imported only by tests that ask for one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.postgres import new_database, server

if TYPE_CHECKING:
    from tests.contract.storages import Bench

OURS = ("DESKBELL_", "SLACK_", "Microsoft")

settings.register_profile("shared machine", settings.default, deadline=None)
settings.load_profile("shared machine")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches a test."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Logging is global; the test that configures it leaves it as it was."""
    import structlog

    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database for tests; fails with one sentence where none can be had."""
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    from storage.schema import migrate

    migrate(postgres_url)
    return postgres_url


@pytest.fixture
def new_postgres(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database of its own."""
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file without rows, to be copied."""
    from tests.contract import storages

    return storages.empty_sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def sqlite_bench(empty_sqlite: Path, tmp_path: Path) -> Iterator[Bench]:
    from tests.contract import storages

    with storages.sqlite(empty_sqlite, tmp_path) as bench:
        yield bench


@pytest.fixture
def postgres_bench(migrated_postgres: str) -> Iterator[Bench]:
    from tests.contract import storages

    with storages.postgres(migrated_postgres) as bench:
        yield bench


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """A clean storage of each kind."""
    from tests.contract import storages

    if request.param == "memory":
        return storages.memory()
    found: Bench = request.getfixturevalue(f"{request.param}_bench")
    return found
