"""Everybody reads their own language, and nobody reads what is not for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scenario.desk import World, settle
from tests.scenario.stages import SlackStage, slack_process, slack_stage
from triage.policy import Policy


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SlackStage]:
    async with slack_stage(tmp_path) as stage:
        assert isinstance(stage, SlackStage)
        stage.slack.add_user("UMINJI", name="민지", locale="ko-KR", tz="Asia/Seoul")
        stage.slack.add_user("UYIJUN", name="怡君", locale="zh-TW", tz="Asia/Taipei")
        stage.slack.state.channels["CHELP"].members |= {"UMINJI", "UYIJUN"}
        yield stage


@pytest.mark.parametrize(
    ("user", "question", "promise"),
    [("UMINJI", "로비에 고양이가 있어요", "티켓 *#1*"), ("UYIJUN", "大廳裡有一隻貓", "已建立工單 *#1*")],
)
async def test_the_asker_and_the_team_read_their_own_languages(
    stage: SlackStage, user: str, question: str, promise: str
) -> None:
    """The promise is in the asker's language, the card in the team's."""
    ts = await stage.slack.say(user, "CHELP", question)
    await settle(stage.desk)
    told = str([post.get("blocks") for post in stage.slack.messages("CHELP", ts)])
    assert promise in told
    assert "Requester" in stage.card()
    assert question in stage.card()


async def test_a_restricted_team_answers_where_nobody_else_reads(tmp_path: Path) -> None:
    """A ticket of a restricted team leaves nothing in the help channel; the promise comes directly."""
    async with slack_stage(tmp_path) as stage:
        assert isinstance(stage, SlackStage)
        world = _restricted(stage.world)
        async with slack_process(stage.slack, world) as desk:
            ts = await stage.slack.say("UDANA", "CHELP", "gnome took my salary")
            await settle(desk)
        assert not [post for post in stage.slack.messages("CHELP", ts) if "blocks" in post]
        assert "#1" in str(stage.slack.messages("DUDANA"))


def _restricted(world: World) -> World:
    policy: Policy = world.policy
    teams = {id: replace(team, restricted=True) for id, team in policy.teams.items()}
    return replace(world, policy=replace(policy, teams=teams))
