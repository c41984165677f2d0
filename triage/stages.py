"""When a clock's pings are due: its warning stages and `due`, once a revision each (DESIGN.md, section 7).

A stage is reached when only so much policy time is left. It rings at that instant; if the clock did not
run then, or was not promised yet, as soon as it does. Called by `triage.timeline`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from triage.calendars import Unreachable, elapsed, walk, walk_back
from triage.clocks import Clock, Stretch, stretches
from triage.sla import DUE, seconds_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """`stage` is the warn string verbatim, or `due`."""

    at: datetime
    stage: str


def rings(clock: Clock, warn: Sequence[str], until: datetime) -> tuple[Ring, ...]:
    """All that rang up to `until`, in order. Where something happens to the clock at the very instant
    of a stage, that comes first; once `due` has rung there is nothing more to say."""
    found: list[Ring] = []
    fired: set[str] = set()
    spent, revision = 0, 1
    for part in stretches(clock):
        if part.revision != revision:
            fired.clear()
            revision = part.revision
        if part.running and not part.hindsight:
            silent = [stage for stage in warn if stage not in fired]
            for ring in _in_stretch(part, clock.known_at, spent, silent, until):
                found.append(ring)
                fired.add(ring.stage)
        if DUE in fired:
            break
        spent += part.used(until)
    return tuple(found)


def _in_stretch(part: Stretch, known_at: datetime, spent: int, warn: Sequence[str], until: datetime) -> Iterator[Ring]:
    """`spent` is what the clock had used before; `warn` are the stages that have not rung."""
    begins = max(part.begins, known_at)
    if begins > until or (part.ends is not None and begins >= part.ends):
        return
    calendar, target = part.measure.calendar, part.measure.seconds
    left = target - spent - elapsed(calendar, part.begins, begins)
    if left <= 0:
        yield Ring(at=begins, stage=DUE)
        return
    try:
        due = walk(calendar, begins, left)
    except Unreachable:
        return
    stages = [(seconds, stage) for stage in warn if (seconds := seconds_before(stage, target)) < target]
    for seconds, stage in [*sorted(stages, key=lambda each: -each[0]), (0, DUE)]:
        at = begins if seconds >= left else walk_back(calendar, due, seconds)
        if at <= until and (part.ends is None or at < part.ends):
            yield Ring(at=at, stage=stage)
