"""Which days a team was off, and what they are called."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.builders import LONDON
from tests.unit.sla_stories import HOUR
from triage.calendars import Calendar, DatedWindow, Window, elapsed
from triage.holidays_named import Holiday, holidays_between
from triage.model import Language


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def london(*holidays: str, **more: tuple[DatedWindow, ...]) -> Calendar:
    return Calendar(timezone="Europe/London", windows=LONDON.windows, holidays=holidays, **more)


def named(calendar: Calendar, begins: str, ends: str, language: Language = Language.EN) -> list[tuple[str, str | None]]:
    found = holidays_between(calendar, day(begins), day(ends), language)
    return [(holiday.on.isoformat(), holiday.name) for holiday in found]


def test_christmas_in_england_is_named() -> None:
    """Boxing Day 2026 is a Saturday: the team loses the Monday instead, and no working hours on the day itself."""
    assert named(london("GB-ENG"), "2026-12-24T17:00", "2026-12-29T09:00") == [
        ("2026-12-25", "Christmas Day"),
        ("2026-12-28", "Boxing Day (observed)"),
    ]


def test_own_dates_have_no_name() -> None:
    """desk.yaml gives a date and nothing more; where a country knows the day, it is named."""
    calendar = london("2026-12-25", "2026-12-29", "GB-ENG")
    assert named(calendar, "2026-12-25T00:00", "2026-12-30T00:00") == [
        ("2026-12-25", "Christmas Day"),
        ("2026-12-28", "Boxing Day (observed)"),
        ("2026-12-29", None),
    ]


def test_england_has_a_holiday_that_plain_gb_lacks() -> None:
    """Easter Monday belongs to the region."""
    assert named(london("GB-ENG"), "2026-04-04T00:00", "2026-04-07T00:00") == [("2026-04-06", "Easter Monday")]
    assert named(london("GB"), "2026-04-04T00:00", "2026-04-07T00:00") == []


def test_only_hours_that_were_lost_count() -> None:
    """From closing time on nobody would have been in anyway; half-open at both ends."""
    calendar = london("2026-12-25")
    assert named(calendar, "2026-12-25T17:00", "2026-12-28T09:00") == []
    assert named(calendar, "2026-12-24T17:00", "2026-12-25T09:00") == []
    assert named(calendar, "2026-12-25T16:59", "2026-12-25T17:00") == [("2026-12-25", None)]


def test_a_half_day_is_no_holiday() -> None:
    """Christmas Eve with hours of its own is worked, also where the country has it off."""
    morning = DatedWindow(on=date(2026, 12, 25), opens=9 * HOUR, closes=12 * HOUR)
    assert named(london("GB-ENG", dated=(morning,)), "2026-12-25T00:00", "2026-12-26T00:00") == []


def test_a_holiday_takes_the_night_that_begins_on_it() -> None:
    """An overnight team loses Friday 22:00 to Saturday 06:00, and still has the night before."""
    nights = Calendar(
        timezone="Europe/London",
        windows=tuple(Window(day=weekday, opens=22 * HOUR, closes=30 * HOUR) for weekday in range(5)),
        holidays=("2026-12-25",),
    )
    assert named(nights, "2026-12-25T00:00", "2026-12-25T22:00") == []
    assert named(nights, "2026-12-26T01:00", "2026-12-26T05:00") == [("2026-12-25", None)]
    assert elapsed(nights, day("2026-12-26T01:00"), day("2026-12-26T05:00")) == 0


def test_days_are_those_of_the_team() -> None:
    """Republic Day in Kolkata begins on the evening before in UTC."""
    kolkata = Calendar(
        timezone="Asia/Kolkata",
        windows=tuple(Window(day=weekday, opens=0, closes=24 * HOUR) for weekday in range(7)),
        holidays=("IN",),
    )
    assert named(kolkata, "2026-01-25T18:30", "2026-01-25T19:00") == [("2026-01-26", "Republic Day")]
    assert named(kolkata, "2026-01-26T18:30", "2026-01-26T19:00") == []


@pytest.mark.parametrize(
    ("country", "on", "language", "name"),
    [
        ("KR", "2026-05-25", Language.KO, "부처님오신날 대체 휴일"),
        ("KR", "2026-05-25", Language.EN, "Alternative holiday for Buddha's Birthday"),
        ("KR", "2026-05-25", Language.ZH_HANT, "Alternative holiday for Buddha's Birthday"),
        ("TW", "2026-10-09", Language.ZH_HANT, "國慶日（補假）"),
        ("HK", "2026-10-01", Language.ZH_HANT, "國慶日"),
        ("TW", "2026-10-09", Language.KO, "National Day (observed)"),
        ("GB-ENG", "2026-05-04", Language.KO, "May Day"),
    ],
)
def test_a_holiday_is_named_in_the_readers_language_or_in_english(
    country: str, on: str, language: Language, name: str
) -> None:
    """The library has Korean names for Korea and Chinese ones for Taiwan and Hong Kong."""
    assert named(london(country), f"{on}T00:00", f"{on}T23:00", language) == [(on, name)]


def test_it_looks_no_further_than_ten_years() -> None:
    """A clock that is due in the year 3000 has no thousand Christmases to tell of."""
    calendar = london("GB-ENG")
    found = holidays_between(calendar, day("2026-01-01T00:00"), day("3000-01-01T00:00"), Language.EN)
    assert found[-1] == Holiday(on=date(2036, 1, 1), name="New Year's Day")


def test_time_that_does_not_pass_has_no_holidays() -> None:
    """Nor does time that runs backwards."""
    assert named(london("GB-ENG"), "2026-12-25T12:00", "2026-12-25T12:00") == []
    assert named(london("GB-ENG"), "2026-12-29T12:00", "2026-12-24T12:00") == []
