"""Marks of sent messages, written together: those that arrive while some are being written go with the next.

A commit waits for the disk, whatever it holds. Used by `bot.delivery`, one for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.turns import Runner
from triage.errors import TurnError
from triage.ports import Outbox, Sent


class Marking:
    """For use on the event loop."""

    def __init__(self, outbox: Outbox, run: Runner) -> None:
        self._outbox = outbox
        self._run = run
        self._waiting: list[tuple[Sent, asyncio.Future[None]]] = []
        self._writing = False

    async def __call__(self, sent: Sent) -> None:
        """Returns once it is kept. Raises Unavailable, and then the lease runs out and it is looked up."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((sent, kept))
        if not self._writing:
            await self._write()
        await kept

    async def _write(self) -> None:
        self._writing = True
        try:
            while self._waiting:
                together, self._waiting = self._waiting, []
                error = await self._written([sent for sent, _ in together])
                for _, kept in together:
                    _settle(kept, error)
        finally:
            self._writing = False

    async def _written(self, together: Sequence[Sent]) -> TurnError | None:
        try:
            await self._run(lambda: self._outbox.sent(together))
        except TurnError as error:
            return error
        return None


def _settle(kept: asyncio.Future[None], error: TurnError | None) -> None:
    if kept.done():
        return
    if error is None:
        kept.set_result(None)
    else:
        kept.set_exception(error)
