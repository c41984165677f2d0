"""One life of a process: the real desk, turns and delivery, from a start to a crash.

Made by `tests.simulation.world`, two at a time in some stories. What survives it is the storage alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bot.compose import THREADS
from bot.running import introduce
from bot.turns import Runner, Turns
from storage.sql import SqlStorage
from tests.simulation.watching import Committed, Crashed, WatchedDelivery, WatchedStorage
from tests.simulation.workplace import Port
from triage.changes import Decision
from triage.desk import Desk
from triage.errors import TurnError, Unavailable
from triage.ports import Parcel
from triage.sweeping import Swept

if TYPE_CHECKING:
    from tests.simulation.world import World

Result = TypeVar("Result")

SWEEP_SECONDS = 2.0
AT_WORK: ContextVar[Life | None] = ContextVar("at_work", default=None)
"""Whose task this is: with two processes a crash takes the one that came to the point."""

STALL = 2.5
"""Seconds that a turn takes when the machine is overloaded: more than it may."""


class Inline(Runner):
    """Runs what the real one gives to a thread right here, with a little time before and after: so many at once."""

    def __init__(self, life: Life, name: str, threads: int) -> None:
        self._life = life
        self._name = name
        self._threads = asyncio.Semaphore(threads)
        self._runs = 0

    async def __call__(self, work: Callable[[], Result]) -> Result:
        async with self._threads:
            self._runs += 1
            await asyncio.sleep(0.001 + 0.02 * self._life.world.chance(self._name, self._life.number, self._runs))
            result = work()
            self._life.point("ran")
            await asyncio.sleep(self._takes())
            return result

    def _takes(self) -> float:
        return 0.001


class Ears(Inline):
    """Where turns are heard; in a crowd it takes long to find an article for each."""

    def _takes(self) -> float:
        dull = self._life.world.dull
        return dull.pop() if dull else 0.001


class Life:
    """Implements `tests.simulation.watching.Witness`, for as long as it lasts."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.alive = True
        self._tasks: list[asyncio.Task[Any]] = []
        self._stalled = 0.0
        self.storage = WatchedStorage(world.inside.opened(), self)
        writing, hearing = (1, 1) if world.plan.sqlite else (THREADS + 1, THREADS)
        self.run = Inline(self, "run", writing)
        new_id = world.new_id
        self.desk = Desk(
            cast(SqlStorage, self.storage), world.knowing, lambda: world.policy, now=world.now, new_id=new_id
        )
        self.delivery = WatchedDelivery(
            self.storage.outbox,
            {platform: Port(workplace) for platform, workplace in world.workplaces.items()},
            self.run,
            now=world.now,
            told=self.desk.undelivered,
            missed=self.desk.missed,
        )
        self.turns = Turns(
            self.desk,
            self.run,
            hearing=Ears(self, "hear", hearing),
            nudge=self.delivery.nudge,
            new_id=new_id,
            clock=self.seconds,
        )

    def start(self) -> None:
        self.spawn(self._living())

    def spawn(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        here = copy_context()
        here.run(AT_WORK.set, self)
        task = asyncio.get_running_loop().create_task(work, context=here)
        self._tasks.append(task)
        task.add_done_callback(self._ended)
        return task

    def end(self) -> None:
        """As if the plug was pulled."""
        self.alive = False
        for task in self._tasks:
            task.cancel()

    def keep(self, decision: Decision) -> None:
        """Store it in a transaction of its own."""
        with self.storage.writing() as work:
            work.record(decision, self.world.now())
            work.commit()

    async def sweep(self) -> None:
        try:
            swept = await self.run(self.sweep_now)
        except TurnError as error:
            self.world.tell(f"the sweep was refused: {error}")
            return
        if swept.any:
            self.delivery.nudge()

    def sweep_now(self) -> Swept:
        return self.world.laws.sweep(self.desk, partial(self.world.sweeping, self))

    async def _living(self) -> None:
        while True:
            try:
                introduce(cast(SqlStorage, self.storage), self.world.policy, self.world.now())
                break
            except TurnError:
                await asyncio.sleep(1)
        self.spawn(self.delivery.serve())
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, BaseExceptionGroup):
            error = error.split((Crashed, TurnError))[1]
        if error is not None and not isinstance(error, Crashed | TurnError):
            self.world.wrong("exception", f"{type(error).__name__}: {error}")

    def seconds(self) -> float:
        """The clock of a turn: it leaps when the machine is overloaded."""
        return asyncio.get_running_loop().time() + self._stalled

    # --- watching ---
    def reach(self) -> None:
        if not self.alive:
            raise Crashed
        if self.world.away:
            self.world.away -= 1
            raise Unavailable("the database is away")

    def point(self, name: str) -> None:
        if self.alive:
            self.world.point(name)
        if not self.alive and name not in ("effect", "ran"):
            raise Crashed

    def beside(self) -> None:
        """Another process may sweep between any two transactions of a sweep."""
        self.world.sweep_beside(self)

    def stall(self) -> None:
        if self.world.stalls:
            self.world.stalls -= 1
            self._stalled += STALL

    def committed(self, records: Sequence[Committed], work: Any) -> None:
        self.world.laws.committed(records, work)

    def leased(self, parcels: Sequence[Parcel]) -> None:
        self.world.laws.leased(parcels)

    def wrong(self, law: str, what: str) -> None:
        self.world.wrong(law, what)

    def marked(self, how: str, parcel: Parcel, reason: str) -> None:
        if how != "sent":
            self.world.tell(f"outbox: {parcel.outgoing.key} {how}{f' ({reason})' if reason else ''}")
