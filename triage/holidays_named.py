"""Which holidays closed a team, and what they are called in the reader's language.

`triage.calendars` only needs to know that nobody is in; a person who asks why the clock stood still
wants to read "Christmas Day". Called by `triage.clockstory`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from holidays import HolidayBase, country_holidays

from triage.calendars import HORIZON, Calendar
from triage.model import Language

_LONGEST = timedelta(days=366 * HORIZON)
_ENGLISH = "en_US"
_OFFERED: Mapping[Language, tuple[str, ...]] = {
    Language.EN: (),
    Language.KO: ("ko",),
    Language.ZH_HANT: ("zh_TW", "zh_HK"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A local day of the calendar; `name` is None for the company's own dates."""

    on: date
    name: str | None


def holidays_between(calendar: Calendar, begins: datetime, ends: datetime, language: Language) -> tuple[Holiday, ...]:
    """The holidays that took working hours out of the time between two instants, in order.

    Named in the reader's language where `holidays` offers it for the country, else in English or as the
    country itself writes them. Looks no further than ten years. Raises nothing for a calendar that can be walked.
    """
    ends = min(ends, begins + _LONGEST)
    zone = ZoneInfo(calendar.timezone)
    years = range((begins.astimezone(zone) - timedelta(days=1)).year, ends.astimezone(zone).year + 1)
    return tuple(
        Holiday(on=on, name=name)
        for year in years
        for on, name in _named(calendar.holidays, year, language).items()
        if any(max(opens, begins) < min(closes, ends) for opens, closes in _lost(calendar, on, zone))
    )


def _lost(calendar: Calendar, on: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The hours that the team would have worked on a holiday; none where the day has hours of its own."""
    if any(window.on == on for window in calendar.dated):
        return
    midnight = datetime.combine(on, time(), zone)
    for window in calendar.windows:
        if window.day == on.weekday():
            opens, closes = (midnight + timedelta(seconds=seconds) for seconds in (window.opens, window.closes))
            yield opens.astimezone(UTC), closes.astimezone(UTC)


@lru_cache(maxsize=512)
def _named(written: tuple[str, ...], year: int, language: Language) -> Mapping[date, str | None]:
    """A year's holidays in order of time; the first country that has a day names it."""
    found: dict[date, str | None] = {}
    for holiday in written:
        if holiday[:1].isdigit():
            found.setdefault(date.fromisoformat(holiday))
            continue
        for on, name in _public(holiday, year, language).items():
            found[on] = found.get(on) or name.replace("; ", ", ")
    return MappingProxyType({on: found[on] for on in sorted(found) if on.year == year})


def _public(code: str, year: int, language: Language) -> HolidayBase:
    country, _, region = code.partition("-")
    offers = country_holidays(country)
    own = offers.default_language or _ENGLISH
    wanted = (*_OFFERED[language], *([own] if own.startswith("en") else []), _ENGLISH, own)
    tongue = next((tongue for tongue in wanted if tongue in offers.supported_languages), None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of years so far ahead that moving feasts are not fixed yet
        return country_holidays(country, subdiv=region or None, years=year, language=tongue)
