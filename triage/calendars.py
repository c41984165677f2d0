"""Working hours of a team, and time measured in them.

A calendar is a list of weekly windows in one IANA zone, less its holidays. Windows are half-open
`[opens, closes)`, but a due time that falls on closing time belongs to closing time. All instants
are aware datetimes in UTC, all spans whole seconds. Called by `triage.sla`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

DAY = 86_400
HORIZON_DAYS = 3_660
"""How far ahead a walk looks before it says that the time never comes (ten years)."""


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
class Calendar:
    """`holidays` holds ISO dates (`2026-12-25`) and country codes with region (`GB-ENG`)."""

    timezone: str = "UTC"
    windows: tuple[Window, ...] = ()
    holidays: tuple[str, ...] = ()


ALWAYS = Calendar(windows=tuple(Window(day=day, opens=0, closes=DAY) for day in range(7)))
"""Calendar time: open around the clock."""


def walk(calendar: Calendar, start: datetime, seconds: int) -> datetime:
    """The instant at which `seconds` of open time have passed since `start`.

    Raises Unreachable when ten years of the calendar do not hold that much open time.
    """
    left = timedelta(seconds=seconds)
    if not left:
        return start
    for opens, closes in _open_from(calendar, start):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise Unreachable(f"{seconds} s of working time never pass in this calendar")


def walk_back(calendar: Calendar, end: datetime, seconds: int) -> datetime:
    """The last instant from which `seconds` of open time remain until `end` (SLA.md, rule 8).

    On a seam between two windows that is the end of the earlier one: the last moment someone is in.
    """
    left = timedelta(seconds=seconds)
    for opens, closes in _open_until(calendar, end):
        if left < closes - opens:
            return closes - left
        left -= closes - opens
    raise Unreachable(f"{seconds} s of working time never passed in this calendar")


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Open seconds between two instants; 0 when `end` is not after `start`."""
    total = timedelta()
    for opens, closes in _open_from(calendar, start):
        if opens >= end:
            break
        total += min(closes, end) - opens
    return int(total.total_seconds())


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself when the calendar is open then, else the next opening."""
    for opens, _ in _open_from(calendar, at):
        return opens
    raise Unreachable("this calendar never opens")


def is_open(calendar: Calendar, at: datetime) -> bool:
    opens, _ = next(_open_from(calendar, at), (None, None))
    return opens == at


def _open_from(calendar: Calendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Open spans after `start`, in order, the first one cut at `start`."""
    if not calendar.windows:
        return
    day = start.astimezone(ZoneInfo(calendar.timezone)).date() - timedelta(days=2)
    for offset in range(HORIZON_DAYS):
        for opens, closes in _open_on(calendar, day + timedelta(days=offset)):
            if closes > start:
                yield max(opens, start), closes


def _open_until(calendar: Calendar, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Open spans before `end`, latest first, the first one cut at `end`."""
    if not calendar.windows:
        return
    day = end.astimezone(ZoneInfo(calendar.timezone)).date() + timedelta(days=1)
    for offset in range(HORIZON_DAYS):
        for opens, closes in reversed(_open_on(calendar, day - timedelta(days=offset))):
            if opens < end:
                yield opens, min(closes, end)


@lru_cache(maxsize=8192)
def _open_on(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The spans that begin on this local day, in UTC and in order; no instant is in two spans.

    Windows that lie apart on the wall can overlap in truth on the day when clocks go forward.
    """
    done = max((closes for _, closes in _begun_on(calendar, day - timedelta(days=1))), default=None)
    spans: list[tuple[datetime, datetime]] = []
    for opens, closes in _begun_on(calendar, day):
        if done is None or closes > done:
            spans.append((max(opens, done or opens), closes))
            done = closes
    return tuple(spans)


@lru_cache(maxsize=8192)
def _begun_on(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The day's windows as instants; none on a holiday."""
    if day.isoformat() in calendar.holidays or day in _public_holidays(calendar.holidays, day.year):
        return ()
    zone = ZoneInfo(calendar.timezone)
    spans = (
        (_local(zone, day, window.opens), _local(zone, day, window.closes))
        for window in calendar.windows
        if window.day == day.weekday()
    )
    return tuple(sorted((opens, closes) for opens, closes in spans if closes > opens))


@lru_cache(maxsize=256)
def _public_holidays(codes: tuple[str, ...], year: int) -> frozenset[date]:
    found: set[date] = set()
    for code in codes:
        if code[:1].isalpha():
            country, _, region = code.partition("-")
            found.update(holidays.country_holidays(country, subdiv=region or None, years=year))
    return frozenset(found)


def _local(zone: ZoneInfo, day: date, seconds: int) -> datetime:
    """A wall-clock time as UTC: in a DST gap moved forward, in an overlap the first."""
    wall = datetime.combine(day, time()) + timedelta(seconds=seconds)
    return wall.replace(tzinfo=zone).astimezone(UTC)
