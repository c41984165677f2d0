"""What happens to a ticket, and what each event does to its clocks (the tables of SLA.md).

A `Timeline` is a ticket's past as its clocks see it; `follow` adds one event and gives the next
timeline. Everything is pure: the same events always give the same clocks. Called by `triage.sla` for the
tickets of the desk, by `bot.scenario` and by `bot.cli_sla`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from operator import is_

from triage import clocks
from triage.calendars import ALWAYS
from triage.clocks import Clock, ClockEventKind, ClockState, Measure
from triage.model import ENDED, Priority, Status
from triage.policy import Metric, Targets, Terms
from triage.stages import rings

PAUSED_IN: Mapping[Metric, frozenset[Status]] = {
    Metric.FIRST_RESPONSE: frozenset(),
    Metric.NEXT_REPLY: frozenset({Status.PENDING}),
    Metric.PERIODIC_UPDATE: frozenset({Status.PENDING}),
    Metric.REQUESTER_WAIT: frozenset({Status.PENDING}),
    Metric.AGENT_WORK: frozenset({Status.PENDING, Status.ON_HOLD}),
    Metric.RESOLUTION: frozenset({Status.PENDING}),
    Metric.OWNERSHIP: frozenset({Status.PENDING}),
}
AS_POLICY_SAYS = frozenset({Metric.RESOLUTION, Metric.OWNERSHIP})
"""What `pause_on_hold` is about."""

REVIVED = frozenset({Metric.REQUESTER_WAIT, Metric.AGENT_WORK, Metric.RESOLUTION})
"""The metrics that go on in the same instance when a ticket is reopened."""

MET_BY_RESOLVING = REVIVED | {Metric.OWNERSHIP}
MET_BY_REPLYING = frozenset({Metric.FIRST_RESPONSE, Metric.NEXT_REPLY, Metric.PERIODIC_UPDATE})
ORDER = tuple(Metric)


class Do(StrEnum):
    OPEN = "open"
    ASSIGN = "assign"
    REPLY = "reply"
    NOTE = "note"
    MESSAGE = "message"
    BOT_REPLY = "bot_reply"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    RESUME = "resume"
    PRIORITY = "priority"
    TRANSFER = "transfer"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"
    MERGE = "merge"
    REAPPLY = "reapply"
    """Other terms, by an admin's order."""


GAINING = frozenset({Do.PRIORITY, Do.REAPPLY})
"""Events after which more may be promised than before."""


class NotAllowed(ValueError):
    """An event that cannot happen to the ticket as it is; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`priority` stands with `open` and `priority`, `thanks` with a `message` that says nothing more.

    `terms` hold from then on: they stand with `open`, with `reapply`, and with a `transfer` that changes
    them. `team` is who has the ticket after `open` and `transfer`, `channel` the key of where it was asked.
    """

    at: datetime
    do: Do
    priority: Priority | None = None
    terms: Terms | None = None
    thanks: bool = False
    team: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """`clocks` stand in the order they were started."""

    terms: Terms = field(default_factory=Terms)
    priority: Priority | None = None
    status: Status = Status.NEW
    clocks: tuple[Clock, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def targets(self) -> Targets:
        found = self.terms.targets.get(self.priority) if self.priority else None
        return found or Targets(seconds={})

    def measure(self, metric: Metric) -> Measure:
        calendar = self.terms.calendar if self.targets.hours == "business" else ALWAYS
        return Measure(seconds=self.targets.seconds[metric], calendar=calendar)

    def pauses(self, metric: Metric) -> bool:
        on_hold = self.status is Status.ON_HOLD and metric in AS_POLICY_SAYS and self.targets.pause_on_hold
        return on_hold or self.status in PAUSED_IN[metric]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """`to` is `owner` or `team`."""

    at: datetime
    metric: Metric
    instance: int
    stage: str
    to: str


def follow(timeline: Timeline, event: Event) -> Timeline:
    """The timeline after one more event; raises NotAllowed."""
    _check(timeline, event)
    judged = tuple(clocks.judged(clock, event.at) if clock.live else clock for clock in timeline.clocks)
    return _affected(replace(timeline, clocks=judged, events=(*timeline.events, event)), event)


def seen_at(timeline: Timeline, until: datetime) -> Timeline:
    """The same at a later instant, sorted by start, then metric, then instance."""
    judged = [clocks.judged(clock, until) for clock in timeline.clocks]
    judged.sort(key=lambda clock: (clock.started_at, ORDER.index(clock.metric), clock.instance))
    return replace(timeline, clocks=tuple(judged))


def pings(timeline: Timeline, warn: Sequence[str], until: datetime) -> tuple[Ping, ...]:
    """Every ping up to `until`, in order; at one instant in the order of the clocks."""
    found = [
        Ping(at=ring.at, metric=clock.metric, instance=clock.instance, stage=ring.stage, to=_whom(timeline, ring.at))
        for clock in timeline.clocks
        for ring in rings(clock, warn)
        if ring.at <= until
    ]
    return tuple(sorted(found, key=lambda ping: ping.at))


def _whom(timeline: Timeline, at: datetime) -> str:
    """The owner once the ticket is assigned; a transfer gives the owner up."""
    to = "team"
    for event in timeline.events:
        if event.at <= at and event.do in (Do.ASSIGN, Do.TRANSFER):
            to = "owner" if event.do is Do.ASSIGN else "team"
    return to


def _check(timeline: Timeline, event: Event) -> None:
    if not timeline.events:
        if event.do is not Do.OPEN:
            raise NotAllowed(f"'{event.do}' comes before the ticket is opened; the first event is 'open'")
        return
    if event.at < timeline.events[-1].at:
        raise NotAllowed(f"'{event.do}' is earlier than the event before it; put the events in order of time")
    if event.do is Do.OPEN:
        raise NotAllowed("the ticket is open already; a scenario is about one ticket")
    if timeline.status is Status.CLOSED:
        last = next(past.do for past in reversed(timeline.events) if past.do in (Do.CLOSE, Do.MERGE))
        raise NotAllowed(f"'{event.do}' comes after '{last}', which is final")


# --- what each event does ----------------------------------------------------------------------
def _open(timeline: Timeline, event: Event) -> Timeline:
    terms = event.terms or timeline.terms
    timeline = replace(timeline, priority=event.priority, terms=terms, status=Status.OPEN)
    return _start(timeline, event.at, (metric for metric in Metric if metric is not Metric.NEXT_REPLY))


def _reply(timeline: Timeline, event: Event) -> Timeline:
    timeline = _each(timeline, MET_BY_REPLYING, lambda clock: clocks.meet(clock, event.at))
    return timeline if timeline.status in ENDED else _start(timeline, event.at, [Metric.PERIODIC_UPDATE])


def _message(timeline: Timeline, event: Event) -> Timeline:
    if timeline.status is Status.PENDING:
        timeline = _resume(timeline, event)
    elif timeline.status is Status.RESOLVED:
        timeline = _reopen(timeline, event)
    owed = {clock.metric for clock in timeline.clocks if clock.live}
    if event.thanks or owed & {Metric.FIRST_RESPONSE, Metric.NEXT_REPLY}:
        return timeline
    return _start(timeline, event.at, [Metric.NEXT_REPLY])


def _pending(timeline: Timeline, event: Event) -> Timeline:
    return _wait(timeline, Status.PENDING, event.at)


def _on_hold(timeline: Timeline, event: Event) -> Timeline:
    return _wait(timeline, Status.ON_HOLD, event.at)


def _wait(timeline: Timeline, status: Status, at: datetime) -> Timeline:
    return timeline if timeline.status in ENDED else _settle(replace(timeline, status=status), at)


def _resume(timeline: Timeline, event: Event) -> Timeline:
    if timeline.status not in (Status.PENDING, Status.ON_HOLD):
        return timeline
    return _settle(replace(timeline, status=Status.OPEN), event.at)


def _priority(timeline: Timeline, event: Event) -> Timeline:
    if event.priority is timeline.priority:
        return timeline
    return _gain(_retarget(replace(timeline, priority=event.priority), event.at), event.at)


def _transfer(timeline: Timeline, event: Event) -> Timeline:
    """To another team: its calendar, if it has another, and a new ownership."""
    timeline = _each(timeline, {Metric.OWNERSHIP}, lambda clock: clocks.meet(clock, event.at))
    timeline = _retarget(replace(timeline, terms=event.terms or timeline.terms), event.at)
    return timeline if timeline.status in ENDED else _start(timeline, event.at, [Metric.OWNERSHIP])


def _resolve(timeline: Timeline, event: Event) -> Timeline:
    if timeline.status in ENDED:
        return timeline
    timeline = _each(timeline, MET_BY_RESOLVING, lambda clock: clocks.meet(clock, event.at))
    timeline = _each(timeline, Metric, lambda clock: clocks.cancel(clock, event.at))
    return replace(timeline, status=Status.RESOLVED)


def _reopen(timeline: Timeline, event: Event) -> Timeline:
    if timeline.status is not Status.RESOLVED:
        return timeline
    timeline = replace(timeline, status=Status.OPEN)
    timeline = replace(timeline, clocks=tuple(_revived(clock, timeline, event.at) for clock in timeline.clocks))
    timeline = _gain(_retarget(timeline, event.at), event.at)
    live = {clock.metric for clock in timeline.clocks if clock.live}
    return _start(timeline, event.at, [m for m in (Metric.PERIODIC_UPDATE, Metric.OWNERSHIP) if m not in live])


def _revived(clock: Clock, timeline: Timeline, at: datetime) -> Clock:
    """Only what ended by resolving, and what the ticket's priority still promises, goes on."""
    if clock.metric not in REVIVED or clock.metric not in timeline.targets.seconds:
        return clock
    if clock.log[-1].kind is not ClockEventKind.MEET:
        return clock
    how = timeline.targets.reopen if clock.metric is Metric.RESOLUTION else "exclude"
    return clock if how == "first_only" else clocks.revive(clock, at, counted=how == "from_opening")


def _close(timeline: Timeline, event: Event) -> Timeline:
    return replace(_resolve(timeline, event), status=Status.CLOSED)


def _merge(timeline: Timeline, event: Event) -> Timeline:
    cancelled = _each(timeline, Metric, lambda clock: clocks.cancel(clock, event.at))
    return replace(cancelled, status=Status.CLOSED)


def _reapply(timeline: Timeline, event: Event) -> Timeline:
    return _gain(_retarget(replace(timeline, terms=event.terms or timeline.terms), event.at), event.at)


def _affected(timeline: Timeline, event: Event) -> Timeline:
    effect = _EFFECTS.get(event.do)
    return effect(timeline, event) if effect else timeline


_EFFECTS: Mapping[Do, Callable[[Timeline, Event], Timeline]] = {
    Do.OPEN: _open,
    Do.REPLY: _reply,
    Do.MESSAGE: _message,
    Do.PENDING: _pending,
    Do.ON_HOLD: _on_hold,
    Do.RESUME: _resume,
    Do.PRIORITY: _priority,
    Do.TRANSFER: _transfer,
    Do.RESOLVE: _resolve,
    Do.REOPEN: _reopen,
    Do.CLOSE: _close,
    Do.MERGE: _merge,
    Do.REAPPLY: _reapply,
}
"""`assign`, `note` and `bot_reply` touch no clock."""


# --- steps they share --------------------------------------------------------------------------
def _each(timeline: Timeline, metrics: Iterable[Metric], change: Callable[[Clock], Clock]) -> Timeline:
    """Change the live clocks of these metrics."""
    wanted = frozenset(metrics)
    before = timeline.clocks
    after = tuple(change(clock) if clock.metric in wanted and clock.live else clock for clock in before)
    same = all(map(is_, before, after))
    return timeline if same else replace(timeline, clocks=after)


def _start(timeline: Timeline, at: datetime, metrics: Iterable[Metric]) -> Timeline:
    """New instances of those of the metrics that the priority has a target for."""
    new = []
    for metric in metrics:
        if metric in timeline.targets.seconds:
            clock = clocks.start(metric, _instances(timeline, metric) + 1, timeline.measure(metric), at)
            new.append(clocks.settle(clock, at, paused=timeline.pauses(metric)))
    return replace(timeline, clocks=(*timeline.clocks, *new)) if new else timeline


def _settle(timeline: Timeline, at: datetime) -> Timeline:
    """Pause and resume as the status and the policy say."""
    return _each(timeline, Metric, lambda clock: clocks.settle(clock, at, paused=timeline.pauses(clock.metric)))


def _retarget(timeline: Timeline, at: datetime) -> Timeline:
    """Live clocks under the targets and the calendar that hold now; a metric without a target is cancelled."""

    def change(clock: Clock) -> Clock:
        if clock.metric not in timeline.targets.seconds:
            return clocks.cancel(clock, at)
        judged = clocks.retarget(clock, timeline.measure(clock.metric), at)
        judged = clocks.settle(judged, at, paused=timeline.pauses(clock.metric))
        return clocks.overtaken(judged, at)

    return _each(timeline, Metric, change)


def _gain(timeline: Timeline, at: datetime) -> Timeline:
    """Clocks that were not promised before: what they would be, had the present terms held from the opening."""
    if all(event.do not in GAINING for event in timeline.events):
        return timeline
    live = {clock.metric for clock in timeline.clocks if clock.live}
    wanted = (timeline.targets.seconds.keys() - live) & _not_always_promised(timeline.events)
    if not wanted:
        return timeline
    new = tuple(
        clocks.gained(clock, _instances(timeline, clock.metric) + 1, at)
        for clock in _as_if_always(timeline, wanted).clocks
        if clock.live and clock.metric in wanted and not _stands_for(timeline, clock)
    )
    return replace(timeline, clocks=timeline.clocks + new)


def _not_always_promised(events: Iterable[Event]) -> Set[Metric]:
    """Metrics that were without a target for a while; of all others the past would have been the same."""
    terms, priority = Terms(), None
    ever, always = set[Metric](), set(Metric)
    for event in events:
        if event.terms or event.priority:
            terms, priority = event.terms or terms, event.priority or priority
            targets = terms.targets.get(priority) if priority else None
            promised = targets.seconds.keys() if targets else ()
            ever.update(promised)
            always.intersection_update(promised)
    lacking = set(Metric) - always
    waits = Metric.FIRST_RESPONSE in lacking & ever
    return lacking | {Metric.NEXT_REPLY} if waits else lacking


def _stands_for(timeline: Timeline, clock: Clock) -> bool:
    """Whether the same promise was kept or broken before."""
    return any(
        other.metric is clock.metric
        and other.started_at == clock.started_at
        and other.state is not ClockState.CANCELLED
        for other in timeline.clocks
    )


def _as_if_always(timeline: Timeline, wanted: Set[Metric]) -> Timeline:
    """The same events under the present priority alone, with no clocks but the wanted ones and the first
    response, which next_reply waits for. Nobody looked at these clocks then, so none of them is judged."""
    kept = wanted | {Metric.FIRST_RESPONSE}
    seconds = {metric: count for metric, count in timeline.targets.seconds.items() if metric in kept}
    targets = {priority: replace(timeline.targets, seconds=seconds) for priority in Priority}
    replayed = Timeline()
    for event in timeline.events:
        if event.do is not Do.PRIORITY:
            priority = timeline.priority if event.do is Do.OPEN else event.priority
            terms = replace(event.terms, targets=targets) if event.terms else None
            replayed = _affected(replayed, replace(event, priority=priority, terms=terms))
            going_on = (clock for clock in replayed.clocks if clock.live or clock.metric in REVIVED)
            replayed = replace(replayed, clocks=tuple(going_on))
    return replayed


def _instances(timeline: Timeline, metric: Metric) -> int:
    return sum(clock.metric is metric for clock in timeline.clocks)
