"""One life of the process: the real desk, turns and delivery, from a start to a crash.

Made by `tests.simulation.world`. What survives it is the storage alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bot.running import introduce
from bot.turns import Runner, Turns
from storage.sql import SqlStorage
from tests.simulation.watching import Committed, Crashed, WatchedDelivery, WatchedStorage
from tests.simulation.workplace import Port
from triage.desk import Desk
from triage.errors import TurnError, Unavailable
from triage.ports import Parcel

if TYPE_CHECKING:
    from tests.simulation.world import World

Result = TypeVar("Result")

SWEEP_SECONDS = 2.0
STALL = 2.5
"""Seconds that a turn takes when the machine is overloaded: more than it may."""


class Inline(Runner):
    """Runs what the real one gives to a thread right here, with a little time before and after."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._runs = 0

    async def __call__(self, work: Callable[[], Result]) -> Result:
        self._runs += 1
        await asyncio.sleep(0.001 + 0.02 * self._life.world.chance("run", self._life.number, self._runs))
        result = work()
        self._life.point("ran")
        await asyncio.sleep(0.001)
        return result

    def close(self) -> None:
        pass


class Life:
    """Implements `tests.simulation.watching.Witness`, for as long as it lasts."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.alive = True
        self._tasks: list[asyncio.Task[Any]] = []
        self._stalled = 0.0
        self.storage = WatchedStorage(world.inside.opened(), self)
        self.run = Inline(self)
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
        self.turns = Turns(self.desk, self.run, nudge=self.delivery.nudge, new_id=new_id, clock=self._seconds)

    def start(self) -> None:
        self.spawn(self._living())

    def spawn(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._ended)
        return task

    def end(self) -> None:
        """As if the plug was pulled."""
        self.alive = False
        for task in self._tasks:
            task.cancel()

    async def sweep(self) -> None:
        try:
            swept = await self.run(lambda: self.world.laws.sweep(self.desk))
        except TurnError as error:
            self.world.tell(f"the sweep was refused: {error}")
            return
        if swept.any:
            self.delivery.nudge()

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

    def _seconds(self) -> float:
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
