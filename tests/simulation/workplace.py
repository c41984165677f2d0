"""The simulated platforms' side of posting: what everyone sees, and all that can go wrong on the way.

`Port` is what the real `bot.delivery.Delivery` sends through. A request that was on its way arrives even if
the process that sent it is dead by then, as on a real network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from adapters.slack.port import LOOK_BACK
from tests.builders import buttons, words
from tests.simulation.company import direct_chat
from triage.document import Button, Document
from triage.errors import CannotWhisper, GiveUp, TryLater
from triage.model import Account, Channel, Language, MessageRef, Platform, Thread
from triage.phrases import say
from triage.ports import Address, Parcel

Result = TypeVar("Result")

PARCEL: ContextVar[Parcel | None] = ContextVar("parcel", default=None)
"""What delivery is sending in this task."""

AGAIN = frozenset(say("page.again", language) for language in Language)
NEVER = 10_000.0


@dataclass(slots=True)
class Post:
    """A message as people see it; `author` is None for the bot, `key` the outbox key it carries."""

    channel: Channel
    root: str | None
    id: str
    author: str | None
    text: str
    at: datetime
    key: str | None = None
    only_for: str | None = None
    buttons: list[Button] = field(default_factory=list)
    first: str = ""

    @property
    def thread(self) -> str:
        """The root of the thread that a reply to it belongs to."""
        return self.root or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that the bot did on a platform."""

    number: int
    what: str
    platform: Platform
    channel: Channel
    parcel: Parcel | None
    text: str
    at: datetime
    only_for: str | None = None

    @property
    def key(self) -> str:
        return self.parcel.outgoing.key if self.parcel else "?"

    @property
    def again(self) -> bool:
        return any(mark in self.text for mark in AGAIN)


class Surroundings(Protocol):
    """What a workplace needs of the world."""

    def now(self) -> datetime: ...

    def chance(self, *what: object) -> float:
        """A number in [0, 1) that depends on the seed and these words alone."""
        ...

    def tell(self, line: str) -> None: ...

    def number(self) -> int:
        """Counts what happens: the wall clock may be set back."""
        ...

    def point(self, name: str) -> None:
        """A moment at which the process may be made to crash."""
        ...


class Workplace:
    """One platform: its channels, and the faults that wait for the next calls."""

    def __init__(self, platform: Platform, around: Surroundings, *, finds: bool) -> None:
        self.platform = platform
        self.finds = finds
        self.posts: list[Post] = []
        self.effects: list[Effect] = []
        self.armed: list[str] = []
        self.revoked: set[str] = set()
        self._around = around
        self._calls = 0
        self._coming: dict[int, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}

    def land(self) -> None:
        """Much time has passed: whatever was on its way has arrived."""
        for handle, arrive in list(self._coming.values()):
            handle.cancel()
            arrive()

    def shown(self, channel: Channel, person: str | None = None) -> list[Post]:
        return [p for p in self.posts if p.channel.key == channel.key and p.only_for in (None, person)]

    def write(self, channel: Channel, root: str | None, author: str | None, text: str) -> Post:
        id = f"{len(self.posts) + 1}.1"
        post = Post(channel, root, id, author, text, self._around.now(), first=text)
        self.posts.append(post)
        return post

    def did(self, what: str, channel: Channel, text: str, parcel: Parcel | None, only_for: str | None = None) -> None:
        effect = Effect(
            number=self._around.number(),
            what=what,
            platform=self.platform,
            channel=channel,
            parcel=parcel,
            text=text,
            at=self._around.now(),
            only_for=only_for,
        )
        self.effects.append(effect)
        to = f"{channel.id} for {only_for}" if only_for else channel.id
        self._around.tell(f"{self.platform}: {what} in {to} [{effect.key}] {' / '.join(text.split(chr(10)))[:110]}")

    async def call(self, what: str, channel: Channel, effect: Callable[[], Result]) -> Result:
        """One request and its answer, with whatever fault was waiting for it."""
        self._calls += 1
        fault = self.armed.pop(0) if self.armed else ""
        if fault:
            self._around.tell(f"{self.platform}: {fault} at {what}")
        way = 0.02 + 0.3 * self._around.chance(self.platform, "way", self._calls)
        back = 0.02 + 0.1 * self._around.chance(self.platform, "back", self._calls)
        if fault in ("busy", "error") or channel.key in self.revoked:
            await asyncio.sleep(way)
            self._refuse(fault, channel)
        if fault == "hang":
            await asyncio.sleep(NEVER)
        arrived = self._send(way + (12 if fault == "slow" else 0), effect)
        result = await arrived
        if fault == "cut":
            raise TryLater("the connection was reset")
        await asyncio.sleep(NEVER if fault == "lost" else back)
        return result

    def _send(self, way: float, effect: Callable[[], Result]) -> asyncio.Future[Result]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        number = self._calls

        def arrive() -> None:
            del self._coming[number]
            try:
                result = effect()
            except GiveUp as refusal:
                if not answer.done():
                    answer.set_exception(refusal)
                return
            if not answer.done():
                answer.set_result(result)
            self._around.point("effect")

        self._coming[number] = (loop.call_later(way, arrive), arrive)
        return answer

    def _refuse(self, fault: str, channel: Channel) -> None:
        if channel.key in self.revoked:
            raise GiveUp("not_in_channel")
        if fault == "busy":
            raise TryLater("429", delay=timedelta(seconds=7), bucket_wide=True)
        raise TryLater("500")


class Port:
    """Implements `triage.ports.ChatPort` on a workplace."""

    def __init__(self, workplace: Workplace) -> None:
        self.platform = workplace.platform
        self.finds = workplace.finds
        self._at = workplace

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        parcel = PARCEL.get()
        post = await self._at.call("post", to.thread.channel, lambda: self._posted(to, document, key, parcel))
        return MessageRef(thread=to.thread, id=post.id)

    async def update(self, ref: MessageRef, document: Document, *, reference: str | None) -> None:
        parcel = PARCEL.get()
        await self._at.call("update", ref.thread.channel, lambda: self._updated(ref, document, parcel))

    async def whisper(self, to: Address, account: Account, document: Document, *, reply_url: str | None) -> None:
        if not self.finds:
            raise CannotWhisper("Teams shows a post to everyone in the conversation")
        parcel = PARCEL.get()
        await self._at.call("whisper", to.thread.channel, lambda: self._whispered(to, account, document, parcel))

    async def direct(self, account: Account, *, reference: str | None) -> Address:
        channel = direct_chat(account.user.removeprefix("U-"), self.platform)
        return await self._at.call("open", channel, lambda: Address(thread=Thread(channel=channel)))

    async def find(self, to: Address, *, key: str) -> MessageRef | None:
        if not self.finds:
            return None
        post = await self._at.call("find", to.thread.channel, lambda: self._found(to, key))
        return MessageRef(thread=to.thread, id=post.id) if post else None

    def invitation(self, place: str) -> str | None:
        return f"https://{self.platform}.invalid/{place}"

    # --- what happens on the platform ---
    def _posted(self, to: Address, document: Document, key: str, parcel: Parcel | None) -> Post:
        channel = to.thread.channel
        post = self._at.write(channel, to.thread.root, None, words(document))
        post.key, post.buttons = key, buttons(document)
        self._at.did("post", channel, post.text, parcel)
        return post

    def _updated(self, ref: MessageRef, document: Document, parcel: Parcel | None) -> None:
        post = next((p for p in self._at.posts if p.id == ref.id), None)
        if post is None:
            raise GiveUp("message_not_found")
        post.text, post.buttons = words(document), buttons(document)
        self._at.did("update", post.channel, post.text, parcel)

    def _whispered(self, to: Address, account: Account, document: Document, parcel: Parcel | None) -> None:
        channel, person = to.thread.channel, account.user.removeprefix("U-")
        post = self._at.write(channel, to.thread.root, None, words(document))
        post.only_for, post.buttons = person, buttons(document)
        self._at.did("whisper", channel, post.text, parcel, only_for=person)

    def _found(self, to: Address, key: str) -> Post | None:
        oldest = self._at._around.now() - LOOK_BACK
        here = (p for p in self._at.shown(to.thread.channel) if p.key == key and p.at >= oldest)
        return next(here, None)
