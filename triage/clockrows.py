"""A clock's pieces as the rows of its time line: days that look alike become one row.

Called by `triage.clockstory`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from triage.clockpieces import RUNNING, Kind, Piece

_ALIKE = 2
"""Days from which one row stands for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One piece, or with `days` the working hours of several days. The instants `shut` begin and end the
    time in which holidays belong to this row."""

    begins: datetime
    ends: datetime
    last_begins: datetime
    kind: Kind
    seconds: int
    shut_from: datetime
    shut_until: datetime
    days: bool = False


def rows(pieces: Sequence[Piece], marks: Sequence[datetime], *, zone: str) -> tuple[Row, ...]:
    """`marks` are the instants at which something is said between two rows, so that none spans them."""
    found: list[Row] = []
    index = 0
    while index < len(pieces):
        end = _end_of_run(pieces, index, marks)
        found += _run(pieces[index:end], ZoneInfo(zone))
        index = end
    return tuple(found)


def _end_of_run(pieces: Sequence[Piece], first: int, marks: Sequence[datetime]) -> int:
    """After the last piece that goes on as the first began, with nothing but closed hours between."""
    last = first
    while pieces[first].kind in RUNNING and last + 2 < len(pieces):
        closed, following = pieces[last + 1], pieces[last + 2]
        marked = any(closed.begins < mark <= closed.ends for mark in marks)
        if closed.kind is not Kind.CLOSED or following.kind is not pieces[first].kind or marked:
            break
        last += 2
    return last + 1


def _run(run: Sequence[Piece], zone: ZoneInfo) -> Iterator[Row]:
    """A run begins and ends with a piece that runs; every second one is closed."""
    days: dict[date, list[int]] = {}
    for index in range(0, len(run), 2):
        days.setdefault(run[index].begins.astimezone(zone).date(), []).append(index)
    alike = _alike([[run[index] for index in indices] for indices in days.values()], zone)
    if len(alike) < _ALIKE:
        yield from map(_single, run)
        return
    indices = list(days.values())
    first, last = indices[alike[0]][0], indices[alike[-1]][-1]
    yield from map(_single, run[: max(first - 1, 0)])
    shut = run[max(first - 1, 0) : last + 2]
    yield Row(
        begins=run[first].begins,
        ends=run[last].ends,
        last_begins=run[last].begins,
        kind=run[first].kind,
        seconds=sum(piece.seconds for piece in run[first : last + 1]),
        shut_from=shut[0].begins,
        shut_until=shut[-1].ends,
        days=True,
    )
    yield from map(_single, run[last + 2 :])


def _alike(days: Sequence[Sequence[Piece]], zone: ZoneInfo) -> range:
    """The days that went by whole: the first and the last are among them if their hours are their neighbour's."""
    hours = [[(_clock(p.begins, zone), _clock(p.ends, zone)) for p in day] for day in days]
    first = 0 if hours[:1] == hours[1:2] else 1
    last = len(hours) if hours[-1:] == hours[-2:-1] else len(hours) - 1
    return range(first, last)


def _clock(at: datetime, zone: ZoneInfo) -> time:
    return at.astimezone(zone).time()


def _single(piece: Piece) -> Row:
    return Row(
        begins=piece.begins,
        ends=piece.ends,
        last_begins=piece.begins,
        kind=piece.kind,
        seconds=piece.seconds,
        shut_from=piece.begins,
        shut_until=piece.ends,
    )
