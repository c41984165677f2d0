"""The world of one story: time, platforms, people, the process and its deaths, told from a plan.

`told` runs one plan and returns its `Story`. Called by the tests, by `python -m tests.simulation`, and many
times over when a failing story is shrunk.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from tests.simulation import faults
from tests.simulation.company import BASE, Knowing
from tests.simulation.inside import InMemory, Inside, OnSqlite
from tests.simulation.laws import Laws
from tests.simulation.life import AT_WORK, Life
from tests.simulation.people import People
from tests.simulation.plan import Fault, Plan, Step
from tests.simulation.post import Postman
from tests.simulation.timing import Clock, VirtualLoop
from tests.simulation.verdicts import judge
from tests.simulation.watching import Crashed
from tests.simulation.workplace import Workplace
from triage.errors import TurnError
from triage.model import Platform
from triage.policy import Policy

ROUNDS = 14
"""Instants at which something is due that are lived through while nobody does anything; the rest is
downtime. On SQLite half as many."""

ALL_OUT = 60
"""Rounds of waiting, at the end, for everything to be delivered."""


@dataclass(slots=True)
class Story:
    plan: Plan
    lines: list[str] = field(default_factory=list)
    violations: list[tuple[str, str]] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)

    @property
    def laws(self) -> frozenset[str]:
        """The names of the laws that were broken."""
        return frozenset(law for law, _ in self.violations)

    def __str__(self) -> str:
        return "\n".join([*self.lines, *(f"VIOLATION {law}: {what}" for law, what in self.violations)])


class World:
    """Implements `tests.simulation.workplace.Surroundings`."""

    def __init__(self, plan: Plan, empty: Path | None, folder: Path) -> None:
        self.plan = plan
        self.story = Story(plan)
        self._loop = asyncio.get_running_loop()
        self.clock = Clock(self._loop)
        self._ids = count(1)
        self._lives = count(1)
        self._numbers, self._between = count(1), count(1)
        self.inside: Inside = (
            OnSqlite(empty, folder / f"{plan.seed}.db", self.clock.unix, self.new_id)
            if empty is not None and plan.sqlite
            else InMemory(self.clock.unix, self.new_id)
        )
        self.policy: Policy = BASE
        self.knowing = Knowing()
        self.workplaces = {
            Platform.SLACK: Workplace(Platform.SLACK, self, finds=True),
            Platform.TEAMS: Workplace(Platform.TEAMS, self, finds=False),
        }
        self.laws = Laws(self)
        self.post = Postman(self)
        self.people = People(self)
        self.lives: list[Life] = []
        self.fuse: str | None = None
        self.away = 0
        self.stalls = 0
        self.overlaps = 0
        self._sweeper: Life | None = None
        """Whose sweep another process is to sweep in between of."""
        self.dull: list[float] = []
        """Seconds that each of the next turns takes to be heard."""
        self.down_for = 0.0

    @property
    def opened(self) -> int:
        """How many tickets were opened."""
        return self.laws.opened

    # --- surroundings ---
    def now(self) -> datetime:
        return self.clock()

    def new_id(self) -> str:
        return f"id{next(self._ids)}"

    def chance(self, *what: object) -> float:
        digest = blake2b(repr((self.plan.seed, *map(str, what))).encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big") / 2**48

    def number(self) -> int:
        return next(self._numbers)

    def tell(self, line: str) -> None:
        self.story.lines.append(f"{self.now():%a %H:%M:%S.%f}"[:-3] + f" {line}")

    def wrong(self, law: str, what: str) -> None:
        if (law, what) not in self.story.violations:
            self.story.violations.append((law, what))
            self.tell(f"!! {law}: {what}")

    def jump(self, by: timedelta) -> None:
        """The machine's clock is set, or it slept for so long."""
        if by > timedelta():
            for workplace in self.workplaces.values():
                workplace.land()
        self.clock.jump(by)

    def point(self, name: str) -> None:
        if self.fuse == name:
            self.crash(f"at '{name}'", AT_WORK.get())

    # --- lives ---
    def some_life(self, *which: object) -> Life | None:
        """The process that a message comes to."""
        return self.lives[int(self.chance("life", *which) * len(self.lives))] if self.lives else None

    def begin(self) -> None:
        if len(self.lives) < self.plan.processes:
            life = Life(self, next(self._lives))
            self.lives.append(life)
            self.tell(f"process {life.number} starts")
            life.start()

    def crash(self, where: str, which: Life | None = None) -> None:
        """`which` one, if it lives still; else the one that has lived longest."""
        self.fuse = None
        if not self.lives:
            return
        life = which if which in self.lives else self.lives[0]
        self.lives.remove(life)
        self.tell(f"process {life.number} crashes {where}")
        self.story.figures["crashes"] += 1
        life.end()
        self._loop.call_later(self.down_for, self.begin)

    @contextmanager
    def sweeping(self, life: Life, due: bool) -> Iterator[None]:
        """While a process sweeps; if something is due, another may do so between any two of its transactions."""
        yields = due and self.overlaps > 0 and self._sweeper is None
        if yields:
            self.overlaps -= 1
            self._sweeper = life
        try:
            yield
        finally:
            if yields:
                self._sweeper = None

    def sweep_beside(self, life: Life) -> None:
        """Before a transaction: once in such a sweep the other process does all that is due."""
        others = [each for each in self.lives if each is not life]
        if self._sweeper is not life or not others or self.chance("beside", next(self._between)) < 0.7:
            return
        self._sweeper = None
        here = copy_context()
        here.run(AT_WORK.set, others[0])
        try:
            here.run(others[0].sweep_now)
        except (Crashed, TurnError) as error:
            self.tell(f"the other sweep ended: {type(error).__name__}")

    # --- the story ---
    async def run(self) -> None:
        for _ in range(self.plan.processes):
            self.begin()
        happenings: list[Step | Fault] = [*self.plan.faults, *self.plan.steps]
        agenda = sorted(happenings, key=lambda each: each.at)
        begun, lost = self._loop.time(), 0.0
        for each in agenda:
            await asyncio.sleep(max(0.0, begun + each.at + lost - self._loop.time()))
            if isinstance(each, Fault):
                self.story.injected[each.kind] += 1
                self.tell(f"fault: {each.kind}")
                faults.inject(self, each)
            elif each.what == "idle":
                before = self._loop.time()
                await self._idle(timedelta(minutes=10 + each.pick % (60 * 30)))
                lost += self._loop.time() - before
            else:
                self.story.figures["acts"] += 1
                self.people.do(each)
        await self._end()

    async def _idle(self, span: timedelta) -> None:
        """Time passes and nobody does anything: the sweeps in which nothing happens are left out."""
        end = self.now() + span
        self.tell(f"nobody does anything until {end:%a %H:%M}")
        await self._settle(8)
        for _ in range(ROUNDS // 2 if self.plan.sqlite else ROUNDS):
            due = min((at for _, at in self.inside.upcoming()), default=end)
            if not self.lives or due >= end:
                break
            self.jump(max(due - self.now(), timedelta()) + timedelta(seconds=1))
            await self._sweep()
            await self._settle(3)
        self.jump(max(end - self.now(), timedelta()))
        await self._sweep()

    async def _sweep(self) -> None:
        """One more than the process does by itself; it may die of it."""
        if self.lives:
            await asyncio.wait({self.lives[0].spawn(self.lives[0].sweep())})

    async def _settle(self, seconds: float) -> None:
        until = self._loop.time() + seconds
        while self._loop.time() < until and (self.inside.pending() or self.post.under_way):
            await asyncio.sleep(0.5)

    async def _end(self) -> None:
        """No more faults; whatever can be delivered is."""
        self.tell("from here on nothing goes wrong any more")
        self.fuse, self.away, self.stalls, self.overlaps = None, 0, 0, 0
        self.dull.clear()
        self.post.armed.clear()
        for workplace in self.workplaces.values():
            workplace.armed.clear()
            workplace.revoked.clear()
        while len(self.lives) < self.plan.processes or self.post.under_way:
            await asyncio.sleep(5)
        for _ in range(ALL_OUT):
            await self._sweep()
            await self._settle(30)
            if not self.inside.pending():
                break
            self.jump(timedelta(seconds=61))
        await asyncio.sleep(3)
        for life in self.lives:
            life.end()
        await asyncio.sleep(0)
        judge(self)
        self.inside.close()
        self.story.figures["events"] += self.post.attempts
        self.story.figures["shown"] += sum(len(w.effects) for w in self.workplaces.values())
        self.story.figures["tickets"] += self.opened


def told(plan: Plan, empty: Path | None = None) -> Story:
    """One story; with `empty`, a migrated database without rows, plans for SQLite run on a copy of it."""
    with TemporaryDirectory() as folder, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_told(plan, empty, Path(folder)))


async def _told(plan: Plan, empty: Path | None, folder: Path) -> Story:
    world = World(plan, empty, folder)
    with _listening(world.wrong):
        await world.run()
    return world.story


@contextmanager
def _listening(wrong: Callable[[str, str], None]) -> Iterator[None]:
    """An exception that the program only logged is a violation; everything else it logs is dropped."""

    def listen(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if event.get("exc_info"):
            wrong("exception", f"{event.get('event')}: {sys.exc_info()[1]!r}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[listen], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
