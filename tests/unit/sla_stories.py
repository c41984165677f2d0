"""Short ways to tell a ticket's story and to ask for its clocks: `told(HIGH, "Mon 09:00 open", ...)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.builders import LONDON
from triage import clocks
from triage.calendars import Calendar
from triage.clocks import Clock
from triage.model import Priority
from triage.policy import Metric, Targets, Terms
from triage.timeline import Do, Event, Ping, Timeline, follow, pings, seen_at

HOUR = 3_600
NEW_YORK = Calendar(timezone="America/New_York", windows=LONDON.windows)
DAYS = {"Fri-": 6, "Sat-": 7, "Mon": 9, "Tue": 10, "Wed": 11, "Thu": 12, "Fri": 13}


def at(text: str, zone: str = "Europe/London") -> datetime:
    """`Mon 09:00` of the week of 9 March 2026 (`Fri-` is the Friday before), or a date and time."""
    day, _, clock = text.partition(" ")
    iso = f"2026-03-{DAYS[day]:02}T{clock}" if day in DAYS else text
    return datetime.fromisoformat(iso).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def promise(
    *, hours: str = "business", pause_on_hold: bool = False, reopen: str = "exclude", **metrics: float
) -> Targets:
    """Targets in hours by metric: `promise(first_response=1, resolution=8)`."""
    seconds = {Metric(name): int(count * HOUR) for name, count in metrics.items()}
    return Targets(seconds=seconds, hours=hours, pause_on_hold=pause_on_hold, reopen=reopen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    timeline: Timeline
    until: datetime
    warn: tuple[str, ...]

    def clock(self, metric: str, instance: int = 1) -> Clock:
        found = [c for c in self.timeline.clocks if c.metric == metric and c.instance == instance]
        assert found, f"no {metric} #{instance}"
        return found[0]

    def due(self, metric: str, instance: int = 1) -> datetime | None:
        return clocks.due_at(self.clock(metric, instance))

    def state(self, metric: str, instance: int = 1) -> str:
        return self.clock(metric, instance).state.value

    def used(self, metric: str, instance: int = 1) -> int:
        return clocks.used(self.clock(metric, instance), self.until)

    def instances(self, metric: str) -> int:
        return sum(clock.metric == metric for clock in self.timeline.clocks)

    def spans(self, metric: str) -> list[tuple[datetime, datetime, str]]:
        found = clocks.spans(self.clock(metric), self.until)
        return [(span.begins, span.ends, span.state.value) for span in found]

    def pings(self, metric: str | None = None) -> list[tuple[datetime, str]]:
        return [(ping.at, ping.stage) for ping in self.all_pings() if metric is None or ping.metric == metric]

    def all_pings(self) -> tuple[Ping, ...]:
        return pings(self.timeline, self.warn, self.until)


def told(
    policies: Targets | Mapping[Priority, Targets],
    *lines: str,
    until: str | None = None,
    warn: Sequence[str] = (),
    calendar: Calendar = LONDON,
    to: Calendar = NEW_YORK,
) -> Told:
    """The story of one ticket, a line an event: `Mon 09:00 open`, `Mon 12:00 priority urgent`,
    `Mon 12:00 message thanks`. A transfer that says `away` goes to the calendar `to`."""
    if isinstance(policies, Targets):
        policies = {Priority.NORMAL: policies}
    terms = Terms(calendar=calendar, targets=policies)
    timeline = Timeline()
    for line in lines:
        timeline = follow(timeline, event(line, terms, to))
    end = at(until, calendar.timezone) if until else timeline.events[-1].at
    return Told(timeline=seen_at(timeline, end), until=end, warn=tuple(warn))


def event(line: str, terms: Terms, to: Calendar) -> Event:
    words = line.split()
    when = words.pop(0) if "T" in words[0] and words[0][0].isdigit() else f"{words.pop(0)} {words.pop(0)}"
    do, rest = Do(words[0]), words[1:]
    moment = at(when, terms.calendar.timezone)
    priority = Priority(rest[0]) if rest and do in (Do.OPEN, Do.PRIORITY) else None
    if do is Do.OPEN:
        return Event(at=moment, do=do, priority=priority or Priority.NORMAL, terms=terms)
    other = replace(terms, calendar=to) if rest == ["away"] else None
    return Event(at=moment, do=do, priority=priority, terms=other, thanks=rest == ["thanks"])
