"""How long a sweep takes, by how many tickets are open: `python -m tests.benchmarks.sweeps`, Markdown on stdout.

Each round records the pings of so many tickets, all due at once, with `triage.sweeping.sweep`; all other
tickets are open and not due. What that takes may depend on the number due, not on the number open: the bound
is a ratio of 1.5 between the most and the fewest open tickets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import Engine, func, select, update

from storage.engine import make_engine
from storage.rows import WAITING, outbox, pings
from storage.sql import SqlStorage
from tests.benchmarks.databases import POSTGRES, SQLITE, fresh, server, versions
from tests.benchmarks.filling import fill
from tests.benchmarks.office import Group, Office, Seed, Variety, agents, rounds
from tests.benchmarks.table import machine
from triage.sweeping import sweep

SIZES = (1_000, 100_000, 1_000_000)
DUE = 500
ROUNDS = 5
AGENTS = 50
WARMING = Group(variety=Variety.WARNED)
"""A few tickets that are swept first, so that no round pays for what a process does once."""

SHORTLY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    office: Office
    seeds: Sequence[Seed]
    groups: Sequence[Group]
    due: int

    @property
    def warming(self) -> int:
        return self.due // 10

    def parts(self, size: int) -> Iterator[Sequence[Group]]:
        """The groups that find room among so many open tickets, database by database."""
        room = max(1, (size - self.warming) // self.due)
        return (self.groups[first : first + room] for first in range(0, len(self.groups), room))

    def sizes(self, size: int, groups: Sequence[Group]) -> Mapping[Group, int]:
        due = dict.fromkeys(groups, self.due) | {WARMING: self.warming}
        return {**due, Group(): size - sum(due.values())}


@dataclass(slots=True)
class Figures:
    """Milliseconds of each round, and the messages that one round gave, by database, variety and size."""

    spent: dict[tuple[str, Variety, int], list[float]] = field(default_factory=dict)
    messages: dict[tuple[str, Variety], int] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    with ExitStack() as stack:
        url = stack.enter_context(server()) if POSTGRES in options.databases else None
        folder = Path(stack.enter_context(TemporaryDirectory()))
        print(f"Measured on: {machine()}, {versions(url)}. Median (lowest to highest) of {options.rounds} rounds.\n")
        for line in report(url, folder, options.sizes, due=options.due, count=options.rounds):
            print(line, flush=True)


def report(server: str | None, folder: Path, sizes: Sequence[int], *, due: int, count: int) -> Iterator[str]:
    """The table; PostgreSQL is left out without a server."""
    started = perf_counter()
    groups = list(rounds(count))
    office = Office(folder, agents(min(AGENTS, due)))
    plan = Plan(office=office, seeds=office.seeds([WARMING, *groups]), groups=groups, due=due)
    _say(f"{len(plan.seeds)} tickets opened by the product: {perf_counter() - started:.0f} s")
    figures = Figures()
    for kind in (SQLITE, POSTGRES) if server else (SQLITE,):
        for size in sizes:
            for part in plan.parts(size):
                with fresh(kind, server) as url:
                    _measure(plan, figures, (kind, url, size), part)
    yield from _table(figures, sizes)


def _measure(plan: Plan, figures: Figures, where: tuple[str, str, int], groups: Sequence[Group]) -> None:
    kind, url, size = where
    started = perf_counter()
    filling = make_engine(url, timeouts=False)
    fill(filling, plan.office, plan.seeds, plan.sizes(size, groups))
    filling.dispose()
    _say(f"{kind}, {size:,} open: filled in {perf_counter() - started:.0f} s")
    engine = make_engine(url)
    storage = SqlStorage(engine)
    try:
        _swept(plan, storage, engine, WARMING)
        for group in groups:
            spent, messages = _swept(plan, storage, engine, group)
            assert group.variety is not None
            figures.spent.setdefault((kind, group.variety, size), []).append(spent)
            figures.messages[kind, group.variety] = messages
            _say(f"{kind}, {size:,} open, {group.variety}: {spent:.0f} ms, {messages} messages")
    finally:
        storage.close()


def _swept(plan: Plan, storage: SqlStorage, engine: Engine, group: Group) -> tuple[float, int]:
    """One round: milliseconds, and how many messages it put into the outbox."""
    policy, wanted = plan.office.policy, plan.warming if group is WARMING else plan.due
    sweep(storage, policy, lambda: group.due - SHORTLY)
    with engine.begin() as db:
        db.execute(update(outbox).where(WAITING).values(state="sent"))
    started = perf_counter()
    swept = sweep(storage, policy, lambda: group.due)
    spent = (perf_counter() - started) * 1_000
    with engine.connect() as db:
        messages = db.scalar(select(func.count()).select_from(outbox).where(WAITING)) or 0
        told = db.scalar(select(func.count()).select_from(pings).where(pings.c.said_at == group.due)) or 0
    said = messages if group.variety is Variety.UNOWNED else told
    if swept.rung != wanted or said < wanted or swept.failed:
        raise AssertionError(f"{group}: {wanted} were due, {swept.rung} rung, {said} said; {swept.failed[:3]}")
    return spent, messages


def _table(figures: Figures, sizes: Sequence[int]) -> Iterator[str]:
    yield f"| database | what is due | messages | {' | '.join(f'{size:,} open, ms' for size in sizes)} | ratio |"
    yield f"|---|---|{'---:|' * (len(sizes) + 2)}"
    for (kind, variety), messages in figures.messages.items():
        spent = [figures.spent[kind, variety, size] for size in sizes]
        cells = " | ".join(f"{median(each):.0f} ({min(each):.0f} to {max(each):.0f})" for each in spent)
        ratio = median(spent[-1]) / median(spent[0])
        yield f"| {kind} | {variety} | {messages} | {cells} | {ratio:.2f} |"
    yield ""


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--due", type=int, default=DUE)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--databases", nargs="+", choices=[SQLITE, POSTGRES], default=[SQLITE, POSTGRES])
    return parser


if __name__ == "__main__":
    main()
