"""The words that stand in desk.yaml, as values: durations, instants, windows, zones, holidays, languages.

Each type is a pydantic annotation: it turns text into a value, refuses with a sentence that says what
is allowed, and knows its JSON Schema. Used by the entries of `bot.deskfile_schema`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache
from itertools import pairwise
from typing import Annotated
from zoneinfo import available_timezones

import holidays
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from bot.yamlfile import did_you_mean
from triage.calendars import DAY, DatedWindow, Window
from triage.model import Language

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = f"{DAYS[0]}-{DAYS[-1]}"
WEEK = 7 * DAY
MAX_SECONDS = 3_650 * DAY
YEARS = range(1971, 2201)
"""Time zones and holidays mean something in these."""

_ID = r"[^\s:/@,]+"
_EMAIL = r"[^@\s]+@[^@\s]+"
_DURATION = r"(?:[0-9]{1,6}d)?(?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,6}s)?"
_TIME = "([0-9]{1,2}):([0-5][0-9])"
_UNITS = {"d": DAY, "h": 3_600, "m": 60, "s": 1}
_DAY = f"(?:{'|'.join(DAYS)})"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SPAN = r"([0-9]{1,2}):([0-5][0-9])-([0-9]{1,2}):([0-5][0-9])"
LANGUAGES = {
    "en": Language.EN,
    "ko": Language.KO,
    "zh-hant": Language.ZH_HANT,
    "zh-tw": Language.ZH_HANT,
    "zh-hk": Language.ZH_HANT,
}
"""By the names that people give them, in lower case."""


def _id(text: str) -> str:
    if not re.fullmatch(_ID, text):
        raise ValueError(f"'{text}' cannot be a key: no spaces and none of : / @ ,")
    return text


def _email(text: str) -> str:
    if not re.fullmatch(_EMAIL, text):
        raise ValueError(f"'{text}' is not an e-mail address: write it like lee@example.com")
    return text


def duration(text: str) -> int:
    """Seconds of `1d2h30m15s` (d = 24 h); raises ValueError unless it is more than 0."""
    if not text or not re.fullmatch(_DURATION, text):
        raise ValueError(f"'{text}' is not a duration: write it like 30m, 4h or 1d2h30m15s (d = 24 h)")
    seconds = sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"([0-9]+)([dhms])", text))
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"'{text}' is out of range: a duration is more than 0 and at most 3650d")
    return seconds


def text_duration(value: object) -> int:
    """The same of whatever stands there."""
    if not isinstance(value, str):
        raise ValueError("must be a duration such as 30m, 4h or 1d2h30m15s (d = 24 h)")
    return duration(value)


def _stage(text: str) -> str:
    if re.fullmatch("[1-9][0-9]?%", text):
        return text
    if not text.startswith("-"):
        raise ValueError(
            f"'{text}' is not a warning stage: write a share of the target (50%) or a time before due (-30m)"
        )
    duration(text[1:])
    return text


def distinct(stages: list[str]) -> list[str]:
    """The same list; raises ValueError when something is in it twice."""
    twice = sorted({stage for stage in stages if stages.count(stage) > 1})
    if twice:
        raise ValueError(f"'{twice[0]}' is listed twice; keep one")
    return stages


def _zone(name: str) -> str:
    zones = _zones()
    if name in zones:
        return name
    raise ValueError(f"'{name}' is not an IANA time zone: {_nearest_zone(name)}")


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _nearest_zone(name: str) -> str:
    hint = did_you_mean(name, sorted(_zones()))
    return hint if hint.startswith("did you mean") else "write it like Europe/London or Asia/Seoul"


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[str]]:
    return dict(holidays.list_supported_countries(include_aliases=True))


def _holiday(text: str) -> str:
    if re.fullmatch(_DATE, text):
        return _date(text)
    country, dash, region = text.partition("-")
    if not re.fullmatch("[A-Z]{2,3}", country):
        raise ValueError(f"'{text}' is not a holiday: write a date (2026-12-25) or a country code with region (GB-ENG)")
    if country not in _countries():
        raise ValueError(f"no public holidays are known for the country '{country}': write the days off as dates")
    if dash and region not in _countries()[country]:
        raise ValueError(f"'{region}' is not a region of {country}: {did_you_mean(region, _countries()[country])}")
    return text


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"'{text}' is not a day of the calendar: write dates as year-month-day") from None


def _days(text: str) -> str:
    if re.fullmatch(_DATE, text):
        return _date(text)
    if not re.fullmatch(f"{_DAY}(-{_DAY})?", text):
        raise ValueError(
            f"'{text}' is not a day: write {', '.join(DAYS)}, a range such as mon-fri, or a date (2026-12-24)"
        )
    return text


def _day(text: str) -> date:
    if not re.fullmatch(_DATE, text):
        raise ValueError(f"'{text}' is not a day: write it like 2026-01-05")
    found = date.fromisoformat(_date(text))
    _refuse_year(text, found.year)
    return found


def _time_of_day(text: str) -> time:
    found = re.fullmatch(_TIME, text)
    if not found or int(found[1]) > 23:
        raise ValueError(f"'{text}' is not a time of day: write it like 09:00")
    return time(int(found[1]), int(found[2]))


def _instant(text: str) -> datetime:
    """With an offset or without; raises ValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"'{text}' is not an instant: write it like 2026-03-06T16:30, or with an offset 2026-03-06T16:30+01:00"
        ) from None
    if found.microsecond:
        raise ValueError(f"'{text}' has a part of a second; instants are whole seconds")
    _refuse_year(text, found.year)
    return found


def _refuse_year(text: str, year: int) -> None:
    if year not in YEARS:
        raise ValueError(f"'{text}' is out of range: years go from {YEARS[0]} to {YEARS[-1]}")


def _of_text(read: Callable[[str], object]) -> BeforeValidator:
    """Reads text; whatever else stands there is left to pydantic to refuse."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _span(value: object) -> tuple[int, int]:
    """Seconds after midnight at which a window opens and closes; the latter past 24 h when overnight."""
    found = re.fullmatch(_SPAN, value) if isinstance(value, str) else None
    if not found:
        raise ValueError(
            f"'{value}' is not a window: write it like 09:00-17:00 (overnight 22:00-06:00, to midnight 24:00)"
        )
    hour, minute, to_hour, to_minute = map(int, found.groups())
    opens, closes = hour * 3_600 + minute * 60, to_hour * 3_600 + to_minute * 60
    if opens >= DAY or closes > DAY:
        raise ValueError(f"'{value}' is past midnight: hours go from 00:00 to 24:00, overnight is written 22:00-06:00")
    if opens == closes:
        raise ValueError(f"'{value}' is empty: a window closes after it opens; around the clock is 00:00-24:00")
    return opens, closes if closes > opens else closes + DAY


def _language(value: object) -> object:
    return LANGUAGES.get(value.lower(), value) if isinstance(value, str) else value


def windows(hours: dict[str, list[tuple[int, int]]]) -> tuple[Window, ...]:
    """All windows of a week, by day and opening."""
    found = [
        Window(day=day, opens=opens, closes=closes)
        for days, spans in hours.items()
        if not _is_date(days)
        for day in _range(days)
        for opens, closes in spans
    ]
    return tuple(sorted(found, key=lambda window: (window.day, window.opens, window.closes)))


def dated(hours: dict[str, list[tuple[int, int]]]) -> tuple[DatedWindow, ...]:
    """The windows of dates that have hours of their own, in order."""
    found = [
        DatedWindow(on=date.fromisoformat(days), opens=opens, closes=closes)
        for days, spans in hours.items()
        if _is_date(days)
        for opens, closes in spans
    ]
    return tuple(sorted(found, key=lambda window: (window.on, window.opens, window.closes)))


def _is_date(days: str) -> bool:
    return days[:1].isdigit()


def _range(days: str) -> list[int]:
    first, _, last = days.partition("-")
    start = DAYS.index(first)
    length = (DAYS.index(last or first) - start) % 7
    return [(start + step) % 7 for step in range(length + 1)]


def every_day(written: list[object]) -> dict[str, list[object]]:
    """The same windows for each day of the week; raises ValueError when they make no sense."""
    if not written:
        raise ValueError("needs at least one entry")
    _no_overlap({EVERY_DAY: [_span(window) for window in written]})
    return {EVERY_DAY: written}


_Placed = tuple[int, int, str]
"""When a window opens and closes, in seconds from anywhere, and the day it belongs to."""


def _no_overlap(hours: dict[str, list[tuple[int, int]]]) -> dict[str, list[tuple[int, int]]]:
    week = [_placed(window, window.day, DAYS[window.day]) for window in windows(hours)]
    if not week:
        raise ValueError('no hours: write at least one line such as mon-fri: ["09:00-17:00"]')
    opens, closes, day = week[0]
    _refuse_overlap([*week, (opens + WEEK, closes + WEEK, day)])
    for window in dated(hours):
        _refuse_overlap(_around(window.on, hours))
    return hours


def _around(on: date, hours: dict[str, list[tuple[int, int]]]) -> list[_Placed]:
    """The windows of a date, the day before and the day after, in order."""
    found: list[_Placed] = []
    for day in (date.fromordinal(on.toordinal() + step) for step in (-1, 0, 1)):
        own = [window for window in dated(hours) if window.on == day]
        usual = [window for window in windows(hours) if window.day == day.weekday()]
        found += [_placed(window, day.toordinal(), day.isoformat()) for window in own or usual]
    return found


def _placed(window: Window | DatedWindow, day: int, name: str) -> _Placed:
    return window.opens + day * DAY, window.closes + day * DAY, name


def _refuse_overlap(placed: list[_Placed]) -> None:
    for one, other in pairwise(placed):
        if other[0] < one[1]:
            raise ValueError(f"{_named(one)} and {_named(other)} overlap; make it one window or move one")


def _named(placed: _Placed) -> str:
    opens, closes, day = placed
    return f"{day} {_clock(opens % DAY)}-{_clock(closes % DAY or DAY)}"


def _clock(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours:02}:{minutes:02}"


Id = Annotated[str, AfterValidator(_id), WithJsonSchema({"type": "string", "pattern": f"^{_ID}$"})]
Email = Annotated[str, AfterValidator(_email), WithJsonSchema({"type": "string", "pattern": f"^{_EMAIL}$"})]
Text = Annotated[str, StringConstraints(min_length=1)]
Duration = Annotated[
    int,
    BeforeValidator(text_duration),
    WithJsonSchema({"type": "string", "pattern": f"^(?=.){_DURATION}$", "examples": ["30m", "4h", "1d2h30m15s"]}),
]
Zone = Annotated[str, AfterValidator(_zone), WithJsonSchema({"type": "string", "examples": ["Europe/London"]})]
Day = Annotated[date, _of_text(_day), WithJsonSchema({"type": "string", "pattern": f"^{_DATE}$"})]
TimeOfDay = Annotated[time, _of_text(_time_of_day), WithJsonSchema({"type": "string", "pattern": f"^{_TIME}$"})]
Instant = Annotated[
    datetime,
    _of_text(_instant),
    WithJsonSchema({"type": "string", "pattern": f"^{_DATE}[T ]", "examples": ["2026-12-24T09:00"]}),
]
Days = Annotated[str, AfterValidator(_days)]
Span = Annotated[
    tuple[int, int],
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": f"^{_SPAN}$", "examples": ["09:00-17:00", "22:00-06:00"]}),
]
Spans = Annotated[list[Span], Field(min_length=1)]
Hours = Annotated[
    dict[Days, Spans],
    AfterValidator(_no_overlap),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "patternProperties": {
                f"^({_DAY}(-{_DAY})?|{_DATE})$": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "string", "pattern": f"^{_SPAN}$"},
                }
            },
        }
    ),
]
Holiday = Annotated[str, AfterValidator(_holiday)]
Stage = Annotated[
    str,
    AfterValidator(_stage),
    WithJsonSchema({"type": "string", "pattern": f"^([1-9][0-9]?%|-(?=.){_DURATION})$", "examples": ["50%", "-30m"]}),
]
Tongue = Annotated[Language, BeforeValidator(_language), WithJsonSchema({"enum": ["en", "ko", "zh-Hant"]})]
