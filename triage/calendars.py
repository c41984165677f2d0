"""Working hours of a team, and time measured in them.

A calendar is a list of weekly windows in one IANA zone, less its holidays; single dates may have
windows of their own. Windows are half-open `[opens, closes)`, but a due time that falls on closing time
belongs to closing time. Instants are aware datetimes, those returned are in UTC; spans are whole
seconds. Called by `triage.sla`.

The open spans of a year (UTC) are worked out once, with the open time before each. A question is then
two binary searches for each year it touches.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from holidays import country_holidays

DAY = 86_400
HORIZON = 10
"""Years, beyond the one it starts in, after which a walk says that the time never comes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_SECOND = 1_000_000
"""Ticks in a second. Inside this module instants are ticks since 1970, so that none is ever rounded."""


class Unreachable(ValueError):
    """The calendar has too few open hours to ever reach this instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One weekly window: `day` 0 is Monday; `opens`, `closes` are seconds after that day's midnight.

    `closes` may pass 86,400: the window then ends on the next day.
    """

    day: int
    opens: int
    closes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedWindow:
    """A window of one date alone, such as the morning of a half-day; the seconds are those of `Window`."""

    on: date
    opens: int
    closes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """`holidays` holds ISO dates (`2026-12-25`) and country codes with region (`GB-ENG`).

    A date that has windows in `dated` has only those: not its weekday's, and no holiday closes them.
    """

    timezone: str = "UTC"
    windows: tuple[Window, ...] = ()
    holidays: tuple[str, ...] = ()
    dated: tuple[DatedWindow, ...] = ()

    def __hash__(self) -> int:
        """Every question looks its years up by calendar: the windows are left to `==`, to make that quick."""
        return hash((self.timezone, self.holidays, len(self.windows), len(self.dated)))


ALWAYS = Calendar(windows=tuple(Window(day=day, opens=0, closes=DAY) for day in range(7)))
"""Calendar time: open around the clock."""


def walk(calendar: Calendar, start: datetime, seconds: int) -> datetime:
    """The instant at which `seconds` of open time, 0 or more, have passed since `start`.

    Raises Unreachable when ten years of the calendar do not hold that much open time.
    """
    if not seconds:
        return start
    at, left = _ticks(start), _whole(seconds)
    for year in _ahead(calendar, start):
        used = year.used(at)
        if left <= year.total - used:
            return _instant(year.when(used + left))
        left -= year.total - used
    raise Unreachable(f"{seconds} s of working time never pass in this calendar")


def walk_back(calendar: Calendar, end: datetime, seconds: int) -> datetime:
    """The last instant from which `seconds` of open time, 0 or more, remain until `end` (SLA.md, rule 8).

    On a seam between two windows that is the end of the earlier one: the last moment someone is in.
    Raises Unreachable as `walk` does.
    """
    at, left = _ticks(end), _whole(seconds)
    for year in _behind(calendar, end):
        used = year.used(at)
        if left < used:
            return _instant(year.when(used - left))
        left -= used
    raise Unreachable(f"{seconds} s of working time never passed in this calendar")


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Open seconds between two instants; 0 when `end` is not after `start`."""
    since, until = _ticks(start), _ticks(end)
    if since >= until:
        return 0
    first, last = _year(start), _year(end)
    if MINYEAR < first == last < MAXYEAR:  # nearly always; a long ticket asks this a hundred times a turn
        year = _open_in(calendar, first)
        return (year.used(until) - year.used(since)) // _SECOND
    return sum(year.used(until) - year.used(since) for year in _years(calendar, range(first, last + 1))) // _SECOND


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself when the calendar is open then, else the next opening.

    Raises Unreachable when there is none within ten years.
    """
    now = _ticks(at)
    for year in _ahead(calendar, at):
        found = bisect_right(year.closes, now)
        if found < len(year.closes):
            return _instant(max(year.opens[found], now))
    raise Unreachable("this calendar never opens")


def next_close(calendar: Calendar, at: datetime) -> datetime:
    """The first closing after `at`; New Year (UTC) counts as one, though it may open again at once.

    Raises Unreachable when there is none within ten years.
    """
    now = _ticks(at)
    for year in _ahead(calendar, at):
        found = bisect_right(year.closes, now)
        if found < len(year.closes):
            return _instant(year.closes[found])
    raise Unreachable("this calendar never opens")


def is_open(calendar: Calendar, at: datetime) -> bool:
    now = _ticks(at)
    return any(bisect_right(year.opens, now) > bisect_right(year.closes, now) for year in _years(calendar, [_year(at)]))


@dataclass(frozen=True, slots=True)
class _Year:
    """The open spans of one year in UTC: in order, apart from each other, cut at New Year."""

    opens: Sequence[int]
    closes: Sequence[int]
    before: Sequence[int]
    """Open time of the year before each span; the last one is that of the whole year."""

    @property
    def total(self) -> int:
        return self.before[-1]

    def used(self, at: int) -> int:
        """The open time of this year that lies before an instant of any year."""
        begun = bisect_left(self.opens, at)
        if not begun:
            return 0
        closes = self.closes[begun - 1]
        return self.before[begun] - (closes - at if closes > at else 0)

    def when(self, used: int) -> int:
        """The first instant at which so much of this year's open time, more than none, is used."""
        span = bisect_left(self.before, used) - 1
        return self.opens[span] + used - self.before[span]


def _ahead(calendar: Calendar, start: datetime) -> Iterator[_Year]:
    return _years(calendar, range(_year(start), _year(start) + HORIZON + 1))


def _behind(calendar: Calendar, end: datetime) -> Iterator[_Year]:
    return _years(calendar, range(_year(end), _year(end) - HORIZON - 1, -1))


def _years(calendar: Calendar, years: Iterable[int]) -> Iterator[_Year]:
    """Their open spans; of the first and the last year that a date can have nothing is known."""
    return (_open_in(calendar, year) for year in years if MINYEAR < year < MAXYEAR)


@lru_cache(maxsize=512)
def _open_in(calendar: Calendar, year: int) -> _Year:
    """Windows that lie apart on the wall can overlap in truth on the day when clocks go forward."""
    first, end = _ticks(datetime(year, 1, 1, tzinfo=UTC)), _ticks(datetime(year + 1, 1, 1, tzinfo=UTC))
    opens: list[int] = []
    closes: list[int] = []
    done = first
    for opening, closing in sorted(_begun_around(calendar, year)):
        start, stop = max(opening, done), min(closing, end)
        if start < stop:
            opens.append(start)
            closes.append(stop)
            done = stop
    lengths = (closing - opening for opening, closing in zip(opens, closes, strict=True))
    return _Year(opens, closes, list(accumulate(lengths, initial=0)))


def _begun_around(calendar: Calendar, year: int) -> Iterator[tuple[int, int]]:
    """The windows of every local day that may reach into this year of UTC."""
    zone = ZoneInfo(calendar.timezone)
    week = [[(w.opens, w.closes) for w in calendar.windows if w.day == weekday] for weekday in range(7)]
    own: dict[date, list[tuple[int, int]]] = {}
    for window in calendar.dated:
        own.setdefault(window.on, []).append((window.opens, window.closes))
    day, last = date(year - 1, 12, 29), date(year + 1, 1, 2)
    while day <= last:
        hours = own.get(day) or week[day.weekday()]
        if hours and (day in own or day not in _days_off(calendar.holidays, day.year)):
            midnight = datetime.combine(day, time(), zone)
            yield from ((_on_the_wall(midnight, opens), _on_the_wall(midnight, closes)) for opens, closes in hours)
        day += timedelta(days=1)


@lru_cache(maxsize=512)
def _days_off(holidays: tuple[str, ...], year: int) -> frozenset[date]:
    """A year's public holidays, and the dates of any year."""
    return frozenset(day for written in holidays for day in _meant(written, year))


def _meant(holiday: str, year: int) -> Iterable[date]:
    if holiday[:1].isdigit():
        return [date.fromisoformat(holiday)]
    country, _, region = holiday.partition("-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of years so far ahead that moving feasts are not fixed yet
        return list(country_holidays(country, subdiv=region or None, years=year))


def _on_the_wall(midnight: datetime, seconds: int) -> int:
    """Seconds after a local midnight as read on the wall: in a DST gap moved forward, in an overlap the first."""
    return _ticks((midnight + timedelta(seconds=seconds)).astimezone(UTC))


def _whole(seconds: int) -> int:
    if seconds < 0:
        raise ValueError(f"{seconds} s: a span is 0 or more; the other direction has its own function")
    return seconds * _SECOND


def _ticks(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def _instant(ticks: int) -> datetime:
    return _EPOCH + ticks * _TICK


def _year(at: datetime) -> int:
    return at.astimezone(UTC).year
