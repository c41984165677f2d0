"""Clocks, the events they are computed from, pings and on-call swaps on SQL.

Used by `storage.unit_of_work` inside one transaction. Due clocks, steps and pings are ranges of partial
indexes, and their rows are claimed: other sweepers skip them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, func, or_, select, update

from storage.agreements import Agreement, Agreements
from storage.codec import build, values
from storage.engine import insert_all_new, insert_new, upsert
from storage.pen import Db, write
from storage.rows import clocks, downtimes, heartbeats, pings, swaps, ticket_events, tickets
from triage.calendars import Calendar
from triage.changes import ClockChange, HoldPings, KeepClock, KeepEvent, KeepPing, SayPings, SwapOnCall
from triage.clocks import Cause, Clock, ClockEventKind, LogEvent, Measure
from triage.outgoing import Ping
from triage.policy import Metric, Terms
from triage.ports import Waiting
from triage.rota import Override
from triage.timeline import Event

METRICS = tuple(Metric)

BEAT = timedelta(seconds=10)
"""How often the sweep says that it is alive."""

DOWN = timedelta(seconds=60)
"""A longer silence is downtime."""

CAP_PERIOD = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logged:
    """A `LogEvent` with its calendar by key."""

    at: datetime
    kind: ClockEventKind
    seconds: int | None = None
    calendar: str | None = None
    counted: bool = False
    cause: Cause | None = None


INSERT_EVENT = ticket_events.insert()
_LOG: TypeAdapter[tuple[_Logged, ...]] = TypeAdapter(tuple[_Logged, ...])


class Clocking:
    """One transaction's side of it; `new` are the agreements it wrote."""

    def __init__(self, connection: Db, agreements: Agreements) -> None:
        self._db = connection
        self._agreements = agreements
        self.new: dict[str, Agreement] = {}

    # --- agreements ---
    def keep_terms(self, terms: Terms | None) -> str | None:
        return self._agreements.keep(self._db, terms, self.new) if terms else None

    def terms(self, key: str) -> Terms:
        found = self._agreements.read(self._db, [key], self.new)[key]
        if not isinstance(found, Terms):
            raise TypeError(f"agreement {key} is a calendar")
        return found

    # --- writing ---
    def write(self, change: ClockChange, at: datetime) -> None:
        match change:
            case KeepClock():
                upsert(self._db, clocks, self._clock_row(change), "ticket", "metric", "instance")
            case KeepEvent(ticket=ticket, event=event):
                write(self._db, INSERT_EVENT, [self._event_row(ticket, event)])
            case KeepPing(ping=ping):
                row = {"said_at": None, "not_before": None, "capped": False}
                insert_all_new(self._db, pings, [values(ping) | row], "key")
            case SayPings(keys=keys, at=said):
                self._db.execute(update(pings).where(pings.c.key.in_(keys)).values(said_at=said))
            case HoldPings(person=person, until=until, capped=capped):
                held = update(pings).where(pings.c.person == person, _may_be_said(at), ~pings.c.urgent)
                self._db.execute(held.values(not_before=until, **({"capped": True} if capped else {})))
            case SwapOnCall(team=team, override=override, by=by):
                who = {"person": override.person, "since": override.since, "until": override.until}
                self._db.execute(swaps.insert(), {"team": team, "by": by, "at": at} | who)

    def _clock_row(self, change: KeepClock) -> dict[str, Any]:
        clock = change.clock
        log = tuple(self._logged(event) for event in clock.log)
        return {
            "ticket": change.ticket,
            "metric": clock.metric,
            "instance": clock.instance,
            "log": _LOG.dump_json(log, exclude_defaults=True).decode(),
            "known_at": clock.known_at,
            "rung": clock.rung,
            "due_at": change.due_at,
            "next_at": change.next_at,
            "revision": clock.revision,
            "live": clock.live,
            "paused": clock.paused,
        }

    def _logged(self, event: LogEvent) -> _Logged:
        measure = event.measure
        return _Logged(
            at=event.at,
            kind=event.kind,
            seconds=measure.seconds if measure else None,
            calendar=self._agreements.keep(self._db, measure.calendar, self.new) if measure else None,
            counted=event.counted,
            cause=event.cause,
        )

    def _event_row(self, ticket: str, event: Event) -> dict[str, Any]:
        return {
            "ticket": ticket,
            "at": event.at,
            "do": event.do,
            "priority": event.priority,
            "terms": self.keep_terms(event.terms),
            "thanks": event.thanks,
            "team": event.team,
            "channel": event.channel,
        }

    # --- reading ---
    def clocks_of(self, ticket: str) -> tuple[Clock, ...]:
        found = self.clocks(self._db.execute(select(clocks).where(clocks.c.ticket == ticket)).all())
        return tuple(sorted(found, key=lambda clock: (METRICS.index(clock.metric), clock.instance)))

    def clocks(self, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Clock]:
        logs = [_LOG.validate_json(row.log) for row in rows]
        keys = {event.calendar for log in logs for event in log if event.calendar}
        found = self._agreements.read(self._db, keys, self.new)
        return [_clock(row, log, found) for row, log in zip(rows, logs, strict=True)]

    def events_of(self, ticket: str) -> tuple[Event, ...]:
        rows = self._db.execute(
            select(ticket_events).where(ticket_events.c.ticket == ticket).order_by(ticket_events.c.id)
        )
        return tuple(self._event(row) for row in rows.all())

    def _event(self, row: Any) -> Event:
        return Event(
            at=row.at,
            do=row.do,
            priority=row.priority,
            terms=self.terms(row.terms) if row.terms else None,
            thanks=row.thanks,
            team=row.team,
            channel=row.channel,
        )

    # --- what is due ---
    def steps(self, at: datetime, limit: int) -> Sequence[str]:
        return self._db.scalars(steps_query(at, limit)).all()

    def waiting(self, at: datetime, limit: int) -> Sequence[Waiting]:
        people = self._db.scalars(people_query(at, limit)).all()
        if not people:
            return []
        theirs = pings.c.person.in_(people) & _may_be_said(at)
        there = set(self._db.scalars(select(pings.c.key).where(theirs)).all())
        claimed = select(pings).where(theirs).order_by(pings.c.at, pings.c.key).with_for_update(skip_locked=True)
        rows = self._db.execute(claimed).all()
        elsewhere = self._whose(there - {row.key for row in rows})
        said = self._said(people, at)
        found = {person: [row for row in rows if row.person == person] for person in people}
        return [
            Waiting(
                person=person,
                pings=tuple(build(Ping, row) for row in mine),
                said=said.get(person, ()),
                held=sum(row.capped for row in mine),
            )
            for person, mine in found.items()
            if mine and person not in elsewhere
        ]

    def _whose(self, keys: Collection[str]) -> Collection[str]:
        """People whom another sweeper tells just now: what is left for them waits, to be said together."""
        return self._db.scalars(select(pings.c.person).where(pings.c.key.in_(keys))).all() if keys else ()

    def _said(self, people: Sequence[str], at: datetime) -> Mapping[str, tuple[datetime, ...]]:
        lately = select(pings.c.person, pings.c.said_at).distinct()
        theirs = lately.where(pings.c.person.in_(people), pings.c.said_at > at - CAP_PERIOD)
        rows = self._db.execute(theirs.order_by(pings.c.said_at))
        found: dict[str, tuple[datetime, ...]] = {}
        for row in rows:
            found[row.person] = (*found.get(row.person, ()), row.said_at)
        return found

    def beat(self, at: datetime) -> None:
        last = self._db.scalar(select(heartbeats.c.at))
        if last is not None and at - last < BEAT:
            return
        if last is not None and at - last > DOWN:
            insert_new(self._db, downtimes, {"since": last, "until": at}, "since")
        upsert(self._db, heartbeats, {"id": 1, "at": at}, "id")


def due_query(at: datetime, limit: int) -> Select[Any]:
    """Clocks with a stage due, oldest first: a range of the index on `next_at`."""
    found = select(clocks, tickets).join(tickets, tickets.c.id == clocks.c.ticket).where(clocks.c.next_at <= at)
    return found.order_by(clocks.c.next_at).limit(limit).with_for_update(skip_locked=True)


def steps_query(at: datetime, limit: int) -> Select[Any]:
    """Tickets whose escalation goes on, oldest first: a range of the index on `step_at`."""
    found = select(tickets.c.id).where(tickets.c.step_at <= at).order_by(tickets.c.step_at).limit(limit)
    return found.with_for_update(skip_locked=True)


def people_query(at: datetime, limit: int) -> Select[Any]:
    """Whoever has pings that may be said, who waits longest first: the index holds none but pings that wait."""
    waiting = select(pings.c.person).where(_may_be_said(at)).group_by(pings.c.person)
    return waiting.order_by(func.min(pings.c.at), pings.c.person).limit(limit)


def swaps_since(connection: Db, since: datetime) -> Mapping[str, tuple[Override, ...]]:
    """What was agreed about being on call and is not over by then, by team, in the order it was agreed."""
    found: dict[str, tuple[Override, ...]] = {}
    for row in connection.execute(select(swaps).where(swaps.c.until > since).order_by(swaps.c.id)):
        override = Override(since=row.since, until=row.until, person=row.person)
        found[row.team] = (*found.get(row.team, ()), override)
    return found


def _may_be_said(at: datetime) -> Any:
    return pings.c.said_at.is_(None) & or_(pings.c.not_before.is_(None), pings.c.not_before <= at)


def _clock(row: Any, log: Iterable[_Logged], found: Mapping[str, Agreement]) -> Clock:
    return Clock(
        metric=row.metric,
        instance=row.instance,
        log=tuple(_event_of(event, found) for event in log),
        known_at=row.known_at,
        rung=row.rung,
    )


def _event_of(event: _Logged, found: Mapping[str, Agreement]) -> LogEvent:
    calendar = found.get(event.calendar or "")
    measure = (
        Measure(seconds=event.seconds, calendar=calendar)
        if event.seconds is not None and isinstance(calendar, Calendar)
        else None
    )
    at = event.at.astimezone(UTC)  # as JSON gives it, every later sum with it takes three times as long
    return LogEvent(at=at, kind=event.kind, measure=measure, counted=event.counted, cause=event.cause)
