"""Who is on call: people who take turns week by week, and exceptions (SLA.md, rule 11).

A rota is part of desk.yaml; exceptions stand there too, or were agreed in chat (`oncall swap`). Called by
`triage.escalation`, `triage.pings` and for the verb `oncall`.

The turns have no beginning: before `start` the rota runs backwards, so that there is always somebody.
Exceptions are looked through from the last one made, those of chat before those of desk.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)
YEAR = 52 * WEEK
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """`person` is on call from `since` up to `until`, whoever's week it is; of two the later made counts."""

    since: datetime
    until: datetime
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """`people` take turns; `start` is the local day on which the first of them began.

    They hand over weekly on that weekday, at `at` in `timezone`, whatever the clocks do.
    """

    people: tuple[str, ...] = ()
    start: date = date(2026, 1, 5)
    at: time = time(9)
    timezone: str = "UTC"
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One stretch in which the same person is on call."""

    person: str
    since: datetime
    until: datetime


class Refusal(StrEnum):
    """Why two shifts are not swapped."""

    NOT_IN_ROTA = "not_in_rota"
    ON_CALL_ALREADY = "on_call_already"
    NO_NEXT_SHIFT = "no_next_shift"


class CannotSwap(ValueError):
    """The rota has no such swap; `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


def on_call(rota: Rota, at: datetime, swaps: tuple[Override, ...] = ()) -> str | None:
    """Who is on call at an instant; None when nobody takes turns and no exception covers it."""
    for exception in reversed((*rota.overrides, *swaps)):
        if exception.since <= at < exception.until:
            return exception.person
    return rota.people[_week(rota, at) % len(rota.people)] if rota.people else None


def shift_at(rota: Rota, at: datetime, swaps: tuple[Override, ...] = ()) -> Shift | None:
    """The shift that covers an instant, from the handover before it to the next one.

    Where nobody hands over for long it is cut about a year before and after `at`. None as in `on_call`.
    """
    person = on_call(rota, at, swaps)
    if person is None:
        return None
    since, until = _last_cut(rota, at, swaps), _next_cut(rota, at, swaps)
    while since > at - YEAR and on_call(rota, since - _TICK, swaps) == person:
        since = _last_cut(rota, since - _TICK, swaps)
    while until < at + YEAR and on_call(rota, until, swaps) == person:
        until = _next_cut(rota, until, swaps)
    return Shift(person=person, since=since, until=until)


def shifts(rota: Rota, since: datetime, until: datetime, swaps: tuple[Override, ...] = ()) -> tuple[Shift, ...]:
    """The shifts between two instants, in order and cut at both; none follows one of the same person.

    They leave gaps only where `on_call` knows nobody.
    """
    found: list[Shift] = []
    for piece in _pieces(rota, since, until, swaps):
        if found and found[-1].person == piece.person and found[-1].until == piece.since:
            piece = Shift(person=piece.person, since=found.pop().since, until=piece.until)
        found.append(piece)
    return tuple(found)


def swapped(rota: Rota, at: datetime, person: str, swaps: tuple[Override, ...] = ()) -> tuple[Override, ...]:
    """The two exceptions, to be added to `swaps`, by which `person` changes places with who is on call at `at`.

    `person` takes the rest of the shift now running, at most until the weekly handover; who is on call now
    takes the next whole week of `person`. Raises CannotSwap.
    """
    if person not in rota.people:
        raise CannotSwap(Refusal.NOT_IN_ROTA)
    relieved, until = on_call(rota, at, swaps), _handover(rota, _week(rota, at) + 1)
    if relieved is None or relieved == person:
        raise CannotSwap(Refusal.ON_CALL_ALREADY)
    [running, *_] = shifts(rota, at, until, swaps)
    paid = _whole_week(rota, until, person, swaps)
    return (
        Override(since=running.since, until=running.until, person=person),
        Override(since=paid.since, until=paid.until, person=relieved),
    )


def _whole_week(rota: Rota, after: datetime, person: str, swaps: tuple[Override, ...]) -> Shift:
    """The first week from a handover on in which nobody else is on call: within a year and a round of turns."""
    first = _week(rota, after)
    for week in range(first, first + YEAR // WEEK + len(rota.people)):
        found = shifts(rota, _handover(rota, week), _handover(rota, week + 1), swaps)
        if len(found) == 1 and found[0].person == person:
            return found[0]
    raise CannotSwap(Refusal.NO_NEXT_SHIFT)


def _pieces(rota: Rota, since: datetime, until: datetime, swaps: tuple[Override, ...]) -> Iterator[Shift]:
    while since < until:
        cut = min(_next_cut(rota, since, swaps), until)
        person = on_call(rota, since, swaps)
        if person is not None:
            yield Shift(person=person, since=since, until=cut)
        since = cut


def _next_cut(rota: Rota, at: datetime, swaps: tuple[Override, ...]) -> datetime:
    """The first instant after `at` from which on it may be somebody else."""
    return min((_handover(rota, _week(rota, at) + 1), *(edge for edge in _edges(rota, swaps) if edge > at)))


def _last_cut(rota: Rota, at: datetime, swaps: tuple[Override, ...]) -> datetime:
    """The last such instant that is not after `at`."""
    return max((_handover(rota, _week(rota, at)), *(edge for edge in _edges(rota, swaps) if edge <= at)))


def _edges(rota: Rota, swaps: tuple[Override, ...]) -> Iterator[datetime]:
    return (edge for exception in (*rota.overrides, *swaps) for edge in (exception.since, exception.until))


def _week(rota: Rota, at: datetime) -> int:
    """How many handovers lie between that of `start`, number 0, and the last one not after `at`."""
    guess = (at.astimezone(ZoneInfo(rota.timezone)).date() - rota.start) // WEEK
    return next(week for week in (guess + 1, guess, guess - 1) if _handover(rota, week) <= at)


def _handover(rota: Rota, week: int) -> datetime:
    """In UTC; read on the wall: in a DST gap moved forward, in an overlap the first."""
    return datetime.combine(rota.start + week * WEEK, rota.at, ZoneInfo(rota.timezone)).astimezone(UTC)
