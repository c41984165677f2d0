"""One more event on a ticket that has had 200: `python -m tests.benchmarks.turns`, a Markdown table on stdout.

A turn reads the ticket's clocks, follows the event (`triage.sla.followed`) and works out what to store of each
changed clock (`triage.casework.kept`); the bound is 1 ms for both together, whatever the event is. Beside it,
what recomputing the ticket from its events alone would take. Nothing here waits, so that it is processor time
that is measured: other programs on the machine disturb it less.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import thread_time
from typing import TypeVar

from storage.engine import make_engine
from storage.schema import migrate
from storage.sql import SqlStorage
from tests.benchmarks.calendars import ENGLAND, HOUR, SPLIT
from tests.benchmarks.table import machine
from triage import sla
from triage.calendars import walk
from triage.casework import kept
from triage.changes import Change, Decision, KeepEvent, KeepTerms, OpenTicket
from triage.model import Language, Priority, Ticket
from triage.policy import Metric, Targets, Terms
from triage.timeline import Do, Event, Timeline

T = TypeVar("T")
EVENTS = 200
REPEATS = 100
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
OSLO = replace(IT, policy="oslo", calendar=replace(ENGLAND, timezone="Europe/Oslo", holidays=("NO",)))
"""New to the ticket."""


def _past() -> Iterator[Event]:
    """What happens to the ticket, over and over; the instants are set later."""
    does = [Do.ASSIGN, Do.REPLY, Do.MESSAGE, Do.REPLY, Do.PENDING, Do.MESSAGE, Do.NOTE, Do.PRIORITY, Do.REPLY]
    does += [Do.ON_HOLD, Do.RESUME, Do.TRANSFER, Do.MESSAGE, Do.REPLY, Do.PENDING, Do.RESUME, Do.PRIORITY]
    does += [Do.MESSAGE, Do.REPLY, Do.TRANSFER]
    priorities, teams = cycle((Priority.HIGH, Priority.NORMAL)), cycle((SEOUL, IT))
    for do in cycle(does):
        terms = next(teams) if do is Do.TRANSFER else None
        priority = next(priorities) if do is Do.PRIORITY else None
        yield Event(at=OPENED, do=do, priority=priority, terms=terms, team=terms.policy if terms else None)


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
    for event in islice(_past(), events - 1):
        at = walk(ENGLAND, at, APART)
        found.append(replace(event, at=at))
    return tuple(found)


def promising_less(story: Sequence[Event]) -> Sequence[Event]:
    """The same, but regular updates are promised to urgent tickets alone."""
    return tuple(replace(event, terms=_less(event.terms) if event.terms else None) for event in story)


def _less(terms: Terms) -> Terms:
    targets = {
        priority: replace(target, seconds={m: s for m, s in target.seconds.items() if m is not Metric.PERIODIC_UPDATE})
        for priority, target in terms.targets.items()
    }
    return replace(terms, targets={**targets, Priority.URGENT: terms.targets[Priority.URGENT]})


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
        ("transfer", Event(at=first, do=Do.TRANSFER, terms=OSLO, team="oslo")),
        ("resolve", Event(at=first, do=Do.RESOLVE)),
        ("close", Event(at=first, do=Do.CLOSE)),
        ("merge", Event(at=first, do=Do.MERGE)),
        ("reapply", Event(at=first, do=Do.REAPPLY, terms=OSLO)),
        ("assign, note, bot_reply", Event(at=first, do=Do.NOTE)),
    ):
        yield Case(name=name, event=event)
    yield Case(name="resume", event=Event(at=second, do=Do.RESUME), after=pending)
    yield Case(name="message while pending", event=Event(at=second, do=Do.MESSAGE), after=pending)
    yield Case(name="reopen", event=Event(at=second, do=Do.REOPEN), after=resolved)
    yield Case(name="message while resolved", event=Event(at=second, do=Do.MESSAGE), after=resolved)


def timed(make: Callable[[], T], question: Callable[[T], object], repeats: int) -> Sequence[float]:
    """Milliseconds each; what `make` does is not counted."""
    spent = []
    for _ in range(repeats):
        given = make()
        started = thread_time()
        question(given)
        spent.append((thread_time() - started) * 1_000)
    return spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Keeps tickets, so that each turn reads its clocks from the database as the product does."""

    storage: SqlStorage

    def put(self, id: str, number: int, timeline: Timeline) -> None:
        opened = Ticket(
            id=id,
            number=number,
            team="it",
            requester="ann",
            subject="A long story",
            language=Language.EN,
            priority=timeline.priority or Priority.NORMAL,
            status=timeline.status,
            opened_at=OPENED,
        )
        changes = (
            OpenTicket(ticket=opened),
            KeepTerms(ticket=id, terms=timeline.terms),
            *(KeepEvent(ticket=id, event=event) for event in timeline.events),
            *kept(id, Timeline(), timeline),
        )
        with self.storage.writing() as work:
            work.record(Decision(changes=changes), OPENED)
            work.commit()

    def read(self, id: str) -> Timeline:
        with self.storage.writing() as work:
            found = work.whole(id)
        assert found.ticket is not None
        assert found.terms is not None
        return sla.timeline_of(found.ticket, found.terms, found.clocks, found.events)


@contextmanager
def shelf() -> Iterator[Shelf]:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'desk.db'}"
        migrate(url)
        storage = SqlStorage(make_engine(url))
        try:
            yield Shelf(storage=storage)
        finally:
            storage.close()


def turn(before: Timeline, event: Event) -> Sequence[Change]:
    """What a turn does with the clocks."""
    return kept("t1", before, sla.followed(before, event))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args(arguments)
    print(f"Measured on: {machine()}. Processor time of one thread, {options.repeats} repeats.\n")
    with shelf() as tickets:
        for line in report(tickets, past(options.events), options.repeats):
            print(line, flush=True)


def report(tickets: Shelf, story: Sequence[Event], repeats: int) -> Iterator[str]:
    ticket = sla.recomputed(story)
    live = sum(clock.live for clock in ticket.clocks)
    yield f"A ticket with {len(story)} events: {len(ticket.clocks)} clocks, {live} of them live."
    yield ""
    yield "| one more event | best ms | p50 ms | p99 ms | clocks to store |"
    yield "|---|---:|---:|---:|---:|"
    asked = [(case, sla.followed(ticket, *case.after)) for case in cases(story[-1].at)]
    gains = Event(at=walk(ENGLAND, story[-1].at, HOUR), do=Do.PRIORITY, priority=Priority.URGENT)
    asked.append((Case(name="priority, promising a metric more", event=gains), sla.recomputed(promising_less(story))))
    for number, (case, timeline) in enumerate(asked, 1):
        id = f"t{number}"
        tickets.put(id, number, timeline)
        stored = len(turn(timeline, case.event))
        spent = timed(partial(tickets.read, id), partial(turn, event=case.event), repeats)
        yield f"| {case.name} | {_cells(spent)} | {stored} |"
    spent = timed(lambda: story, sla.recomputed, max(repeats // 10, 5))
    yield f"| all {len(story)} from the beginning | {_cells(spent)} | |"
    spent = timed(lambda: "t1", tickets.read, max(repeats // 10, 5))
    yield f"| (reading such a ticket from SQLite) | {_cells(spent)} | |"


def _cells(spent: Sequence[float]) -> str:
    cuts = quantiles(spent, n=100)
    return f"{min(spent):.2f} | {cuts[49]:.2f} | {cuts[98]:.2f}"


if __name__ == "__main__":
    main()
