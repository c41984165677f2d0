"""Slack over Socket Mode: the same promise, kept by the acknowledgement of envelopes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.slack.adapter import SlackAdapter
from tests.fakes.slack_server import FakeSlack
from tests.unit.slack.conftest import Connect, Desk
from triage.errors import TooSlow


@pytest.fixture
async def adapter(slack: FakeSlack, connect: Connect) -> AsyncIterator[SlackAdapter]:
    async with connect(signing_secret=None, app_token=slack.app_token) as adapter:
        await slack.socket.connected()
        yield adapter


async def test_a_post_reaches_the_desk(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """Sent over the socket, taken, acknowledged."""
    await slack.say("U1", "C1", "vpn is down")
    assert ([message.text for message in desk.taken], len(slack.socket.acks)) == (["vpn is down"], 1)


async def test_an_envelope_is_not_acknowledged_before_the_commit(
    slack: FakeSlack, desk: Desk, adapter: SlackAdapter
) -> None:
    """While the desk works, Slack waits."""
    desk.may_commit.clear()
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    delivery = asyncio.create_task(slack.deliver(request))
    await desk.begun.wait()
    before = len(slack.socket.acks)
    desk.may_commit.set()
    assert (before, (await delivery).status) == (0, 200)


async def test_an_event_whose_turn_failed_is_not_acknowledged(
    slack: FakeSlack, desk: Desk, adapter: SlackAdapter
) -> None:
    """Slack sends it again, and then it is taken."""
    desk.troubles.append(TooSlow("2 s"))
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    statuses = [(await slack.deliver(request, retry=retry, patience=0.3)).status for retry in (0, 3)]
    assert (statuses, [message.last_try for message in desk.taken]) == ([None, 200], [True])


async def test_a_command_whose_turn_failed_is_told_so(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """In the acknowledgement."""
    desk.troubles.append(TooSlow("2 s"))
    answer = await slack.deliver(slack.command("U1", "C1", "claim 42"))
    assert (answer.status, "busy in ko-KR" in answer.body) == (200, True)


async def test_unused_events_are_acknowledged(slack: FakeSlack, adapter: SlackAdapter) -> None:
    """Slack would send them again for nothing."""
    assert (await slack.deliver(slack.event({"type": "team_join", "user": {"id": "U9"}}))).ok


async def test_the_socket_alone_makes_the_adapter_ready(slack: FakeSlack, adapter: SlackAdapter) -> None:
    """No public address is needed."""
    assert (adapter.ready, adapter.routes) == (True, [])
