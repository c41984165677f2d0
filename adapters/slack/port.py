"""Slack's outbound side: the `ChatPort` that `bot.delivery` sends through.

Every post carries its outbox key as message metadata, so that `find` can tell after a crash whether
it went out. The SDK's own retries are off (see `web_client`): repeating is the outbox's business.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.blocks import to_blocks, to_text
from adapters.slack.errors import SDK_ERRORS, retry_after, translate
from adapters.slack.identity import Bot
from triage.document import Document
from triage.errors import GiveUp, TryLater
from triage.model import Account, Channel, ChannelKind, MessageRef, Platform, Thread
from triage.ports import Address, Now

SEND_SECONDS = 20
METADATA = "deskbell"
LOOK_BACK = timedelta(days=7)
"""How far back `find` looks: longer than anybody leaves a desk switched off in the middle of a post."""
LOOK_AT, PAGES = 200, 10
"""Posts a page, and pages at most."""

HOOKS = ("hooks.slack.com", "hooks.slack-gov.com")
"""Where Slack's response_urls lie."""

_TS = re.compile(r"\d+\.\d+")


def web_client(token: str, *, base_url: str, proxy: str | None = None) -> AsyncWebClient:
    """A client that takes neither proxies from the environment nor repeats a call on its own.

    The SDK repeats after a dropped connection, though Slack may have posted already.
    """
    client = AsyncWebClient(token=token, base_url=base_url, timeout=SEND_SECONDS, retry_handlers=[])
    client.proxy = proxy
    return client


class SlackPort:
    """`bot` answers None until Slack has told who the bot is."""

    platform = Platform.SLACK
    finds = True

    def __init__(self, client: AsyncWebClient, *, bot: Callable[[], Bot | None], now: Now) -> None:
        self._client = client
        self._bot = bot
        self._now = now

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        return await self._post(to, document, metadata={"event_type": METADATA, "event_payload": {"key": key}})

    async def update(self, ref: MessageRef, document: Document, *, reference: str | None) -> None:
        await _sent(self._client.chat_update(channel=ref.thread.channel.id, ts=ref.id, **_content(document)))

    async def whisper(self, to: Address, account: Account, document: Document, *, reply_url: str | None) -> None:
        """Through the response_url while it works, else as an ephemeral message; in a direct chat as a post."""
        if reply_url and await self._respond(reply_url, to.thread, document):
            return
        channel = to.thread.channel
        if channel.kind is ChannelKind.DM:
            await self._post(to, document, whisper=True)
            return
        ephemeral = self._client.chat_postEphemeral(
            channel=channel.id, user=account.user, thread_ts=_root(to.thread), **_content(document)
        )
        await _sent(ephemeral, whisper=True)

    async def direct(self, account: Account, *, reference: str | None) -> Address:
        opened = await _sent(self._client.conversations_open(users=[account.user]))
        bot = self._bot()
        channel = Channel(
            platform=Platform.SLACK,
            place=bot.team if bot else account.place,
            id=str(opened["channel"]["id"]),
            kind=ChannelKind.DM,
        )
        return Address(thread=Thread(channel=channel))

    async def find(self, to: Address, *, key: str) -> MessageRef | None:
        """Page by page: of a thread Slack shows the oldest replies first, of a channel the newest posts."""
        oldest, cursor = f"{(self._now() - LOOK_BACK).timestamp():.6f}", None
        for _ in range(PAGES):
            page = await self._page(to.thread, oldest, cursor)
            found = next((post for post in page["messages"] if _key(post) == key), None)
            if found:
                return MessageRef(thread=to.thread, id=str(found["ts"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return None

    def invitation(self, place: str) -> str | None:
        """Slack's redirect to the direct chat; works in the browser and opens the desktop client."""
        bot = self._bot()
        if bot is None:
            return None
        target = {"app": bot.app, "tab": "messages"} if bot.app else {"channel": bot.user}
        return f"https://slack.com/app_redirect?{urlencode({**target, 'team': place})}"

    async def _page(self, thread: Thread, oldest: str, cursor: str | None) -> AsyncSlackResponse:
        channel, root = thread.channel.id, _root(thread)
        if root:
            call = self._client.conversations_replies(
                channel=channel, ts=root, oldest=oldest, cursor=cursor, limit=LOOK_AT, include_all_metadata=True
            )
        else:
            call = self._client.conversations_history(
                channel=channel, oldest=oldest, cursor=cursor, limit=LOOK_AT, include_all_metadata=True
            )
        return await _sent(call)

    async def _post(
        self, to: Address, document: Document, *, metadata: dict[str, Any] | None = None, whisper: bool = False
    ) -> MessageRef:
        call = self._client.chat_postMessage(
            channel=to.thread.channel.id,
            thread_ts=_root(to.thread),
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
            mrkdwn=False,
            **_content(document),
        )
        posted = await _sent(call, whisper=whisper)
        return MessageRef(thread=to.thread, id=str(posted["ts"]))

    async def _respond(self, url: str, thread: Thread, document: Document) -> bool:
        """Whether Slack took it; False once the address is used up (five times) or too old (30 minutes).

        Also when it is none of Slack's: nothing is sent to it.
        """
        if not is_slacks(url, self._client.base_url):
            return False
        payload = {"response_type": "ephemeral", "replace_original": False, **_content(document)}
        if root := _root(thread):
            payload["thread_ts"] = root
        status, headers = await respond(self._client, url, payload)
        if status == 429:
            raise TryLater("Slack asks to slow down", delay=retry_after(headers), bucket_wide=True)
        if status >= 500:
            raise TryLater(f"Slack has trouble ({status})")
        return status == 200


async def respond(client: AsyncWebClient, url: str, payload: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """POST to a response_url over the client's session; status and headers. Raises TryLater on the network's errors.

    Raises GiveUp when it is not Slack's: a payload may be signed and yet hold what somebody else put into it.
    """
    if not is_slacks(url, client.base_url):
        raise GiveUp("the response_url is not Slack's")
    session = client.session or aiohttp.ClientSession()
    try:
        sent = session.post(url, json=payload, proxy=client.proxy, allow_redirects=False)
        async with asyncio.timeout(SEND_SECONDS), sent as answer:
            return answer.status, dict(answer.headers)
    except SDK_ERRORS as error:
        raise translate(error) from error
    finally:
        if session is not client.session:
            await session.close()


def is_slacks(url: str, base: str) -> bool:
    """Whether a response_url lies at Slack, by https, or where the Web API is (`SLACK_API_URL`)."""
    try:
        parts, own = urlsplit(url), urlsplit(base)
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        return (parts.scheme, parts.netloc) in [("https", host) for host in HOOKS]
    except ValueError:
        return False


async def _sent(call: Awaitable[AsyncSlackResponse], *, whisper: bool = False) -> AsyncSlackResponse:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await call
    except SDK_ERRORS as error:
        raise translate(error, whisper=whisper) from error


def _content(document: Document) -> dict[str, Any]:
    return {"text": to_text(document), "blocks": to_blocks(document)}


def _root(thread: Thread) -> str | None:
    """The thread's root, if it is a post: a command has none, and nothing hangs on an ephemeral message."""
    return thread.root if thread.root and _TS.fullmatch(thread.root) else None


def _key(post: dict[str, Any]) -> object:
    metadata = post.get("metadata") or {}
    return (metadata.get("event_payload") or {}).get("key") if metadata.get("event_type") == METADATA else None
