"""The outbox and the web chat's log in memory. Made by `storage.memory.MemoryStorage`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from storage.finding import Post
from storage.folding import calling, running, still_said
from storage.memory_tables import Row, Tables
from storage.parcels import LEASE_SECONDS, SUPERSEDED, addressed
from triage.document import Document
from triage.layout import fallback
from triage.model import MessageRef
from triage.outgoing import Guard, OnSlot, Outgoing, StepGuard
from triage.ports import Address, Parcel, Sent
from triage.transcripts import WebPost


class MemoryOutbox:
    """Implements `triage.ports.Outbox`; `clock` gives unix seconds."""

    def __init__(self, tables: Tables, *, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._tables = tables
        self._clock = clock
        self._new_id = new_id

    def lease(self, limit: int, *, skip: frozenset[str] = frozenset()) -> Sequence[Parcel]:
        with self._tables.transaction():
            now = self._clock()
            free = [row for row in self._heads() if _free(row, now) and row.outgoing.to.bucket not in skip]
            free.sort(key=lambda row: (row.outgoing.rank, row.number))
            parcels = [self._lease(row, now) for row in free[:limit]]
            self._tables.commit()
        return parcels

    def standing(self, parcel: Parcel) -> Parcel | None:
        with self._tables.held():
            left = still_said(parcel.outgoing, self._holds)
        return replace(parcel, outgoing=left) if left else None

    def _holds(self, guard: Guard | StepGuard) -> bool:
        if isinstance(guard, StepGuard):
            return calling(guard, self._tables.tickets.get(guard.ticket))
        clocks = self._tables.clocks.get(guard.ticket, {})
        kept = clocks.get((guard.ticket, guard.metric, guard.instance))
        if kept is None:
            return False
        clock = kept.clock
        return running(guard, live=clock.live, paused=clock.paused, revision=clock.revision)

    def sent(self, together: Sequence[Sent]) -> Sequence[bool]:
        with self._tables.transaction():
            marked = [self._sent(each) for each in together]
            self._tables.commit()
        return marked

    def _sent(self, sent: Sent) -> bool:
        parcel, direct = sent.parcel, sent.direct
        if not self._mark(parcel, state="sent", reason=sent.missed):
            return False
        if sent.ref is not None:
            self._keep_post(parcel.outgoing, sent.ref)
        if direct is not None and parcel.account is not None:
            self._keep_direct(parcel.account.key, direct)
        return True

    def later(self, parcel: Parcel, seconds: float, reason: str) -> None:
        with self._tables.transaction():
            self._mark(parcel, not_before=self._clock() + seconds, tries=parcel.tries + 1, reason=reason)
            self._tables.commit()

    def dropped(self, parcel: Parcel, reason: str) -> None:
        with self._tables.transaction():
            self._mark(parcel, state="dropped", reason=reason)
            self._tables.commit()

    def failed(self, parcel: Parcel, reason: str, at: datetime, told: Sequence[Outgoing] = ()) -> None:
        with self._tables.transaction():
            if self._mark(parcel, state="failed", reason=reason):
                put(self._tables, told, at)
            self._tables.commit()

    def pending(self) -> int:
        return len(self._tables.waiting)

    def _heads(self) -> Iterator[Row]:
        """The oldest pending row of each lane."""
        lanes: set[str] = set()
        for key in sorted(self._tables.waiting, key=self._tables.waiting.__getitem__):
            row = self._tables.outbox[key]
            if row.outgoing.to.lane not in lanes:
                lanes.add(row.outgoing.to.lane)
                yield row

    def _lease(self, row: Row, now: float) -> Parcel:
        doubtful = row.token is not None
        leased = replace(row, token=self._new_id(), leased_until=now + LEASE_SECONDS, tries=row.tries + doubtful)
        self._tables.put(self._tables.outbox, row.outgoing.key, leased)
        parcel = Parcel(
            outgoing=row.outgoing,
            fallback=row.fallback,
            token=leased.token or "",
            tries=leased.tries,
            created_at=row.created_at,
            doubtful=doubtful,
        )
        return addressed(parcel, self._tables)

    def _mark(self, parcel: Parcel, **what: Any) -> bool:
        """Give the lease back with these values; False when somebody else has it by now."""
        key = parcel.outgoing.key
        row = self._tables.outbox.get(key)
        if row is None or row.token != parcel.token or row.state != "pending":
            return False
        marked = replace(row, token=None, leased_until=None, **what)
        self._tables.put(self._tables.outbox, key, marked)
        if marked.state != "pending":
            self._tables.drop(self._tables.waiting, key)
        return True

    def _keep_post(self, outgoing: Outgoing, ref: MessageRef) -> None:
        slot = outgoing.slot or (outgoing.to.slot if isinstance(outgoing.to, OnSlot) else None)
        where = (ref.thread.channel.key, ref.id)
        if where in self._tables.posts:
            return
        post = Post(slot=slot, ticket=outgoing.ticket, conversation=outgoing.conversation)
        self._tables.put(self._tables.posts, where, post)
        if slot is not None:
            self._tables.put(self._tables.slots, slot, ref)

    def _keep_direct(self, account: str, direct: Address) -> None:
        channel, held = direct.thread.channel, self._tables.accounts.get(account)
        if held is not None:
            self._tables.put(self._tables.accounts, account, replace(held, direct=channel))
        if direct.reference is not None:
            self._tables.put(self._tables.references, channel.key, direct.reference)


class MemoryTranscript:
    """Implements `triage.ports.Transcript`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def write(self, post: WebPost) -> WebPost:
        with self._tables.transaction():
            found = self.find(post.key) if post.key is not None else None
            if found is None:
                self._tables.put(self._tables.web_posts, post.id, post)
                self._tables.commit()
        return found or post

    def replace(self, id: str, document: Document) -> bool:
        with self._tables.transaction():
            post = self._tables.web_posts.get(id)
            if post is None:
                return False
            self._tables.put(self._tables.web_posts, id, replace(post, document=document, edited=True))
            self._tables.commit()
        return True

    def find(self, key: str) -> WebPost | None:
        with self._tables.held():
            return next((post for post in self._tables.web_posts.values() if post.key == key), None)

    def read(self, channels: Sequence[str], user: str, limit: int) -> Sequence[WebPost]:
        with self._tables.held():
            posts = list(self._tables.web_posts.values())
        seen = [p for p in posts if p.thread.channel.key in channels and p.only_for in (None, user)]
        return tuple(seen[-limit:]) if limit else ()


def put(tables: Tables, outgoing: Iterable[Outgoing], at: datetime) -> None:
    """Write outbox rows; a key written before is left as it is. Of one card's waiting updates the newest stays."""
    for item in outgoing:
        if item.key in tables.outbox:
            continue
        number = len(tables.outbox) + 1
        row = Row(number=number, outgoing=item, fallback=fallback(item.notice), created_at=at)
        if isinstance(item.to, OnSlot):
            _supersede(tables, item.to.slot)
        tables.put(tables.outbox, item.key, row)
        tables.put(tables.waiting, item.key, number)


def _supersede(tables: Tables, slot: str) -> None:
    for key in list(tables.waiting):
        row = tables.outbox[key]
        if isinstance(row.outgoing.to, OnSlot) and row.outgoing.to.slot == slot and row.token is None:
            tables.put(tables.outbox, key, replace(row, state="dropped", reason=SUPERSEDED))
            tables.drop(tables.waiting, key)


def _free(row: Row, now: float) -> bool:
    return (row.not_before is None or row.not_before <= now) and (row.leased_until is None or row.leased_until <= now)
