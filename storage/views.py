"""Reading queries with frozen results. Called by the desk for reading verbs, and by `doctor` and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, literal, null, or_, select

from storage.among import Among
from storage.clocking import swaps_since
from storage.codec import build, build_all
from storage.learning import SqlLessons
from storage.locking import wait_for_thread
from storage.pen import Db
from storage.rows import (
    FAILED,
    NOT_ENDED,
    WAITING,
    accounts,
    clocks,
    conversations,
    entries,
    failed_turns,
    inbox,
    outbox,
    people,
    posts,
    tickets,
)
from triage.model import Account, Entry, EntryKind, Person, Priority, Status, Thread, Ticket
from triage.rota import Override

PRESSING = (Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW)
"""Most pressing first."""


def _persons() -> Select[Any]:
    """People with the account last seen."""
    account = (accounts.c[name].label(f"at_{name}") for name in ("platform", "place", "user"))
    return select(people).add_columns(*account).outerjoin(accounts, accounts.c.key == people.c.account)


# Written once: building a statement costs as much as running it.
_whose = accounts.alias("whose")
_found = _persons().add_columns(_whose.c.key.label("whose")).join(_whose, _whose.c.person == people.c.id)
PERSON = _found.where(_whose.c.key == bindparam("account"))
_senders = _found.add_columns(null().label("seen")).where(Among(_whose.c.key, "accounts"))
_nobody = [null() for _ in _found.selected_columns]
ARRIVING = _senders.union_all(select(*_nobody, inbox.c.key).where(Among(inbox.c.key, "keys")))
PEOPLE = _persons().where(Among(people.c.id, "ids"))
_authors = select(entries.c.author).where(entries.c.ticket == bindparam("ticket"), entries.c.author.is_not(None))
PEOPLE_OF = _persons().where(or_(Among(people.c.id, "ids"), people.c.id.in_(_authors)))
KNOWS = select(literal(1)).where(
    or_(
        exists().where(conversations.c.key == bindparam("thread")),
        exists().where(posts.c.channel == bindparam("channel"), posts.c.message == bindparam("root")),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTurn:
    """A turn that could not be decided; `key` is its inbox key."""

    id: str
    key: str
    at: datetime
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRow:
    """An outbox row that was given up, and why."""

    key: str
    bucket: str
    ticket: str | None
    fallback: str
    created_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `doctor` and the metrics show; the newest failures come first."""

    failed_turns: tuple[FailedTurn, ...]
    failed_rows: tuple[FailedRow, ...]
    tickets: Mapping[Status, int]
    pending: int


class SqlReading:
    """Implements `triage.ports.Reading` on one connection."""

    def __init__(self, connection: Db) -> None:
        self._db = connection
        self.lessons = SqlLessons(connection)

    def seen(self, key: str) -> bool:
        return self._db.scalar(select(inbox.c.key).where(inbox.c.key == key)) is not None

    def person(self, account: Account) -> Person | None:
        row = self._db.execute(PERSON, {"account": account.key}).first()
        return None if row is None else _person(row)

    def arriving(self, claims: Mapping[str, Account]) -> Mapping[str, tuple[bool, Person | None]]:
        given = {"keys": list(claims), "accounts": [account.key for account in claims.values()]}
        rows = self._db.execute(ARRIVING, given).all()
        seen = {row.seen for row in rows}
        known = {row.whose: _person(row) for row in rows if row.whose is not None}
        return {key: (key in seen, known.get(account.key)) for key, account in claims.items()}

    def knows(self, thread: Thread) -> bool:
        wait_for_thread(self._db, thread.key)
        where = {"thread": thread.key, "channel": thread.channel.key, "root": thread.root}
        return self._db.scalar(KNOWS, where) is not None

    def people(self, ids: Sequence[str]) -> Mapping[str, Person]:
        return people_by_id(self._db, ids)

    def ticket(self, id: str) -> Ticket | None:
        row = self._db.execute(select(tickets).where(tickets.c.id == id)).first()
        return None if row is None else build(Ticket, row)

    def numbered(self, number: int) -> Ticket | None:
        row = self._db.execute(select(tickets).where(tickets.c.number == number)).first()
        return None if row is None else build(Ticket, row)

    def opening(self, ticket: str) -> str:
        first = select(entries.c.text).where(entries.c.ticket == ticket, entries.c.kind == EntryKind.MESSAGE)
        return self._db.scalar(first.order_by(entries.c.id).limit(1)) or ""

    def queue(self, teams: Sequence[str], limit: int) -> tuple[Sequence[Ticket], int]:
        return self._open(tickets.c.team.in_(teams), limit)

    def mine(self, person: str, limit: int) -> tuple[Sequence[Ticket], int]:
        return self._open(or_(tickets.c.owner == person, tickets.c.requester == person), limit)

    def swaps(self, since: datetime) -> Mapping[str, tuple[Override, ...]]:
        return swaps_since(self._db, since)

    def due_of(self, tickets: Sequence[str]) -> Mapping[str, datetime]:
        due = select(clocks.c.ticket, func.min(clocks.c.due_at).label("due_at")).where(
            clocks.c.ticket.in_(tickets), clocks.c.live, clocks.c.due_at.is_not(None)
        )
        return {row.ticket: row.due_at for row in self._db.execute(due.group_by(clocks.c.ticket))}

    def history(self, ticket: str, limit: int) -> Sequence[Entry]:
        newest = select(entries).where(entries.c.ticket == ticket).order_by(entries.c.id.desc()).limit(limit)
        return build_all(Entry, self._db.execute(newest).all())[::-1]

    def health(self, limit: int = 100) -> Health:
        turns = select(failed_turns).order_by(failed_turns.c.at.desc()).limit(limit)
        rows = select(outbox).where(FAILED).order_by(outbox.c.id.desc()).limit(limit)
        statuses = select(tickets.c.status, func.count()).group_by(tickets.c.status)
        return Health(
            failed_turns=build_all(FailedTurn, self._db.execute(turns).all()),
            failed_rows=build_all(FailedRow, self._db.execute(rows).all()),
            tickets=dict(self._db.execute(statuses).all()),
            pending=pending(self._db),
        )

    def unreachable(self) -> Mapping[str, str]:
        """Why the newest message to a person that did not reach them directly did not, by the person's id."""
        missed = select(outbox.c.bucket, outbox.c.reason).where(
            outbox.c.state == "sent", outbox.c.reason.is_not(None), outbox.c.bucket.startswith("person:")
        )
        rows = self._db.execute(missed.order_by(outbox.c.id))
        return {row.bucket.partition(":")[2]: row.reason for row in rows}

    def _open(self, which: ColumnElement[bool], limit: int) -> tuple[Sequence[Ticket], int]:
        count = self._db.scalar(select(func.count()).select_from(tickets).where(which, NOT_ENDED)) or 0
        return build_all(Ticket, self._db.execute(_most_pressing(which, limit)).all()), count


def pending(connection: Db) -> int:
    """How many outbox rows wait or are under lease."""
    return connection.scalar(select(func.count()).select_from(outbox).where(WAITING)) or 0


def people_by_id(connection: Db, ids: Iterable[str]) -> Mapping[str, Person]:
    """Known people with the account last seen."""
    return {row.id: _person(row) for row in connection.execute(PEOPLE, {"ids": list(ids)})}


def people_of_ticket(connection: Db, ticket: str, *others: str) -> Mapping[str, Person]:
    """Whoever wrote an entry of the ticket, and the others, as in `people_by_id`."""
    return {row.id: _person(row) for row in connection.execute(PEOPLE_OF, {"ids": others, "ticket": ticket})}


def _person(row: Any) -> Person:
    """Somebody without a surrogate is read as without an account, so that they are kept again, with one."""
    at = row.at_user is not None and row.surrogate is not None
    seen = Account(platform=row.at_platform, place=row.at_place, user=row.at_user) if at else None
    return Person(id=row.id, name=row.name, language=row.language, timezone=row.timezone, account=seen, guest=row.guest)


def _most_pressing(which: ColumnElement[bool], limit: int) -> Select[Any]:
    """By next due time, then priority, then age; tickets without a due time come last."""
    due = select(func.min(clocks.c.due_at)).where(clocks.c.ticket == tickets.c.id, clocks.c.live).scalar_subquery()
    rank = case({priority: place for place, priority in enumerate(PRESSING)}, value=tickets.c.priority)
    return select(tickets).where(which, NOT_ENDED).order_by(due.is_(None), due, rank, tickets.c.number).limit(limit)
