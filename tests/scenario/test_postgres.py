"""The main job once on PostgreSQL, whose locks, clock and sequences are its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario.desk import settle
from tests.scenario.stages import Stage, slack_stage


@pytest.fixture
async def stage(tmp_path: Path, new_postgres: str) -> AsyncIterator[Stage]:
    async with slack_stage(tmp_path, database=new_postgres) as stage:
        yield stage


async def test_from_question_to_rating(stage: Stage) -> None:
    """Asked, promised, claimed, answered, resolved and rated."""
    await stage.ask("coffee grinder sparks")
    assert "#1" in stage.dana_sees()[-1]
    await stage.press("Claim")
    await stage.team_says("On my way.")
    assert "On my way." in stage.dana_sees()[-1]
    await stage.press("Resolve")
    await stage.dana_presses("👍 Good")
    assert any("rated the help: good" in text for text in stage.under_card())


async def test_the_team_is_pinged(stage: Stage) -> None:
    """The sweep finds the due clock and its ping goes out."""
    await stage.ask("coffee grinder sparks")
    stage.world.pause(minutes=31)
    await stage.desk.sweep()
    await settle(stage.desk)
    assert any("first answer is due" in text for text in stage.under_card())


async def test_numbers_follow_each_other(stage: Stage) -> None:
    """An answer takes no number: the second ticket is #2."""
    await stage.ask("coffee grinder sparks")
    await stage.ask("my vpn keeps disconnecting")
    await stage.ask("gnome in the server room")
    assert "#2" in stage.dana_sees()[-1]
