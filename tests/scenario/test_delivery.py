"""Delivery on bad days: a busy channel, a broken server, a missing right, a person out of reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.slack_harness import words
from tests.scenario.desk import settle
from tests.scenario.stages import SlackStage, slack_stage

UNKNOWN = "coffee grinder sparks"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SlackStage]:
    async with slack_stage(tmp_path) as stage:
        assert isinstance(stage, SlackStage)
        yield stage


async def _post_without_delivery(stage: SlackStage, text: str) -> str:
    return await stage.slack.say("UDANA", "CHELP", text)


async def test_a_busy_channel_is_left_alone_for_as_long_as_slack_asks(stage: SlackStage) -> None:
    """A 429 on the promise puts that row off and lets the card in the other channel through."""
    ts = await _post_without_delivery(stage, UNKNOWN)
    stage.slack.busy_next(seconds=30, method="chat.postMessage")
    await settle(stage.desk)
    assert [p for p in stage.slack.messages("CTRIAGE") if "blocks" in p]
    assert not [p for p in stage.slack.messages("CHELP", ts) if "blocks" in p]
    assert stage.desk.storage.outbox.pending() == 1


async def test_a_broken_server_is_tried_again(stage: SlackStage) -> None:
    """A 500 puts the row off; when it is due again it arrives, once."""
    ts = await _post_without_delivery(stage, UNKNOWN)
    stage.slack.break_next(method="chat.postMessage")
    await settle(stage.desk)
    stage.world.pause(seconds=5)
    await settle(stage.desk)
    assert len([p for p in stage.slack.messages("CHELP", ts) if "#1" in str(p.get("blocks"))]) == 1


async def test_a_message_that_can_never_arrive_is_given_up_and_the_lead_is_told(stage: SlackStage) -> None:
    """The bot was removed from the help channel: the row fails and Lee, who leads IT, reads why."""
    await _post_without_delivery(stage, UNKNOWN)
    stage.slack.archive("CHELP")
    await settle(stage.desk)
    assert any("could not be delivered" in text for text in stage.lee_sees())
    assert stage.desk.storage.health().failed_rows


async def test_a_row_that_fails_for_a_quarter_of_an_hour_is_given_up(stage: SlackStage) -> None:
    """Tried again and again for over 15 minutes, it ends as failed and the lane moves on."""
    await _post_without_delivery(stage, UNKNOWN)
    for _ in range(3):
        stage.slack.break_next(method="chat.postMessage")
        stage.slack.break_next(method="chat.postMessage")
        await settle(stage.desk)
        stage.world.pause(minutes=8)
    assert stage.desk.storage.health().failed_rows


async def test_a_ping_that_is_no_longer_due_is_not_sent(stage: SlackStage) -> None:
    """Rung by the sweep, answered before it went out: the guard drops it."""
    await stage.ask(UNKNOWN)
    stage.world.pause(minutes=31)
    await stage.desk.sweep()
    card = next(p for p in stage.slack.messages("CTRIAGE") if "blocks" in p)
    await stage.slack.say("ULEE", "CTRIAGE", "On my way.", thread=str(card["ts"]))
    await settle(stage.desk)
    assert not any("first answer is due" in text for text in stage.under_card())


async def test_messages_of_one_thread_arrive_in_order(stage: SlackStage) -> None:
    """Three replies in a row are read in that order, though the first had to wait."""
    await stage.ask(UNKNOWN)
    card = next(p for p in stage.slack.messages("CTRIAGE") if "blocks" in p)
    stage.slack.break_next(method="chat.postMessage")
    for text in ("one", "two", "three"):
        await stage.slack.say("ULEE", "CTRIAGE", text, thread=str(card["ts"]))
    for _ in range(6):
        await settle(stage.desk)
        stage.world.pause(seconds=5)
    told = [words(p) for p in stage.slack.messages("CHELP", stage.thread) if "blocks" in p]
    order = [
        next(i for i, text in enumerate(told) if text.endswith(f"\n{word}") or word in text)
        for word in ("one", "two", "three")
    ]
    assert order == sorted(order)
    assert len(set(order)) == 3
