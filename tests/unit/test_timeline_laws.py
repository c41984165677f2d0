"""Laws of clocks on stories nobody thought of: random calendars, random events, random warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise, takewhile

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import LONDON
from tests.unit.sla_stories import HOUR, NEW_YORK, at, promise
from triage.calendars import ALWAYS, Calendar, Window, elapsed, walk
from triage.clocks import ENDING, Clock, ClockEventKind, ClockState, due_at, spans, used
from triage.model import Priority
from triage.policy import Metric, Targets, Terms
from triage.stages import Ring, rings
from triage.timeline import Do, Event, Timeline, follow, seen_at

KOLKATA = Calendar(
    timezone="Asia/Kolkata",
    windows=tuple(
        Window(day=day, opens=opens * HOUR, closes=closes * HOUR)
        for day in range(6)
        for opens, closes in ((9, 13), (14, 18))
    ),
)
NIGHTS = Calendar(
    timezone="Europe/London",
    windows=tuple(Window(day=day, opens=22 * HOUR, closes=30 * HOUR) for day in range(7)),
    holidays=("2026-03-29",),
)
CALENDARS = st.sampled_from([LONDON, NEW_YORK, KOLKATA, NIGHTS, ALWAYS])
STEPS = st.sampled_from([0, 1, 59, 600, 3_600, 4 * 3_600, 23_456, 86_400, 3 * 86_400])
WARN = ("50%", "-30m", "-1h")
BEGIN = at("2026-03-26T15:00")
"""Three days before clocks go forward in London."""

ALL = {
    Priority.NORMAL: promise(
        first_response=1, next_reply=1, periodic_update=3, requester_wait=9, agent_work=5, resolution=8, ownership=6
    ),
    Priority.HIGH: promise(first_response=0.5, agent_work=2, resolution=4, pause_on_hold=True),
    Priority.LOW: promise(next_reply=4, resolution=16, hours="calendar", reopen="from_opening"),
    Priority.URGENT: promise(periodic_update=1, resolution=2, reopen="first_only"),
}
ONE = {Priority.NORMAL: promise(resolution=8)}
BEFORE_THE_END = [do for do in Do if do not in (Do.OPEN, Do.CLOSE, Do.MERGE)]


Story = tuple[tuple[Event, ...], datetime]


@st.composite
def stories(
    draw: st.DrawFn, kinds: tuple[Do, ...] = tuple(BEFORE_THE_END), policies: Mapping[Priority, Targets] = ALL
) -> Story:
    """Events of one ticket in order of time, and a later instant."""
    moment = BEGIN + timedelta(seconds=draw(STEPS))
    terms = Terms(calendar=draw(CALENDARS), targets=policies)
    events = [Event(at=moment, do=Do.OPEN, priority=Priority.NORMAL, terms=terms)]
    for do in draw(st.lists(st.sampled_from(kinds), max_size=12)):
        moment += timedelta(seconds=draw(STEPS))
        priority = draw(st.sampled_from(list(Priority))) if do is Do.PRIORITY else None
        elsewhere = draw(st.none() | CALENDARS) if do in (Do.TRANSFER, Do.REAPPLY) else None
        terms = replace(terms, calendar=elsewhere) if elsewhere else terms
        thanks = do is Do.MESSAGE and draw(st.booleans())
        events.append(Event(at=moment, do=do, priority=priority, terms=terms if elsewhere else None, thanks=thanks))
    return tuple(events), moment + timedelta(seconds=draw(STEPS))


def line(events: Iterable[Event], until: datetime) -> Timeline:
    timeline = Timeline()
    for event in events:
        timeline = follow(timeline, event)
    return seen_at(timeline, until)


def rung_by(until: datetime, rung: Iterable[Ring]) -> list[Ring]:
    return list(takewhile(lambda ring: ring.at <= until, rung))


def at_work(events: Iterable[Event], until: datetime) -> list[tuple[datetime, datetime]]:
    """When a resolution clock ran, told from the events without a log."""
    found, waiting, since = [], False, None
    for event in events:
        wait = event.do in (Do.PENDING, Do.RESOLVE) or (waiting and event.do not in (Do.RESUME, Do.MESSAGE, Do.REOPEN))
        if since and wait and not waiting:
            found.append((since, event.at))
        if since is None or (waiting and not wait):
            since = event.at
        waiting = wait
    return found if waiting or since is None else [*found, (since, until)]


@given(stories(kinds=(Do.PENDING, Do.RESUME, Do.MESSAGE, Do.NOTE), policies=ONE))
def test_due_from_the_log_is_due_computed_in_one_go(story: Story) -> None:
    """The target laid along the times at work, with no clock and no log."""
    events, until = story
    terms, left = events[0].terms, 8 * HOUR
    calendar = terms.calendar if terms else ALWAYS
    (clock,) = line(events, until).clocks
    intervals = at_work(events, until)
    expected = None
    for begins, ends in intervals:
        spent = elapsed(calendar, begins, ends)
        last = ends == until and (begins, ends) == intervals[-1] and not clock.paused
        if last or (spent >= left and walk(calendar, begins, left) < ends):
            expected = walk(calendar, begins, left)
            break
        left -= spent
    assert due_at(clock) == expected


@given(stories())
def test_spans_join_up_and_their_running_time_is_the_time_used(story: Story) -> None:
    """From the start to the end of the clock, or to the instant it is seen from, without a gap."""
    events, until = story
    for clock in line(events, until).clocks:
        found = spans(clock, until)
        end = clock.ended_at or until
        assert [one.ends for one in found[:-1]] == [other.begins for other in found[1:]]
        assert not found or (found[0].begins, found[-1].ends) == (clock.started_at, end)
        assert found or clock.started_at == end
        assert all(one.begins < one.ends for one in found)
        assert all(one.state is not other.state for one, other in pairwise(found))
        running = sum(int((one.ends - one.begins).total_seconds()) for one in found if one.state == "running")
        assert running == used(clock, until)


@given(stories())
def test_no_ping_while_paused_and_none_after_the_end(story: Story) -> None:
    """Neither before the clock starts nor twice for `due`."""
    events, until = story
    for clock in line(events, until).clocks:
        rung = rung_by(until, rings(clock, WARN))
        waiting = [one for one in spans(clock, until) if one.state == "paused"]
        for ring in rung:
            assert not any(one.begins <= ring.at < one.ends for one in waiting)
            assert clock.known_at <= ring.at <= until
            assert clock.ended_at is None or ring.at < clock.ended_at
        assert [ring.at for ring in rung] == sorted(ring.at for ring in rung)
        assert [ring.stage for ring in rung].count("due") <= 1


@given(stories())
def test_a_breach_is_told_and_what_is_told_to_be_due_is_breached(story: Story) -> None:
    """The ping `due` and the state agree, but for the due instant itself, at which it is still in time."""
    events, until = story
    for clock in line(events, until).clocks:
        told = [ring.at for ring in rung_by(until, rings(clock, ()))]
        if clock.breach is None:
            assert told in ([], [until])
        elif not _stopped(clock, clock.breach.at):
            assert told == [clock.breach.at]


def _stopped(clock: Clock, at: datetime) -> bool:
    """Whether the clock was paused or ended at this very instant: then it is told later, or never."""
    return any(event.at == at and event.kind in (ClockEventKind.PAUSE, *ENDING) for event in clock.log)


@given(stories())
def test_met_means_ended_by_the_due_time(story: Story) -> None:
    """And whatever still runs past its due time is breached."""
    events, until = story
    for clock in line(events, until).clocks:
        due, end = due_at(clock), clock.ended_at or until
        if due is not None and clock.state in (ClockState.MET, ClockState.RUNNING):
            assert end <= due


@given(stories(), STEPS)
def test_looking_in_between_changes_nothing(story: Story, ahead: int) -> None:
    """A sweep after each event, and one at any instant, leave the same clocks."""
    events, until = story
    timeline = Timeline()
    for event, following in zip(events, [*(later.at for later in events[1:]), until], strict=True):
        timeline = follow(timeline, event)
        timeline = seen_at(timeline, min(event.at + timedelta(seconds=ahead), following))
    assert _by_name(seen_at(timeline, until)) == _by_name(line(events, until))


def _by_name(timeline: Timeline) -> dict[tuple[Metric, int], Clock]:
    return {(clock.metric, clock.instance): clock for clock in timeline.clocks}
