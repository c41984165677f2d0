"""One cluster for the tests of a module: starting three processes takes longer than most of them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from sqlalchemy import create_engine, make_url, text

from storage.schema import migrate
from tests.replicas.cluster import Cluster, cluster


@pytest.fixture(scope="module")
def empty(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database of its own."""
    name = f"replicas_{uuid.uuid4().hex}"
    server = make_url(postgres_url).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="module")
def database(empty: str) -> str:
    migrate(empty)
    return empty


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with cluster(tmp_path_factory.mktemp("replicas"), database) as found:
        yield found
