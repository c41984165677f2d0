"""Laws of a rota that hold whoever takes turns, wherever, and whatever was agreed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.rota import WEEK, CannotSwap, Override, Rota, on_call, shift_at, shifts, swapped

TICK = timedelta(microseconds=1)
ZONES = ("Europe/London", "America/New_York", "Asia/Seoul", "Australia/Lord_Howe", "America/Santiago")
NAMES = ("kim", "lee", "ann", "bo")
NOW = datetime(2026, 3, 20, tzinfo=UTC)
"""The clocks of every zone but Seoul's change in the weeks around it."""

INSTANTS = st.integers(-60 * 24 * 60, 60 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
TURNS = st.builds(
    Rota,
    people=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5).map(tuple),
    start=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    timezone=st.sampled_from(ZONES),
)
OVERRIDES = st.builds(Override, since=INSTANTS, until=INSTANTS, person=st.sampled_from((*NAMES, "sam")))
SWAPS = st.lists(OVERRIDES, max_size=5).map(tuple)


@settings(deadline=None)
@given(TURNS, SWAPS, INSTANTS)
def test_exactly_one_person_at_any_instant(rota: Rota, swaps: tuple[Override, ...], at: datetime) -> None:
    """Somebody is on call, and the shift that covers the instant is theirs."""
    shift = shift_at(rota, at, swaps)
    assert shift is not None
    assert shift.since <= at < shift.until
    assert shift.person == on_call(rota, at, swaps)


@settings(deadline=None)
@given(TURNS, SWAPS, INSTANTS, st.integers(1, 90))
def test_shifts_fill_the_time_without_gap_or_overlap(
    rota: Rota, swaps: tuple[Override, ...], since: datetime, days: int
) -> None:
    """Each begins where the one before ends, with somebody else."""
    until = since + timedelta(days=days)
    found = shifts(rota, since, until, swaps)
    assert (found[0].since, found[-1].until) == (since, until)
    for one, other in pairwise(found):
        assert one.until == other.since
        assert one.person != other.person


@settings(deadline=None)
@given(TURNS, SWAPS, INSTANTS, INSTANTS)
def test_shifts_agree_with_the_single_one(
    rota: Rota, swaps: tuple[Override, ...], since: datetime, at: datetime
) -> None:
    """However they are asked for, they are the same."""
    until = at + WEEK
    for shift in shifts(rota, since, until, swaps):
        whole = shift_at(rota, shift.since, swaps)
        assert whole is not None
        assert shift.person == whole.person
        assert (shift.since, shift.until) == (max(whole.since, since), min(whole.until, until))


@settings(deadline=None)
@given(TURNS, INSTANTS)
def test_handover_is_on_its_weekday_and_hour_on_the_wall(rota: Rota, at: datetime) -> None:
    """Whatever the clocks do; an hour that is skipped is the one after."""
    pair = Rota(people=("kim", "lee"), start=rota.start, at=rota.at, timezone=rota.timezone)
    shift = shift_at(pair, at)
    assert shift is not None
    zone = ZoneInfo(rota.timezone)
    for handover in (shift.since, shift.until):
        local = handover.astimezone(zone)
        asked = datetime.combine(local.date(), rota.at, zone)
        assert local.weekday() == rota.start.weekday()
        assert local == asked.astimezone(UTC).astimezone(zone)


@settings(deadline=None)
@given(INSTANTS, st.sampled_from(ZONES), st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
def test_turns_are_fair(at: datetime, zone: str, people: list[str]) -> None:
    """In as many weeks as there are people everyone serves once."""
    rota = Rota(people=tuple(people), at=time(9), timezone=zone)
    assert sorted(on_call(rota, at + week * WEEK) or "" for week in range(len(people))) == sorted(people)


@settings(deadline=None)
@given(TURNS, INSTANTS, st.lists(st.tuples(st.integers(0, 20 * 24 * 60), st.sampled_from(NAMES)), max_size=4))
def test_swaps_keep_how_often_everyone_serves(rota: Rota, at: datetime, asked: list[tuple[int, str]]) -> None:
    """Counted by who has each week at its end, a row of swaps changes only the order."""
    swaps: tuple[Override, ...] = ()
    last = at
    for minutes, person in asked:
        last += timedelta(minutes=minutes)
        try:
            swaps += swapped(rota, last, person, swaps)
        except CannotSwap:
            continue
    assert weeks(rota, at, swaps) == weeks(rota, at, ())


def weeks(rota: Rota, at: datetime, swaps: tuple[Override, ...]) -> Counter[str | None]:
    """How many of the weeks of the next half year each has on call at its end."""
    turn = Rota(people=tuple(str(number) for number in range(30)), start=rota.start, at=rota.at, timezone=rota.timezone)
    return Counter(on_call(rota, week.until - TICK, swaps) for week in shifts(turn, at, at + 26 * WEEK)[:-1])
