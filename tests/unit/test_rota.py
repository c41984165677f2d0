"""Who is on call: turns week by week, exceptions, and swaps agreed in chat."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from triage.rota import WEEK, CannotSwap, Override, Refusal, Rota, Shift, on_call, shift_at, shifts, swapped

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
WEDNESDAY = MONDAY + timedelta(days=2, hours=3)
HOUR = timedelta(hours=1)
TURNS = Rota(people=("kim", "lee", "ann"), start=date(2026, 3, 2), timezone="Europe/London")


def override(person: str, since: datetime, until: datetime) -> Override:
    return Override(since=since, until=until, person=person)


def refusal(rota: Rota, person: str, swaps: tuple[Override, ...] = ()) -> Refusal:
    with pytest.raises(CannotSwap) as refused:
        swapped(rota, WEDNESDAY, person, swaps)
    return refused.value.reason


# --- turns -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("weeks", "person"), [(0, "kim"), (1, "lee"), (2, "ann"), (3, "kim"), (-1, "ann"), (-2, "lee"), (-3, "kim")]
)
def test_people_take_turns_before_and_after_the_start(weeks: int, person: str) -> None:
    """The turns have no beginning: there is always somebody."""
    assert on_call(TURNS, WEDNESDAY + weeks * WEEK) == person


def test_handover_belongs_to_the_next_person() -> None:
    """A shift is half-open, as windows are."""
    assert on_call(TURNS, MONDAY + WEEK - HOUR / 60) == "kim"
    assert on_call(TURNS, MONDAY + WEEK) == "lee"


def test_shift_tells_since_when_and_until_when() -> None:
    """From handover to handover."""
    assert shift_at(TURNS, WEDNESDAY) == Shift(person="kim", since=MONDAY, until=MONDAY + WEEK)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2026, 3, 23), 7 * 24 - 1),
        ("Europe/London", date(2026, 10, 19), 7 * 24 + 1),
        ("America/New_York", date(2026, 3, 2), 7 * 24 - 1),
        ("America/New_York", date(2026, 10, 26), 7 * 24 + 1),
        ("Asia/Seoul", date(2026, 3, 23), 7 * 24),
    ],
)
def test_week_in_which_the_clocks_change_is_seven_local_days(zone: str, day: date, hours: int) -> None:
    """They hand over at nine on the wall, so that the week is an hour shorter or longer."""
    rota = Rota(people=("kim", "lee"), start=day, timezone=zone)
    shift = shift_at(rota, datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=3))
    assert shift is not None
    assert shift.until - shift.since == hours * HOUR


def test_handover_in_the_hour_that_is_skipped_is_when_the_clocks_have_changed() -> None:
    """01:30 does not exist in London on 2026-03-29; 02:30 does."""
    rota = Rota(people=("kim", "lee"), start=date(2026, 3, 29), at=time(1, 30), timezone="Europe/London")
    assert on_call(rota, datetime(2026, 3, 29, 1, 29, tzinfo=UTC)) == "lee"
    assert on_call(rota, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)) == "kim"


def test_handover_in_the_hour_that_comes_twice_is_the_first() -> None:
    """Nobody is relieved, and then on call for the same hour again."""
    rota = Rota(people=("kim", "lee"), start=date(2026, 10, 25), at=time(1, 30), timezone="Europe/London")
    assert on_call(rota, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "kim"
    assert on_call(rota, datetime(2026, 10, 25, 1, 29, tzinfo=UTC)) == "kim"


def test_two_weeks_of_one_person_are_one_shift() -> None:
    """Nobody hands over to themselves."""
    rota = Rota(people=("kim", "kim", "lee"), start=date(2026, 3, 2))
    assert shift_at(rota, WEDNESDAY) == Shift(person="kim", since=MONDAY, until=MONDAY + 2 * WEEK)


def test_one_person_alone_is_on_call_for_a_year() -> None:
    """A shift without end is cut, so that it can be told."""
    shift = shift_at(Rota(people=("kim",), start=date(2026, 3, 2)), WEDNESDAY)
    assert shift == Shift(person="kim", since=MONDAY - 52 * WEEK, until=MONDAY + 53 * WEEK)


def test_empty_rota_has_nobody() -> None:
    """No people, nobody on call."""
    assert shift_at(Rota(), WEDNESDAY) is None
    assert on_call(Rota(), WEDNESDAY) is None
    assert shifts(Rota(), MONDAY, MONDAY + WEEK) == ()


# --- exceptions --------------------------------------------------------------------------------
def test_override_cuts_a_shift() -> None:
    """Who has the week is relieved for a while."""
    rota = Rota(people=TURNS.people, start=TURNS.start, overrides=(override("sam", WEDNESDAY, WEDNESDAY + HOUR),))
    assert shifts(rota, MONDAY, MONDAY + WEEK) == (
        Shift(person="kim", since=MONDAY, until=WEDNESDAY),
        Shift(person="sam", since=WEDNESDAY, until=WEDNESDAY + HOUR),
        Shift(person="kim", since=WEDNESDAY + HOUR, until=MONDAY + WEEK),
    )


def test_override_of_an_empty_rota_is_the_whole_rota() -> None:
    """Somebody may be on call though nobody takes turns."""
    rota = Rota(overrides=(override("sam", WEDNESDAY, WEDNESDAY + 3 * WEEK),))
    assert shift_at(rota, WEDNESDAY + WEEK) == Shift(person="sam", since=WEDNESDAY, until=WEDNESDAY + 3 * WEEK)
    assert shift_at(rota, WEDNESDAY - HOUR) is None


def test_override_for_the_one_on_call_changes_nothing() -> None:
    """No handover is seen where nobody hands over."""
    same = (override("kim", WEDNESDAY, WEDNESDAY + HOUR),)
    assert shifts(TURNS, MONDAY, MONDAY + 3 * WEEK, same) == shifts(TURNS, MONDAY, MONDAY + 3 * WEEK)


def test_later_override_wins() -> None:
    """Of two that cover the same hour the one made later counts."""
    both = (override("sam", MONDAY, MONDAY + WEEK), override("pat", MONDAY, MONDAY + WEEK))
    assert on_call(TURNS, WEDNESDAY, both) == "pat"
    assert on_call(TURNS, WEDNESDAY, both[::-1]) == "sam"


def test_what_was_agreed_in_chat_wins_over_the_file() -> None:
    """It is the later word."""
    rota = Rota(people=TURNS.people, overrides=(override("sam", MONDAY, MONDAY + WEEK),))
    assert on_call(rota, WEDNESDAY, (override("pat", MONDAY, MONDAY + WEEK),)) == "pat"


def test_backward_override_covers_nothing() -> None:
    """An end before the beginning is no time at all."""
    assert on_call(TURNS, WEDNESDAY, (override("sam", MONDAY + WEEK, MONDAY),)) == "kim"


# --- swaps -------------------------------------------------------------------------------------
def test_swap_gives_the_rest_of_this_shift_for_the_next_whole_one() -> None:
    """Both serve as often as before."""
    assert swapped(TURNS, WEDNESDAY, "ann") == (
        override("ann", WEDNESDAY, MONDAY + WEEK),
        override("kim", MONDAY + 2 * WEEK, MONDAY + 3 * WEEK),
    )


def test_swap_back_restores_the_rest() -> None:
    """Swapping again an hour later leaves only that hour changed."""
    swaps = swapped(TURNS, WEDNESDAY, "lee")
    swaps += swapped(TURNS, WEDNESDAY + HOUR, "kim", swaps)
    later = WEDNESDAY + HOUR
    assert shifts(TURNS, later, later + 9 * WEEK, swaps) == shifts(TURNS, later, later + 9 * WEEK)


def test_swap_passes_over_a_week_that_is_cut() -> None:
    """A week somebody else is on call in for a day is no whole shift to give."""
    away = (override("sam", MONDAY + WEEK, MONDAY + WEEK + 24 * HOUR),)
    [_, paid] = swapped(TURNS, WEDNESDAY, "lee", away)
    summer = MONDAY - HOUR
    assert paid == override("kim", summer + 4 * WEEK, summer + 5 * WEEK)


def test_swap_takes_over_only_what_the_other_one_has() -> None:
    """A day that somebody else has already taken stays theirs."""
    taken = (override("sam", WEDNESDAY + 24 * HOUR, WEDNESDAY + 48 * HOUR),)
    [running, _] = swapped(TURNS, WEDNESDAY, "lee", taken)
    assert running == override("lee", WEDNESDAY, WEDNESDAY + 24 * HOUR)


def test_whoever_is_on_call_cannot_swap_with_themselves() -> None:
    """There is nothing to take over."""
    assert refusal(TURNS, "kim") is Refusal.ON_CALL_ALREADY


def test_stranger_to_the_rota_cannot_swap() -> None:
    """They have no shift to give in return."""
    assert refusal(TURNS, "sam") is Refusal.NOT_IN_ROTA
    assert refusal(Rota(), "sam") is Refusal.NOT_IN_ROTA


def test_swap_needs_a_next_shift() -> None:
    """Whoever is away for years has none to give in return."""
    away = (override("sam", MONDAY + WEEK, MONDAY + 200 * WEEK),)
    assert refusal(TURNS, "lee", away) is Refusal.NO_NEXT_SHIFT
