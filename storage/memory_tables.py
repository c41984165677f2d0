"""What the in-memory storage keeps: frozen values in dictionaries, with a journal to roll back by.

Shared by `storage.memory` and `storage.memory_outbox`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any

from storage.finding import Post
from storage.folding import Kept
from storage.sources import Key, Learned, Shelved
from storage.views import FailedTurn
from triage.auditing import Act, AuditLine, By
from triage.changes import Count, KeepClock
from triage.errors import Unavailable
from triage.learning import Case, Proposal
from triage.model import Account, Channel, Conversation, Entry, MessageRef, Person
from triage.outgoing import Outgoing, Ping
from triage.policy import Metric
from triage.rota import Override
from triage.timeline import Event
from triage.transcripts import WebPost

BUSY_SECONDS = 1.5
"""How long one transaction waits for another."""

ClockKey = tuple[str, Metric, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An outbox row; `leased_until` and `not_before` are unix seconds."""

    number: int
    outgoing: Outgoing
    fallback: str
    created_at: datetime
    state: str = "pending"
    tries: int = 0
    token: str | None = None
    leased_until: float | None = None
    not_before: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An account, whose it is, and its direct chat with the bot."""

    person: str
    account: Account
    direct: Channel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPing:
    """A ping; it waits while `said_at` is None, and then not before `not_before`."""

    ping: Ping
    said_at: datetime | None = None
    not_before: datetime | None = None
    capped: bool = False

    def may_be_said(self, at: datetime) -> bool:
        return self.said_at is None and (self.not_before is None or self.not_before <= at)


@dataclass(slots=True)
class Tables:
    """Read freely inside `transaction`; written through `put` and `drop` only."""

    inbox: dict[str, datetime] = field(default_factory=dict)
    failed_turns: dict[str, FailedTurn] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    surrogates: dict[str, str] = field(default_factory=dict)
    """What names each person in the audit."""
    audit: dict[int, AuditLine] = field(default_factory=dict)
    accounts: dict[str, Held] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    tickets: dict[str, Kept] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    feeding: dict[str, str] = field(default_factory=dict)
    """The open ticket of each conversation that has one."""
    entries: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    clocks: dict[str, Mapping[ClockKey, KeepClock]] = field(default_factory=dict)
    upcoming: dict[ClockKey, datetime] = field(default_factory=dict)
    events: dict[str, tuple[Event, ...]] = field(default_factory=dict)
    steps: dict[str, datetime] = field(default_factory=dict)
    """When each ticket's escalation goes on."""
    pings: dict[str, HeldPing] = field(default_factory=dict)
    swaps: dict[str, tuple[Override, ...]] = field(default_factory=dict)
    beats: dict[str, datetime] = field(default_factory=dict)
    downtimes: dict[datetime, datetime] = field(default_factory=dict)
    outbox: dict[str, Row] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    """Number of each pending row, by its key."""
    posts: dict[tuple[str, str], Post] = field(default_factory=dict)
    slots: dict[str, MessageRef] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    kb_events: dict[str, tuple[datetime, Count]] = field(default_factory=dict)
    web_posts: dict[str, WebPost] = field(default_factory=dict)
    articles: dict[Key, Shelved] = field(default_factory=dict)
    phrasings: dict[int, Learned] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    _lock: Any = field(default_factory=RLock)
    _journal: list[tuple[MutableMapping[Any, Any], Any, Any]] = field(default_factory=list)
    _writing: bool = False

    def put(self, table: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        self._journal.append((table, key, table.get(key)))
        table[key] = value

    def drop(self, table: MutableMapping[Any, Any], key: Any) -> None:
        self._journal.append((table, key, table.pop(key, None)))

    def commit(self) -> None:
        self._journal.clear()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One writer at a time; what is not committed is undone. Raises Unavailable when kept waiting."""
        with self.held():
            if self._writing:
                raise Unavailable("this thread is in a transaction already")
            self._writing = True
            try:
                yield
            finally:
                self._roll_back()
                self._writing = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """No other thread writes meanwhile."""
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise Unavailable("another transaction takes too long")
        try:
            yield
        finally:
            self._lock.release()

    def _roll_back(self) -> None:
        while self._journal:
            table, key, before = self._journal.pop()
            if before is None:
                table.pop(key, None)
            else:
                table[key] = before

    def note(self, acts: Iterable[Act], by: By, at: datetime) -> None:
        """Keep a line of the audit for each."""
        for act in acts:
            line = AuditLine(
                at=at,
                what=act.what,
                ticket=act.ticket,
                about=self.surrogates.get(act.about or ""),
                who=self.surrogates.get(by.who or ""),
                platform=by.platform,
                place=by.place,
                why=by.why,
            )
            self.put(self.audit, len(self.audit), line)

    # --- the look-ups of `storage.parcels` ---
    def slot(self, slot: str) -> MessageRef | None:
        return self.slots.get(slot)

    def accounts_of(self, people: Collection[str]) -> Mapping[str, Sequence[Account]]:
        found: dict[str, list[Account]] = {}
        for held in self.accounts.values():
            if held.person in people:
                found.setdefault(held.person, []).append(held.account)
        for person in people:
            last = self.people[person].account if person in self.people else None
            if last is not None:
                found[person] = [each for each in found.get(person, []) if each != last] + [last]
        return found

    def direct(self, account: Account) -> Channel | None:
        held = self.accounts.get(account.key)
        return held.direct if held else None

    def reference(self, key: str, place: str) -> str | None:
        return self.references.get(key, self.references.get(place))
