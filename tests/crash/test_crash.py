"""A short story of kills on each database, for every day; `make crash` tells the long ones."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.crash.nursery import Nursery
from tests.crash.stage import How, Setting
from tests.crash.story import tell

SEED = 5
KILLS = 4
LEASE_SECONDS = 6


@pytest.mark.timeout(600)
async def test_kills_under_load_lose_and_double_nothing(nursery: Nursery, tmp_path: Path) -> None:
    """What Slack was acknowledged for came out once, over HTTP on SQLite and over Socket Mode on PostgreSQL."""
    how = How(nursery=nursery, lease=LEASE_SECONDS)
    told = await asyncio.gather(
        tell(Setting.SQLITE_HTTP, SEED, KILLS, tmp_path / "sqlite", how),
        tell(Setting.POSTGRES_SOCKET, SEED, KILLS, tmp_path / "postgres", how),
    )
    assert [story.violations for story in told] == [[], []]
    assert [story.troubles.kills.total() for story in told] == [KILLS, KILLS]
    assert all(any(letter.acknowledged for letter in story.letters) for story in told)
