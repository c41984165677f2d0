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

MOST = 50
"""Things written together at most: all of them wait for the last."""


class Gathering(Generic[Item, Outcome]):
    """`work` gives the outcome of each of some items, in their order; one that is an exception is raised.

    What `work` itself raises, it raises for all of them. One work goes on at a time, of as many items as `most` says
    when it begins. For use on the event loop.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | BaseException]]],
        *,
        most: Callable[[], int] = lambda: MOST,
    ) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Outcome:
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._working is None:
            self._working = asyncio.create_task(self._work_off())
        return await done

    async def _work_off(self) -> None:
        """Ends, without a pause in between, when nothing is left: what comes then begins anew."""
        try:
            while self._waiting:
                most = self._most()
                together, self._waiting = self._waiting[:most], self._waiting[most:]
                await self._worked(together)
        finally:
            self._working = None

    async def _worked(self, together: Sequence[tuple[Item, asyncio.Future[Outcome]]]) -> None:
        try:
            outcomes = await self._work([item for item, _ in together])
        except asyncio.CancelledError:
            waiting, self._waiting = self._waiting, []
            for _, done in (*together, *waiting):
                done.cancel()
            raise
        except BaseException as error:  # noqa: BLE001 - raised where each of them waits
            outcomes = [error] * len(together)
        for (_, done), outcome in zip(together, outcomes, strict=True):
            _settle(done, outcome)


def _settle(done: asyncio.Future[Outcome], outcome: Outcome | BaseException) -> None:
    if done.done():
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
