"""What Slack knows of people and channels, asked for in passing and remembered for an hour.

Used by `adapters.slack.app` while Slack waits for an acknowledgement, so a look-up may take half a
second: after that the message goes on without it, and the answer is kept for the next one. A failed
look-up is not repeated for half a minute, and never fails a message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import SDK_ERRORS
from triage.model import ChannelKind

LIMIT_SECONDS = 0.5
KEEP_SECONDS = 3_600.0
RETRY_SECONDS = 30.0
REMEMBERED = 20_000

T = TypeVar("T")
_logger = logging.getLogger("deskbell.slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`guest`: a guest of the workspace, or somebody of another one."""

    name: str
    locale: str | None
    timezone: str | None
    guest: bool


class Directory:
    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._people = _Memory(self._person, clock)
        self._channels = _Memory(self._channel, clock)

    async def profile(self, user: str) -> Profile | None:
        """None when Slack does not say, or not in time."""
        return await self._people.get(user)

    async def kind(self, channel: str) -> ChannelKind | None:
        return await self._channels.get(channel)

    def known(self, user: str) -> Profile | None:
        """What is remembered already."""
        return self._people.known(user)

    async def close(self) -> None:
        await self._people.close()
        await self._channels.close()

    async def _person(self, user: str) -> Profile:
        found = (await self._client.users_info(user=user, include_locale=True))["user"]
        profile = found.get("profile") or {}
        return Profile(
            name=profile.get("display_name") or found.get("real_name") or found.get("name") or "",
            locale=found.get("locale"),
            timezone=found.get("tz"),
            guest=any(found.get(flag) for flag in ("is_restricted", "is_ultra_restricted", "is_stranger")),
        )

    async def _channel(self, channel: str) -> ChannelKind:
        found = (await self._client.conversations_info(channel=channel))["channel"]
        if found.get("is_im"):
            return ChannelKind.DM
        return ChannelKind.GROUP if found.get("is_mpim") else ChannelKind.CHANNEL


class _Memory(Generic[T]):
    def __init__(self, fetch: Callable[[str], Awaitable[T]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[str, tuple[float, T | None]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def get(self, key: str) -> T | None:
        until, _ = self._kept.get(key, (0.0, None))
        if self._clock() >= until:
            await asyncio.wait({self._ask(key)}, timeout=LIMIT_SECONDS)
        return self.known(key)

    def known(self, key: str) -> T | None:
        return self._kept.get(key, (0.0, None))[1]

    async def close(self) -> None:
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _ask(self, key: str) -> asyncio.Task[None]:
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(self._learn(key))
            self._asking[key].add_done_callback(lambda _: self._asking.pop(key, None))
        return self._asking[key]

    async def _learn(self, key: str) -> None:
        found: T | None
        try:
            found, seconds = await self._fetch(key), KEEP_SECONDS
        except (*SDK_ERRORS, KeyError) as error:
            _logger.info("Slack does not tell about %s (%s)", key, error)
            found, seconds = self.known(key), RETRY_SECONDS
        if len(self._kept) >= REMEMBERED:
            self._kept.clear()
        self._kept[key] = (self._clock() + seconds, found)
