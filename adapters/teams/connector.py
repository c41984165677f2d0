"""The Bot Framework connector over plain REST, and what its errors mean.

One place sends the bot's token, and only to an `https` (or loopback) service URL. Used by `port` to
write and by `roster` to look people up.

What its answers mean: 408, 412, 429 and 5xx, a broken network and a refused token are `TryLater`,
anything else is `GiveUp`; `Gone` is the one refusal that Teams is known to take back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from triage.errors import DeliveryError, GiveUp, TryLater

TokenSource = Callable[[], str]
"""The bot's access token for the connector; may block, so it is called in a thread."""

TIMEOUT = aiohttp.ClientTimeout(total=15)
PASSING = frozenset({408, 412, 429})
DEFAULT_WAIT = 2.0
LONGEST_WAIT = 600.0
TOKEN_WAIT = timedelta(seconds=30)


class Gone(GiveUp):
    """The message to be updated is not there, or so Teams says about one time in a thousand."""


class Connector:
    """Calls `/v3/…` of a service URL. Needs no network until its first call; `close` when done.

    Without a token source nothing is authorised, and only loopback addresses are called.
    """

    def __init__(self, token: TokenSource | None) -> None:
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, service_url: str, *path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The decoded JSON answer, None where there is none. Raises TryLater or GiveUp."""
        url = _url(service_url, path)
        if not is_loopback(service_url) and (self._token is None or url.scheme != "https"):
            raise GiveUp(f"the service URL {service_url!r} may not be called")
        headers = {"Content-Type": "application/json", **await self._authorization()}
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode(errors="replace")
        try:
            async with self.session.request(method, url, data=data, headers=headers, allow_redirects=False) as answer:
                return _decoded(answer, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TryLater(f"Teams cannot be reached: {error!r}", delay=timedelta(seconds=DEFAULT_WAIT)) from error

    async def _authorization(self) -> dict[str, str]:
        if self._token is None:
            return {}
        try:
            return {"Authorization": f"Bearer {await asyncio.to_thread(self._token)}"}
        except (OSError, ValueError, KeyError) as error:
            raise TryLater(f"no access token from Microsoft Entra: {error}", delay=TOKEN_WAIT) from error


def is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host == "localhost" or is_loopback_address(host)


def is_loopback_address(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(status: int, code: str, message: str, retry_after: str | None) -> DeliveryError:
    """What to do about an answer that is not a success."""
    reason = f"Teams answered {status} {code}: {message}".rstrip(": ")
    if status == 401:
        return TryLater(reason, delay=TOKEN_WAIT)
    if status in PASSING or status >= 500:
        return TryLater(reason, delay=_wait(retry_after), bucket_wide=status == 429)
    if code == "ActivityNotFoundInConversation":
        return Gone(reason)
    return GiveUp(reason)


def _wait(retry_after: str | None) -> timedelta:
    try:
        seconds = float(retry_after or DEFAULT_WAIT)
    except ValueError:
        seconds = DEFAULT_WAIT
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else DEFAULT_WAIT)


def _url(service_url: str, path: tuple[str, ...]) -> URL:
    try:
        return URL("/".join([service_url.rstrip("/"), "v3", *(quote(part, safe="") for part in path)]), encoded=True)
    except ValueError as error:
        raise GiveUp(f"not a service URL: {service_url!r}") from error


def _decoded(answer: aiohttp.ClientResponse, body: bytes) -> Any:
    try:
        content = json.loads(body) if body else None
    except ValueError:
        content = None
    if answer.ok and answer.status < 300:
        return content
    error = content.get("error") if isinstance(content, dict) else None
    error = error if isinstance(error, dict) else {}
    code, message = str(error.get("code") or answer.reason or ""), str(error.get("message") or "")
    raise refusal(answer.status, code, message, answer.headers.get("Retry-After"))
