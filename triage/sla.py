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
from triage.model import ENDED, Priority, Status, Ticket
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
        return tuple(_revive(clock, targets, terms, at) for clock in clocks if _resolves(clock))
    pausing = _pauses(after, targets)
    if pausing == _pauses(before, targets):
        return ()
    kind = ClockEventKind.PAUSE if pausing else ClockEventKind.RESUME
    return tuple(
        _with(c, terms, ClockEvent(at=at, kind=kind)) for c in clocks if c.live and c.metric is Metric.RESOLUTION
    )


def reprioritised(
    clocks: Iterable[Clock], terms: Terms, ticket: Ticket, priority: Priority, at: datetime
) -> tuple[Clock, ...]:
    """The new priority's targets for live clocks: elapsed time is kept, a metric it lacks is cancelled,
    one it gains counts from the opening."""
    clocks = tuple(clocks)
    targets = terms.targets.get(priority, Targets(seconds={}))
    kept = tuple(_retarget(clock, targets, terms, at) for clock in clocks if clock.live)
    gained = (_gained(ticket, metric, clocks, targets, terms, at) for metric in KEPT if metric in targets.seconds)
    return kept + tuple(clock for clock in gained if clock is not None)


def ring(clock: Clock, terms: Terms, now: datetime) -> Rung | None:
    """The highest stage that has passed and not fired yet; lower ones passed count as fired too."""
    if not clock.live or clock.due_at is None or _paused_at(clock):
        return None
    passed = [stage for at, stage in _stages(clock, terms) if at <= now and stage not in clock.fired]
    if not passed:
        return None
    rung = replace(clock, fired=clock.fired + tuple(passed))
    if passed[-1] == DUE and clock.state is not ClockState.BREACHED:
        rung = _breached(rung, clock.due_at)
    return Rung(stage=passed[-1], clock=scheduled(rung, terms))


# --- one clock ---------------------------------------------------------------------------------
def _start(ticket: str, metric: Metric, instance: int, targets: Targets, terms: Terms, at: datetime) -> Clock:
    event = ClockEvent(at=at, kind=ClockEventKind.START, target=targets.seconds[metric])
    clock = Clock(ticket=ticket, metric=metric, instance=instance, log=(event,), hours=targets.hours)
    return scheduled(clock, terms)


def _resolves(clock: Clock) -> bool:
    """Whether this is the resolution clock that ended when its ticket was resolved."""
    return clock.metric is Metric.RESOLUTION and any(event.kind is ClockEventKind.MEET for event in clock.log)


def _gained(
    ticket: Ticket, metric: Metric, clocks: tuple[Clock, ...], targets: Targets, terms: Terms, at: datetime
) -> Clock | None:
    """A clock the old priority had no target for. Nobody knows any more when a ticket that was worked
    on got its first answer, so that promise is made to new ones only."""
    before = [clock for clock in clocks if clock.metric is metric]
    if any(clock.state is not ClockState.CANCELLED for clock in before):
        return None
    if metric is Metric.FIRST_RESPONSE and (before or ticket.status is not Status.NEW):
        return None
    clock = _start(ticket.id, metric, len(before) + 1, targets, terms, ticket.opened_at)
    if metric is Metric.RESOLUTION and _pauses(ticket.status, targets):
        return _with(clock, terms, ClockEvent(at=at, kind=ClockEventKind.PAUSE))
    return _overtaken(clock, terms, at)


def _pauses(status: Status, targets: Targets) -> bool:
    return status is Status.PENDING or (status is Status.ON_HOLD and targets.pause_on_hold)


def _with(clock: Clock, terms: Terms, event: ClockEvent) -> Clock:
    """The clock after one more event, breached if its due time passed before it (SLA.md, rule 7)."""
    judged = clock
    if clock.state is ClockState.RUNNING and clock.due_at is not None and event.at > clock.due_at:
        judged = _breached(clock, clock.due_at)
    return _overtaken(scheduled(replace(judged, log=(*judged.log, event)), terms), terms, event.at)


def _overtaken(clock: Clock, terms: Terms, at: datetime) -> Clock:
    """Breached at `at`, where what happened then put the due time into the past (SLA.md, rule 4)."""
    if clock.state is not ClockState.RUNNING or clock.due_at is None or at <= clock.due_at:
        return clock
    return scheduled(_breached(clock, at), terms)


def _breached(clock: Clock, at: datetime) -> Clock:
    breach = ClockEvent(at=at, kind=ClockEventKind.BREACH)
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
        log = (*log, ClockEvent(at=ended, kind=ClockEventKind.PAUSE))
    log = (*log, ClockEvent(at=at, kind=ClockEventKind.RESUME))
    revived = replace(clock, log=log, revision=clock.revision + 1, fired=_told(clock))
    return _overtaken(scheduled(revived, terms), terms, at)


def _retarget(clock: Clock, targets: Targets, terms: Terms, at: datetime) -> Clock:
    if clock.metric not in targets.seconds:
        return _with(clock, terms, ClockEvent(at=at, kind=ClockEventKind.CANCEL))
    event = ClockEvent(at=at, kind=ClockEventKind.RETARGET, target=targets.seconds[clock.metric])
    raised = replace(clock, hours=targets.hours, revision=clock.revision + 1, fired=_told(clock))
    return _with(raised, terms, event)


def _told(clock: Clock) -> tuple[str, ...]:
    """What need not be said again under new terms: a breach is told once."""
    return (DUE,) if DUE in clock.fired else ()


def scheduled(clock: Clock, terms: Terms) -> Clock:
    """State, due time and next stage as they follow from the log."""
    state = _state(clock)
    due_at = None if state is ClockState.PAUSED else _due_at(clock, terms)
    known = replace(clock, state=state, due_at=due_at, next_at=None)
    if not known.live or due_at is None or _paused_at(known):
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
    """None in a pause that began in time, and when the calendar never reaches the target."""
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
    if clock.state is ClockState.BREACHED:
        return stages
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
