"""The storage in memory: the same promises as on SQL, for simulations and tests. Nothing survives it.

One writer at a time, as on SQLite; a transaction that is not committed leaves nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from storage.finding import CARD, Post, find
from storage.folding import Kept, fold
from storage.memory_clocking import beat, clocked, waiting
from storage.memory_learning import MemoryLessons, learn
from storage.memory_library import MemoryLibrary
from storage.memory_outbox import MemoryOutbox, MemoryTranscript, put
from storage.memory_tables import Held, Tables
from storage.parcels import place_key
from storage.sql import MANY, fresh_id
from storage.views import PRESSING, FailedRow, FailedTurn, Health
from triage.auditing import AuditLine, Why, audited, by
from triage.changes import (
    AddEntry,
    Change,
    ClockChange,
    Converse,
    Decision,
    EditEntry,
    KeepClock,
    LearningChange,
    Meet,
)
from triage.errors import Conflict
from triage.learning import Case
from triage.model import Account, ChannelKind, Conversation, Entry, EntryKind, Message, Person, Thread, Ticket
from triage.policy import Metric, Terms
from triage.ports import DueClock, Loaded, Lookup, NewId, Waiting
from triage.rota import Override

METRICS = tuple(Metric)


class MemoryStorage:
    """Implements `triage.ports.Storage`; `clock` gives unix seconds for leases."""

    def __init__(self, *, clock: Callable[[], float] = time.time, new_id: Callable[[], str] = fresh_id) -> None:
        self._tables = Tables()
        self._new_id = new_id
        self.outbox = MemoryOutbox(self._tables, clock=clock, new_id=new_id)
        self.transcript = MemoryTranscript(self._tables)
        self.library = MemoryLibrary(self._tables)

    @contextmanager
    def reading(self) -> Iterator[MemoryReading]:
        with self._tables.held():
            yield MemoryReading(self._tables)

    @contextmanager
    def writing(self) -> Iterator[MemoryWork]:
        with self._tables.transaction():
            yield MemoryWork(self._tables, self._new_id)

    def audit(self) -> tuple[AuditLine, ...]:
        with self._tables.held():
            return tuple(self._tables.audit.values())

    def unreachable(self) -> Mapping[str, str]:
        with self._tables.held():
            missed = [row for row in self._tables.outbox.values() if row.state == "sent" and row.reason]
        buckets = ((row.outgoing.to.bucket.partition(":"), row.reason or "") for row in missed)
        return {person: reason for (kind, _, person), reason in buckets if kind == "person"}

    def cases(self, limit: int = MANY) -> Sequence[Case]:
        with self.reading() as reading:
            return reading.lessons.cases(limit)

    def health(self) -> Health:
        with self._tables.held():
            turns = tuple(self._tables.failed_turns.values())[::-1]
            failed = [row for row in self._tables.outbox.values() if row.state == "failed"][::-1]
            statuses = Counter(kept.ticket.status for kept in self._tables.tickets.values())
        rows = tuple(
            FailedRow(
                key=row.outgoing.key,
                bucket=row.outgoing.to.bucket,
                ticket=row.outgoing.ticket,
                fallback=row.fallback,
                created_at=row.created_at,
                reason=row.reason or "",
            )
            for row in failed
        )
        return Health(failed_turns=turns, failed_rows=rows, tickets=dict(statuses), pending=self.outbox.pending())


class MemoryWork:
    """Implements `triage.ports.Work`."""

    def __init__(self, tables: Tables, new_id: NewId) -> None:
        self._t = tables
        self._new_id = new_id

    def claim_all(self, claims: Mapping[str, Thread], at: datetime, *, patient: bool = True) -> Collection[str]:
        return [key for key in claims if self.claim(key, at)]

    def claim(self, key: str, at: datetime) -> bool:
        if key in self._t.inbox:
            return False
        self._t.put(self._t.inbox, key, at)
        return True

    def load(self, lookup: Lookup) -> Loaded:
        found = find(lookup, self)
        loaded = Loaded(conversation=found.conversation, team_side=found.team_side)
        return self._filled(loaded, found.ticket) if found.ticket else loaded

    def whole(self, ticket: str) -> Loaded:
        found = self.ticket(ticket)
        return self._filled(Loaded(), found) if found else Loaded()

    def _filled(self, loaded: Loaded, ticket: Ticket) -> Loaded:
        history = self._t.entries.get(ticket.id, ())
        clocks = [kept.clock for kept in self._t.clocks.get(ticket.id, {}).values()]
        ids = {ticket.requester, ticket.owner} | {entry.author for entry in history}
        kept = self._t.tickets[ticket.id]
        return replace(
            loaded,
            ticket=ticket,
            clocks=tuple(sorted(clocks, key=lambda clock: (METRICS.index(clock.metric), clock.instance))),
            people={id: self._t.people[id] for id in ids if id is not None and id in self._t.people},
            opening=self.look().opening(ticket.id),
            terms=kept.terms,
            events=self._t.events.get(ticket.id, ()),
            position=kept.position,
        )

    def look(self) -> MemoryReading:
        return MemoryReading(self._t)

    def next_number(self) -> int:
        return max(self._t.numbers, default=0) + 1

    def record(self, decision: Decision, at: datetime, *, message: Message | None = None, why: Why = Why.TIME) -> None:
        self._write_tickets(decision.changes)
        for change in decision.changes:
            self._write(change, at, seen=message is not None)
        if message is not None:
            self._remember(message)
        self._t.note(audited(decision.changes), by(decision, message, why), at)
        put(self._t, decision.outgoing, at)

    def due(self, at: datetime, limit: int) -> Sequence[DueClock]:
        upcoming = sorted((next_at, key) for key, next_at in self._t.upcoming.items() if next_at <= at)
        return [self._due_clock(self._t.clocks[key[0]][key]) for _, key in upcoming[:limit]]

    def due_steps(self, at: datetime, limit: int) -> Sequence[str]:
        return [id for step_at, id in sorted((when, id) for id, when in self._t.steps.items()) if step_at <= at][:limit]

    def waiting(self, at: datetime, limit: int) -> Sequence[Waiting]:
        return waiting(self._t, at, limit)

    def beat(self, at: datetime) -> None:
        beat(self._t, at)

    def fail(self, id: str, key: str, at: datetime, error: str) -> None:
        self._t.put(self._t.failed_turns, id, FailedTurn(id=id, key=key, at=at, error=error))

    def flush(self) -> None:
        """Nothing is kept back."""

    def commit(self) -> None:
        self._t.commit()

    # --- the look-ups of `storage.finding` ---
    def post(self, channel: str, message: str) -> Post | None:
        return self._t.posts.get((channel, message))

    def conversation(self, key: str) -> Conversation | None:
        return self._t.conversations.get(key)

    def ticket(self, id: str) -> Ticket | None:
        return self._t.tickets[id].ticket if id in self._t.tickets else None

    def in_doubt(self, channel: str) -> bool:
        waiting = (self._t.outbox[key] for key in self._t.waiting)
        begun = (row.outgoing for row in waiting if row.token is not None or row.tries > 0)
        return any(said.to.bucket == channel and said.slot is not None and said.slot.startswith(CARD) for said in begun)

    def numbered(self, number: int) -> Ticket | None:
        return self.ticket(self._t.numbers.get(number, ""))

    def private(self, requester: str) -> Ticket | None:
        theirs = (kept.ticket for kept in self._t.tickets.values() if kept.ticket.requester == requester)
        fitting = [ticket for ticket in theirs if ticket.home is None and not ticket.ended]
        return max(fitting, key=lambda ticket: ticket.number, default=None)

    # --- changes ---
    def _write_tickets(self, changes: Iterable[Change]) -> None:
        folded = fold(changes, self._kept)
        for kept in folded.changed.values():
            ticket = kept.ticket
            self._write_ticket(replace(kept, ticket=replace(ticket, version=ticket.version + 1)))
        for kept in folded.opened.values():
            if kept.ticket.id in self._t.tickets or kept.ticket.number in self._t.numbers:
                raise Conflict(f"there is a ticket {kept.ticket.number} already")
            self._t.put(self._t.numbers, kept.ticket.number, kept.ticket.id)
            self._write_ticket(kept)

    def _kept(self, id: str) -> Kept:
        if id not in self._t.tickets:
            raise Conflict(f"there is no ticket {id!r} any more")
        return self._t.tickets[id]

    def _write_ticket(self, kept: Kept) -> None:
        new, old = kept.ticket, self.ticket(kept.ticket.id)
        if old is not None and old.conversation and self._t.feeding.get(old.conversation) == old.id:
            self._t.drop(self._t.feeding, old.conversation)
        if new.conversation is not None and not new.ended:
            if new.conversation in self._t.feeding:
                raise Conflict(f"conversation {new.conversation} has an open ticket already")
            self._t.put(self._t.feeding, new.conversation, new.id)
        self._t.put(self._t.tickets, new.id, kept)
        if kept.position.next_at is None:
            self._t.drop(self._t.steps, new.id)
        else:
            self._t.put(self._t.steps, new.id, kept.position.next_at)

    def _write(self, change: Change, at: datetime, *, seen: bool) -> None:
        match change:
            case Meet(person=person, known=known) if person != known:
                self._meet(person, seen=seen)
            case Converse(conversation=conversation):
                self._t.put(self._t.conversations, conversation.key, conversation)
            case AddEntry(ticket=ticket, entry=entry):
                self._t.put(self._t.entries, ticket, (*self._t.entries.get(ticket, ()), entry))
            case EditEntry(ticket=ticket, message=message, text=text):
                lines = self._t.entries.get(ticket, ())
                edited = tuple(replace(line, text=text) if line.message == message else line for line in lines)
                self._t.put(self._t.entries, ticket, edited)
            case _ if isinstance(change, ClockChange):
                clocked(self._t, change, at)
            case _ if isinstance(change, LearningChange):
                learn(self._t, change, at)
            case _:
                pass

    def _meet(self, person: Person, *, seen: bool) -> None:
        known = self._t.people.get(person.id)
        if person.id not in self._t.surrogates:
            self._t.put(self._t.surrogates, person.id, self._new_id())
        last = known.account if known else None
        newest = (person.account or last) if seen else (last or person.account)
        self._t.put(self._t.people, person.id, replace(person, account=newest))
        if person.account is not None:
            key = person.account.key
            direct = self._t.direct(person.account)
            self._t.put(self._t.accounts, key, Held(person=person.id, account=person.account, direct=direct))

    def _remember(self, message: Message) -> None:
        channel, held = message.channel, self._t.accounts.get(message.sender.account.key)
        if message.reference is not None:
            for key in (channel.key, place_key(channel)):
                self._t.put(self._t.references, key, message.reference)
        if channel.kind is ChannelKind.DM and held is not None:
            self._t.put(self._t.accounts, held.account.key, replace(held, direct=channel))

    def _due_clock(self, due: KeepClock) -> DueClock:
        kept = self._t.tickets[due.ticket]
        return DueClock(ticket=kept.ticket, clock=due.clock, terms=kept.terms or Terms(), position=kept.position)


class MemoryReading:
    """Implements `triage.ports.Reading`."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables
        self.lessons = MemoryLessons(tables)

    def seen(self, key: str) -> bool:
        return key in self._t.inbox

    def person(self, account: Account) -> Person | None:
        held = self._t.accounts.get(account.key)
        return self._t.people.get(held.person) if held else None

    def arriving(self, claims: Mapping[str, Account]) -> Mapping[str, tuple[bool, Person | None]]:
        return {key: (self.seen(key), self.person(account)) for key, account in claims.items()}

    def knows(self, thread: Thread) -> bool:
        return thread.key in self._t.conversations or (thread.channel.key, thread.root) in self._t.posts

    def people(self, ids: Sequence[str]) -> Mapping[str, Person]:
        return {id: self._t.people[id] for id in ids if id in self._t.people}

    def ticket(self, id: str) -> Ticket | None:
        return self._t.tickets[id].ticket if id in self._t.tickets else None

    def numbered(self, number: int) -> Ticket | None:
        return self.ticket(self._t.numbers.get(number, ""))

    def opening(self, ticket: str) -> str:
        history = self._t.entries.get(ticket, ())
        return next((entry.text for entry in history if entry.kind is EntryKind.MESSAGE), "")

    def queue(self, teams: Sequence[str], limit: int) -> tuple[Sequence[Ticket], int]:
        return self._open(lambda ticket: ticket.team in teams, limit)

    def mine(self, person: str, limit: int) -> tuple[Sequence[Ticket], int]:
        return self._open(lambda ticket: person in (ticket.owner, ticket.requester), limit)

    def swaps(self, since: datetime) -> Mapping[str, tuple[Override, ...]]:
        lasting = {team: tuple(o for o in found if o.until > since) for team, found in self._t.swaps.items()}
        return {team: found for team, found in lasting.items() if found}

    def due_of(self, tickets: Sequence[str]) -> Mapping[str, datetime]:
        found = {id: self._due(id) for id in tickets}
        return {id: due for id, due in found.items() if due is not None}

    def history(self, ticket: str, limit: int) -> Sequence[Entry]:
        return self._t.entries.get(ticket, ())[-limit:] if limit else ()

    def _open(self, fits: Callable[[Ticket], bool], limit: int) -> tuple[Sequence[Ticket], int]:
        found = [kept.ticket for kept in self._t.tickets.values() if not kept.ticket.ended and fits(kept.ticket)]
        return tuple(sorted(found, key=self._pressing)[:limit]), len(found)

    def _pressing(self, ticket: Ticket) -> tuple[bool, datetime, int, int]:
        due = self._due(ticket.id)
        return due is None, due or ticket.opened_at, PRESSING.index(ticket.priority), ticket.number

    def _due(self, ticket: str) -> datetime | None:
        clocks = self._t.clocks.get(ticket, {}).values()
        return min((kept.due_at for kept in clocks if kept.clock.live and kept.due_at), default=None)
