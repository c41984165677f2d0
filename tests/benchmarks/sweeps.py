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
from tests.benchmarks.databases import POSTGRES, SQLITE, filling_engine, fresh, server, versions
from tests.benchmarks.filling import fill
from tests.benchmarks.office import Group, Office, Seed, Variety, agents, rounds
from tests.benchmarks.table import machine
from triage.errors import Unavailable
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

    def part(self, size: int, group: Group) -> Sequence[Group]:
        """The groups that share a database of so many open tickets with this one."""
        room = max(1, (size - self.warming) // self.due)
        first = self.groups.index(group) // room * room
        return self.groups[first : first + room]

    def sizes(self, size: int, groups: Sequence[Group]) -> Mapping[Group, int]:
        due = dict.fromkeys(groups, self.due) | {WARMING: self.warming}
        return {**due, Group(): size - sum(due.values())}


class Database:
    """One of so many open tickets, filled anew when it has no tickets left for a group."""

    def __init__(self, plan: Plan, kind: str, server: str | None, size: int) -> None:
        self.size = size
        self._plan, self._kind, self._server = plan, kind, server
        self._part: Sequence[Group] = ()
        self._stack = ExitStack()

    def swept(self, group: Group) -> tuple[float, int]:
        """One round: milliseconds, and how many messages it put into the outbox."""
        part = self._plan.part(self.size, group)
        if part != self._part:
            self.close()
            self._fill(part)
        return _swept(self._plan, self._storage, self._engine, group)

    def health(self) -> float | None:
        """Milliseconds of the query that feeds the metrics every 15 s; None when the database gives it up."""
        started = perf_counter()
        try:
            self._storage.health()
        except Unavailable:
            return None
        return (perf_counter() - started) * 1_000

    def close(self) -> None:
        self._stack.close()

    def _fill(self, part: Sequence[Group]) -> None:
        started = perf_counter()
        url = self._stack.enter_context(fresh(self._kind, self._server))
        filling = filling_engine(url)
        fill(filling, self._plan.office, self._plan.seeds, self._plan.sizes(self.size, part))
        filling.dispose()
        self._part = part
        self._engine = make_engine(url)
        self._storage = SqlStorage(self._engine)
        self._stack.callback(self._storage.close)
        _swept(self._plan, self._storage, self._engine, WARMING)
        _say(f"{self._kind}, {self.size:,} open: filled in {perf_counter() - started:.0f} s")


@dataclass(slots=True)
class Figures:
    """Milliseconds by variety and size, round by round, and the messages that one round gave."""

    spent: dict[tuple[Variety, int], list[float]] = field(default_factory=dict)
    messages: dict[Variety, int] = field(default_factory=dict)
    health: dict[int, float | None] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    with ExitStack() as stack:
        url = stack.enter_context(server()) if POSTGRES in options.databases else None
        folder = Path(stack.enter_context(TemporaryDirectory()))
        print(f"Measured on: {machine()}, {versions(url)}. {options.rounds} rounds.\n")
        print("Median (lowest to highest); the ratio is the median of the rounds' own, most open to fewest.\n")
        for line in report(options.databases, url, folder, options.sizes, due=options.due, count=options.rounds):
            print(line, flush=True)


def report(
    kinds: Sequence[str], server: str | None, folder: Path, sizes: Sequence[int], *, due: int, count: int
) -> Iterator[str]:
    """The table; `server` is needed for PostgreSQL."""
    started = perf_counter()
    groups = list(rounds(count))
    office = Office(folder, agents(min(AGENTS, due)))
    plan = Plan(office=office, seeds=office.seeds([WARMING, *groups]), groups=groups, due=due)
    _say(f"{len(plan.seeds)} tickets opened by the product: {perf_counter() - started:.0f} s")
    yield f"| database | what is due | messages | {' | '.join(f'{size:,} open, ms' for size in sizes)} | ratio |"
    yield f"|---|---|{'---:|' * (len(sizes) + 2)}"
    for kind in kinds:
        figures = _measured(plan, kind, server, sizes)
        yield from _rows(kind, figures, sizes)
    yield ""


def _measured(plan: Plan, kind: str, server: str | None, sizes: Sequence[int]) -> Figures:
    """Each round on every size, one right after the other: whatever else the machine does meets them all."""
    figures = Figures()
    databases = [Database(plan, kind, server, size) for size in reversed(sizes)]
    try:
        for group in plan.groups:
            assert group.variety is not None
            for database in databases:
                spent, messages = database.swept(group)
                figures.spent.setdefault((group.variety, database.size), []).append(spent)
                figures.messages[group.variety] = messages
                _say(f"{kind}, {database.size:,} open, {group.variety}: {spent:.0f} ms, {messages} messages")
        figures.health = {database.size: database.health() for database in databases}
    finally:
        for database in databases:
            database.close()
    return figures


def _rows(kind: str, figures: Figures, sizes: Sequence[int]) -> Iterator[str]:
    for variety, messages in figures.messages.items():
        spent = [figures.spent[variety, size] for size in sizes]
        cells = " | ".join(f"{median(each):.0f} ({min(each):.0f} to {max(each):.0f})" for each in spent)
        ratios = [most / fewest for fewest, most in zip(spent[0], spent[-1], strict=True)]
        yield f"| {kind} | {variety} | {messages} | {cells} | {median(ratios):.2f} |"
    asked = [figures.health[size] for size in sizes]
    cells = " | ".join("given up" if spent is None else f"{spent:.0f}" for spent in asked)
    yield f"| {kind} | (the query behind the metrics) | | {cells} | |"


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
