"""Delivery on bad days: a busy channel, a broken server, a missing right, a person out of reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import Delivery
from bot.metrics import DELIVERIES
from tests.contract.slack_harness import words
from tests.scenario.desk import settle
from tests.scenario.stages import HELP, SlackStage, Stage, TeamsStage, slack_stage, teams_stage
from triage.errors import Conflict

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


async def test_a_ping_for_somebody_out_of_reach_is_a_mention_and_word_to_the_lead(stage: SlackStage) -> None:
    """Kim's account is gone: the call stands under the card by name, Lee is told, and `doctor` can list Kim."""
    await stage.ask(UNKNOWN)
    stage.slack.state.users.pop("UKIM")
    await stage.orders("assign 1 kim")
    assert any("I cannot reach you by direct message" in text for text in stage.under_card())
    assert any("I cannot reach" in text and "#1" in text for text in stage.lee_sees())
    assert list(stage.desk.storage.unreachable()) == ["kim"]


class TripsOnce:
    """The real outbox, whose first lease ends in an error that nobody foresaw."""

    def __init__(self, real: Any, error: Exception) -> None:
        self._real = real
        self._errors = [error]

    def lease(self, limit: int, *, skip: frozenset[str] = frozenset()) -> Any:
        if self._errors:
            raise self._errors.pop()
        return self._real.lease(limit, skip=skip)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.mark.parametrize("error", [Conflict("a deadlock"), KeyError("a bug")])
async def test_delivery_goes_on_after_an_error_of_its_own(stage: SlackStage, error: Exception) -> None:
    """One bad pass, and everything still arrives."""
    desk = stage.desk
    outbox = TripsOnce(desk.storage.outbox, error)
    told, missed = desk.desk.undelivered, desk.desk.missed
    delivery = Delivery(outbox, desk.ports, desk.run, now=desk.now, told=told, missed=missed)
    await _post_without_delivery(stage, UNKNOWN)
    serving = asyncio.create_task(delivery.serve())
    async with asyncio.timeout(10):
        while desk.storage.outbox.pending():
            await asyncio.sleep(0.02)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


# --- a send that nobody knows the end of ---------------------------------------------------------
async def _crash_while_sending(stage: Stage) -> None:
    """Another process leased what waits, and was never heard of again."""
    assert stage.desk.storage.outbox.lease(20)
    stage.world.pause(seconds=61)
    await settle(stage.desk)


async def test_a_private_reply_in_doubt_is_sent_again_and_says_so(stage: SlackStage) -> None:
    """Slack cannot tell whether an ephemeral message was shown: better twice, marked and counted, than never."""
    before = _sent_again("direct")
    await stage.slack.deliver(stage.slack.command("ULEE", "CTRIAGE", "help"))
    await _crash_while_sending(stage)
    assert "you may have it already" in stage.lee_sees()[-1]
    assert _sent_again("direct") == before + 1


async def test_a_post_in_doubt_that_can_be_looked_up_is_not_marked(stage: SlackStage) -> None:
    """Slack says it never arrived, so this is the first."""
    ts = await _post_without_delivery(stage, UNKNOWN)
    await _crash_while_sending(stage)
    (promise,) = [words(p) for p in stage.slack.messages("CHELP", ts) if "blocks" in p]
    assert "already" not in promise


async def test_on_teams_whatever_is_in_doubt_is_sent_again_and_says_so(tmp_path: Path) -> None:
    """Teams lets no bot look its own posts up."""
    async with teams_stage(tmp_path) as stage:
        assert isinstance(stage, TeamsStage)
        before = _sent_again("teams")
        activity = stage.teams.activity(UNKNOWN, user="dana", conversation=HELP, mention=True)
        stage.thread = activity["id"]
        await stage.teams.deliver(stage.app, activity)
        await _crash_while_sending(stage)
        assert "you may have it already" in stage.dana_sees()[-1]
        assert _sent_again("teams") == before + 2


def _sent_again(platform: str) -> float:
    return float(DELIVERIES.labels(platform, "again")._value.get())
