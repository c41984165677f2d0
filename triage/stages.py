"""When a clock's pings are due: warnings, `due`, and reminders of a broken promise (DESIGN.md, section 7).

A stage is reached when only so much policy time is left. It rings at that instant; if the clock did not
run then, or was not promised yet, as soon as it does. Called by `triage.timeline` and `triage.sla`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

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
    fired: set[str] = set()
    spent, revision = 0, 1
    broken_at: int | None = None
    for part in stretches(clock):
        if part.revision != revision:
            fired.clear()
            revision = part.revision
        if part.running and not part.hindsight:
            if broken_at is None:
                silent = [stage for stage in warn if stage not in fired]
                for ring in _in_stretch(part, clock.known_at, spent, silent):
                    yield ring
                    fired.add(ring.stage)
                    broken_at = used(clock, ring.at) if ring.stage == DUE else None
            if broken_at is not None and overdue:
                yield from _reminders(part, spent - broken_at, overdue, after)
        if broken_at is not None and not overdue:
            return
        spent += part.used(part.ends) if part.ends else 0


def _in_stretch(part: Stretch, known_at: datetime, spent: int, warn: Sequence[str]) -> Iterator[Ring]:
    """`spent` is what the clock had used before; `warn` are the stages that have not rung."""
    begins = max(part.begins, known_at)
    if part.ends is not None and begins >= part.ends:
        return
    calendar, target = part.measure.calendar, part.measure.seconds
    left = target - spent - elapsed(calendar, part.begins, begins)
    if left <= 0:
        yield Ring(at=begins, stage=DUE, revision=part.revision)
        return
    try:
        due = walk(calendar, begins, left)
    except Unreachable:
        return
    stages = [(seconds, stage) for stage in warn if (seconds := seconds_before(stage, target)) < target]
    for seconds, stage in [*sorted(stages, key=lambda each: -each[0]), (0, DUE)]:
        at = begins if seconds >= left else walk_back(calendar, due, seconds)
        if part.ends is None or at < part.ends:
            yield Ring(at=at, stage=stage, revision=part.revision)


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
