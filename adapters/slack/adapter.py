"""Slack as one thing to start and stop: made by `bot.compose` when Slack's credentials are set.

Construction touches no network. `start` returns at once; Slack is asked in the background who the
bot is, again and again while it cannot be reached, and `ready` tells when messages are taken.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from starlette.routing import Route

from adapters.slack.app import Busy, Full, Overhears, SlackApp
from adapters.slack.directory import Directory
from adapters.slack.errors import SDK_ERRORS, translate
from adapters.slack.identity import Bot, identify
from adapters.slack.port import SEND_SECONDS, SlackPort, web_client
from triage.ports import Intake, Now

PATH = "/slack/events"
LONGEST_PAUSE = 60.0

_logger = logging.getLogger("deskbell.slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """`signing_secret` opens the HTTP endpoint, `app_token` (xapp-…) Socket Mode; either will do.

    `base_url` is the Web API's (GovSlack, tests). `proxy` is a URL for outbound calls; the SDK would
    read the environment for it, which is `bot.settings`' business.
    """

    bot_token: str
    signing_secret: str | None = None
    app_token: str | None = None
    base_url: str = "https://slack.com/api/"
    proxy: str | None = None


class SlackAdapter:
    """`busy` gives the sentence for "nothing was saved, try again" for a locale such as `ko-KR`."""

    def __init__(
        self,
        settings: SlackSettings,
        *,
        intake: Intake,
        busy: Busy,
        full: Full = lambda: False,
        overhears: Overhears = lambda _: False,
        now: Now = lambda: datetime.now(UTC),
        first_pause: float = 1.0,
    ) -> None:
        self._settings = settings
        self._first_pause = first_pause
        self._client = web_client(settings.bot_token, base_url=settings.base_url, proxy=settings.proxy)
        self._bot: Bot | None = None
        self._ready = asyncio.Event()
        self._starting: asyncio.Task[None] | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._app = SlackApp(
            client=self._client,
            signing_secret=settings.signing_secret,
            bot=lambda: self._bot,
            directory=Directory(self._client),
            intake=intake,
            busy=busy,
            full=full,
            overhears=overhears,
        )
        self.port = SlackPort(self._client, bot=lambda: self._bot, now=now)
        self.problem: str | None = None
        """Why Slack is not ready, in words for an admin."""

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the root; empty without a signing secret, since nothing could be verified."""
        if self._settings.signing_secret is None:
            return []
        return [Route(PATH, self._app, methods=["POST"])]

    async def start(self) -> None:
        """Begin to connect, in the background."""
        self._client.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SEND_SECONDS))
        self._starting = asyncio.create_task(self._connect())

    async def wait_ready(self) -> None:
        await self._ready.wait()

    async def stop(self) -> None:
        """Take nothing more; what is being handled is not acknowledged and comes again."""
        self._bot = None
        self._ready.clear()
        if self._starting:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._socket:
            await self._socket.close_async()  # type: ignore[no-untyped-call]
        await self._app.close()
        if self._client.session:
            await self._client.session.close()

    async def start_socket(self, app_token: str) -> None:
        """Connect over Socket Mode; returns once connected, however long that takes."""
        client = web_client(app_token, base_url=self._settings.base_url, proxy=self._settings.proxy)
        self._socket = AsyncSocketModeHandler(self._app.bolt, app_token, web_client=client)
        self._socket.client.proxy = self._settings.proxy
        await self._socket.connect_async()  # type: ignore[no-untyped-call]

    async def _connect(self) -> None:
        pause = self._first_pause
        while self._bot is None:
            try:
                self._bot = await identify(self._client)
            except (*SDK_ERRORS, KeyError) as error:
                self.problem = str(translate(error))
                _logger.error("not connected: %s; next try in %.0f s", self.problem, pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        if self._settings.app_token:
            await self.start_socket(self._settings.app_token)
        self.problem = None
        self._ready.set()
