"""Laws of walking a chain that hold for every chain, whoever fills its roles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.calendars import ALWAYS, Calendar, Window
from triage.chain import Chain, Notify, Raise, Reassign, Repeat, Wait, Whom
from triage.escalation import (
    Act,
    AssignTo,
    Call,
    CallChannel,
    CallTeam,
    Moment,
    Nobody,
    People,
    Position,
    RaiseTo,
    Walked,
    acknowledged,
    begun,
    called_for,
    due,
    expired,
)
from triage.model import Channel, Platform, Priority

NOW = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
NAMES = ("kim", "lee", "ann", "bo")
OFFICE = Calendar(windows=tuple(Window(day=day, opens=9 * 3_600, closes=17 * 3_600) for day in range(5)))
CALENDARS = st.sampled_from((ALWAYS, OFFICE, Calendar()))
RANKS = list(Priority)

SOMEBODY = st.sampled_from(NAMES)
ROOMS = st.sampled_from("AB").map(lambda id: Channel(platform=Platform.SLACK, place="T1", id=id))
STEPS = st.one_of(
    st.builds(Notify, whom=st.sampled_from(Whom)),
    st.builds(Notify, person=SOMEBODY),
    st.builds(Notify, channel=ROOMS),
    st.builds(Wait, seconds=st.integers(-60, 7_200)),
    st.builds(Wait, seconds=st.integers(60, 7_200)),
    st.builds(Raise, priority=st.sampled_from(Priority)),
    st.builds(Reassign, whom=st.sampled_from(Whom)),
    st.builds(Reassign, person=SOMEBODY),
    st.builds(Repeat, times=st.integers(-1, 4)),
    st.builds(Notify),
)
CHAINS = st.builds(Chain, steps=st.lists(STEPS, max_size=9).map(tuple), ack=st.integers(-60, 100_000))
PEOPLE = st.builds(People, owner=st.none() | SOMEBODY, lead=st.none() | SOMEBODY, on_call=st.none() | SOMEBODY)
MOMENTS = st.builds(Moment, at=st.just(NOW), calendar=CALENDARS, people=PEOPLE, priority=st.sampled_from(Priority))
POSITIONS = st.builds(
    Position,
    run=st.none() | st.just("r1"),
    step=st.integers(-2, 12),
    round=st.integers(0, 5),
    next_at=st.none() | st.integers(-90, 90).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    acked_by=st.none() | SOMEBODY,
)


def is_sound(chain: Chain, walked: Walked, at: datetime) -> bool:
    """Few acts, a step of the chain or its end, and time until the next one."""
    position = walked.position
    few = len(walked.acts) <= 2 * len(chain.steps) + 2
    return few and 0 <= position.step <= len(chain.steps) and (position.next_at is None or position.next_at > at)


def after(moment: Moment, acts: tuple[Act, ...], at: datetime) -> Moment:
    """The ticket as these acts leave it, later."""
    people, priority = moment.people, moment.priority
    for act in acts:
        if isinstance(act, AssignTo):
            people = replace(people, owner=act.person)
        if isinstance(act, RaiseTo):
            priority = act.priority
    return replace(moment, at=at, people=people, priority=priority)


def run_of(chain: Chain, moment: Moment) -> list[Walked]:
    """All walks of a run that nobody acknowledges."""
    walks = [begun(chain, "r1", moment)]
    while (next_at := walks[-1].position.next_at) is not None:
        moment = after(moment, walks[-1].acts, next_at)
        walks.append(due(chain, walks[-1].position, moment))
    return walks


@settings(deadline=None)
@given(CHAINS, MOMENTS)
def test_run_ends(chain: Chain, moment: Moment) -> None:
    """Each walk is short, and there is one for each wait in each round at most."""
    walks = run_of(chain, moment)
    at = NOW
    for walked in walks:
        assert is_sound(chain, walked, at)
        at = walked.position.next_at or at
    most = max((step.times for step in chain.steps if isinstance(step, Repeat)), default=0)
    waits = sum(isinstance(step, Wait) for step in chain.steps)
    assert len(walks) <= 1 + waits * (1 + max(most, 0))
    assert walks[-1].position.step == len(chain.steps)


@settings(deadline=None)
@given(CHAINS, MOMENTS)
def test_everyone_named_is_called_when_nobody_acknowledges(chain: Chain, moment: Moment) -> None:
    """Every step that names somebody is reached, and every empty role is told."""
    acts = {act for walked in run_of(chain, moment) for act in walked.acts}
    for index, step in enumerate(chain.steps):
        if isinstance(step, Notify) and step.whom is not Whom.OWNER:
            assert expected(step, index, moment.people) in acts


def expected(step: Notify, index: int, people: People) -> Act:
    if step.channel is not None:
        return CallChannel(step.channel)
    if step.whom is Whom.TEAM:
        return CallTeam()
    person = {Whom.LEAD: people.lead, Whom.ON_CALL: people.on_call}.get(step.whom) if step.whom else step.person
    return Call(person) if person else Nobody(index)


@settings(deadline=None)
@given(CHAINS, MOMENTS)
def test_nobody_is_called_twice_in_one_walk(chain: Chain, moment: Moment) -> None:
    """Whatever roles they have."""
    for walked in run_of(chain, moment):
        calls = [act for act in walked.acts if isinstance(act, Call | CallTeam | CallChannel)]
        assert len(calls) == len(set(calls))


@settings(deadline=None)
@given(CHAINS, MOMENTS)
def test_every_act_changes_something(chain: Chain, moment: Moment) -> None:
    """Priorities only rise, and an owner is another one."""
    owner, rank = moment.people.owner, RANKS.index(moment.priority)
    for act in (act for walked in run_of(chain, moment) for act in walked.acts):
        if isinstance(act, RaiseTo):
            assert RANKS.index(act.priority) > rank
            rank = RANKS.index(act.priority)
        if isinstance(act, AssignTo):
            assert act.person != owner
            owner = act.person


@settings(deadline=None)
@given(CHAINS, POSITIONS, MOMENTS)
def test_timer_is_total(chain: Chain, position: Position, moment: Moment) -> None:
    """From any position it takes a sound step, or leaves everything as it was."""
    walked = due(chain, position, moment)
    assert walked == Walked(position=position) or is_sound(chain, walked, NOW)
    assert walked.position.run == position.run


@settings(deadline=None)
@given(CHAINS, POSITIONS, MOMENTS)
def test_timer_does_not_take_a_step_twice(chain: Chain, position: Position, moment: Moment) -> None:
    """Of two sweeps at the same instant the second finds nothing due."""
    walked = due(chain, position, moment)
    assert due(chain, walked.position, moment) == Walked(position=walked.position)


@settings(deadline=None)
@given(CHAINS, POSITIONS, MOMENTS, SOMEBODY, st.sets(SOMEBODY))
def test_call_for_help_calls_exactly_one(
    chain: Chain, position: Position, moment: Moment, asking: str, called: set[str]
) -> None:
    """Somebody who is neither the asker nor was called before, a channel, or the team."""
    walked = called_for(chain, position, moment, run="r9", asking=asking, called=called)
    [call] = [act for act in walked.acts if isinstance(act, Call | CallTeam | CallChannel)]
    assert not (isinstance(call, Call) and call.person in called | {asking})
    assert walked.position.run == (position.run or "r9")
    assert walked.position == position or is_sound(chain, walked, NOW)


@settings(deadline=None)
@given(CHAINS, MOMENTS, SOMEBODY)
def test_calls_for_help_lose_nobody(chain: Chain, moment: Moment, asking: str) -> None:
    """Who was passed over by the timer so far is still called by it after a call for help."""
    first = begun(chain, "r1", moment)
    if first.position.next_at is None:
        return
    helped = called_for(chain, first.position, moment, run="r9", asking=asking)
    rest = [
        step for step in chain.steps[helped.position.step :] if isinstance(step, Notify) and step.person is not None
    ]
    acts: set[Act] = set()
    position, now = helped.position, after(moment, helped.acts, NOW)
    while position.next_at is not None:
        now = replace(now, at=position.next_at)
        walked = due(chain, position, now)
        acts |= set(walked.acts)
        position, now = walked.position, after(now, walked.acts, now.at)
    assert {Call(step.person or "") for step in rest} <= acts


@settings(deadline=None)
@given(CHAINS, POSITIONS, MOMENTS, SOMEBODY)
def test_acknowledged_chain_rests_until_it_begins_again(
    chain: Chain, position: Position, moment: Moment, by: str
) -> None:
    """The timer does nothing; when the acknowledgement runs out, a new run stands where a fresh one does."""
    held = acknowledged(chain, position, by=by, at=NOW, calendar=moment.calendar)
    if position.run is None:
        assert held == position
        return
    assert held.next_at is None or held.next_at > NOW
    later = replace(moment, at=held.next_at or NOW + timedelta(days=365))
    assert due(chain, held, later) == Walked(position=held)
    fresh = Walked(position=held) if held.next_at is None else begun(chain, "r2", later)
    assert expired(chain, held, "r2", later) == fresh
