"""Walks the escalation chain of a ticket: whom to call now, and when to go on (SLA.md, rule 11).

Called by `triage.desk` when a step is due or an acknowledgement has run out, by `triage.talking` when
somebody asks for help, and where a promise is broken. Everything is total: a chain, however odd, ends, and
an empty role, or a wait that the calendar never gives, is passed over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from triage.calendars import Calendar, Unreachable, walk
from triage.chain import Chain, ChainStep, Notify, Raise, Reassign, Repeat, Wait, Whom
from triage.model import Channel, Priority

_RANK = {priority: rank for rank, priority in enumerate(Priority)}
_SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a ticket's chain stands; kept on the ticket.

    `run` is the id of this run of the chain: what was said under another one is stale. `step` is the index
    of the next step, `round` how often it was repeated. `next_at` is when the next step is due or, once
    somebody acknowledged, when that runs out; None when nothing more comes by itself.
    """

    run: str | None = None
    step: int = 0
    round: int = 0
    next_at: datetime | None = None
    acked_by: str | None = None

    @property
    def id(self) -> str:
        """Names the next step, never the same twice on one ticket: what is kept under another id is stale."""
        return f"{self.run}:{self.round}:{self.step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who fills the roles of a chain now; None where nobody does."""

    owner: str | None = None
    lead: str | None = None
    on_call: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a walk depends on besides the chain; waits are seconds of `calendar`, the policy's own hours."""

    at: datetime
    calendar: Calendar
    people: People
    priority: Priority


@dataclass(frozen=True, slots=True)
class Call:
    person: str


@dataclass(frozen=True, slots=True)
class CallTeam:
    pass


@dataclass(frozen=True, slots=True)
class CallChannel:
    channel: Channel


@dataclass(frozen=True, slots=True)
class RaiseTo:
    priority: Priority


@dataclass(frozen=True, slots=True)
class AssignTo:
    person: str


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nobody fills the role that the step with this index names."""

    step: int


Act = Call | CallTeam | CallChannel | RaiseTo | AssignTo | Nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """`acts` are to be done now, in order; `position` is to be kept."""

    position: Position
    acts: tuple[Act, ...] = ()


def begun(chain: Chain, run: str, moment: Moment) -> Walked:
    """A fresh run: the steps up to the first wait."""
    return _until_wait(_Walk(chain, moment, Position(run=run)))


def due(chain: Chain, position: Position, moment: Moment) -> Walked:
    """The timer: the steps up to the next wait; nothing when it is too early, acknowledged, or over."""
    if not _has_come(position, moment) or position.acked_by is not None:
        return Walked(position=position)
    return _until_wait(_Walk(chain, moment, position))


def called_for(
    chain: Chain, position: Position, moment: Moment, *, run: str, asking: str, called: Collection[str] = ()
) -> Walked:
    """Somebody asks for help: the one next step that calls somebody new, and the timer goes on from there.

    Waits, the one who asks and whoever is in `called` are passed over. An acknowledgement ends with the call:
    it was not enough. When nobody new is left the team is called again, and the position stays. `run` is for
    a chain that has not begun.
    """
    running = position.run is not None
    before = position if running else Position(run=run)
    steps = _Walk(chain, moment, before)
    while (step := steps.next()) is not None:
        act = steps.act(step)
        if isinstance(act, Call) and (act.person == asking or act.person in called):
            continue
        steps.do(act)
        if isinstance(act, _CALLS):
            return _on_from(steps, before)
    steps.do(CallTeam())
    over = steps.walked(None)
    return replace(over, position=before) if running else over


def acknowledged(chain: Chain, position: Position, *, by: str, at: datetime, calendar: Calendar) -> Position:
    """Somebody looks after it: the chain rests for `chain.ack`; a chain that has not begun stays so."""
    if position.run is None:
        return position
    return replace(position, acked_by=by, next_at=_after(calendar, at, max(chain.ack, 1)))


def expired(chain: Chain, position: Position, run: str, moment: Moment) -> Walked:
    """An acknowledgement that ran out begins the chain again, as `run`; any other position stays."""
    if not _has_come(position, moment) or position.acked_by is None:
        return Walked(position=position)
    return begun(chain, run, moment)


_CALLS = (Call, CallTeam, CallChannel)


@dataclass(slots=True)
class _Walk:
    """One walk under way: it goes back to the beginning once at most, so that it ends."""

    chain: Chain
    moment: Moment
    start: Position
    step: int = field(init=False)
    round: int = field(init=False)
    people: People = field(init=False)
    priority: Priority = field(init=False)
    acts: list[Act] = field(init=False, default_factory=list)
    repeated: bool = field(init=False, default=False)
    in_vain: bool = field(init=False, default=False)
    """A role was empty since the last wait that was passed over."""

    def __post_init__(self) -> None:
        self.step = min(max(self.start.step, 0), len(self.chain.steps))
        self.round = self.start.round
        self.people = self.moment.people
        self.priority = self.moment.priority

    @property
    def here(self) -> ChainStep | None:
        return self.chain.steps[self.step] if self.step < len(self.chain.steps) else None

    def next(self) -> ChainStep | None:
        """The next step that is no `Repeat`; None at the end."""
        while (step := self.here) is not None:
            self.step += 1
            if not isinstance(step, Repeat):
                return step
            if self._may_repeat(step):
                self.step, self.round, self.repeated = 0, self.round + 1, True
        return None

    def _may_repeat(self, step: Repeat) -> bool:
        waits = any(isinstance(before, Wait) for before in self.chain.steps[: self.step])
        return waits and not self.repeated and self.round < step.times

    def act(self, step: ChainStep) -> Act | None:
        """What the step just taken does; None for nothing."""
        match step:
            case Notify(channel=Channel() as channel):
                return CallChannel(channel)
            case Notify(whom=Whom.TEAM):
                return CallTeam()
            case Notify():
                person = self._named(step)
                return Call(person) if person else Nobody(self.step - 1)
            case Raise(priority=priority):
                return RaiseTo(priority) if _RANK[priority] > _RANK[self.priority] else None
            case Reassign():
                return self._assign(self._named(step))
            case _:
                return None

    def do(self, act: Act | None) -> None:
        match act:
            case RaiseTo(priority):
                self.priority = priority
            case AssignTo(person):
                self.people = replace(self.people, owner=person)
            case Nobody():
                self.in_vain = True
        if act is not None and (isinstance(act, AssignTo) or act not in self.acts):
            self.acts.append(act)

    def wait(self, wait: Wait) -> datetime | None:
        """When it ends; None when it is passed over: it would be for an empty role alone, or never ends."""
        in_vain, self.in_vain = self.in_vain, False
        if in_vain and not any(isinstance(act, (*_CALLS, AssignTo)) for act in self.acts):
            return None
        return _after(self.moment.calendar, self.moment.at, wait.seconds)

    def walked(self, next_at: datetime | None) -> Walked:
        position = Position(run=self.start.run, step=self.step, round=self.round, next_at=next_at)
        return Walked(position=position, acts=tuple(self.acts))

    def _named(self, step: Notify | Reassign) -> str | None:
        roles = {Whom.OWNER: self.people.owner, Whom.LEAD: self.people.lead, Whom.ON_CALL: self.people.on_call}
        return step.person or (roles.get(step.whom) if step.whom else None)

    def _assign(self, person: str | None) -> Act | None:
        if person is None:
            return Nobody(self.step - 1)
        return AssignTo(person) if person != self.people.owner else None


def _until_wait(steps: _Walk) -> Walked:
    while (step := steps.next()) is not None:
        if not isinstance(step, Wait):
            steps.do(steps.act(step))
        elif (next_at := steps.wait(step)) is not None:
            return steps.walked(next_at)
    return steps.walked(None)


def _on_from(steps: _Walk, before: Position) -> Walked:
    """After a call out of turn: what calls nobody is done, and the time of the next wait begins now.

    Where another call comes before that wait, that call is what the time is for. Where there is no wait, the
    timer that ran before goes on.
    """
    while (step := steps.here) is not None and isinstance(step, Raise | Reassign):
        steps.next()
        steps.do(steps.act(step))
    if steps.here is None:
        return steps.walked(None)
    waits = [step for step in steps.chain.steps[steps.step :] if isinstance(step, Wait)]
    ends = (_after(steps.moment.calendar, steps.moment.at, wait.seconds) for wait in waits)
    next_at = next((end for end in ends if end is not None), None)
    if isinstance(steps.here, Wait):
        steps.next()
    if next_at is None and before.next_at is not None:
        next_at = max(before.next_at, steps.moment.at + _SOON)
    return steps.walked(next_at)


def _has_come(position: Position, moment: Moment) -> bool:
    return position.run is not None and position.next_at is not None and position.next_at <= moment.at


def _after(calendar: Calendar, at: datetime, seconds: int) -> datetime | None:
    """None when nothing has to be waited for, or the calendar never gives so much time."""
    if seconds <= 0:
        return None
    try:
        return walk(calendar, at, seconds)
    except Unreachable:
        return None
