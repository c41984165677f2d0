"""The outbox loop: leases rows, renders them, hands them to their platform's port, marks them.

Nudged after every turn, and polling besides, so that rows of other processes and put-off rows go out
too. Made and run by `bot.compose`; what a failure means for the row stands in `_failed` and `_later`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.gathering import Gathering
from bot.metrics import DELIVERIES, DELIVERY_SECONDS
from bot.turns import Runner
from triage.document import Document, Link, Mention, Paragraph, Plain, Small
from triage.errors import CannotWhisper, DeliveryError, GiveUp, TryLater, TurnError
from triage.layout import render
from triage.model import ChannelKind, Language, MessageRef, Platform, Thread
from triage.outgoing import Direct, InThread, OnSlot, Outgoing, Privately, UnderSlot, Who
from triage.phrases import say
from triage.ports import Address, ChatPort, Now, Outbox, Parcel, Sent

SEND_LIMIT = 20.0
"""Seconds one send may take; shorter than the 60 s lease."""

GIVE_UP_AFTER = timedelta(minutes=15)
BATCH, AT_ONCE = 20, 50
"""Rows leased in one pass, and under way at one time."""

TOGETHER = 0.1
"""Seconds between two passes at least: what is nudged again meanwhile goes together. The first goes at once."""

POLL = 1.0
"""Seconds between looks at the outbox when nobody nudges."""

OTHERS = 0.2
"""Seconds that a process has for what it stored, before those that heard of it look for what is left."""

LONGEST_WAIT = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """`direct` is the direct chat that was opened on the way, to be kept.

    `again`: it may have been sent before. `missed` says why it did not reach its person directly.
    """

    ref: MessageRef | None = None
    direct: Address | None = None
    again: bool = False
    missed: str | None = None


class Delivery:
    """`told` is called with a row that was given up, `missed` with one whose person could only be
    mentioned in the thread, so that somebody hears of it."""

    def __init__(
        self,
        outbox: Outbox,
        ports: Mapping[Platform, ChatPort],
        run: Runner,
        *,
        now: Now,
        told: Callable[[Outgoing], Sequence[Outgoing]],
        missed: Callable[[Outgoing], None],
    ) -> None:
        self._outbox = outbox
        self._ports = ports
        self._run = run
        self._now = now
        self._told = told
        self._missed = missed
        self._mark: Gathering[Sent, bool] = Gathering(lambda together: run(lambda: outbox.sent(together)))
        self._nudged = asyncio.Event()
        self._resting = False
        self._overheard: asyncio.TimerHandle | None = None
        self._serving: asyncio.Task[None] | None = None
        self._under_way: dict[str, Parcel] = {}
        """By key, under the newest lease."""
        self._leased: dict[str, datetime] = {}
        """Since when, by key."""
        self._slow: dict[str, float] = {}
        self._refused: dict[str, int] = {}
        """How often the platform refused each row that it refused at every try: it did not arrive, for certain, unless
        it was tried more often, by another process."""

    def nudge(self) -> None:
        self._nudged.set()

    def overhear(self) -> None:
        """Another process stored something and is at it; for use on the event loop."""
        if self._overheard is None:
            self._overheard = asyncio.get_running_loop().call_later(OTHERS, self._look)

    def _look(self) -> None:
        self._overheard = None
        self.nudge()

    async def serve(self) -> None:
        """Deliver until told to rest, whatever one pass runs into; a database that is away is waited for."""
        self._serving = asyncio.current_task()
        async with asyncio.TaskGroup() as sending:
            while not self._resting:
                self._nudged.clear()
                begun = await self._pass(sending)
                await asyncio.sleep(TOGETHER)
                if begun < BATCH:
                    await self._nudge_or_poll()

    async def rest(self, seconds: float) -> None:
        """Lease nothing more, and wait so long for what is being sent: cut off, it would be in doubt for a lease."""
        self._resting = True
        self.nudge()
        if self._serving is not None:
            await asyncio.wait({self._serving}, timeout=seconds)

    async def _pass(self, sending: asyncio.TaskGroup) -> int:
        try:
            return await self.begin_some(sending)
        except TurnError as error:
            log.warning("outbox unreachable", error=str(error))
        except Exception:
            log.exception("a pass over the outbox failed")
        return 0

    async def _nudge_or_poll(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL):  # wait_for loses a cancellation that comes with a nudge
                await self._nudged.wait()

    async def begin_some(self, sending: asyncio.TaskGroup) -> int:
        """One pass over the lanes that are free, as far as there is room beside what is under way; how many rows
        are sent from now on. One that takes long keeps only its own lane waiting."""
        room = min(BATCH, AT_ONCE - len(self._under_way))
        if room <= 0:
            return 0
        skip = self._slow_buckets()
        since = self._now()
        parcels = await self._run(lambda: self._outbox.lease(room, skip=skip))
        for parcel in parcels:
            key = parcel.outgoing.key
            begun = key in self._under_way
            self._under_way[key], self._leased[key] = parcel, since
            if not begun:
                sending.create_task(self._handled(parcel)).add_done_callback(partial(self._ended, key))
        return len(parcels)

    def _ended(self, key: str, _: asyncio.Task[None]) -> None:
        """There may be more in its lane."""
        del self._under_way[key], self._leased[key]
        self.nudge()

    def _held(self, parcel: Parcel) -> Parcel:
        """Under its newest lease: a machine that slept through the first one takes the row again while it is sent."""
        newest = self._under_way.get(parcel.outgoing.key, parcel)
        return replace(parcel, token=newest.token)

    def _keep_to_lease(self, parcel: Parcel) -> None:
        """Raises TryLater where a machine slept on the way to posting: another process may have posted meanwhile."""
        since = self._leased.get(parcel.outgoing.key)
        if since is not None and self._now() - since > timedelta(seconds=2 * SEND_LIMIT):
            raise TryLater("it took longer than its lease")

    def _slow_buckets(self) -> frozenset[str]:
        at = asyncio.get_running_loop().time()
        self._slow = {bucket: until for bucket, until in self._slow.items() if until > at}
        return frozenset(self._slow)

    # --- one row ---
    async def _handled(self, parcel: Parcel) -> None:
        """Whatever becomes of one row, the others go on; this one's lease runs out."""
        try:
            await self._handle(parcel)
        except TurnError as error:
            log.warning("outbox unreachable", error=str(error))
        except Exception:
            log.exception("a row of the outbox could not be handled", outbox=parcel.outgoing.key)

    async def _handle(self, parcel: Parcel) -> None:
        if parcel.outgoing.guarded:
            standing = await self._run(lambda: self._outbox.standing(parcel))
            if standing is None:
                await self._run(lambda: self._outbox.dropped(self._held(parcel), "no longer due"))
                return
            parcel = standing
        try:
            async with asyncio.timeout(SEND_LIMIT):
                delivered = await self._send(parcel)
        except GiveUp as error:
            await self._failed(parcel, str(error))
        except (DeliveryError, TimeoutError) as error:
            await self._later(parcel, error if isinstance(error, TryLater) else TryLater("the platform did not answer"))
        except Exception as error:
            log.exception("delivery failed", outbox=parcel.outgoing.key)
            await self._later(parcel, TryLater(f"{type(error).__name__} while sending"))
        else:
            await self._done(parcel, delivered)

    async def _done(self, parcel: Parcel, delivered: Delivered) -> None:
        if delivered.missed and isinstance(parcel.outgoing.to, Direct):
            await self._run(lambda: self._missed(parcel.outgoing))
        await self._mark(
            Sent(parcel=self._held(parcel), ref=delivered.ref, direct=delivered.direct, missed=delivered.missed)
        )
        self._refused.pop(parcel.outgoing.key, None)
        if delivered.again:
            log.warning("sent again", outbox=parcel.outgoing.key)
        self._count(parcel, "again" if delivered.again else "sent")
        DELIVERY_SECONDS.observe(max(0.0, (self._now() - parcel.created_at).total_seconds()))

    async def _failed(self, parcel: Parcel, reason: str) -> None:
        log.error("given up", outbox=parcel.outgoing.key, reason=reason)
        self._refused.pop(parcel.outgoing.key, None)
        self._count(parcel, "failed")
        await self._run(
            lambda: self._outbox.failed(self._held(parcel), reason, self._now(), self._told(parcel.outgoing))
        )

    async def _later(self, parcel: Parcel, error: TryLater) -> None:
        if self._now() - parcel.created_at > GIVE_UP_AFTER and parcel.tries > 1:
            await self._failed(parcel, f"{error} (tried for 15 minutes)")
            return
        seconds = max(error.delay.total_seconds(), min(LONGEST_WAIT, 2.0 ** min(parcel.tries, 6) / 2))
        if error.bucket_wide:
            self._slow[parcel.outgoing.to.bucket] = asyncio.get_running_loop().time() + seconds
        if error.bucket_wide and not self._in_doubt(parcel):
            self._refused[parcel.outgoing.key] = parcel.tries + 1
        else:
            self._refused.pop(parcel.outgoing.key, None)
        log.warning("put off", outbox=parcel.outgoing.key, seconds=seconds, reason=str(error))
        self._count(parcel, "later")
        await self._run(lambda: self._outbox.later(self._held(parcel), seconds, str(error)))

    def _in_doubt(self, parcel: Parcel) -> bool:
        """Whether an earlier try may have arrived although its answer did not."""
        return parcel.doubtful or parcel.tries > self._refused.get(parcel.outgoing.key, 0)

    def _count(self, parcel: Parcel, outcome: str) -> None:
        platform = parcel.outgoing.to.bucket.partition(":")[0]
        DELIVERIES.labels("direct" if platform == "person" else platform, outcome).inc()

    # --- by target ---
    async def _send(self, parcel: Parcel) -> Delivered:
        match parcel.outgoing.to:
            case InThread(thread=thread):
                return await self._post(parcel, thread)
            case UnderSlot() as under:
                return await self._post(parcel, _under(parcel, under))
            case OnSlot():
                return await self._update(parcel)
            case Privately(near=near, reply_url=reply_url):
                return await self._privately(parcel, near, reply_url)
            case Direct(otherwise=otherwise):
                return await self._directly(parcel, otherwise)

    async def _post(self, parcel: Parcel, thread: Thread, document: Document | None = None) -> Delivered:
        port = self._port(thread.channel.platform)
        to = Address(thread=thread, reference=parcel.reference)
        key = parcel.outgoing.key
        if (parcel.doubtful or parcel.tries) and (found := await port.find(to, key=key)):
            return Delivered(ref=found)
        again = self._in_doubt(parcel) and not port.finds
        document = document or self._document(parcel, port.platform)
        self._keep_to_lease(parcel)
        ref = await port.post(to, _marked(document) if again else document, key=key)
        return Delivered(ref=ref, again=again)

    async def _update(self, parcel: Parcel) -> Delivered:
        if parcel.ref is None:
            raise GiveUp("the message to update was never delivered")
        channel = parcel.ref.thread.channel
        if parcel.outgoing.to.bucket.startswith("person:") and channel.kind is not ChannelKind.DM:
            raise GiveUp("the message to update stands where others read it")
        port = self._port(parcel.ref.thread.channel.platform)
        document = self._document(parcel, port.platform)
        await port.update(parcel.ref, document, reference=parcel.reference)
        return Delivered()

    async def _privately(self, parcel: Parcel, near: Thread | None, reply_url: str | None) -> Delivered:
        """In place where that can be private, else directly, else only a link to a chat with the bot."""
        account = parcel.account
        if near is not None and account is not None and near.channel.platform is account.platform:
            port = self._port(account.platform)
            to = Address(thread=near, reference=parcel.reference)
            document = self._document(parcel, port.platform)
            again = self._in_doubt(parcel)
            try:
                await port.whisper(to, account, _marked(document) if again else document, reply_url=reply_url)
            except CannotWhisper:
                log.info("cannot whisper", outbox=parcel.outgoing.key)
            else:
                return Delivered(again=again)
        try:
            return await self._to_direct_chat(parcel)
        except GiveUp as error:
            return replace(await self._invite(parcel, near), missed=str(error))

    async def _directly(self, parcel: Parcel, otherwise: UnderSlot | None) -> Delivered:
        try:
            return await self._to_direct_chat(parcel)
        except GiveUp as error:
            if otherwise is None:
                raise
            person = parcel.outgoing.to.person if isinstance(parcel.outgoing.to, Direct) else ""
            return replace(await self._in_the_open(parcel, otherwise, person), missed=str(error))

    async def _to_direct_chat(self, parcel: Parcel) -> Delivered:
        account = parcel.account
        if account is None:
            raise GiveUp("this person has no account the bot knows of")
        port = self._port(account.platform)
        if parcel.direct is not None:
            thread = Thread(channel=parcel.direct)
            return await self._post(parcel, thread, self._document(parcel, port.platform))
        opened = await port.direct(account, reference=parcel.reference)
        held = replace(parcel, reference=opened.reference or parcel.reference)
        posted = await self._post(held, opened.thread, self._document(parcel, port.platform))
        return replace(posted, direct=opened)

    async def _in_the_open(self, parcel: Parcel, otherwise: UnderSlot, person: str) -> Delivered:
        """A ping for somebody the bot cannot reach mentions them in the ticket's own thread."""
        thread = _under(parcel, otherwise)
        platform = thread.channel.platform
        document = self._document(parcel, platform)
        who = self._mention(parcel, platform)(Who(person=person, name=person))
        words = say("page.unreachable", parcel.outgoing.language, {"who": "\0"}).partition("\0")
        head = Paragraph((Plain(words[0]), who, Plain(words[2])))
        return await self._post(parcel, thread, replace(document, blocks=(head, *document.blocks)))

    async def _invite(self, parcel: Parcel, near: Thread | None) -> Delivered:
        if near is None:
            raise GiveUp("this person cannot be reached")
        port = self._port(near.channel.platform)
        link = port.invitation(near.channel.place)
        if link is None:
            raise GiveUp("this person cannot be reached, and there is no link to a chat with the bot")
        return await self._post(parcel, near, _invitation(link, parcel.outgoing))

    # --- words ---
    def _document(self, parcel: Parcel, platform: Platform) -> Document:
        outgoing = parcel.outgoing
        try:
            return render(outgoing.notice, outgoing.language, self._mention(parcel, platform))
        except (KeyError, ValueError, IndexError):
            log.exception("cannot lay out", outbox=outgoing.key)
            return Document(blocks=(Paragraph((Plain(parcel.fallback),)),), summary=parcel.fallback)

    def _mention(self, parcel: Parcel, platform: Platform) -> Callable[[Who], Mention]:
        return lambda who: Mention(parcel.mentions.get(who.person, {}).get(platform), who.name)

    def _port(self, platform: Platform) -> ChatPort:
        port = self._ports.get(platform)
        if port is None:
            raise TryLater(f"{platform} is not connected", delay=timedelta(seconds=30), bucket_wide=True)
        return port


def _under(parcel: Parcel, under: UnderSlot) -> Thread:
    """The thread of the message in the slot; the top of the channel when that was never delivered."""
    if parcel.ref is None:
        return Thread(channel=under.channel)
    return Thread(channel=parcel.ref.thread.channel, root=parcel.ref.thread.root or parcel.ref.id)


def _marked(document: Document) -> Document:
    """For what may have arrived already and cannot be looked up."""
    words = say("page.again", Language(document.language))
    return replace(document, blocks=(*document.blocks, Small((Plain(words),))))


def _invitation(link: str, outgoing: Outgoing) -> Document:
    """Never the content: only that there is something, and where."""
    language = outgoing.language
    words = say("nobody.reachable", language)
    line = (Plain(f"{words} "), Link(link, say("nobody.link", language)))
    return Document(blocks=(Paragraph(line),), summary=words, language=language)
