"""What became of a promise, as agents are judged by it (SLA.md, rules 4 and 10).

Called by `bot.replaying`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triage.calendars import elapsed
from triage.clocks import Clock, ClockState, judged, stretches, used


class Outcome(StrEnum):
    """`EXCUSED` promises were broken, but not by an agent: by a change of terms, or while the desk was down."""

    MET = "met"
    MISSED = "missed"
    EXCUSED = "excused"
    OPEN = "open"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Downtime:
    """A time in which no process swept, so that nobody was warned."""

    since: datetime
    until: datetime


def outcome(clock: Clock, now: datetime, downtimes: Sequence[Downtime] = ()) -> Outcome:
    """How the promise stands at `now`, judged by the target in force when it ended."""
    clock = judged(clock, now)
    if clock.breach is None:
        plain = {ClockState.MET: Outcome.MET, ClockState.CANCELLED: Outcome.CANCELLED}
        return plain.get(clock.state, Outcome.OPEN)
    late = used(clock, clock.ended_at or now) - clock.measure.seconds
    if clock.breach.cause is not None or late <= lost(clock, now, downtimes):
        return Outcome.EXCUSED
    return Outcome.MISSED


def lost(clock: Clock, now: datetime, downtimes: Iterable[Downtime]) -> int:
    """Seconds of policy time in which the clock ran and the desk was down."""
    running = [part for part in stretches(clock) if part.running and not part.hindsight]
    return sum(
        elapsed(part.measure.calendar, max(part.begins, down.since), min(part.ends or now, down.until))
        for part in running
        for down in downtimes
    )
