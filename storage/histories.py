"""Whole tickets and what the sweep left behind, for admins: `sla reapply`, `sla replay`, the watchdog, `doctor`.

Reading queries with frozen results; nothing here is part of a turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from storage.agreements import Agreements
from storage.clocking import Clocking
from storage.codec import build, build_all
from storage.rows import NOT_ENDED, clocks, downtimes, people, pings, tickets
from storage.views import SqlReading
from triage.clocks import Clock
from triage.figures import Downtime
from triage.model import Ticket
from triage.timeline import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A ticket with all that its clocks are computed from; `guest` is what its requester is known as."""

    ticket: Ticket
    opening: str
    guest: bool
    events: tuple[Event, ...]
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Something whose time passed without its being done; `number` is its ticket's."""

    what: str
    number: int
    since: datetime


def histories(db: Connection, agreements: Agreements, since: datetime) -> Iterator[History]:
    """Tickets opened since then, in the order of their numbers."""
    clocking, reading = Clocking(db, agreements), SqlReading(db)
    found = select(tickets, people.c.guest).outerjoin(people, people.c.id == tickets.c.requester)
    for row in db.execute(found.where(tickets.c.opened_at >= since).order_by(tickets.c.number)).all():
        yield History(
            ticket=build(Ticket, row),
            opening=reading.opening(row.id),
            guest=bool(row.guest),
            events=clocking.events_of(row.id),
            clocks=clocking.clocks_of(row.id),
        )


def open_tickets(db: Connection) -> Sequence[str]:
    return db.scalars(select(tickets.c.id).where(NOT_ENDED).order_by(tickets.c.number)).all()


def downtimes_since(db: Connection, since: datetime) -> tuple[Downtime, ...]:
    found = select(downtimes).where(downtimes.c.until > since).order_by(downtimes.c.since)
    return build_all(Downtime, db.execute(found).all())


def late(db: Connection, at: datetime, limit: int = 100) -> list[Late]:
    """What should have been done by then: pings of clocks, steps of escalations, and words to people."""
    ring = select(tickets.c.number, clocks.c.metric, clocks.c.next_at).join(tickets, tickets.c.id == clocks.c.ticket)
    step = select(tickets.c.number, tickets.c.step_at)
    word = select(tickets.c.number, pings.c.at, pings.c.not_before).join(tickets, tickets.c.id == pings.c.ticket)
    ready = pings.c.said_at.is_(None) & (pings.c.at < at) & or_(pings.c.not_before.is_(None), pings.c.not_before < at)
    found = [
        Late(what=f"ping for {row.metric}", number=row.number, since=row.next_at)
        for row in db.execute(ring.where(clocks.c.next_at < at).order_by(clocks.c.next_at).limit(limit))
    ]
    found += [
        Late(what="step of the escalation", number=row.number, since=row.step_at)
        for row in db.execute(step.where(tickets.c.step_at < at).order_by(tickets.c.step_at).limit(limit))
    ]
    found += [
        Late(what="word to a person", number=row.number, since=row.not_before or row.at)
        for row in db.execute(word.where(ready).limit(limit))
    ]
    return found
