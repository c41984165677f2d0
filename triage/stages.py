"""When a clock's pings are due: warnings, `due`, and reminders of a broken promise (DESIGN.md, section 7).

A stage is reached when only so much policy time is left. It rings at that instant; if the clock did not
run then, or was not promised yet, as soon as it does. Called by `triage.timeline` and `triage.sla`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from triage.calendars import Unreachable, elapsed, walk, walk_back
from triage.clocks import Clock, Stretch, stretches, used

DUE = "due"
"""The stage that rings when the promise is broken."""

OVERDUE = "overdue"
"""The stage that rings again and again after that."""

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """`stage` is the warn string verbatim, `due`, or `overdue` for the `n`-th time."""

    at: datetime
    stage: str
    revision: int
    n: int = 0

    @property
    def id(self) -> str:
        """Names it among all rings of its clock. A broken promise stays broken, whatever its revision."""
        return f"{OVERDUE}:{self.n}" if self.n else f"{self.revision}:{self.stage}"


def rings(clock: Clock, warn: Sequence[str], overdue: int | None = None, *, after: int = 0) -> Iterator[Ring]:
    """All rings in order, each stage once a revision; without end when `overdue` (seconds) asks for reminders.

    Where something happens to the clock at the very instant of a stage, that comes first; once `due` has
    rung only reminders follow. The first `after` of these are left out.
    """
    revision = 0
    stages: Sequence[_Stage] = ()
    broken_at: int | None = None
    for part in stretches(clock):
        if part.revision != revision:
            stages, revision = _stages(tuple(warn), part.measure.seconds), part.revision
        if broken_at is None and _falls_short(part, stages[0]):
            continue
        if part.running and not part.hindsight:
            if broken_at is None:
                for ring in _in_stretch(part, clock.known_at, stages):
                    yield ring
                    stages = [each for each in stages if each.name != ring.stage]
                    broken_at = used(clock, ring.at) if ring.stage == DUE else None
            if broken_at is not None and overdue:
                yield from _reminders(part, part.before - broken_at, overdue, after)
        if broken_at is not None and not overdue:
            return


class _Stage(NamedTuple):
    """Reached when `left` seconds of policy time are left."""

    left: int
    name: str


@lru_cache(maxsize=512)
def _stages(warn: tuple[str, ...], target: int) -> Sequence[_Stage]:
    """In the order in which they are reached; a warning ahead of the start is none."""
    warnings = (_Stage(seconds_before(stage, target), stage) for stage in warn)
    ahead = sorted((stage for stage in warnings if stage.left < target), key=lambda stage: -stage.left)
    return (*ahead, _Stage(0, DUE))


def _falls_short(part: Stretch, stage: _Stage) -> bool:
    """Whether the stretch ends before the stage is reached: most do, and need no walk to know."""
    return part.ends is not None and part.measure.seconds - part.before - part.spent > stage.left


def _in_stretch(part: Stretch, known_at: datetime, stages: Sequence[_Stage]) -> Iterator[Ring]:
    """`stages` are those that have not rung."""
    begins = max(part.begins, known_at)
    if part.ends is not None and begins >= part.ends:
        return
    calendar, target = part.measure.calendar, part.measure.seconds
    left = target - part.before - elapsed(calendar, part.begins, begins)
    if left <= 0:
        yield Ring(at=begins, stage=DUE, revision=part.revision)
        return
    try:
        due = walk(calendar, begins, left)
    except Unreachable:
        return
    for stage in stages:
        at = begins if stage.left >= left else walk_back(calendar, due, stage.left)
        if part.ends is None or at < part.ends:
            yield Ring(at=at, stage=stage.name, revision=part.revision)


def _reminders(part: Stretch, over: int, every: int, after: int) -> Iterator[Ring]:
    """`over` is the policy time since the promise was broken as the stretch begins; below 0 before that."""
    for n in count(max(after, over // every, 0) + 1):
        try:
            at = walk(part.measure.calendar, part.begins, n * every - over)
        except Unreachable:
            return
        if part.ends is not None and at >= part.ends:
            return
        yield Ring(at=at, stage=OVERDUE, revision=part.revision, n=n)


def seconds_before(warn: str, target: int) -> int:
    """A warn stage as seconds of policy time before due: `50%` of the target gone, or `-1h30m`."""
    if warn.endswith("%"):
        return round(target * (100 - float(warn[:-1])) / 100)
    return seconds_of(warn.removeprefix("-"))


def seconds_of(duration: str) -> int:
    """`1d2h30m15s` in seconds; a day is 24 hours. Raises ValueError for anything else, and for nothing."""
    found = _DURATION.fullmatch(duration)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    total = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not total:
        raise ValueError(f"{duration!r} is not a duration such as 1d2h30m15s")
    return int(total.total_seconds())
