"""One write transaction on SQL: the inbox, tickets with history and clocks, and the outbox rows.

Entered through `storage.sql.SqlStorage.writing`; one turn, or one pass of the SLA sweep, each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, func, select, update

from storage.agreements import Agreements
from storage.auditing import keep
from storage.bell import Topic
from storage.clocking import Clocking, due_query
from storage.codec import build, values
from storage.engine import insert_into, insert_new, is_postgres, upsert
from storage.finding import find
from storage.folding import Kept, fold
from storage.learning import learn
from storage.locking import claim_and_lock, lock_thread
from storage.outbox import keep_reference, put
from storage.parcels import place_key
from storage.pen import Pen, write
from storage.rows import accounts, conversations, entries, failed_turns, inbox, people, ticket_numbers, tickets
from storage.shelf import SqlShelf, conversations_of
from storage.views import SqlReading, people_of_ticket
from triage.auditing import Why, audited, by
from triage.changes import (
    AddArticle,
    AddEntry,
    AddPhrasing,
    Change,
    ClockChange,
    Converse,
    Decision,
    EditEntry,
    LearningChange,
    Meet,
)
from triage.clocks import Clock
from triage.errors import Conflict
from triage.model import ChannelKind, Conversation, Message, Person, Thread, Ticket
from triage.policy import Terms
from triage.ports import DueClock, Loaded, Lookup, NewId, Waiting

INSERT_TICKET, INSERT_ENTRY = tickets.insert(), entries.insert()


class SqlWork:
    """Implements `triage.ports.Work`."""

    def __init__(
        self, connection: Connection, agreements: Agreements, *, ring: Callable[..., None], new_id: NewId
    ) -> None:
        self._db = Pen(connection)
        self._ring = ring
        self._new_id = new_id
        self._topics: set[Topic] = set()
        self._agreements = agreements
        self._clocking = Clocking(self._db, agreements)
        self._kept: dict[str, Kept] = {}
        self._held: dict[str, Conversation | None] = {}
        """Conversations of the threads that this transaction has locked, as they stand now."""

    def claim(self, key: str, at: datetime) -> bool:
        return insert_new(self._db, inbox, {"key": key, "at": at}, "key")

    def claim_all(self, claims: Mapping[str, Thread], at: datetime, *, patient: bool = True) -> Collection[str]:
        threads = {key: thread.key for key, thread in claims.items()}
        claimed = claim_and_lock(self._db, threads, at, patient=patient)
        if claimed:
            self._held |= conversations_of(self._db, set(threads.values()))
        return claimed

    def load(self, lookup: Lookup) -> Loaded:
        if lookup.here.key not in self._held:
            lock_thread(self._db, lookup.here.key)
            self._held |= conversations_of(self._db, [lookup.here.key])
        found = find(lookup, self._shelf())
        loaded = Loaded(conversation=found.conversation, team_side=found.team_side)
        return self._filled(loaded, found.ticket) if found.ticket else loaded

    def whole(self, ticket: str) -> Loaded:
        found = self._shelf().ticket(ticket)
        return self._filled(Loaded(), found) if found else Loaded()

    def _filled(self, loaded: Loaded, ticket: Ticket) -> Loaded:
        kept = self._kept[ticket.id]
        return replace(
            loaded,
            ticket=ticket,
            clocks=self._clocking.clocks_of(ticket.id),
            people=self._people(ticket),
            opening=self.look().opening(ticket.id),
            terms=kept.terms,
            events=self._clocking.events_of(ticket.id),
            position=kept.position,
        )

    def _shelf(self) -> SqlShelf:
        return SqlShelf(self._db, self._kept, self._held, self._clocking.terms)

    def look(self) -> SqlReading:
        return SqlReading(self._db)

    def next_number(self) -> int:
        if is_postgres(self._db):
            return int(self._db.beside.scalar(ticket_numbers))
        return int(self._db.scalar(select(func.coalesce(func.max(tickets.c.number), 0))) or 0) + 1

    def record(self, decision: Decision, at: datetime, *, message: Message | None = None, why: Why = Why.TIME) -> None:
        self._write_tickets(decision.changes)
        for change in decision.changes:
            self._write(change, at, seen=message is not None)
        if message is not None:
            self._remember(message)
        keep(self._db, audited(decision.changes), by(decision, message, why), at)
        put(self._db, decision.outgoing, at)
        if decision.outgoing:
            self._topics.add(Topic.OUTBOX)

    def due(self, at: datetime, limit: int) -> Sequence[DueClock]:
        rows = self._db.execute(due_query(at, limit)).all()
        for row in rows:
            terms = self._clocking.terms(row.terms) if row.terms else None
            self._kept[row.id] = Kept(ticket=build(Ticket, row), terms=terms, position=row.position)
        found = zip(rows, self._clocking.clocks(rows), strict=True)
        return [_due_clock(self._kept[row.id], clock) for row, clock in found]

    def due_steps(self, at: datetime, limit: int) -> Sequence[str]:
        return self._clocking.steps(at, limit)

    def waiting(self, at: datetime, limit: int) -> Sequence[Waiting]:
        return self._clocking.waiting(at, limit)

    def beat(self, at: datetime) -> None:
        self._clocking.beat(at)

    def fail(self, id: str, key: str, at: datetime, error: str) -> None:
        self._db.execute(failed_turns.insert().values(id=id, key=key, at=at, error=error))

    def flush(self) -> None:
        self._db.flush()

    def commit(self) -> None:
        self._db.commit()
        self._agreements.remember(self._clocking.new)
        self._kept.clear()
        self._held.clear()
        self._ring(*self._topics)
        self._topics.clear()

    def _people(self, ticket: Ticket) -> Mapping[str, Person]:
        return people_of_ticket(self._db, ticket.id, *(id for id in (ticket.requester, ticket.owner) if id))

    def _write_tickets(self, changes: Iterable[Change]) -> None:
        folded = fold(changes, self._shelf().kept)
        for kept in folded.changed.values():
            self._compare_and_set(kept)
        for kept in folded.opened.values():
            write(self._db, INSERT_TICKET, [values(kept.ticket) | self._beside(kept)])
            self._kept[kept.ticket.id] = kept

    def _compare_and_set(self, kept: Kept) -> None:
        read = kept.ticket
        raised = replace(kept, ticket=replace(read, version=read.version + 1))
        row = update(tickets).where(tickets.c.id == read.id, tickets.c.version == read.version)
        if self._db.execute(row.values(values(raised.ticket) | self._beside(kept))).rowcount != 1:
            raise Conflict(f"ticket {read.number} changed meanwhile")
        self._kept[read.id] = raised

    def _beside(self, kept: Kept) -> dict[str, Any]:
        """What a ticket's row holds besides the ticket."""
        terms = self._clocking.keep_terms(kept.terms)
        return {"terms": terms, "position": kept.position, "step_at": kept.position.next_at}

    def _write(self, change: Change, at: datetime, *, seen: bool) -> None:
        match change:
            case Meet(person=person, known=known) if person != known:
                self._meet(person, seen=seen)
            case Converse(conversation=conversation):
                upsert(self._db, conversations, values(conversation), "key")
                self._held[conversation.key] = conversation
            case AddEntry(ticket=ticket, entry=entry):
                write(self._db, INSERT_ENTRY, [values(entry) | {"ticket": ticket}])
            case EditEntry(ticket=ticket, message=message, text=text):
                edited = update(entries).where(entries.c.ticket == ticket, entries.c.message == message)
                self._db.execute(edited.values(text=text))
            case _ if isinstance(change, ClockChange):
                self._clocking.write(change, at)
            case _ if isinstance(change, LearningChange):
                learn(self._db, change, at)
                if isinstance(change, AddArticle | AddPhrasing):
                    self._topics.add(Topic.ARTICLES)
            case _:
                pass

    def _meet(self, person: Person, *, seen: bool) -> None:
        """Keep a person and one account; only a message makes that account the one last seen."""
        beside = {"account": person.account and person.account.key, "surrogate": self._new_id()}
        write(self._db, _meeting(self._db.dialect.name, seen=seen), [values(person) | beside])
        if person.account is not None:
            account = values(person.account) | {"key": person.account.key, "person": person.id}
            upsert(self._db, accounts, account, "key")

    def _remember(self, message: Message) -> None:
        """Where the platform can be written to: this channel, this place, this person's direct chat."""
        channel, sender = message.channel, message.sender.account
        if message.reference is not None:
            keep_reference(self._db, (channel.key, place_key(channel)), message.reference)
        if channel.kind is ChannelKind.DM:
            self._db.execute(update(accounts).where(accounts.c.key == sender.key).values(direct=channel))


@cache
def _meeting(dialect: str, *, seen: bool) -> Insert:
    """Keeps a row of a person; `seen` says that its account is the one last seen."""
    insert = insert_into(dialect, people)
    last = (insert.excluded.account, people.c.account) if seen else (people.c.account, insert.excluded.account)
    kept = {field.name: insert.excluded[field.name] for field in fields(Person)} | {
        "account": func.coalesce(*last),
        "surrogate": func.coalesce(people.c.surrogate, insert.excluded.surrogate),
    }
    return insert.on_conflict_do_update(index_elements=["id"], set_=kept)


def _due_clock(kept: Kept, clock: Clock) -> DueClock:
    return DueClock(ticket=kept.ticket, clock=clock, terms=kept.terms or Terms(), position=kept.position)
