"""Walking a calendar: the worked cases of the SLA rules and the days on which clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from triage.calendars import (
    ALWAYS,
    DAY,
    Calendar,
    DatedWindow,
    Unreachable,
    Window,
    elapsed,
    is_open,
    next_open,
    walk,
    walk_back,
)

HOUR = 3_600
WEEKDAYS = range(5)


def open_on(
    days: range, *hours: tuple[float, float], zone: str = "Europe/London", holidays: tuple[str, ...] = ()
) -> Calendar:
    """The same windows on each day; hours past 24 are the next day's."""
    windows = [
        Window(day=day, opens=int(opens * HOUR), closes=int(closes * HOUR)) for day in days for opens, closes in hours
    ]
    return Calendar(timezone=zone, windows=tuple(windows), holidays=holidays)


LONDON = open_on(WEEKDAYS, (9, 17))
ENGLAND = open_on(WEEKDAYS, (9, 17), holidays=("GB-ENG",))
CHRISTMAS = open_on(WEEKDAYS, (9, 17), holidays=("2026-12-25", "2026-12-28"))
HALF_DAY = replace(CHRISTMAS, dated=(DatedWindow(on=date(2026, 12, 24), opens=9 * HOUR, closes=13 * HOUR),))
LONG_DAYS = open_on(WEEKDAYS, (8, 18))
KOLKATA = open_on(WEEKDAYS, (9, 13), (14, 18), zone="Asia/Kolkata")
NIGHTS = open_on(range(7), (22, 30), zone="America/New_York")
AROUND_THE_CLOCK = open_on(range(7), (0, 24))


def at(text: str, calendar: Calendar = LONDON) -> datetime:
    """A local time of the calendar as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(calendar.timezone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "due"),
    [
        pytest.param(LONDON, "2026-03-06T16:30", 1, "2026-03-09T09:30", id="over-the-weekend"),
        pytest.param(LONDON, "2026-03-07T11:00", 1, "2026-03-09T10:00", id="created-on-saturday"),
        pytest.param(LONDON, "2026-03-09T09:00", 8, "2026-03-09T17:00", id="closing-time-belongs-to-the-day"),
        pytest.param(LONDON, "2026-03-09T16:00", 1, "2026-03-09T17:00", id="due-exactly-at-closing"),
        pytest.param(LONDON, "2026-03-09T17:00", 1, "2026-03-10T10:00", id="opened-at-closing-time"),
        pytest.param(LONG_DAYS, "2026-03-09T17:00", 4, "2026-03-10T11:00", id="into-the-next-day"),
        pytest.param(AROUND_THE_CLOCK, "2026-03-28T12:00", 24, "2026-03-29T13:00", id="clocks-go-forward"),
        pytest.param(AROUND_THE_CLOCK, "2026-10-24T12:00", 24, "2026-10-25T11:00", id="clocks-go-back"),
        pytest.param(CHRISTMAS, "2026-12-24T16:00", 4, "2026-12-29T12:00", id="holidays-by-date"),
        pytest.param(ENGLAND, "2026-12-24T16:00", 4, "2026-12-29T12:00", id="holidays-of-england"),
        pytest.param(ENGLAND, "2026-04-02T16:00", 2, "2026-04-07T10:00", id="good-friday-and-easter-monday"),
        pytest.param(ENGLAND, "2026-08-28T16:30", 1, "2026-09-01T09:30", id="august-bank-holiday"),
        pytest.param(KOLKATA, "2026-03-09T12:30", 1, "2026-03-09T14:30", id="lunch-break"),
        pytest.param(KOLKATA, "2026-03-09T12:30", 0.5, "2026-03-09T13:00", id="due-when-lunch-begins"),
        pytest.param(NIGHTS, "2026-06-01T23:00", 7, "2026-06-02T06:00", id="overnight"),
        pytest.param(NIGHTS, "2026-06-02T01:00", 6, "2026-06-02T23:00", id="second-half-of-a-night"),
        pytest.param(NIGHTS, "2026-03-07T22:00", 7, "2026-03-08T06:00", id="short-night"),
        pytest.param(NIGHTS, "2026-10-31T22:00", 9, "2026-11-01T06:00", id="long-night"),
        pytest.param(LONDON, "2026-03-07T11:00", 0, "2026-03-07T11:00", id="nothing-to-wait-for"),
    ],
)
def test_due_time_counts_open_hours_only(calendar: Calendar, start: str, hours: float, due: str) -> None:
    """A target is walked through the windows of the team's own clock on the wall."""
    assert walk(calendar, at(start, calendar), int(hours * HOUR)) == at(due, calendar)


@pytest.mark.parametrize(
    ("due", "hours", "warn"),
    [
        pytest.param("2026-03-10T11:00", 1, "2026-03-10T10:00", id="same-day"),
        pytest.param("2026-03-10T11:00", 3, "2026-03-09T18:00", id="seam-is-the-evening-before"),
        pytest.param("2026-03-10T11:00", 4, "2026-03-09T17:00", id="the-day-before"),
        pytest.param("2026-03-09T10:00", 2, "2026-03-06T18:00", id="seam-over-a-weekend"),
        pytest.param("2026-03-09T18:00", 1, "2026-03-09T17:00", id="due-at-closing"),
        pytest.param("2026-03-10T07:00", 0, "2026-03-09T18:00", id="closed-when-due"),
    ],
)
def test_warning_is_walked_backwards(due: str, hours: float, warn: str) -> None:
    """On the seam between two windows a warning comes while somebody is still in."""
    assert walk_back(LONG_DAYS, at(due), int(hours * HOUR)) == at(warn)


def test_pause_subtracts_only_its_overlap_with_work_time() -> None:
    """Pending from Monday 16:00 to Tuesday 10:00 costs the two open hours in between."""
    used = elapsed(LONDON, at("2026-03-09T09:00"), at("2026-03-09T16:00"))
    assert walk(LONDON, at("2026-03-10T10:00"), 8 * HOUR - used) == at("2026-03-10T11:00")


def test_time_outside_windows_does_not_count() -> None:
    """A weekend holds no open seconds."""
    assert elapsed(LONDON, at("2026-03-06T17:00"), at("2026-03-09T09:00")) == 0


def test_elapsed_never_runs_backwards() -> None:
    """An end before the start is no time at all."""
    assert elapsed(LONDON, at("2026-03-09T12:00"), at("2026-03-09T10:00")) == 0


def test_holiday_closes_windows_that_begin_on_it() -> None:
    """The night that began before a holiday is worked to its end; the one that begins on it is not."""
    nights = open_on(range(7), (22, 30), holidays=("2026-12-25",))
    assert elapsed(nights, at("2026-12-25T00:00"), at("2026-12-26T12:00")) == 6 * HOUR


def test_plain_gb_works_on_easter_monday() -> None:
    """Only the region knows its own holidays."""
    britain = open_on(WEEKDAYS, (9, 17), holidays=("GB",))
    assert is_open(britain, at("2026-04-06T12:00"))
    assert not is_open(ENGLAND, at("2026-04-06T12:00"))


def test_window_is_half_open() -> None:
    """Nine is open, five is closed."""
    assert is_open(LONDON, at("2026-03-09T09:00"))
    assert not is_open(LONDON, at("2026-03-09T17:00"))


def test_next_opening_is_now_when_open() -> None:
    """Somebody is in: there is nothing to wait for."""
    assert next_open(LONDON, at("2026-03-09T12:00")) == at("2026-03-09T12:00")


def test_next_opening_skips_weekend_and_holidays() -> None:
    """After Maundy Thursday comes Tuesday."""
    assert next_open(ENGLAND, at("2026-04-02T18:00")) == at("2026-04-07T09:00")


def test_calendar_without_windows_reaches_nothing() -> None:
    """Closed for ever is said, not waited for."""
    closed = Calendar()
    assert not is_open(closed, at("2026-03-09T12:00"))
    with pytest.raises(Unreachable):
        next_open(closed, at("2026-03-09T12:00"))
    with pytest.raises(Unreachable):
        walk_back(closed, at("2026-03-09T12:00"), 1)


def test_target_past_ten_years_is_unreachable() -> None:
    """A minute a week does not add up to a day in ten years."""
    minute = Calendar(windows=(Window(day=0, opens=0, closes=60),))
    with pytest.raises(Unreachable):
        walk(minute, at("2026-03-09T12:00"), DAY)


def test_gap_does_not_count_an_hour_twice() -> None:
    """Windows that touch the missing hour overlap in truth; the shared half hour is one half hour."""
    night = open_on(range(7), (0, 1.5), (2, 3))
    assert elapsed(night, at("2026-03-29T00:00"), at("2026-03-29T12:00")) == 2 * HOUR


def test_gap_after_an_overnight_window_does_not_count_twice() -> None:
    """The same holds when the earlier window began the day before."""
    nights = open_on(range(7), (22, 26.5), (3, 3.25), zone="America/New_York")
    start, end = at("2026-03-07T20:00", nights), at("2026-03-08T12:00", nights)
    assert elapsed(nights, start, end) == 4.5 * HOUR
    assert walk_back(nights, end, 4 * HOUR) == at("2026-03-07T22:30", nights)


def test_half_hour_zone_changes_by_half_an_hour() -> None:
    """On Lord Howe Island the clocks go forward by thirty minutes only."""
    lord_howe = open_on(range(7), (0, 24), zone="Australia/Lord_Howe")
    assert elapsed(lord_howe, at("2026-10-04T00:00", lord_howe), at("2026-10-05T00:00", lord_howe)) == 23.5 * HOUR


def test_calendar_time_is_wall_clock_time() -> None:
    """Around the clock, a second is a second."""
    start = at("2026-03-28T12:34")
    assert walk(ALWAYS, start, 90_061) == start + timedelta(seconds=90_061)


def test_half_day_has_its_own_hours() -> None:
    """Nobody is in on the afternoon of Christmas Eve."""
    assert walk(HALF_DAY, at("2026-12-24T12:00"), 2 * HOUR) == at("2026-12-29T10:00")
    assert walk_back(HALF_DAY, at("2026-12-29T09:30"), HOUR) == at("2026-12-24T12:30")


def test_date_with_hours_is_no_holiday() -> None:
    """Whoever writes hours for a bank holiday works on it."""
    worked = replace(HALF_DAY, dated=(DatedWindow(on=date(2026, 12, 28), opens=10 * HOUR, closes=12 * HOUR),))
    assert elapsed(worked, at("2026-12-28T00:00"), at("2026-12-29T00:00")) == 2 * HOUR


def test_half_day_may_fall_on_a_day_off() -> None:
    """Stocktaking on a Saturday counts, with its night."""
    saturday = replace(LONDON, dated=(DatedWindow(on=date(2026, 3, 7), opens=22 * HOUR, closes=26 * HOUR),))
    assert elapsed(saturday, at("2026-03-06T17:00"), at("2026-03-09T09:00")) == 4 * HOUR


def test_night_over_new_year_is_one_night() -> None:
    """Years are looked at one by one, and nothing is lost or doubled between them."""
    start, end = at("2026-12-31T23:00", NIGHTS), at("2027-01-01T05:00", NIGHTS)
    assert elapsed(NIGHTS, start, end) == 6 * HOUR
    assert walk(NIGHTS, start, 6 * HOUR) == end
    assert walk_back(NIGHTS, end, 6 * HOUR) == start
    assert is_open(NIGHTS, datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=5))


def test_around_the_clock_has_no_seam_at_new_year() -> None:
    """Midnight is an instant like any other."""
    midnight = datetime(2027, 1, 1, tzinfo=UTC)
    assert is_open(ALWAYS, midnight)
    assert walk(ALWAYS, midnight - timedelta(hours=1), HOUR) == midnight
    assert walk_back(ALWAYS, midnight + timedelta(hours=1), HOUR) == midnight


def test_holiday_of_next_year_kept_this_year() -> None:
    """New Year's Day 2028 is a Saturday, so that in the United States the Friday before is off."""
    america = open_on(WEEKDAYS, (9, 17), zone="America/New_York", holidays=("US",))
    assert next_open(america, at("2027-12-31T09:00", america)) == at("2028-01-03T09:00", america)


def test_microseconds_are_kept() -> None:
    """What a clock on the server says is not rounded on the way."""
    start = at("2026-03-06T16:30") + timedelta(microseconds=1)
    assert walk(LONDON, start, HOUR) == at("2026-03-09T09:30") + timedelta(microseconds=1)


def test_negative_span_is_refused() -> None:
    """Backwards is another function."""
    with pytest.raises(ValueError, match="0 or more"):
        walk(LONDON, at("2026-03-06T16:30"), -1)
    with pytest.raises(ValueError, match="0 or more"):
        walk_back(LONDON, at("2026-03-06T16:30"), -1)


def test_country_whose_feasts_are_not_fixed_yet_is_walked_in_silence() -> None:
    """India's moving feasts are known for ten years; a longer walk warns nobody."""
    india = open_on(WEEKDAYS, (9, 17), zone="Asia/Kolkata", holidays=("IN",))
    assert walk(india, at("2036-01-02T08:00", india), HOUR) == at("2036-01-02T10:00", india)


def test_end_of_dates_is_unreachable_not_a_crash() -> None:
    """Past the last year that a date can have there is nothing to walk on."""
    with pytest.raises(Unreachable):
        walk(ALWAYS, datetime(9998, 12, 31, tzinfo=UTC), 2 * DAY)


def test_ten_years_are_walked_in_a_millisecond() -> None:
    """A walk counts neither seconds nor days: the quickest of twenty over ten years of holidays takes under 1 ms."""
    start = at("2026-01-05T09:00")
    ten_years = elapsed(ENGLAND, start, at("2036-01-05T09:00"))
    took = []
    for _ in range(20):
        began = perf_counter()
        walk(ENGLAND, start, ten_years)
        took.append(perf_counter() - began)
    assert min(took) < 0.001
