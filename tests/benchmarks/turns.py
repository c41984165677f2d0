"""One more event on a ticket that has had 200: `python -m tests.benchmarks.turns`, a Markdown table on stdout.

A turn reads the ticket's clocks, follows the event (`triage.sla.followed`) and works out what to store of each
changed clock (`triage.casework.kept`); the bound is 1 ms for both together, whatever the event is. Beside it,
what recomputing the ticket from its events alone would take.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, cycle, islice
from statistics import quantiles
from time import perf_counter

from tests.benchmarks.calendars import ENGLAND, HOUR, SPLIT
from tests.benchmarks.table import machine
from triage import sla
from triage.calendars import walk
from triage.casework import kept
from triage.model import Priority
from triage.policy import Metric, Targets, Terms
from triage.timeline import Do, Event, Timeline

EVENTS = 200
REPEATS = 300
OPENED = datetime(2026, 1, 5, 9, tzinfo=UTC)
APART = 10 * HOUR
"""Working time between two events: 200 of them make a year."""


def _targets(hours: int) -> Targets:
    """All seven, of which the long ones outlast the year."""
    year = 365 * 24 * HOUR
    short = {Metric.FIRST_RESPONSE: 1, Metric.NEXT_REPLY: 4, Metric.PERIODIC_UPDATE: 24, Metric.OWNERSHIP: 100}
    long = dict.fromkeys((Metric.REQUESTER_WAIT, Metric.AGENT_WORK, Metric.RESOLUTION), year)
    return Targets(seconds={metric: hours * n * HOUR for metric, n in short.items()} | long, pause_on_hold=True)


TARGETS = {priority: _targets(hours) for hours, priority in enumerate(reversed(Priority), 1)}
IT = Terms(policy="it", calendar=ENGLAND, targets=TARGETS, warn=("50%", "-30m"), overdue=8 * HOUR)
SEOUL = Terms(policy="seoul", calendar=SPLIT, targets=TARGETS, warn=("50%", "-30m"), overdue=8 * HOUR)
PAST = (
    (Do.ASSIGN, {}),
    (Do.REPLY, {}),
    (Do.MESSAGE, {}),
    (Do.REPLY, {}),
    (Do.PENDING, {}),
    (Do.MESSAGE, {}),
    (Do.NOTE, {}),
    (Do.PRIORITY, {"priority": Priority.HIGH}),
    (Do.REPLY, {}),
    (Do.ON_HOLD, {}),
    (Do.RESUME, {}),
    (Do.TRANSFER, {"terms": SEOUL, "team": "seoul"}),
    (Do.MESSAGE, {}),
    (Do.REPLY, {}),
    (Do.PENDING, {}),
    (Do.RESUME, {}),
    (Do.PRIORITY, {"priority": Priority.NORMAL}),
    (Do.MESSAGE, {}),
    (Do.REPLY, {}),
    (Do.TRANSFER, {"terms": IT, "team": "it"}),
)  # fmt: skip
"""What happens to the ticket, over and over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One more event; `after` puts the ticket into the state that it needs."""

    name: str
    event: Event
    after: tuple[Event, ...] = ()


def past(events: int) -> tuple[Event, ...]:
    """The opening and what followed, in the working time of a year."""
    at = OPENED
    found = [Event(at=at, do=Do.OPEN, priority=Priority.NORMAL, terms=IT, team="it", channel="slack:T1:C1")]
    for do, more in islice(cycle(PAST), events - 1):
        at = walk(ENGLAND, at, APART)
        found.append(Event(at=at, do=do, **more))  # type: ignore[arg-type]
    return tuple(found)


def cases(until: datetime) -> Iterator[Case]:
    """One for each event that touches clocks, and for those that touch none."""
    at = (walk(ENGLAND, until, n * HOUR) for n in count(1))
    first, second = next(at), next(at)
    pending = (Event(at=first, do=Do.PENDING),)
    resolved = (Event(at=first, do=Do.RESOLVE),)
    for name, event in (
        ("reply", Event(at=first, do=Do.REPLY)),
        ("message", Event(at=first, do=Do.MESSAGE)),
        ("pending", Event(at=first, do=Do.PENDING)),
        ("on_hold", Event(at=first, do=Do.ON_HOLD)),
        ("priority", Event(at=first, do=Do.PRIORITY, priority=Priority.URGENT)),
        ("transfer", Event(at=first, do=Do.TRANSFER, terms=SEOUL, team="seoul")),
        ("resolve", Event(at=first, do=Do.RESOLVE)),
        ("close", Event(at=first, do=Do.CLOSE)),
        ("merge", Event(at=first, do=Do.MERGE)),
        ("reapply", Event(at=first, do=Do.REAPPLY, terms=SEOUL)),
        ("assign, note, bot_reply", Event(at=first, do=Do.NOTE)),
    ):
        yield Case(name=name, event=event)
    yield Case(name="resume", event=Event(at=second, do=Do.RESUME), after=pending)
    yield Case(name="message while pending", event=Event(at=second, do=Do.MESSAGE), after=pending)
    yield Case(name="reopen", event=Event(at=second, do=Do.REOPEN), after=resolved)
    yield Case(name="message while resolved", event=Event(at=second, do=Do.MESSAGE), after=resolved)


def timed(question: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    spent = []
    for _ in range(repeats):
        started = perf_counter()
        question()
        spent.append((perf_counter() - started) * 1_000)
    cuts = quantiles(spent, n=100)
    return cuts[49], cuts[98]


def turn(before: Timeline, event: Event) -> object:
    """What a turn does with the clocks."""
    return kept("t1", before, sla.followed(before, event))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args(arguments)
    story = past(options.events)
    ticket = sla.recomputed(story)
    live = sum(clock.live for clock in ticket.clocks)
    print(f"Measured on: {machine()}. One thread, {options.repeats} repeats.\n")
    print(f"A ticket with {len(story)} events: {len(ticket.clocks)} clocks, {live} of them live.\n")
    print("| one more event | p50 ms | p99 ms | clocks to store |\n|---|---:|---:|---:|")
    for case in cases(story[-1].at):
        before = sla.followed(ticket, *case.after)
        stored = kept("t1", before, sla.followed(before, case.event))
        p50, p99 = timed(lambda: turn(before, case.event), options.repeats)
        print(f"| {case.name} | {p50:.3f} | {p99:.3f} | {len(stored)} |", flush=True)
    p50, p99 = timed(lambda: sla.recomputed(story), max(options.repeats // 10, 5))
    print(f"| all {len(story)} from the beginning | {p50:.1f} | {p99:.1f} | |")


if __name__ == "__main__":
    main()
