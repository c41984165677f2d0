"""Teams for the `ChatPort` contract suite: the real port against the fake connector."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import Self

from adapters.teams.connector import Connector
from adapters.teams.port import TeamsPort
from adapters.teams.reference import Reference
from tests.fakes.teams_connector import APP_ID, BOT, CHANNEL, TENANT, FakeTeams, object_id
from triage.model import Account, Channel, Platform, Thread
from triage.ports import Address

FORBIDDEN = "19:forbidden@thread.tacv2"


class TeamsHarness:
    """Use as `async with TeamsHarness() as harness`."""

    whispers = False
    finds = False

    def __init__(self) -> None:
        self.teams = FakeTeams(forbidden={FORBIDDEN})
        self.account = Account(platform=Platform.TEAMS, place=TENANT, user=object_id("kim"))
        self._connector = Connector(self.teams.bot_token)
        self.port = TeamsPort(self._connector, app_id=APP_ID, second_look=timedelta(0))

    async def __aenter__(self) -> Self:
        await self.teams.__aenter__()
        self.channel, self.forbidden = self._address(CHANNEL), self._address(FORBIDDEN)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connector.close()
        await self.teams.stop()

    def shown(self, thread: Thread) -> list[str]:
        return [post.text for post in self.teams.messages(thread.channel.id, thread.root)]

    def shown_privately(self, account: Account) -> list[str]:
        chat = self.teams.chat_with(account.user.removeprefix(object_id("")))
        return [post.text for post in self.teams.messages(chat)]

    def busy_once(self, seconds: int) -> bool:
        self.teams.refuse_next(429, "TooManyRequests", retry_after=seconds)
        return True

    def _address(self, id: str) -> Address:
        channel = Channel(platform=Platform.TEAMS, place=TENANT, id=id)
        known = Reference(service_url=self.teams.service_url, place=TENANT, conversation=id, bot=BOT)
        return Address(thread=Thread(channel=channel), reference=known.dumps())
