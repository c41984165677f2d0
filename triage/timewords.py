"""Spans, days and instants in the few words a time line has room for, in the reader's language and zone.

A sentence that stands alone says its instants with `triage.phrases.moment`; here many stand together.
Called by `triage.clockstory` and `triage.clockstate`.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from triage.calendars import ALWAYS, DAY, Calendar
from triage.model import Language
from triage.phrases import say

_SHORT = 600
"""Seconds below which the seconds are said as well."""


def duration(seconds: int, language: Language, *, days: bool = False) -> str:
    """`2 h 30 min`; `days` says `3 d 4 h` from two days on: only around the clock is a day 24 hours."""
    count = seconds if seconds < _SHORT else _minutes(seconds) * 60
    sizes = [("day", DAY)] if days and count >= 2 * DAY else []
    parts = []
    for unit, size in (*sizes, ("hour", 3_600), ("minute", 60), ("second", 1)):
        whole, count = divmod(count, size)
        if whole:
            parts.append(say(f"duration.{unit}", language, {"count": whole}))
    return " ".join(parts) or say("duration.minute", language, {"count": 0})


def worked(seconds: int, calendar: Calendar, language: Language) -> str:
    """A duration that says how it is counted: `1 h of working time`."""
    if calendar == ALWAYS:
        return say("duration.calendar", language, {"amount": duration(seconds, language, days=True)})
    return say("duration.business", language, {"amount": duration(seconds, language)})


def evened(parts: list[int]) -> list[int]:
    """Seconds as whole minutes that still add up to the same total, where that is long enough."""
    if sum(parts) < _SHORT:
        return parts
    sums = [_minutes(sum(parts[:count])) * 60 for count in range(len(parts) + 1)]
    return [after - before for before, after in pairwise(sums)]


def day(on: date, language: Language) -> str:
    """`Fri 6 Mar`."""
    weekday, month = say(f"short.day.{on.weekday()}", language), say(f"short.month.{on.month}", language)
    return say("short.date", language, {"weekday": weekday, "day": on.day, "month": month})


def days(first: date, last: date, language: Language) -> str:
    """`Tue 10 – Thu 12 Mar`."""
    if first == last:
        return day(first, language)
    if (first.year, first.month) != (last.year, last.month):
        return say("short.span", language, {"begins": day(first, language), "ends": day(last, language)})
    return say(
        "short.dates",
        language,
        {
            "month": say(f"short.month.{first.month}", language),
            "first": first.day,
            "first_weekday": say(f"short.day.{first.weekday()}", language),
            "last": last.day,
            "last_weekday": say(f"short.day.{last.weekday()}", language),
        },
    )


def minute(at: datetime, zone: str, language: Language) -> str:
    """`Fri 6 Mar 16:30`."""
    local = at.astimezone(ZoneInfo(zone))
    return say("short.minute", language, {"day": day(local.date(), language), "time": f"{local:%H:%M}"})


def span(begins: datetime, ends: datetime, zone: str, language: Language) -> str:
    """`Fri 6 Mar 16:30 – 17:00`; the second day is said where it is another."""
    first, last = begins.astimezone(ZoneInfo(zone)), ends.astimezone(ZoneInfo(zone))
    until = f"{last:%H:%M}" if first.date() == last.date() else minute(ends, zone, language)
    return say("short.span", language, {"begins": minute(begins, zone, language), "ends": until})


def place(zone: str) -> str:
    """`America/New_York` is New York."""
    return zone.rpartition("/")[2].replace("_", " ")


def _minutes(seconds: int) -> int:
    return (seconds + 30) // 60
