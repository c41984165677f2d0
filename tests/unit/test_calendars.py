"""Walking a calendar: the worked cases of the SLA rules, the days clocks change, and laws that always hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from triage.calendars import ALWAYS, DAY, Calendar, Unreachable, Window, elapsed, is_open, next_open, walk, walk_back

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


# --- laws --------------------------------------------------------------------------------------
DST_ZONES = ("Europe/London", "America/New_York", "America/Santiago")
STEADY_ZONES = ("UTC", "Asia/Kolkata", "Asia/Seoul", "Asia/Kathmandu")


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Weeks without overlaps. Where clocks change, windows begin and end on the hour: half of a missing
    hour is a matter of rule, not of counting."""
    zone = draw(st.sampled_from(DST_ZONES + STEADY_ZONES))
    grain = HOUR if zone in DST_ZONES else 15 * 60
    edges = draw(st.lists(st.integers(0, 7 * DAY // grain - 1), min_size=2, max_size=16, unique=True).map(sorted))
    spans = [(a * grain, b * grain) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    windows = [
        Window(day=opens // DAY, opens=opens % DAY, closes=closes - opens // DAY * DAY)
        for opens, closes in spans
        if closes - opens <= DAY
    ]
    assume(windows)
    days = draw(st.lists(st.dates(date(2026, 3, 20), date(2026, 4, 5)), max_size=3))
    return Calendar(timezone=zone, windows=tuple(windows), holidays=tuple(day.isoformat() for day in days))


MINUTES = st.integers(0, 16 * 24 * 60).map(
    lambda minutes: datetime(2026, 3, 21, tzinfo=UTC) + timedelta(minutes=minutes)
)
TARGETS = st.integers(0, 5 * DAY)


@settings(deadline=None)
@given(calendars(), MINUTES, TARGETS)
def test_elapsed_undoes_walk(calendar: Calendar, start: datetime, seconds: int) -> None:
    """Between the start and the due time lies exactly the target."""
    assert elapsed(calendar, start, walk(calendar, start, seconds)) == seconds


@settings(deadline=None)
@given(calendars(), MINUTES, TARGETS, TARGETS)
def test_walk_in_parts_is_one_walk(calendar: Calendar, start: datetime, first: int, second: int) -> None:
    """Stopping on the way changes nothing."""
    assume(second > 0)
    assert walk(calendar, walk(calendar, start, first), second) == walk(calendar, start, first + second)


@settings(deadline=None)
@given(calendars(), MINUTES, MINUTES, TARGETS)
def test_walk_keeps_order(calendar: Calendar, one: datetime, other: datetime, seconds: int) -> None:
    """Who comes first is due first."""
    assume(seconds > 0)
    earlier, later = sorted((one, other))
    assert walk(calendar, earlier, seconds) <= walk(calendar, later, seconds)


@settings(deadline=None)
@given(calendars(), MINUTES, TARGETS, TARGETS)
def test_longer_target_is_due_later(calendar: Calendar, start: datetime, one: int, other: int) -> None:
    """More time never ends sooner."""
    shorter, longer = sorted((one, other))
    assert walk(calendar, start, shorter) <= walk(calendar, start, longer)


@settings(deadline=None)
@given(calendars(), MINUTES, TARGETS)
def test_warning_leaves_exactly_its_time(calendar: Calendar, end: datetime, seconds: int) -> None:
    """From the warning to the due time there is as much open time as it says."""
    assert elapsed(calendar, walk_back(calendar, end, seconds), end) == seconds


@settings(deadline=None)
@given(calendars(), MINUTES, MINUTES, MINUTES)
def test_elapsed_adds_up(calendar: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    """Two adjoining spans hold what the whole holds."""
    first, middle, last = sorted((a, b, c))
    whole = elapsed(calendar, first, last)
    assert elapsed(calendar, first, middle) + elapsed(calendar, middle, last) == whole


@settings(max_examples=40, deadline=None)
@given(calendars(), MINUTES, st.integers(0, 3 * 24 * 60))
def test_elapsed_agrees_with_a_clock_on_the_wall(calendar: Calendar, start: datetime, minutes: int) -> None:
    """Looking at the wall every minute and counting the open ones gives the same number."""
    counted = sum(_open_on_the_wall(calendar, start + timedelta(minutes=step)) for step in range(minutes))
    assert elapsed(calendar, start, start + timedelta(minutes=minutes)) == counted * 60


def _open_on_the_wall(calendar: Calendar, instant: datetime) -> bool:
    wall = instant.astimezone(ZoneInfo(calendar.timezone)).replace(tzinfo=None)
    for days_ago in (0, 1, 2):
        began = wall.date() - timedelta(days=days_ago)
        seconds = int((wall - datetime.combine(began, datetime.min.time())).total_seconds())
        if began.isoformat() not in calendar.holidays and any(
            window.day == began.weekday() and window.opens <= seconds < window.closes for window in calendar.windows
        ):
            return True
    return False
