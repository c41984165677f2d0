"""The web chat's outbound side: delivery posts into the transcript and open pages show it at once.

Made by `bot.compose`, called by `bot.delivery`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from adapters.web.desk import PLACE, direct_channel
from adapters.web.news import News, Shown
from triage.document import Document
from triage.errors import GiveUp, TryLater, TurnError
from triage.model import Account, MessageRef, Platform, Thread
from triage.ports import Address, NewId, Now
from triage.transcripts import Transcript, WebPost

P = ParamSpec("P")
T = TypeVar("T")


class WebPort:
    """`ChatPort` over a transcript. A thread's root in a channel is the id of the post it hangs on.

    Raises TryLater when the transcript cannot be reached, GiveUp for what is not of this web chat.
    """

    platform = Platform.WEB
    finds = True

    def __init__(self, transcript: Transcript, *, now: Now, new_id: NewId, changed: News | None = None) -> None:
        self._transcript = transcript
        self._now = now
        self._new_id = new_id
        self.changed = changed or News()

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        """Post once per `key`."""
        return _ref(await self._write(to.thread, document, key=key))

    async def update(self, ref: MessageRef, document: Document, *, reference: str | None) -> None:
        if not await _reach(self._transcript.replace, ref.id, document):
            raise GiveUp(f"there is no post {ref.id}")
        self.changed.tell(Shown(channel=ref.thread.channel))

    async def whisper(self, to: Address, account: Account, document: Document, *, reply_url: str | None) -> None:
        await self._write(to.thread, document, only_for=account.user)

    async def direct(self, account: Account, *, reference: str | None) -> Address:
        if (account.platform, account.place) != (Platform.WEB, PLACE):
            raise GiveUp(f"{account.key} is not an account of this web chat")
        return Address(thread=Thread(channel=direct_channel(account.user)))

    async def find(self, to: Address, *, key: str) -> MessageRef | None:
        post = await _reach(self._transcript.find, key)
        return _ref(post) if post else None

    def invitation(self, place: str) -> str | None:
        """None: everyone on the page has their direct chat open."""
        return None

    async def _write(
        self, thread: Thread, document: Document, *, key: str | None = None, only_for: str | None = None
    ) -> WebPost:
        channel = thread.channel
        if (channel.platform, channel.place) != (Platform.WEB, PLACE):
            raise GiveUp(f"{channel.key} is not a channel of this web chat")
        post = WebPost(
            id=self._new_id(),
            thread=thread,
            at=self._now(),
            author=None,
            document=document,
            only_for=only_for,
            key=key,
        )
        written = await _reach(self._transcript.write, post)
        self.changed.tell(Shown(channel=channel, only_for=only_for, fresh=True))
        return written


async def _reach(call: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
    """Off the event loop, and with delivery's errors for the storage's."""
    try:
        return await asyncio.to_thread(call, *values, **named)
    except TurnError as error:
        raise TryLater(str(error)) from error


def _ref(post: WebPost) -> MessageRef:
    return MessageRef(thread=post.thread, id=post.id)
