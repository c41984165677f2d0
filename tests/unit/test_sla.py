"""Clocks: the worked cases of the SLA rules for first response and resolution, and laws of the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import HOUR, LONDON, targets, ticket
from triage import sla
from triage.calendars import ALWAYS, Calendar, Window
from triage.model import Priority, Status
from triage.policy import Metric, Targets, Terms
from triage.sla import Clock, ClockEventKind, ClockState


def at(text: str, zone: str = "Europe/London") -> datetime:
    """`Mon 09:00` of the week of 9 March 2026, or a date and time."""
    days = {"Fri-": 6, "Sat-": 7, "Mon": 9, "Tue": 10, "Wed": 11, "Thu": 12, "Fri": 13}
    day, _, clock = text.partition(" ")
    iso = f"2026-03-{days[day]:02}T{clock}" if day in days else text
    return datetime.fromisoformat(iso).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def terms(
    normal: Targets | None = None, *, calendar: Calendar = LONDON, warn: tuple[str, ...] = (), **others: Targets
) -> Terms:
    by_priority = {Priority(name): found for name, found in others.items()}
    return Terms(calendar=calendar, targets={Priority.NORMAL: normal or targets(4, 8), **by_priority}, warn=warn)


def opened(on: Terms, when: datetime) -> dict[Metric, Clock]:
    return of(sla.started("t7", Priority.NORMAL, on, when))


def of(clocks: Iterable[Clock]) -> dict[Metric, Clock]:
    return {clock.metric: clock for clock in clocks}


def solution(on: Terms, when: datetime) -> Clock:
    return opened(on, when)[Metric.RESOLUTION]


def moved(clock: Clock, on: Terms, before: Status, after: Status, when: datetime) -> Clock:
    (changed,) = sla.status_changed([clock], on, Priority.NORMAL, before, after, when)
    return changed


def raised(clocks: Iterable[Clock], on: Terms, priority: Priority, when: datetime, **about: Any) -> dict[Metric, Clock]:
    found = ticket(**({"opened_at": at("Mon 09:00")} | about))
    return of(sla.reprioritised(clocks, on, found, priority, when))


def breaches(clock: Clock) -> list[datetime]:
    return [event.at for event in clock.log if event.kind is ClockEventKind.BREACH]


SOLVE = terms(targets(4, 8), low=targets(8, 40), high=targets(1, 4), urgent=targets(0.5, 2))


# --- due ---------------------------------------------------------------------------------------
LONG_DAYS = Calendar(
    timezone="Europe/London", windows=tuple(Window(day=day, opens=8 * HOUR, closes=18 * HOUR) for day in range(5))
)


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "due"),
    [
        pytest.param(LONDON, "Fri- 16:30", 1, "Mon 09:30", id="over-the-weekend"),
        pytest.param(LONDON, "Sat- 11:00", 1, "Mon 10:00", id="created-on-saturday"),
        pytest.param(LONDON, "Mon 09:00", 8, "Mon 17:00", id="closing-time-belongs-to-the-day"),
        pytest.param(ALWAYS, "2026-03-28T12:00", 24, "2026-03-29T13:00", id="clocks-go-forward"),
    ],
)
def test_due_times_are_walked_on_the_calendar(calendar: Calendar, start: str, hours: float, due: str) -> None:
    """The first worked cases."""
    on = terms(targets(hours, 40), calendar=calendar)
    assert opened(on, at(start))[Metric.FIRST_RESPONSE].due_at == at(due)


def test_calendar_hours_count_around_the_clock() -> None:
    """`hours: calendar` forgets the team's calendar."""
    assert solution(terms(targets(4, 8, hours="calendar")), at("Mon 16:00")).due_at == at("Tue 00:00")


def test_a_priority_without_targets_promises_nothing() -> None:
    """No clock, no ping."""
    assert sla.started("t7", Priority.LOW, terms(), at("Mon 09:00")) == ()


def test_a_calendar_that_never_opens_is_due_never() -> None:
    """And fires nothing."""
    clock = solution(terms(calendar=Calendar()), at("Mon 09:00"))
    assert (clock.due_at, clock.next_at, clock.state) == (None, None, ClockState.RUNNING)


# --- first response ----------------------------------------------------------------------------
def first(when: str = "Mon 09:00") -> Clock:
    return opened(SOLVE, at(when))[Metric.FIRST_RESPONSE]


@pytest.mark.parametrize(
    ("replied", "state"),
    [("Mon 12:59", ClockState.MET), ("Mon 13:00", ClockState.MET), ("Mon 13:01", ClockState.BREACHED)],
)
def test_first_response_is_met_until_the_very_instant_it_is_due(replied: str, state: ClockState) -> None:
    """Met if and only if it ended no later than due."""
    (clock,) = sla.replied([first()], SOLVE, at(replied))
    assert (clock.state, clock.ended_at, clock.next_at) == (state, at(replied), None)


def test_a_second_reply_touches_nothing() -> None:
    """First response ends once."""
    met = sla.replied([first()], SOLVE, at("Mon 10:00"))
    assert sla.replied(met, SOLVE, at("Mon 11:00")) == ()


def test_first_response_does_not_pause() -> None:
    """Only the solution waits for the requester."""
    changed = sla.status_changed([first()], SOLVE, Priority.NORMAL, Status.NEW, Status.PENDING, at("Mon 10:00"))
    assert changed == ()


def test_resolving_cancels_a_first_response_that_is_not_late() -> None:
    """Nobody wrote, and nobody need write any more."""
    ended = moved(first(), SOLVE, Status.NEW, Status.RESOLVED, at("Mon 12:00"))
    assert (ended.state, ended.live, ended.next_at) == (ClockState.CANCELLED, False, None)


def test_resolving_does_not_excuse_a_late_first_response() -> None:
    """It was due an hour before."""
    ended = moved(first(), SOLVE, Status.NEW, Status.RESOLVED, at("Mon 14:00"))
    assert (ended.state, breaches(ended), ended.live) == (ClockState.BREACHED, [at("Mon 13:00")], False)


def test_first_response_never_starts_again() -> None:
    """Reopening makes no new promise of a first answer."""
    ended = moved(first(), SOLVE, Status.NEW, Status.RESOLVED, at("Mon 12:00"))
    again = sla.status_changed([ended], SOLVE, Priority.NORMAL, Status.RESOLVED, Status.NEW, at("Mon 13:00"))
    assert again == ()


# --- resolution: pauses ------------------------------------------------------------------------
def test_a_pause_moves_the_due_time_by_its_overlap_with_working_hours() -> None:
    """8 h from Mon 09:00, pending Mon 16:00 to Tue 10:00: Tue 11:00."""
    paused = moved(solution(SOLVE, at("Mon 09:00")), SOLVE, Status.OPEN, Status.PENDING, at("Mon 16:00"))
    assert (paused.state, paused.due_at, paused.next_at) == (ClockState.PAUSED, None, None)
    resumed = moved(paused, SOLVE, Status.PENDING, Status.OPEN, at("Tue 10:00"))
    assert (resumed.state, resumed.due_at) == (ClockState.RUNNING, at("Tue 11:00"))


def test_a_paused_clock_never_breaches() -> None:
    """However long the requester takes."""
    paused = moved(solution(SOLVE, at("Mon 09:00")), SOLVE, Status.OPEN, Status.PENDING, at("Mon 16:00"))
    assert sla.ring(paused, SOLVE, at("Fri 17:00")) is None
    ended = moved(paused, SOLVE, Status.PENDING, Status.RESOLVED, at("Fri 12:00"))
    assert ended.state is ClockState.MET


@pytest.mark.parametrize(("pauses", "state"), [(True, ClockState.PAUSED), (False, ClockState.RUNNING)])
def test_on_hold_pauses_if_the_policy_says_so(pauses: bool, state: ClockState) -> None:
    """By default waiting for a third party is the team's own time."""
    on = terms(targets(4, 8, pause_on_hold=pauses))
    clock = solution(on, at("Mon 09:00"))
    changed = sla.status_changed([clock], on, Priority.NORMAL, Status.OPEN, Status.ON_HOLD, at("Mon 10:00"))
    assert [found.state for found in changed or [clock]] == [state]


def test_from_one_pausing_status_to_another_the_pause_goes_on() -> None:
    """Pending to on hold is one pause."""
    on = terms(targets(4, 8, pause_on_hold=True))
    paused = moved(solution(on, at("Mon 09:00")), on, Status.OPEN, Status.PENDING, at("Mon 10:00"))
    assert sla.status_changed([paused], on, Priority.NORMAL, Status.PENDING, Status.ON_HOLD, at("Mon 11:00")) == ()


# --- resolution: resolved and reopened ---------------------------------------------------------
def test_resolved_one_second_late_between_two_sweeps_is_one_breach() -> None:
    """Nothing rings afterwards; the record says late."""
    late = at("Mon 17:00") + timedelta(seconds=1)
    ended = moved(solution(SOLVE, at("Mon 09:00")), SOLVE, Status.OPEN, Status.RESOLVED, late)
    assert (ended.state, breaches(ended)) == (ClockState.BREACHED, [at("Mon 17:00")])
    assert sla.ring(ended, SOLVE, at("Tue 09:00")) is None


@pytest.mark.parametrize(
    ("reopen", "due", "state", "late"),
    [
        ("exclude", "Wed 17:00", ClockState.RUNNING, []),
        ("from_opening", "Mon 17:00", ClockState.BREACHED, ["Wed 12:00"]),
        ("first_only", "Mon 17:00", ClockState.MET, []),
    ],
)
def test_reopening_follows_the_policy(reopen: str, due: str, state: ClockState, late: list[str]) -> None:
    """8 h from Mon 09:00, resolved Mon 12:00, reopened Wed 12:00."""
    on = terms(targets(4, 8, reopen=reopen))
    ended = moved(solution(on, at("Mon 09:00")), on, Status.OPEN, Status.RESOLVED, at("Mon 12:00"))
    again = moved(ended, on, Status.RESOLVED, Status.OPEN, at("Wed 12:00"))
    assert (again.state, again.due_at, again.live) == (state, at(due), reopen != "first_only")
    assert breaches(again) == [at(when) for when in late]


def test_reopening_raises_the_revision() -> None:
    """What was scheduled before is void."""
    ended = moved(solution(SOLVE, at("Mon 09:00")), SOLVE, Status.OPEN, Status.RESOLVED, at("Mon 12:00"))
    assert moved(ended, SOLVE, Status.RESOLVED, Status.OPEN, at("Wed 12:00")).revision == ended.revision + 1


def test_resolved_while_waiting_and_reopened_counts_neither_pause() -> None:
    """Pending Mon 10:00, resolved Mon 12:00, reopened Tue 09:00: seven hours are left."""
    paused = moved(solution(SOLVE, at("Mon 09:00")), SOLVE, Status.OPEN, Status.PENDING, at("Mon 10:00"))
    ended = moved(paused, SOLVE, Status.PENDING, Status.RESOLVED, at("Mon 12:00"))
    assert moved(ended, SOLVE, Status.RESOLVED, Status.OPEN, at("Tue 09:00")).due_at == at("Tue 16:00")


# --- priority ----------------------------------------------------------------------------------
def test_a_raised_priority_keeps_the_time_already_used() -> None:
    """Normal 8 h at Mon 09:00, raised at 12:00 to high 4 h: Mon 13:00."""
    clock = raised([solution(SOLVE, at("Mon 09:00"))], SOLVE, Priority.HIGH, at("Mon 12:00"))[Metric.RESOLUTION]
    assert (clock.due_at, clock.state, clock.revision) == (at("Mon 13:00"), ClockState.RUNNING, 2)


def test_a_raise_past_the_new_due_time_is_a_breach_by_reclassification() -> None:
    """To urgent 2 h: breached at 12:00, when it was raised, and told once."""
    on = replace(SOLVE, warn=("50%",))
    clock = raised([solution(on, at("Mon 09:00"))], on, Priority.URGENT, at("Mon 12:00"))[Metric.RESOLUTION]
    assert (clock.state, breaches(clock)) == (ClockState.BREACHED, [at("Mon 12:00")])
    rung = sla.ring(clock, on, at("Mon 12:00"))
    assert rung is not None
    assert rung.stage == "due"
    assert (breaches(rung.clock), rung.clock.next_at) == ([at("Mon 12:00")], None)
    assert sla.ring(rung.clock, on, at("Tue 12:00")) is None


def test_a_breach_already_told_is_not_told_again_after_a_change_of_priority() -> None:
    """Late stays late; lowering the priority neither heals it nor rings twice."""
    rung = sla.ring(solution(SOLVE, at("Mon 09:00")), SOLVE, at("Mon 17:00"))
    assert rung is not None
    clock = raised([rung.clock], SOLVE, Priority.LOW, at("Tue 09:00"))[Metric.RESOLUTION]
    assert (clock.state, clock.next_at, len(breaches(clock))) == (ClockState.BREACHED, None, 1)


def test_a_raise_while_paused_breaches_when_the_clock_resumes() -> None:
    """Never in the pause itself."""
    paused = moved(solution(SOLVE, at("Mon 09:00")), SOLVE, Status.OPEN, Status.PENDING, at("Mon 12:00"))
    clock = raised([paused], SOLVE, Priority.URGENT, at("Mon 13:00"))[Metric.RESOLUTION]
    assert (clock.state, clock.due_at, clock.next_at) == (ClockState.PAUSED, None, None)
    (resumed,) = sla.status_changed([clock], SOLVE, Priority.URGENT, Status.PENDING, Status.OPEN, at("Mon 14:00"))
    assert breaches(resumed) == [at("Mon 14:00")]


def test_a_metric_the_new_priority_lacks_is_cancelled() -> None:
    """No promise, no clock."""
    on = terms(targets(4, 8), low=Targets(seconds={}))
    clocks = raised(opened(on, at("Mon 09:00")).values(), on, Priority.LOW, at("Mon 10:00"))
    assert {clock.state for clock in clocks.values()} == {ClockState.CANCELLED}


@pytest.mark.parametrize(
    ("status", "gained"),
    [
        (Status.NEW, {Metric.FIRST_RESPONSE: "Mon 10:00", Metric.RESOLUTION: "Mon 13:00"}),
        (Status.OPEN, {Metric.RESOLUTION: "Mon 13:00"}),
    ],
)
def test_a_metric_the_new_priority_gains_counts_from_the_opening(status: Status, gained: dict[Metric, str]) -> None:
    """As if it had been promised then; but of a ticket already worked on no first answer."""
    on = terms(Targets(seconds={}), high=targets(1, 4))
    clocks = raised([], on, Priority.HIGH, at("Mon 09:30"), status=status)
    assert {metric: clock.due_at for metric, clock in clocks.items()} == {m: at(due) for m, due in gained.items()}


def test_a_clock_cancelled_by_priority_stays_so_when_the_ticket_is_reopened() -> None:
    """Only what ended by resolving is revived."""
    on = terms(targets(4, 8), low=Targets(seconds={}))
    gone = raised([solution(on, at("Mon 09:00"))], on, Priority.LOW, at("Mon 10:00"))[Metric.RESOLUTION]
    assert sla.status_changed([gone], on, Priority.LOW, Status.RESOLVED, Status.NEW, at("Tue 09:00")) == ()


# --- stages ------------------------------------------------------------------------------------
WARNED = replace(SOLVE, warn=("50%", "-30m"))


def stages(clock: Clock, on: Terms) -> list[tuple[datetime, str]]:
    """Everything a clock rings when it is swept at the very instant each stage comes."""
    rung: list[tuple[datetime, str]] = []
    while clock.next_at is not None:
        found = sla.ring(clock, on, clock.next_at)
        assert found is not None
        rung.append((clock.next_at, found.stage))
        clock = found.clock
    return rung


def test_each_stage_rings_at_its_time_and_once() -> None:
    """Half gone, half an hour left, due."""
    clock = solution(WARNED, at("Mon 09:00"))
    assert stages(clock, WARNED) == [
        (at("Mon 13:00"), "50%"),
        (at("Mon 16:30"), "-30m"),
        (at("Mon 17:00"), "due"),
    ]


def test_warnings_are_walked_backwards_on_the_calendar() -> None:
    """Due Tue 11:00 on 08-18: an hour before is Tue 10:00, three hours before the end of Monday."""
    on = terms(targets(40, 4), calendar=LONG_DAYS, warn=("-1h", "-3h"))
    assert stages(solution(on, at("Mon 17:00")), on) == [
        (at("Mon 18:00"), "-3h"),
        (at("Tue 10:00"), "-1h"),
        (at("Tue 11:00"), "due"),
    ]


def test_stages_at_or_before_the_start_are_skipped() -> None:
    """A warning eight hours before an eight-hour target would ring at once."""
    on = terms(targets(4, 8), warn=("-8h", "-9h"))
    assert [stage for _, stage in stages(solution(on, at("Mon 09:00")), on)] == ["due"]


def test_after_downtime_only_the_highest_passed_stage_rings() -> None:
    """The lower ones count as done."""
    rung = sla.ring(solution(WARNED, at("Mon 09:00")), WARNED, at("Mon 16:45"))
    assert rung is not None
    assert (rung.stage, rung.clock.fired, rung.clock.next_at) == ("-30m", ("50%", "-30m"), at("Mon 17:00"))
    late = sla.ring(solution(WARNED, at("Mon 09:00")), WARNED, at("Fri 09:00"))
    assert late is not None
    assert (late.stage, late.clock.next_at) == ("due", None)


def test_nothing_rings_before_its_time() -> None:
    """One second early is early."""
    assert sla.ring(solution(WARNED, at("Mon 09:00")), WARNED, at("Mon 13:00") - timedelta(seconds=1)) is None


def test_a_stage_that_passes_while_paused_rings_after_it_resumes() -> None:
    """The warning is late, not lost; and a breach not yet told waits for the end of the pause."""
    late = moved(solution(WARNED, at("Mon 09:00")), WARNED, Status.OPEN, Status.PENDING, at("Tue 10:00"))
    assert (late.state, late.next_at) == (ClockState.BREACHED, None)
    assert sla.ring(late, WARNED, at("Tue 11:00")) is None
    back = moved(late, WARNED, Status.PENDING, Status.OPEN, at("Wed 10:00"))
    rung = sla.ring(back, WARNED, at("Wed 10:00"))
    assert rung is not None
    assert (rung.stage, len(breaches(rung.clock))) == ("due", 1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1d2h30m15s", 95_415), ("90m", 5_400), ("1d", 86_400), ("8h", 28_800), ("5s", 5)]
)
def test_durations(text: str, seconds: int) -> None:
    """A day is 24 hours."""
    assert sla.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "10", "h", "1h30", "1w", "-5m", "1.5h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """By a sentence that shows one."""
    with pytest.raises(ValueError, match="is not a duration"):
        sla.seconds_of(text)


# --- laws --------------------------------------------------------------------------------------
STATUSES = st.sampled_from([Status.OPEN, Status.PENDING, Status.ON_HOLD, Status.RESOLVED])


@given(
    steps=st.lists(st.tuples(st.integers(1, 40), STATUSES | st.sampled_from(Priority)), max_size=12),
    swept=st.booleans(),
)
def test_a_clock_breaches_at_most_once_and_sweeping_ends(
    steps: list[tuple[int, Status | Priority]], swept: bool
) -> None:
    """Whatever happens to a ticket, in whatever order, swept or not."""
    now, status = at("Mon 09:00"), Status.OPEN
    clock = solution(WARNED, now)
    for hours, step in steps:
        now += timedelta(hours=hours)
        if swept and (rung := sla.ring(clock, WARNED, now)):
            clock = rung.clock
        if isinstance(step, Priority):
            clock = raised([clock], WARNED, step, now, status=status).get(Metric.RESOLUTION, clock)
        else:
            changed = sla.status_changed([clock], WARNED, Priority.NORMAL, status, step, now)
            clock, status = (changed[0] if changed else clock), step
        assert len(breaches(clock)) <= 1
        assert (clock.state is ClockState.BREACHED) == bool(breaches(clock))
        assert [event.at for event in clock.log] == sorted(event.at for event in clock.log)
        assert len(stages(clock, WARNED)) <= 3
