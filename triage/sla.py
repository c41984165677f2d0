"""Clocks as pure functions over their event log (SLA.md).

A clock's truth is its log; due times are computed from it by walking the calendar, never shifted.
Called by `triage.turn` when something happens to a ticket, and by `triage.desk` at the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from triage.calendars import ALWAYS, Calendar, Unreachable, elapsed, walk, walk_back
from triage.model import ENDED, Priority, Status
from triage.policy import Metric, Targets, Terms

DUE = "due"
"""The stage that fires when the promise is broken."""

KEPT = (Metric.FIRST_RESPONSE, Metric.RESOLUTION)
"""The metrics that have a clock today."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """`target` (seconds of policy time) stands with `start` and `retarget` only."""

    at: datetime
    kind: ClockEventKind
    target: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One running target of one ticket. `due_at`, `next_at` follow from the log; storage indexes them.

    `next_at` is when the next stage fires, None when none is left or the clock does not run.
    `fired` are the stages done in this `revision`, in order.
    """

    ticket: str
    metric: Metric
    instance: int
    log: tuple[ClockEvent, ...]
    hours: str = "business"
    state: ClockState = ClockState.RUNNING
    due_at: datetime | None = None
    next_at: datetime | None = None
    fired: tuple[str, ...] = ()
    revision: int = 1

    @property
    def started_at(self) -> datetime:
        return self.log[0].at

    @property
    def ended_at(self) -> datetime | None:
        return next((event.at for event in self.log if event.kind in ENDING), None)

    @property
    def target(self) -> int:
        return next(event.target for event in reversed(self.log) if event.target is not None)

    @property
    def live(self) -> bool:
        """Whether it still waits for something; a breached clock may."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A stage whose time has come (`due`, or the warn string verbatim), and the clock after ringing it."""

    stage: str
    clock: Clock


# --- what happens to a ticket's clocks ---------------------------------------------------------
def started(ticket: str, priority: Priority, terms: Terms, at: datetime) -> tuple[Clock, ...]:
    """The clocks of a new ticket: one for each kept metric that the priority has a target for."""
    targets = terms.targets.get(priority)
    if targets is None:
        return ()
    return tuple(_start(ticket, metric, 1, targets, terms, at) for metric in KEPT if metric in targets.seconds)


def replied(clocks: Iterable[Clock], terms: Terms, at: datetime) -> tuple[Clock, ...]:
    """An agent wrote to the requester: first response is met."""
    return _end(clocks, terms, at, ClockEventKind.MEET, {Metric.FIRST_RESPONSE})


def status_changed(
    clocks: Iterable[Clock], terms: Terms, priority: Priority, before: Status, after: Status, at: datetime
) -> tuple[Clock, ...]:
    """The clocks that a change of status paused, resumed, ended or revived."""
    clocks = tuple(clocks)
    targets = terms.targets.get(priority, Targets(seconds={}))
    if after in ENDED and before not in ENDED:
        return _resolved(clocks, terms, at)
    if before in ENDED and after not in ENDED:
        return tuple(_revive(c, targets, terms, at) for c in clocks if c.metric is Metric.RESOLUTION and not c.live)
    pausing = {Status.PENDING} | ({Status.ON_HOLD} if targets.pause_on_hold else set())
    kind = ClockEventKind.PAUSE if after in pausing else ClockEventKind.RESUME
    if (after in pausing) == (before in pausing):
        return ()
    return tuple(
        _with(c, terms, ClockEvent(at=at, kind=kind)) for c in clocks if c.live and c.metric is Metric.RESOLUTION
    )


def reprioritised(clocks: Iterable[Clock], terms: Terms, priority: Priority, at: datetime) -> tuple[Clock, ...]:
    """The new priority's targets for live clocks: elapsed time is kept, a metric it lacks is cancelled."""
    targets = terms.targets.get(priority, Targets(seconds={}))
    return tuple(_retarget(clock, targets, terms, at) for clock in clocks if clock.live)


def ring(clock: Clock, terms: Terms, now: datetime) -> Rung | None:
    """The highest stage that has passed and not fired yet; lower ones passed count as fired too."""
    if not clock.live or clock.state is ClockState.PAUSED or clock.due_at is None:
        return None
    passed = [stage for at, stage in _stages(clock, terms) if at <= now and stage not in clock.fired]
    if not passed:
        return None
    fired = replace(clock, fired=clock.fired + tuple(passed))
    if passed[-1] == DUE:
        breach = ClockEvent(at=clock.due_at, kind=ClockEventKind.BREACH)
        fired = replace(fired, log=(*fired.log, breach), state=ClockState.BREACHED)
    return Rung(stage=passed[-1], clock=scheduled(fired, terms))


# --- one clock ---------------------------------------------------------------------------------
def _start(ticket: str, metric: Metric, instance: int, targets: Targets, terms: Terms, at: datetime) -> Clock:
    event = ClockEvent(at=at, kind=ClockEventKind.START, target=targets.seconds[metric])
    clock = Clock(ticket=ticket, metric=metric, instance=instance, log=(event,), hours=targets.hours)
    return scheduled(clock, terms)


def _with(clock: Clock, terms: Terms, event: ClockEvent) -> Clock:
    """The clock after one more event, breached if its due time passed before it (SLA.md, rule 7)."""
    return scheduled(replace(_judged(clock, event.at), log=(*_judged(clock, event.at).log, event)), terms)


def _judged(clock: Clock, at: datetime) -> Clock:
    if clock.state is not ClockState.RUNNING or clock.due_at is None or at <= clock.due_at:
        return clock
    breach = ClockEvent(at=clock.due_at, kind=ClockEventKind.BREACH)
    return replace(clock, log=(*clock.log, breach), state=ClockState.BREACHED)


def _end(
    clocks: Iterable[Clock], terms: Terms, at: datetime, kind: ClockEventKind, metrics: set[Metric]
) -> tuple[Clock, ...]:
    return tuple(
        _with(clock, terms, ClockEvent(at=at, kind=kind)) for clock in clocks if clock.live and clock.metric in metrics
    )


def _resolved(clocks: Iterable[Clock], terms: Terms, at: datetime) -> tuple[Clock, ...]:
    """Ends resolution; cancels first response, unless that is past due already (then it ends breached)."""
    kinds = {Metric.RESOLUTION: ClockEventKind.MEET}
    return tuple(
        _with(clock, terms, ClockEvent(at=at, kind=kinds.get(clock.metric, ClockEventKind.CANCEL)))
        for clock in clocks
        if clock.live
    )


def _revive(clock: Clock, targets: Targets, terms: Terms, at: datetime) -> Clock:
    """Reopened: the same instance goes on; the resolved time is excluded, or not if the policy says so."""
    if targets.reopen == "first_only":
        return clock
    ended = clock.ended_at or at
    log = tuple(event for event in clock.log if event.kind not in ENDING)
    if targets.reopen == "exclude":
        pause = ClockEvent(at=ended, kind=ClockEventKind.PAUSE)
        log = (*log, pause, ClockEvent(at=at, kind=ClockEventKind.RESUME))
    return scheduled(replace(clock, log=log, revision=clock.revision + 1, fired=()), terms)


def _retarget(clock: Clock, targets: Targets, terms: Terms, at: datetime) -> Clock:
    if clock.metric not in targets.seconds:
        return _with(clock, terms, ClockEvent(at=at, kind=ClockEventKind.CANCEL))
    event = ClockEvent(at=at, kind=ClockEventKind.RETARGET, target=targets.seconds[clock.metric])
    raised = replace(clock, hours=targets.hours, revision=clock.revision + 1, fired=())
    return _with(raised, terms, event)


def scheduled(clock: Clock, terms: Terms) -> Clock:
    """State, due time and next stage as they follow from the log."""
    state, due_at = _state(clock), _due_at(clock, terms)
    known = replace(clock, state=state, due_at=due_at, next_at=None)
    if not known.live or state is ClockState.PAUSED or due_at is None:
        return known
    ahead = [at for at, stage in _stages(known, terms) if stage not in known.fired]
    return replace(known, next_at=min(ahead, default=None))


def _state(clock: Clock) -> ClockState:
    kinds = [event.kind for event in clock.log]
    if ClockEventKind.BREACH in kinds:
        return ClockState.BREACHED
    if ClockEventKind.CANCEL in kinds:
        return ClockState.CANCELLED
    if ClockEventKind.MEET in kinds:
        return ClockState.MET
    return ClockState.PAUSED if _paused_at(clock) else ClockState.RUNNING


def _paused_at(clock: Clock) -> datetime | None:
    """The instant of the pause it is in, if it is in one."""
    paused = None
    for event in clock.log:
        if event.kind is ClockEventKind.PAUSE:
            paused = event.at
        elif event.kind is ClockEventKind.RESUME:
            paused = None
    return paused


def _due_at(clock: Clock, terms: Terms) -> datetime | None:
    """None while paused, and when the calendar never reaches the target."""
    calendar = calendar_of(clock, terms)
    left, since = clock.target, clock.started_at
    running = True
    for event in clock.log:
        if event.kind is ClockEventKind.PAUSE and running:
            spent = elapsed(calendar, since, event.at)
            if spent >= left:
                break
            left, running = left - spent, False
        elif event.kind is ClockEventKind.RESUME and not running:
            since, running = event.at, True
    if not running:
        return None
    try:
        return walk(calendar, since, left)
    except Unreachable:
        return None


def _stages(clock: Clock, terms: Terms) -> list[tuple[datetime, str]]:
    """When each stage fires, in order; stages at or before the start are left out.

    Once breached no warning is due any more.
    """
    if clock.due_at is None:
        return []
    stages = [(clock.due_at, DUE)]
    calendar = calendar_of(clock, terms)
    for warn in terms.warn:
        at = walk_back(calendar, clock.due_at, seconds_before(warn, clock.target))
        if at > clock.started_at:
            stages.append((at, warn))
    return sorted(stages)


def seconds_before(warn: str, target: int) -> int:
    """A warn stage as seconds of policy time before due: `50%` of the target gone, or `-1h30m`."""
    if warn.endswith("%"):
        return round(target * (100 - float(warn[:-1])) / 100)
    return seconds_of(warn.removeprefix("-"))


def seconds_of(duration: str) -> int:
    """`1d2h30m15s` in seconds; a day is 24 hours."""
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    total, digits = timedelta(), ""
    for char in duration:
        if char.isdecimal():
            digits += char
        elif digits and char in units:
            total += timedelta(**{units[char]: int(digits)})
            digits = ""
        else:
            raise ValueError(f"{duration!r} is not a duration such as 1d2h30m15s")
    if digits or not total:
        raise ValueError(f"{duration!r} is not a duration such as 1d2h30m15s")
    return int(total.total_seconds())


def calendar_of(clock: Clock, terms: Terms) -> Calendar:
    return terms.calendar if clock.hours == "business" else ALWAYS
