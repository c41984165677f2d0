"""The joint of tickets and clocks: what a ticket's events change, and which ping of a clock comes next.

`triage.timeline` says what an event does to clocks; here that becomes facts to store. Called by
`triage.casework` when something happens to a ticket, and by `triage.pings` at the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from triage.clocks import Clock
from triage.model import ENDED, Priority, Status, Ticket
from triage.policy import Metric, Terms
from triage.stages import DUE, OVERDUE, Ring, rings
from triage.timeline import Do, Event, Timeline, follow

A_MOMENT = timedelta(microseconds=1)
"""What is done at the due time itself is in time still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A stage whose time has come, and the clock after ringing it.

    `broken` says that the promise was found broken now, also where a later reminder is rung in its place.
    """

    ring: Ring
    clock: Clock
    broken: bool = False


def opened(terms: Terms, priority: Priority, at: datetime, *, team: str, channel: str | None) -> Timeline:
    """The timeline of a new ticket."""
    event = Event(at=at, do=Do.OPEN, priority=priority, terms=terms, team=team, channel=channel)
    return follow(Timeline(), event)


def timeline_of(ticket: Ticket, terms: Terms, clocks: Iterable[Clock], events: Iterable[Event]) -> Timeline:
    """A stored ticket's timeline: clocks in the order they were started, then in that of SLA.md."""
    order = list(Metric)
    kept = sorted(clocks, key=lambda clock: (clock.started_at, order.index(clock.metric), clock.instance))
    status = Status.OPEN if ticket.status is Status.NEW else ticket.status
    return Timeline(terms=terms, priority=ticket.priority, status=status, clocks=tuple(kept), events=tuple(events))


def followed(timeline: Timeline, *events: Event) -> Timeline:
    """The timeline after these events. One that is earlier than the last is taken to be of the same instant, and
    what is done after a breach was found not to be in time: the clocks of two processes may differ by a little, and
    one may be set back."""
    for event in events:
        timeline = follow(timeline, replace(event, at=max(event.at, _earliest(timeline, event))))
    return timeline


def _earliest(timeline: Timeline, event: Event) -> datetime:
    """When the event can have been at the earliest; a message counts from when it was written."""
    known = [event.at, *(before.at for before in timeline.events[-1:])]
    if event.do is not Do.MESSAGE:
        found = (clock.breach for clock in timeline.clocks if clock.live)
        known += [breach.at + (timedelta() if breach.cause else A_MOMENT) for breach in found if breach]
    return max(known)


def recomputed(events: Sequence[Event]) -> Timeline:
    """A ticket's timeline from its events alone."""
    return followed(Timeline(), *events)


# --- pings -------------------------------------------------------------------------------------
def ring(clock: Clock, terms: Terms, now: datetime) -> Rung | None:
    """The last stage that has come and was not rung yet; those passed before it count as rung too.

    None while the clock is paused, and once it has ended.
    """
    passed: list[Ring] = []
    for each in _silent(clock, terms):
        if each.at > now:
            break
        passed.append(each)
    if not passed:
        return None
    rung = (*clock.rung, *(each.id for each in passed))
    broken = any(each.stage == DUE for each in passed)
    return Rung(ring=passed[-1], clock=replace(clock, rung=_shortened(rung)), broken=broken)


def next_at(clock: Clock, terms: Terms) -> datetime | None:
    """When its next stage rings; None when none will as things stand. May have passed already."""
    return next((each.at for each in _silent(clock, terms)), None)


def _silent(clock: Clock, terms: Terms) -> Iterator[Ring]:
    """What was not rung yet, in order."""
    if not clock.live or clock.paused:
        return
    told = set(clock.rung)
    after = max((int(id.partition(":")[2]) for id in told if id.startswith(OVERDUE)), default=0)
    yield from (each for each in rings(clock, terms.warn, terms.overdue, after=after) if each.id not in told)


def _shortened(rung: Sequence[str]) -> tuple[str, ...]:
    """Of the reminders only the last need be known."""
    reminders = [id for id in rung if id.startswith(OVERDUE)]
    return tuple(id for id in rung if not id.startswith(OVERDUE)) + tuple(reminders[-1:])


# --- what the clocks say of a ticket -----------------------------------------------------------
def broken(clocks: Iterable[Clock]) -> bool:
    """Whether a promise is broken that still waits to be kept."""
    return any(clock.live and clock.breach for clock in clocks)


def ended(timeline: Timeline) -> bool:
    return timeline.status in ENDED
