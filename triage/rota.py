"""Who is on call: people who take turns week by week, and exceptions (SLA.md, rule 11).

A rota is part of desk.yaml; exceptions stand there too, or were agreed in chat (`oncall swap`). Called by
`triage.escalation`, `triage.pings` and for the verb `oncall`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

WEEK = timedelta(days=7)


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
