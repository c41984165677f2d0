"""Laws of walking that hold in every calendar and zone, and a clock that is read second by second beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from triage.calendars import (
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

HOUR, QUARTER = 3_600, 900
WEEK = 7 * DAY
CHANGES = {
    "Europe/London": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "America/Santiago": (datetime(2026, 4, 5, 3, tzinfo=UTC), datetime(2026, 9, 6, 4, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    "Asia/Kathmandu": (datetime(2026, 12, 31, 18, 15, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    "Asia/Seoul": (datetime(2026, 12, 31, 15, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    "Pacific/Kiritimati": (datetime(2026, 12, 31, 10, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
}
"""Zones, and two instants in each at which something is likely to go wrong: a change of clocks, or New Year."""

Hours = tuple[tuple[int, int], ...]


@st.composite
def hours(draw: st.DrawFn, *, end: int, grain: int, most: int) -> Hours:
    """Windows apart from each other, at most a day long, in seconds."""
    edges = sorted(draw(st.lists(st.integers(0, end // grain - 1), min_size=2, max_size=most, unique=True)))
    spans = ((opens * grain, closes * grain) for opens, closes in zip(edges[::2], edges[1::2], strict=False))
    return tuple((opens, closes) for opens, closes in spans if closes - opens <= DAY)


@st.composite
def calendars(draw: st.DrawFn, *, grain: int = QUARTER) -> tuple[Calendar, datetime]:
    """A calendar with days off and half-days, and an instant near which its clocks or its year change."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    near = draw(st.sampled_from(CHANGES[zone]))
    week = draw(hours(end=WEEK, grain=grain, most=24))
    assume(week)
    windows = [
        Window(day=opens // DAY, opens=opens % DAY, closes=closes - opens // DAY * DAY) for opens, closes in week
    ]
    days = st.integers(-2, 2).map(lambda days: near.date() + timedelta(days=days))
    own = draw(st.dictionaries(days, hours(end=DAY, grain=grain, most=4), max_size=2))
    off = draw(st.lists(days, max_size=2))
    calendar = Calendar(
        timezone=zone,
        windows=tuple(windows),
        holidays=tuple(day.isoformat() for day in off),
        dated=tuple(
            DatedWindow(on=on, opens=opens, closes=closes) for on, spans in own.items() for opens, closes in spans
        ),
    )
    return calendar, near


CALENDARS = calendars()
OFFSETS = st.integers(-3 * DAY, 3 * DAY)
TARGETS = st.integers(0, 5 * DAY)
LATER = st.integers(1, 5 * DAY)


def after(near: datetime, seconds: int) -> datetime:
    return near + timedelta(seconds=seconds)


@settings(deadline=None)
@given(CALENDARS, OFFSETS, TARGETS)
def test_elapsed_undoes_walk(one: tuple[Calendar, datetime], offset: int, seconds: int) -> None:
    """Between the start and the due time lies exactly the target."""
    calendar, near = one
    start = after(near, offset)
    assert elapsed(calendar, start, walk(calendar, start, seconds)) == seconds


@settings(deadline=None)
@given(CALENDARS, OFFSETS, TARGETS, LATER)
def test_walk_in_parts_is_one_walk(one: tuple[Calendar, datetime], offset: int, first: int, second: int) -> None:
    """Stopping on the way changes nothing."""
    calendar, near = one
    start = after(near, offset)
    assert walk(calendar, walk(calendar, start, first), second) == walk(calendar, start, first + second)


@settings(deadline=None)
@given(CALENDARS, OFFSETS, TARGETS, LATER)
def test_walk_back_in_parts_is_one_walk(one: tuple[Calendar, datetime], offset: int, first: int, second: int) -> None:
    """The same holds backwards."""
    calendar, near = one
    end = after(near, offset)
    assert walk_back(calendar, walk_back(calendar, end, first), second) == walk_back(calendar, end, first + second)


@settings(deadline=None)
@given(CALENDARS, OFFSETS, OFFSETS, LATER)
def test_walk_keeps_order(one: tuple[Calendar, datetime], a: int, b: int, seconds: int) -> None:
    """Who comes first is due first, and is warned first."""
    calendar, near = one
    earlier, later = (after(near, offset) for offset in sorted((a, b)))
    assert walk(calendar, earlier, seconds) <= walk(calendar, later, seconds)
    assert walk_back(calendar, earlier, seconds) <= walk_back(calendar, later, seconds)


@settings(deadline=None)
@given(CALENDARS, OFFSETS, TARGETS, TARGETS)
def test_longer_target_is_due_later(one: tuple[Calendar, datetime], offset: int, a: int, b: int) -> None:
    """More time never ends sooner."""
    calendar, near = one
    shorter, longer = sorted((a, b))
    assert walk(calendar, after(near, offset), shorter) <= walk(calendar, after(near, offset), longer)


@settings(deadline=None)
@given(CALENDARS, OFFSETS, TARGETS)
def test_warning_leaves_exactly_its_time(one: tuple[Calendar, datetime], offset: int, seconds: int) -> None:
    """From the warning to the due time there is as much open time as it says."""
    calendar, near = one
    end = after(near, offset)
    assert elapsed(calendar, walk_back(calendar, end, seconds), end) == seconds


@settings(deadline=None)
@given(CALENDARS, OFFSETS, LATER)
def test_walk_back_undoes_walk(one: tuple[Calendar, datetime], offset: int, seconds: int) -> None:
    """The way back ends where the way out began; or, from an opening, at the closing before it."""
    calendar, near = one
    start = next_open(calendar, after(near, offset))
    back = walk_back(calendar, walk(calendar, start, seconds), seconds)
    assert back <= start
    assert elapsed(calendar, back, start) == 0
    if is_open(calendar, after(start, -1)):
        assert back == start


@settings(deadline=None)
@given(CALENDARS, OFFSETS, OFFSETS, OFFSETS)
def test_elapsed_adds_up(one: tuple[Calendar, datetime], a: int, b: int, c: int) -> None:
    """Two adjoining spans hold what the whole holds."""
    calendar, near = one
    first, middle, last = (after(near, offset) for offset in sorted((a, b, c)))
    whole = elapsed(calendar, first, last)
    assert elapsed(calendar, first, middle) + elapsed(calendar, middle, last) == whole


# --- second by second --------------------------------------------------------------------------
SPAN = 2 * HOUR
NEAR = st.integers(-SPAN, HOUR)


def windows_of(calendar: Calendar, day: date) -> Hours:
    own = tuple((window.opens, window.closes) for window in calendar.dated if window.on == day)
    if own or day.isoformat() in calendar.holidays:
        return own
    return tuple((window.opens, window.closes) for window in calendar.windows if window.day == day.weekday())


def on_the_wall(calendar: Calendar, second: datetime) -> bool:
    """Whether what the wall reads lies in a window; right where no window begins or ends in an hour that
    is missing or comes twice."""
    wall = second.astimezone(ZoneInfo(calendar.timezone)).replace(tzinfo=None)
    for days_ago in (0, 1):
        midnight = datetime.combine(wall.date() - timedelta(days=days_ago), time())
        passed = (wall - midnight).total_seconds()
        if any(opens <= passed < closes for opens, closes in windows_of(calendar, midnight.date())):
            return True
    return False


def by_instants(calendar: Calendar, second: datetime) -> bool:
    """Whether a window's begin and end, each as an instant, lie around this second; the rule for every edge."""
    zone = ZoneInfo(calendar.timezone)
    today = second.astimezone(zone).date()
    for days_ago in (-1, 0, 1, 2):
        midnight = datetime.combine(today - timedelta(days=days_ago), time(), zone)
        for opens, closes in windows_of(calendar, midnight.date()):
            begin, end = (midnight + timedelta(seconds=edge) for edge in (opens, closes))
            if begin.astimezone(UTC) <= second < end.astimezone(UTC):
                return True
    return False


def seconds_from(start: datetime) -> list[datetime]:
    return [start + timedelta(seconds=passed) for passed in range(SPAN)]


def check(calendar: Calendar, start: datetime, opened: list[bool]) -> None:
    """All four functions, against which of the `SPAN` seconds from `start` on are open."""
    end = after(start, SPAN)
    total = sum(opened)
    assert elapsed(calendar, start, end) == total
    first = next((passed for passed, yes in enumerate(opened) if yes), None)
    assert is_open(calendar, start) == opened[0]
    if first is None:
        assert next_open_or_never(calendar, start) >= end
        return
    assert next_open(calendar, start) == after(start, first)
    places = [passed for passed, yes in enumerate(opened) if yes]
    for seconds in {1, total // 2 or 1, total}:
        assert walk(calendar, start, seconds) == after(start, places[seconds - 1] + 1)
    for seconds in {0, total // 2, total - 1}:
        assert walk_back(calendar, end, seconds) == after(start, places[total - 1 - seconds] + 1)


def next_open_or_never(calendar: Calendar, at: datetime) -> datetime:
    try:
        return next_open(calendar, at)
    except Unreachable:
        return datetime.max.replace(tzinfo=UTC)


@settings(max_examples=20, deadline=None)
@given(calendars(grain=HOUR), NEAR)
def test_a_clock_on_the_wall_agrees(one: tuple[Calendar, datetime], offset: int) -> None:
    """Looking at the wall every second and counting the open ones gives the same instants."""
    calendar, near = one
    start = after(near, offset)
    check(calendar, start, [on_the_wall(calendar, second) for second in seconds_from(start)])


NIGHT_SHIFTS = Calendar(
    timezone="Europe/London",
    windows=tuple(Window(day=day, opens=22 * HOUR, closes=25 * HOUR + 1_800) for day in range(7))
    + tuple(Window(day=day, opens=2 * HOUR, closes=2 * HOUR + 900) for day in range(7)),
)


@settings(max_examples=15, deadline=None)
@given(CALENDARS, NEAR)
@example((NIGHT_SHIFTS, CHANGES["Europe/London"][0]), -HOUR)
@example((NIGHT_SHIFTS, CHANGES["Europe/London"][1]), -HOUR)
def test_windows_that_end_in_a_missing_or_doubled_hour_agree(one: tuple[Calendar, datetime], offset: int) -> None:
    """An edge in the missing hour is moved forward, in the doubled one it is the first; no second counts twice."""
    calendar, near = one
    start = after(near, offset)
    check(calendar, start, [by_instants(calendar, second) for second in seconds_from(start)])
