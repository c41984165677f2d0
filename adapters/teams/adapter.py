"""The Teams side of the desk in one piece: a route to mount, a port to deliver with, a life to lead.

Made by `bot.compose`. Making it needs no network; `start` fetches the keys in the background and
`ready` says when they are there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from adapters.teams.auth import FIRST_PAUSE, DeskAuthentication, KeyRing
from adapters.teams.connector import Connector, TokenSource
from adapters.teams.credentials import Settings, token_source
from adapters.teams.endpoint import DeskAdapter, Endpoint, Sentence
from adapters.teams.port import TeamsPort
from adapters.teams.roster import Roster
from triage.ports import Intake


def _anyone(tenant: str) -> bool:
    return True


class TeamsAdapter:
    """`retry_text` gives the sentence for a press that was not stored, `done_text` for one that was;
    `allows` the tenants served.

    `token` is where the bot's access token comes from, Microsoft Entra unless given. Raises
    ValueError when `settings` lacks what its app type needs.
    """

    def __init__(
        self,
        settings: Settings,
        intake: Intake,
        *,
        retry_text: Sentence,
        done_text: Sentence,
        allows: Callable[[str], bool] = _anyone,
        token: TokenSource | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if missing := settings.missing():
            raise ValueError(f"Teams needs {', '.join(missing)}")
        self._settings = settings
        source = None if settings.unauthenticated else token or token_source(settings)
        self._connector = Connector(source)
        self._keys = KeyRing(settings.keys_url, lambda: self._connector.session, clock)
        self._loading: asyncio.Task[None] | None = None
        self.port = TeamsPort(self._connector, app_id=settings.app_id)
        endpoint = Endpoint(
            DeskAdapter(DeskAuthentication(settings, self._keys)),
            intake,
            people=Roster(self._connector, clock).people,
            retry_text=retry_text,
            done_text=done_text,
            allows=allows,
            unauthenticated=settings.unauthenticated,
        )
        self.routes: list[BaseRoute] = [Route("/api/messages", endpoint.handle, methods=["POST"])]

    @property
    def ready(self) -> bool:
        """Whether requests can be checked."""
        return self._settings.unauthenticated or self._keys.loaded

    async def start(self) -> None:
        if not self.ready:
            self._loading = asyncio.create_task(self._load_keys())

    async def stop(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
        await self._connector.close()

    async def _load_keys(self) -> None:
        while True:
            await self._keys.refresh()
            if self._keys.loaded:
                return
            await asyncio.sleep(FIRST_PAUSE)
