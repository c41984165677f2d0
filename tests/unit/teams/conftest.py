"""The Teams adapter as a whole, between a fake Teams and an intake that only remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from adapters.teams.adapter import TeamsAdapter
from tests.fakes.teams_connector import FakeTeams
from triage.errors import TurnError
from triage.model import Message
from triage.ports import Receipt

RETRY = "Nothing was saved, press again."


@dataclass(slots=True)
class Desk:
    """`messages` are those taken; `receipt` is what the intake answers, `error` what it raises."""

    teams: FakeTeams
    now: float = 1_000_000.0
    messages: list[Message] = field(default_factory=list)
    receipt: Receipt = field(default_factory=Receipt)
    error: TurnError | None = None
    tenants: set[str] | None = None
    unauthenticated: bool = False
    keys_url: str | None = None
    """Where the signing keys are fetched, when not from the fake Teams."""
    _adapter: TeamsAdapter | None = None

    @property
    def adapter(self) -> TeamsAdapter:
        if self._adapter is None:
            settings = self.teams.settings
            self._adapter = TeamsAdapter(
                replace(settings, unauthenticated=self.unauthenticated, keys_url=self.keys_url or settings.keys_url),
                self._take,
                retry_text=lambda locale: f"{locale}: {RETRY}",
                done_text=lambda _: "done",
                allows=lambda tenant: self.tenants is None or tenant in self.tenants,
                token=self.teams.bot_token,
                clock=lambda: self.now,
            )
        return self._adapter

    @property
    def app(self) -> Starlette:
        return Starlette(routes=self.adapter.routes)

    async def _take(self, message: Message) -> Receipt:
        if self.error:
            raise self.error
        self.messages.append(message)
        return self.receipt

    async def receive(self, activity: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.teams.deliver(self.app, activity, headers=headers)


@pytest.fixture
async def teams() -> AsyncIterator[FakeTeams]:
    async with FakeTeams() as fake:
        yield fake


@pytest.fixture
async def desk(teams: FakeTeams) -> AsyncIterator[Desk]:
    desk = Desk(teams)
    yield desk
    await desk.adapter.stop()
