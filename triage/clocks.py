"""One clock of a ticket as its event log, and everything that follows from the log (SLA.md, rule 3).

The log is only ever added to. State, due time, time used and spans are computed from it by walking the
calendars that were in force, never shifted. Nothing here knows tickets: `triage.timeline` says what
happens to which clock, `triage.stages` when its pings are due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from triage.calendars import Calendar, Unreachable, elapsed, next_close, next_open, walk
from triage.policy import Metric


class ClockState(StrEnum):
    """`BREACHED` clocks go on until the awaited thing happens; they stay breached."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class ClockEventKind(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    MEET = "meet"
    BREACH = "breach"
    RETARGET = "retarget"
    CANCEL = "cancel"


ENDING = frozenset({ClockEventKind.MEET, ClockEventKind.CANCEL})


class Cause(StrEnum):
    """Why a clock was found breached at an instant that is not its due time."""

    RECLASSIFIED = "reclassification"
    REOPENED = "reopening"


class SpanState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is promised: so many seconds, counted in this calendar."""

    seconds: int
    calendar: Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """`measure` stands with `start` and `retarget` only.

    `counted` stands with the `resume` of a reopened clock that counts from the opening: the time it was
    ended counts as if it had run. `cause` stands with a `breach` that did not come at the due time.
    """

    at: datetime
    kind: ClockEventKind
    measure: Measure | None = None
    counted: bool = False
    cause: Cause | None = None


class Stretch(NamedTuple):
    """A part of a clock's life between two events of its log; `ends` is None for the one it is in.

    `revision` counts from 1 and rises with a new target, a new calendar and a reopening. `before` is what the
    clock had used when it began, `spent` what it used itself, in seconds of its own calendar: 0 while it lasts,
    and when it does not run. `hindsight` is the time a reopened ticket was resolved, where that counts as if
    the clock had run.
    """

    begins: datetime
    ends: datetime | None
    state: SpanState
    measure: Measure
    revision: int
    before: int = 0
    spent: int = 0
    hindsight: bool = False

    @property
    def running(self) -> bool:
        return self.state is SpanState.RUNNING

    def used(self, until: datetime) -> int:
        """Seconds of its own calendar, no longer than until `until`; 0 when it does not run."""
        if self.ends is not None and self.ends <= until:
            return self.spent
        return elapsed(self.measure.calendar, self.begins, until) if self.running else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One running target. `known_at` is its start, or when a later priority first promised it.

    `rung` names the stages that were rung (`triage.stages.Ring.id`), in order.
    """

    metric: Metric
    instance: int
    log: tuple[LogEvent, ...]
    known_at: datetime
    rung: tuple[str, ...] = ()
    _life: tuple[Stretch, ...] = field(default=(), init=False, repr=False, compare=False)
    """What `_life_of` worked out from the log; empty until somebody asks."""

    @property
    def started_at(self) -> datetime:
        return self.log[0].at

    @property
    def measure(self) -> Measure:
        """The target in force, or when the clock ended."""
        return next(event.measure for event in reversed(self.log) if event.measure is not None)

    @property
    def ended_at(self) -> datetime | None:
        """When it was met or cancelled; None while it still waits for something, breached or not."""
        for event in reversed(self.log):
            if event.kind is ClockEventKind.RESUME:
                return None
            if event.kind in ENDING:
                return event.at
        return None

    @property
    def live(self) -> bool:
        return self.log[-1].kind not in ENDING and self.ended_at is None

    @property
    def breach(self) -> LogEvent | None:
        return next((event for event in self.log if event.kind is ClockEventKind.BREACH), None)

    @property
    def state(self) -> ClockState:
        if self.breach:
            return ClockState.BREACHED
        return _STATES[_last_turn(self.log)]

    @property
    def paused(self) -> bool:
        return _last_turn(self.log) is ClockEventKind.PAUSE

    @property
    def revision(self) -> int:
        """Counts from 1 and rises with a new target, a new calendar and a reopening."""
        parts = stretches(self)
        return parts[-1].revision if parts else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    begins: datetime
    ends: datetime
    state: SpanState


# --- what can happen to a clock ----------------------------------------------------------------
def start(metric: Metric, instance: int, measure: Measure, at: datetime) -> Clock:
    event = LogEvent(at=at, kind=ClockEventKind.START, measure=measure)
    return Clock(metric=metric, instance=instance, log=(event,), known_at=at)


def settle(clock: Clock, at: datetime, *, paused: bool) -> Clock:
    """The live clock, paused or running as it should be from now on.

    A target that became too short in the pause is found out when it ends: a paused clock never breaches.
    """
    if paused == clock.paused:
        return clock
    kind = ClockEventKind.PAUSE if paused else ClockEventKind.RESUME
    return overtaken(_with(clock, LogEvent(at=at, kind=kind)), at)


def meet(clock: Clock, at: datetime) -> Clock:
    return _with(clock, LogEvent(at=at, kind=ClockEventKind.MEET))


def cancel(clock: Clock, at: datetime) -> Clock:
    return _with(clock, LogEvent(at=at, kind=ClockEventKind.CANCEL))


def retarget(clock: Clock, measure: Measure, at: datetime) -> Clock:
    """Judged by another target or calendar from now on; what was used stays as it was counted."""
    if measure == clock.measure:
        return clock
    return _with(clock, LogEvent(at=at, kind=ClockEventKind.RETARGET, measure=measure))


def revive(clock: Clock, at: datetime, *, counted: bool) -> Clock:
    """The met clock goes on; `counted` counts the time since it was met as well."""
    return _with(clock, LogEvent(at=at, kind=ClockEventKind.RESUME, counted=counted))


def judged(clock: Clock, now: datetime) -> Clock:
    """Breached at its due time, where that has passed (rule 7); `now` itself is still in time."""
    due = _overdue(clock, now)
    return clock if due is None else _with(clock, LogEvent(at=due, kind=ClockEventKind.BREACH))


def overtaken(clock: Clock, at: datetime) -> Clock:
    """Breached at `at`, where what happened then put the due time into the past (rule 4)."""
    if _overdue(clock, at) is None:
        return clock
    reopened = any(event.counted and event.at == at for event in clock.log)
    cause = Cause.REOPENED if reopened else Cause.RECLASSIFIED
    return _with(clock, LogEvent(at=at, kind=ClockEventKind.BREACH, cause=cause))


def gained(clock: Clock, instance: int, at: datetime) -> Clock:
    """A clock worked out from the past, promised only now: whatever it missed, it missed at `at`."""
    log = tuple(event for event in clock.log if event.kind is not ClockEventKind.BREACH)
    return overtaken(replace(clock, instance=instance, log=log, known_at=at), at)


# --- what follows from the log -----------------------------------------------------------------
def due_at(clock: Clock) -> datetime | None:
    """None in a pause that began in time, and when the calendar never reaches the target."""
    parts = stretches(clock)
    now = parts[-1]
    target = now.measure.seconds
    if not now.running and not clock.breach:
        return None
    for part in parts[:-1] if now.before >= target else ():
        left = target - part.before
        if part.running and part.ends is not None and part.spent >= left:
            due = walk(part.measure.calendar, part.begins, left)
            if due < part.ends:
                return due
    if not now.running:
        return None
    try:
        return walk(now.measure.calendar, now.begins, target - now.before)
    except Unreachable:
        return None


def used(clock: Clock, until: datetime) -> int:
    """Seconds of policy time, without pauses, each counted in the calendar then in force."""
    return sum(part.used(until) for part in stretches(clock))


def stretches(clock: Clock) -> tuple[Stretch, ...]:
    """The clock's life in order and without gaps, up to its end if it has one; some may be empty."""
    life = _life_of(clock)
    return life[:-1] if life[-1].state is SpanState.RESOLVED else life


def spans(clock: Clock, until: datetime) -> tuple[Span, ...]:
    """The clock's life up to its end or `until`: contiguous, none empty, no two alike in a row."""
    found: list[Span] = []
    for span in (span for part in stretches(clock) for span in _opened(part, until)):
        if found and found[-1].state is span.state:
            found[-1] = replace(found[-1], ends=span.ends)
        else:
            found.append(span)
    return tuple(found)


def _opened(part: Stretch, until: datetime) -> Iterator[Span]:
    """One stretch, with the hours in which it runs but nobody is in taken out."""
    begins, ends = part.begins, min(part.ends or until, until)
    if not part.running and begins < ends:
        yield Span(begins=begins, ends=ends, state=part.state)
    while part.running and begins < ends:
        opens, closes = _next_window(part.measure.calendar, begins, ends)
        if begins < opens:
            yield Span(begins=begins, ends=opens, state=SpanState.CLOSED)
        if opens < closes:
            yield Span(begins=opens, ends=closes, state=SpanState.RUNNING)
        begins = closes


def _next_window(calendar: Calendar, begins: datetime, ends: datetime) -> tuple[datetime, datetime]:
    """The first open hours between two instants, cut at both; empty, at `ends`, when there are none."""
    try:
        opens = min(next_open(calendar, begins), ends)
        return opens, min(next_close(calendar, opens), ends)
    except Unreachable:
        return ends, ends


def _overdue(clock: Clock, now: datetime) -> datetime | None:
    """The due time of a running clock that has passed it and does not know yet."""
    if not clock.live or clock.paused:
        return None
    due = due_at(clock)
    return due if due is not None and due < now and not clock.breach else None


def _life_of(clock: Clock) -> tuple[Stretch, ...]:
    """Its stretches and, once it has ended, the time since then. Kept: one turn asks for it many times."""
    if not clock._life:
        first = clock.log[0]
        born = Stretch(first.at, None, SpanState.RUNNING, first.measure or clock.measure, revision=1)
        _keep_life(clock, (), born, clock.log[1:])
    return clock._life


def _keep_life(clock: Clock, past: Iterable[Stretch], now: Stretch, log: Iterable[LogEvent]) -> None:
    """Go on from the stretch it was in, through the rest of its log."""
    begins, _, state, measure, revision, before, *_ = now
    life = list(past)
    for event in log:
        if event.kind is ClockEventKind.BREACH:
            continue
        was = SpanState.RUNNING if event.counted else state
        spent = elapsed(measure.calendar, begins, event.at) if was is SpanState.RUNNING else 0
        life.append(Stretch(begins, event.at, was, measure, revision, before, spent, event.counted))
        before += spent
        if event.measure is not None or state is SpanState.RESOLVED:
            revision += 1
        begins, state, measure = event.at, _AFTER.get(event.kind, state), event.measure or measure
    life.append(Stretch(begins, None, state, measure, revision, before))
    object.__setattr__(clock, "_life", tuple(life))


def _with(clock: Clock, event: LogEvent) -> Clock:
    """One more event: what was known of the clock's life only goes on."""
    after = replace(clock, log=(*clock.log, event))
    if clock._life:
        _keep_life(after, clock._life[:-1], clock._life[-1], (event,))
    return after


def _last_turn(log: Sequence[LogEvent]) -> ClockEventKind:
    """The last event that made the clock run, pause or end."""
    return next(event.kind for event in reversed(log) if event.kind in _STATES)


_STATES = {
    ClockEventKind.START: ClockState.RUNNING,
    ClockEventKind.RESUME: ClockState.RUNNING,
    ClockEventKind.PAUSE: ClockState.PAUSED,
    ClockEventKind.MEET: ClockState.MET,
    ClockEventKind.CANCEL: ClockState.CANCELLED,
}
_AFTER = {
    ClockEventKind.PAUSE: SpanState.PAUSED,
    ClockEventKind.RESUME: SpanState.RUNNING,
    ClockEventKind.MEET: SpanState.RESOLVED,
    ClockEventKind.CANCEL: SpanState.RESOLVED,
}
