"""A fake Slack with two people and a channel, and the adapter connected to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette

from adapters.slack.adapter import SlackAdapter, SlackSettings
from tests.fakes.slack_server import FakeSlack
from triage.model import Message
from triage.ports import Receipt


class Desk:
    """Takes messages as the desk does. `troubles` are raised first, one a message.

    `begun` tells that a turn has begun; it ends only while `may_commit` is set.
    """

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.troubles: list[Exception] = []
        self.begun, self.may_commit = asyncio.Event(), asyncio.Event()
        self.may_commit.set()

    async def __call__(self, message: Message) -> Receipt:
        self.begun.set()
        await self.may_commit.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append(message)
        return Receipt()


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        slack.add_user("U1", name="Ann", locale="ko-KR", tz="Asia/Seoul")
        slack.add_user("U2", name="Kim")
        slack.add_channel("C1", members={"U1", "U2"})
        yield slack


@pytest.fixture
def desk() -> Desk:
    return Desk()


def settings_for(slack: FakeSlack, **more: Any) -> SlackSettings:
    wanted = {"bot_token": slack.token, "signing_secret": slack.signing_secret, "base_url": slack.url, **more}
    return SlackSettings(**wanted)


Connect = Callable[..., AbstractAsyncContextManager[SlackAdapter]]


@pytest.fixture
def connect(slack: FakeSlack, desk: Desk) -> Connect:
    """`async with connect(app_token=…)`: an adapter that is ready; `ready=False` does not wait for that. `full` says
    that the desk has more to do than it can, `talk` that whatever comes is talk."""

    @asynccontextmanager
    async def connected(
        *, ready: bool = True, full: bool = False, talk: bool = False, **more: Any
    ) -> AsyncIterator[SlackAdapter]:
        adapter = SlackAdapter(
            settings_for(slack, **more),
            intake=desk,
            busy=lambda locale: f"busy in {locale}",
            full=lambda: full,
            overhears=lambda message: talk,
            first_pause=0.01,
        )
        if adapter.routes:
            slack.deliver_to(Starlette(routes=adapter.routes))
        await adapter.start()
        try:
            if ready:
                await adapter.wait_ready()
            yield adapter
        finally:
            await adapter.stop()

    return connected


@pytest.fixture
async def adapter(connect: Connect) -> AsyncIterator[SlackAdapter]:
    async with connect() as adapter:
        yield adapter
