"""The platforms' side of bringing messages: at least once, late, repeated, in any order.

A message is acknowledged when the desk's intake returned and the platform saw that; only then does the desk
owe anything. Slack tries four times, Teams twice, a command or button once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.turns import LAST_LIMIT
from tests.simulation.watching import Crashed
from triage.errors import TooSlow, TurnError
from triage.model import Kind, Message, Platform
from triage.ports import Receipt

if TYPE_CHECKING:
    from tests.simulation.world import World

PATIENCE = 3.0
"""Seconds that a platform waits for an acknowledgement."""

PAUSES = {Platform.SLACK: (0.5, 60.0, 300.0), Platform.TEAMS: (1.0,)}


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that the platform saw acknowledged."""

    message: Message
    receipt: Receipt
    at: datetime


class Postman:
    def __init__(self, world: World) -> None:
        self._world = world
        self.armed: list[str] = []
        self.acked: dict[str, Taken] = {}
        self.attempts = 0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def under_way(self) -> int:
        return sum(not task.done() for task in self._tasks)

    def bring(self, message: Message, *, times: int = 1, late: bool = False) -> None:
        """`times`: one post may arrive as `message` and as `app_mention`. `late`: only the last try gets through."""
        fault = "late" if late else self.armed.pop(0) if self.armed else ""
        if fault:
            self._world.tell(f"{message.channel.platform}: {fault} for {message.key}")
        for n in range(times):
            self._start(message, fault if n == 0 else "", n)
        if fault == "repeat":
            self._start(message, "delay", times)

    def _start(self, message: Message, fault: str, n: int) -> None:
        task = asyncio.get_running_loop().create_task(self._bring(message, fault, n))
        self._tasks.append(task)

    async def _bring(self, message: Message, fault: str, n: int) -> None:
        chance = self._world.chance
        await asyncio.sleep(0.02 + 0.4 * chance("event", message.key, n))
        if fault == "delay":
            await asyncio.sleep(1 + 40 * chance("delay", message.key, n))
        once = message.kind in (Kind.COMMAND, Kind.BUTTON)
        pauses = () if once else PAUSES[message.channel.platform]
        for n_try, pause in enumerate((*pauses, None)):
            last = pause is None if message.channel.platform is Platform.SLACK else True
            dropped = (fault == "drop" and n_try == 0) or (fault == "late" and pause is not None)
            tried = replace(message, last_try=last, tries=n_try + 1)
            if not dropped and await self._try(tried, once=once):
                if not (fault == "unacked" and n_try == 0):
                    return
                self._world.tell(f"{message.channel.platform}: the acknowledgement of {message.key} was lost")
            if pause is None:
                self._world.tell(f"{message.channel.platform}: gives up bringing {message.key}")
                return
            await asyncio.sleep(pause)

    async def _try(self, message: Message, *, once: bool) -> bool:
        life = self._world.some_life(message.key, message.tries)
        if life is None:
            return False
        self.attempts += 1
        comes_again = message.channel.platform is Platform.SLACK and not message.last_try and not once
        if comes_again and life.turns.turns_away():
            self._world.tell(f"turned away {message.key}")
            return False
        task = life.spawn(life.turns(message))
        if message.last_try and message.tries > 1:
            until = life.seconds() + LAST_LIMIT
            task.add_done_callback(lambda task: self._not_turned_away(message, task, life.seconds() < until))
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        if not done or task.cancelled():
            return False
        error = task.exception()
        if error is not None:
            if not isinstance(error, Crashed):
                self._world.tell(f"refused {message.key}: {error}")
            return not isinstance(error, Crashed | TurnError)
        receipt = task.result()
        if message.key not in self.acked or self.acked[message.key].receipt.repeat:
            self.acked[message.key] = Taken(message, receipt, self._world.now())
        return True

    def _not_turned_away(self, message: Message, task: asyncio.Task[Receipt], in_time: bool) -> None:
        """What comes for the last time is taken, however much there is to do."""
        error = None if task.cancelled() else task.exception()
        if in_time and isinstance(error, TooSlow):
            self._world.wrong("last chance", f"{message.key} came for the last time and was refused: {error}")
