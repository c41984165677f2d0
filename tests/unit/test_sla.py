"""The joint of tickets and clocks: timelines of stored tickets, which ping comes next, and that nothing drifts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import LONDON, ticket
from tests.unit.sla_stories import at, event, promise
from tests.unit.test_timeline_laws import Story, stories
from triage import sla
from triage.calendars import Calendar
from triage.clocks import Clock, ClockEventKind, ClockState, judged
from triage.model import Priority, Status
from triage.policy import Metric, Targets, Terms
from triage.timeline import Do, Event, Timeline, seen_at

EIGHT = Terms(calendar=LONDON, targets={Priority.NORMAL: promise(resolution=8), Priority.LOW: promise(resolution=40)})
WARNED = replace(EIGHT, warn=("50%", "-30m"))
REMINDED = replace(WARNED, overdue=3_600)
OPENED = at("Mon 09:00")


def opened(terms: Terms = WARNED, priority: Priority = Priority.NORMAL) -> Timeline:
    return sla.opened(terms, priority, OPENED, team="it", channel="slack:T1:C0HELP")


def after(*lines: str, terms: Terms = WARNED) -> Clock:
    """The solution clock of a ticket opened on Monday at nine, after these events."""
    (clock,) = sla.followed(opened(terms), *(event(line, terms, LONDON) for line in lines)).clocks
    return clock


def breaches(clock: Clock) -> list[datetime]:
    return [event.at for event in clock.log if event.kind is ClockEventKind.BREACH]


def rung(clock: Clock, terms: Terms, until: str = "Fri 17:00") -> list[tuple[datetime, str]]:
    """Everything a clock rings when it is swept at the very instant each stage comes."""
    found = []
    while (now := sla.next_at(clock, terms)) is not None and now <= at(until):
        each = sla.ring(clock, terms, now)
        assert each is not None
        found.append((now, each.ring.stage))
        clock = each.clock
    return found


# --- timelines ---------------------------------------------------------------------------------
def test_a_new_ticket_has_the_clocks_that_its_priority_promises() -> None:
    """And keeps under which terms, in whose hands, and where it was asked."""
    timeline = opened()
    assert [(clock.metric, clock.instance) for clock in timeline.clocks] == [(Metric.RESOLUTION, 1)]
    assert timeline.events == (
        Event(at=OPENED, do=Do.OPEN, priority=Priority.NORMAL, terms=WARNED, team="it", channel="slack:T1:C0HELP"),
    )


def test_a_priority_without_targets_promises_nothing() -> None:
    """No clock, no ping; the opening is known all the same."""
    timeline = opened(priority=Priority.URGENT)
    assert (timeline.clocks, len(timeline.events)) == ((), 1)


def test_an_event_of_a_process_whose_clock_lags_is_of_the_same_instant() -> None:
    """Two processes answer a second apart: the order in which they were stored is what happened."""
    timeline = sla.followed(
        opened(),
        Event(at=at("Mon 10:00"), do=Do.PENDING),
        Event(at=at("Mon 10:00") - timedelta(seconds=1), do=Do.RESUME),
    )
    assert [event.at for event in timeline.events] == [OPENED, at("Mon 10:00"), at("Mon 10:00")]
    assert timeline.clocks[0].state is ClockState.RUNNING


@pytest.mark.parametrize(
    ("status", "seen"), [(Status.NEW, Status.OPEN), (Status.ON_HOLD, Status.ON_HOLD), (Status.CLOSED, Status.CLOSED)]
)
def test_a_stored_ticket_is_what_its_clocks_saw(status: Status, seen: Status) -> None:
    """To a clock a ticket nobody owns is as open as any."""
    kept = sla.timeline_of(ticket(status=status), WARNED, opened().clocks, opened().events)
    assert (kept.status, kept.priority, kept.terms) == (seen, Priority.NORMAL, WARNED)


@pytest.mark.parametrize("early", [timedelta(), timedelta(seconds=1), timedelta(minutes=15)])
def test_what_is_done_after_a_breach_was_told_is_not_in_time(early: timedelta) -> None:
    """By a process whose clock lags, or was set back: the clocks stored stay those that the events alone give."""
    due = at("Mon 17:00")
    (late,) = opened().clocks
    told = replace(opened(), clocks=(judged(late, due + timedelta(seconds=2)),))
    resolved = sla.followed(told, Event(at=due - early, do=Do.RESOLVE))
    assert breaches(resolved.clocks[0]) == [due]
    assert sla.recomputed(resolved.events).clocks == resolved.clocks


def test_the_clocks_of_a_stored_ticket_stand_in_order() -> None:
    """As they were started, then as SLA.md lists them, however storage gives them."""
    terms = Terms(
        calendar=LONDON,
        targets={Priority.NORMAL: promise(first_response=1, periodic_update=2, resolution=8)},
    )
    told = sla.followed(opened(terms), event("Mon 10:00 reply", terms, LONDON))
    kept = sla.timeline_of(ticket(), terms, reversed(told.clocks), told.events)
    assert kept.clocks == told.clocks


def test_a_broken_promise_is_one_until_it_is_kept() -> None:
    """Late, and still awaited."""
    late = tuple(judged(clock, at("Tue 09:00")) for clock in opened().clocks)
    assert not sla.broken(opened().clocks)
    assert sla.broken(late)
    assert not sla.broken([after("Tue 09:00 resolve")])


# --- which ping comes next -----------------------------------------------------------------------
def test_each_stage_rings_at_its_time_and_once() -> None:
    """Half gone, half an hour left, due."""
    assert rung(after(), WARNED) == [
        (at("Mon 13:00"), "50%"),
        (at("Mon 16:30"), "-30m"),
        (at("Mon 17:00"), "due"),
    ]


def test_nothing_rings_before_its_time() -> None:
    """One second early is early."""
    assert sla.ring(after(), WARNED, at("Mon 13:00") - timedelta(seconds=1)) is None


def test_what_is_never_due_never_rings() -> None:
    """A calendar that never opens."""
    never = replace(WARNED, calendar=Calendar())
    assert sla.next_at(after(terms=never), never) is None
    assert sla.ring(after(terms=never), never, at("Fri 17:00")) is None


@pytest.mark.parametrize(
    ("now", "stage", "told", "next_at"),
    [
        ("Mon 16:45", "-30m", ("1:50%", "1:-30m"), "Mon 17:00"),
        ("Fri 09:00", "due", ("1:50%", "1:-30m", "1:due"), None),
    ],
)
def test_after_downtime_only_the_highest_passed_stage_rings(
    now: str, stage: str, told: tuple[str, ...], next_at: str | None
) -> None:
    """The lower ones count as done."""
    found = sla.ring(after(), WARNED, at(now))
    assert found is not None
    assert (found.ring.stage, found.clock.rung) == (stage, told)
    assert sla.next_at(found.clock, WARNED) == (at(next_at) if next_at else None)
    assert sla.ring(found.clock, WARNED, at(now)) is None


def test_reminders_go_on_in_policy_time() -> None:
    """Every working hour once it is late; of those told only the last is remembered."""
    clock = after(terms=REMINDED)
    assert rung(clock, REMINDED, until="Tue 11:00")[2:] == [
        (at("Mon 17:00"), "due"),
        (at("Tue 10:00"), "overdue"),
        (at("Tue 11:00"), "overdue"),
    ]
    late = sla.ring(clock, REMINDED, at("Tue 11:30"))
    assert late is not None
    assert late.clock.rung == ("1:50%", "1:-30m", "1:due", "overdue:2")
    again = sla.ring(late.clock, REMINDED, at("Thu 09:00"))
    assert again is not None
    assert again.clock.rung == ("1:50%", "1:-30m", "1:due", "overdue:16")


@pytest.mark.parametrize(
    ("now", "found"),
    [("Mon 16:45", False), ("Mon 17:00", True), ("Tue 11:30", True)],
    ids=["warned", "due", "reminder"],
)
def test_a_broken_promise_is_found_once_also_where_a_reminder_is_rung(now: str, found: bool) -> None:
    """After downtime `due` is not said any more, but it came."""
    first = sla.ring(after(terms=REMINDED), REMINDED, at(now))
    assert first is not None
    assert first.broken is found
    later = sla.ring(first.clock, REMINDED, at("Thu 09:00"))
    assert later is not None
    assert later.broken is not found


def test_a_stage_that_passes_while_paused_rings_after_it_resumes() -> None:
    """The warning is late, not lost; and a breach not yet told waits for the end of the pause."""
    paused = after("Tue 10:00 pending")
    assert (paused.state, sla.next_at(paused, WARNED)) == (ClockState.BREACHED, None)
    assert sla.ring(paused, WARNED, at("Tue 11:00")) is None
    back = sla.ring(after("Tue 10:00 pending", "Wed 10:00 resume"), WARNED, at("Wed 10:00"))
    assert back is not None
    assert (back.ring.stage, breaches(back.clock)) == ("due", [at("Mon 17:00")])


@pytest.mark.parametrize("lines", [("Mon 12:00 resolve",), ("Mon 17:30 resolve",), ("Mon 12:00 merge",)])
def test_what_has_ended_rings_no_more(lines: tuple[str, ...]) -> None:
    """Resolved a little late between two sweeps, the record says so and nobody is pinged."""
    ended = after(*lines)
    assert sla.next_at(ended, WARNED) is None
    assert sla.ring(ended, WARNED, at("Fri 09:00")) is None


@pytest.mark.parametrize(
    "later", [("Tue 09:00 priority low",), ("Tue 09:00 resolve", "Wed 09:00 reopen"), ("Tue 09:00 transfer away",)]
)
def test_a_breach_already_told_is_not_told_again(later: tuple[str, ...]) -> None:
    """Late stays late; neither other terms nor a reopening heal it or ring twice."""
    due = sla.ring(after(), WARNED, at("Mon 17:00"))
    assert due is not None
    told = due.clock.rung
    clock = replace(after(*later), rung=told)
    assert (clock.state, sla.next_at(clock, WARNED), len(breaches(clock))) == (ClockState.BREACHED, None, 1)


def test_other_warnings_from_now_on_are_those_that_ring() -> None:
    """Terms applied again: what the old ones have rung is not said by the new ones once it is late."""
    first = sla.ring(after(), WARNED, at("Mon 13:00"))
    assert first is not None
    assert rung(first.clock, replace(WARNED, warn=("50%", "-2h"))) == [
        (at("Mon 15:00"), "-2h"),
        (at("Mon 17:00"), "due"),
    ]


# --- laws --------------------------------------------------------------------------------------
LAWS = {
    Priority.NORMAL: promise(first_response=1, next_reply=1, resolution=8),
    Priority.HIGH: promise(resolution=4, pause_on_hold=True),
    Priority.LOW: promise(first_response=2, resolution=16, hours="calendar", reopen="from_opening"),
    Priority.URGENT: Targets(seconds={}),
}
STAGES = ("50%", "-30m")


def named(timeline: Timeline) -> dict[tuple[Metric, int], Clock]:
    """The clocks by name, without what was rung for them."""
    return {(clock.metric, clock.instance): replace(clock, rung=()) for clock in timeline.clocks}


def swept(timeline: Timeline, now: datetime) -> Timeline:
    """The clocks after a sweep, as storage would keep them."""
    found = []
    for clock in timeline.clocks:
        each = sla.ring(clock, replace(timeline.terms, warn=STAGES), now)
        found.append(judged(each.clock, now) if each else clock)
    return replace(timeline, clocks=tuple(found))


def stored(timeline: Timeline) -> Timeline:
    """The same as it comes back from storage."""
    assert timeline.priority is not None
    as_kept = ticket(priority=timeline.priority, status=timeline.status)
    return sla.timeline_of(as_kept, timeline.terms, reversed(timeline.clocks), timeline.events)


@given(stories(policies=LAWS), st.lists(st.booleans(), min_size=13, max_size=13))
def test_clocks_kept_and_swept_event_by_event_are_those_of_the_events_alone(story: Story, sweeps: list[bool]) -> None:
    """What is stored never drifts from what happened, whenever somebody looked."""
    events, until = story
    timeline = sla.followed(Timeline(), events[0])
    for each, sweep in zip(events[1:], sweeps, strict=False):
        timeline = stored(swept(timeline, each.at) if sweep else timeline)
        timeline = sla.followed(timeline, each)
    assert named(seen_at(timeline, until)) == named(seen_at(sla.recomputed(events), until))


@given(stories(policies=LAWS))
def test_the_next_ping_comes_when_it_is_said_to_come(story: Story) -> None:
    """Not a second before, and then no stage twice until there is none left."""
    events, _ = story
    timeline = sla.recomputed(events)
    terms = replace(timeline.terms, warn=STAGES)
    for clock in timeline.clocks:
        told: list[str] = []
        while (now := sla.next_at(clock, terms)) is not None:
            assert sla.ring(clock, terms, now - timedelta(seconds=1)) is None
            each = sla.ring(clock, terms, now)
            assert each is not None
            clock = each.clock
            told.append(each.ring.id)
        assert len(told) == len(set(told))
        assert sla.ring(clock, terms, events[-1].at + timedelta(days=999)) is None


@given(stories(policies=LAWS), st.booleans())
def test_a_clock_breaches_at_most_once(story: Story, sweep: bool) -> None:
    """Whatever happens to a ticket, in whatever order, swept or not; and its log goes forward."""
    events, until = story
    timeline = sla.followed(Timeline(), events[0])
    for each in events[1:]:
        timeline = sla.followed(swept(timeline, each.at) if sweep else timeline, each)
    for clock in seen_at(timeline, until).clocks:
        assert len(breaches(clock)) <= 1
        assert (clock.state is ClockState.BREACHED) == bool(breaches(clock))
        assert [line.at for line in clock.log] == sorted(line.at for line in clock.log)
