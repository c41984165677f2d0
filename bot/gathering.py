"""Group commit: what arrives while something is being written is written together, next.

A commit waits for the disk, and a statement for the network, whatever they hold. Who comes alone waits for nobody.
Used by `bot.turns` for turns and by `bot.delivery` for marks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

MOST = 20
"""Things written together at most: all of them wait for the last."""


class Gathering(Generic[Item, Outcome]):
    """`work` gives the outcome of each of some items, in their order; one that is an exception is raised.

    What `work` itself raises, it raises for all of them. For use on the event loop.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]]) -> None:
        self._work = work
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Outcome:
        """Items are worked in the order in which they came."""
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._working is None:
            self._working = asyncio.create_task(self._work_off())
        return await done

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._worked(together)
        finally:
            self._working = None

    async def _worked(self, together: Sequence[tuple[Item, asyncio.Future[Outcome]]]) -> None:
        try:
            outcomes = await self._work([item for item, _ in together])
        except Exception as error:  # noqa: BLE001 - raised where each of them waits
            outcomes = [error] * len(together)
        except BaseException:
            for _, done in (*together, *self._waiting):
                done.cancel()
            raise
        for (_, done), outcome in zip(together, outcomes, strict=True):
            _settle(done, outcome)


def _settle(done: asyncio.Future[Outcome], outcome: Outcome | Exception) -> None:
    if done.done():
        return
    if isinstance(outcome, Exception):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
