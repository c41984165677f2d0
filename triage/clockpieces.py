"""A clock's life cut where its reader sees a difference: counted, still to go, over, closed, paused and why.

`triage.clocks` knows that a clock was paused, and not what for; that is in the ticket's past. Called by
`triage.clockstory`, which puts the pieces into words, and `triage.clockbar`, which draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from triage import clocks
from triage.calendars import elapsed
from triage.clocks import Clock, LogEvent, Span, SpanState, Stretch
from triage.model import Status
from triage.policy import Metric
from triage.timeline import AS_POLICY_SAYS, PAUSED_IN, Do, Event


class Kind(StrEnum):
    COUNTED = "counted"
    AHEAD = "ahead"
    OVER = "over"
    CLOSED = "closed"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    PAUSED = "paused"
    RESOLVED = "resolved"


RUNNING = frozenset({Kind.COUNTED, Kind.AHEAD, Kind.OVER})
WAITS = {Status.PENDING: Kind.PENDING, Status.ON_HOLD: Kind.ON_HOLD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """From `at` the ticket waited for the requester (`pending`) or a third party (`on_hold`)."""

    at: datetime
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """`seconds` of its own calendar, 0 where the clock did not run."""

    begins: datetime
    ends: datetime
    kind: Kind
    seconds: int = 0


def waits(events: Iterable[Event]) -> tuple[Wait, ...]:
    """What a ticket waited for, as its events say."""
    kinds = {Do.PENDING: Status.PENDING, Do.ON_HOLD: Status.ON_HOLD}
    return tuple(Wait(at=event.at, status=kinds[event.do]) for event in events if event.do in kinds)


def pieces(clock: Clock, now: datetime, waited: Sequence[Wait] = ()) -> tuple[Piece, ...]:
    """From the start to the end of a judged clock; while it runs, to now or its due time, if that is later."""
    cuts = {event.at for event in changes(clock)}
    cuts |= {clock.breach.at} if clock.breach else set()
    cuts |= {now} if clock.live else set()
    spans = clocks.spans(clock, _horizon(clock, now))
    kept = [(span, _kind(clock, span, now, waited)) for whole in spans for span in _cut(whole, cuts, waited)]
    parts = clocks.stretches(clock)
    return tuple(
        Piece(begins=span.begins, ends=span.ends, kind=kind, seconds=counted(parts, span.begins, span.ends))
        for span, kind in kept
    )


def counted(parts: Iterable[Stretch], begins: datetime, ends: datetime) -> int:
    """What a clock with these stretches used between two instants; as cheap as the time between them is short."""
    running = (part for part in parts if part.running)
    return sum(
        elapsed(part.measure.calendar, max(part.begins, begins), min(part.ends or ends, ends)) for part in running
    )


def changes(clock: Clock) -> tuple[LogEvent, ...]:
    """The new targets and calendars it was given after its start."""
    return tuple(event for event in clock.log[1:] if event.measure is not None)


def waiting(metric: Metric, status: Status | None) -> Kind:
    """What a pause of this metric is called; `paused` where nobody knows which of its two reasons it was."""
    if Status.ON_HOLD not in PAUSED_IN[metric] and metric not in AS_POLICY_SAYS:
        return Kind.PENDING
    return WAITS.get(status, Kind.PAUSED) if status else Kind.PAUSED


def _horizon(clock: Clock, now: datetime) -> datetime:
    if clock.ended_at is not None:
        return clock.ended_at
    due = clocks.due_at(clock)
    return max(now, due) if due is not None else now


def _cut(span: Span, cuts: Iterable[datetime], waited: Sequence[Wait]) -> Iterator[Span]:
    """Only what runs looks different before and after now; only a pause has reasons that may change."""
    at: Iterable[datetime] = ()
    if span.state is SpanState.RUNNING:
        at = cuts
    elif span.state is SpanState.PAUSED:
        at = (wait.at for wait in waited)
    inside = sorted({instant for instant in at if span.begins < instant < span.ends})
    for begins, ends in pairwise((span.begins, *inside, span.ends)):
        yield Span(begins=begins, ends=ends, state=span.state)


def _kind(clock: Clock, span: Span, now: datetime, waited: Sequence[Wait]) -> Kind:
    if span.state is SpanState.PAUSED:
        last = [wait.status for wait in waited if wait.at <= span.begins][-1:]
        return waiting(clock.metric, last[0] if last else None)
    if span.state is not SpanState.RUNNING:
        return Kind.CLOSED if span.state is SpanState.CLOSED else Kind.RESOLVED
    if clock.breach and span.begins >= clock.breach.at:
        return Kind.OVER
    return Kind.AHEAD if clock.live and span.begins >= now else Kind.COUNTED
