"""One cluster for the tests of a module: starting three processes takes longer than most of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from storage.schema import migrate
from tests.postgres import new_database
from tests.replicas.cluster import Cluster, cluster


@pytest.fixture(scope="module")
def empty(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database of its own."""
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def database(empty: str) -> str:
    migrate(empty)
    return empty


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with cluster(tmp_path_factory.mktemp("replicas"), database) as found:
        yield found
