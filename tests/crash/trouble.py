"""What befalls the desk: kills at random moments, orderly stops between them, and a database and a Slack with troubles.

Run beside the author by `tests.crash.story`. The seed fixes what is drawn, not the races of real processes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from tests.crash.postman import Postman
from tests.crash.stage import Stage, restart
from tests.postgres import Mode
from tests.served.process import NotReady

STOPS = 6
"""After so many kills the desk is stopped in order once."""
STOP_LIMIT = 10.0
"""Seconds in which a desk that was told to stop must have ended."""
READY_LIMIT = 120.0
MODES: tuple[Mode, ...] = ("fast", "immediate")
LONGEST_LIFE = 6.0


class Moment(StrEnum):
    STARTING = "starting"
    ANY = "any time"
    SENDING = "a post sent, its answer not come"
    TAKING = "a delivery not acknowledged yet"


WEIGHTS = {Moment.STARTING: 2, Moment.ANY: 4, Moment.SENDING: 4, Moment.TAKING: 3}


@dataclass(slots=True, kw_only=True)
class Troubles:
    """What happened."""

    kills: Counter[Moment] = field(default_factory=Counter)
    stops: list[float] = field(default_factory=list)
    """Seconds each orderly stop took."""
    bad_stops: list[str] = field(default_factory=list)
    restarts: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    slack: Counter[str] = field(default_factory=Counter)


class Reaper:
    """Starts the desk, kills it, and starts it again."""

    def __init__(self, stage: Stage, postman: Postman, random: Random, troubles: Troubles) -> None:
        self._stage = stage
        self._postman = postman
        self._random = random
        self._troubles = troubles

    async def reign(self, kills: int) -> None:
        """Leaves the desk alive."""
        for number in range(1, kills + 1):
            await self._live_and_die()
            if number % STOPS == 0:
                await self._live_and_stop()
        await self.start()

    async def start(self) -> None:
        self._stage.served.start()
        await self._stage.served.ready(READY_LIMIT)

    async def stop(self) -> None:
        """SIGTERM; what is wrong with how it ended is kept."""
        served = self._stage.served
        try:
            self._troubles.stops.append(await served.stop(STOP_LIMIT))
        except TimeoutError as error:
            self._troubles.bad_stops.append(str(error))
        else:
            if served.code != 0:
                self._troubles.bad_stops.append(f"exit code {served.code} after SIGTERM")

    async def _live_and_die(self) -> None:
        moment = self._random.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
        self._stage.served.start()
        if moment is Moment.STARTING:
            await self._begun()
        elif not await self._lives():
            moment = Moment.STARTING
        await self._wait(moment)
        self._stage.served.kill()
        self._troubles.kills[moment] += 1

    async def _live_and_stop(self) -> None:
        await self.start()
        await asyncio.sleep(self._random.uniform(0.5, LONGEST_LIFE))
        await self.stop()

    async def _begun(self) -> None:
        """Until it listens, and a moment of what it does then."""
        await self._stage.served.ready(READY_LIMIT, path="/healthz")
        await asyncio.sleep(self._random.uniform(0, 1))

    async def _lives(self) -> bool:
        """Whether it became ready in spite of all."""
        try:
            await self._stage.served.ready(READY_LIMIT)
        except NotReady:
            return False
        await asyncio.sleep(self._random.uniform(0, LONGEST_LIFE / 2))
        return True

    async def _wait(self, moment: Moment) -> None:
        match moment:
            case Moment.ANY:
                await asyncio.sleep(self._random.uniform(0, LONGEST_LIFE / 2))
            case Moment.SENDING:
                with suppress(TimeoutError):
                    await self._stage.slack.next_call("chat.postMessage", within=LONGEST_LIFE)
            case Moment.TAKING:
                await until(lambda: self._postman.underway > 0, LONGEST_LIFE)
                await asyncio.sleep(self._random.uniform(0, 0.05))


async def befall_database(stage: Stage, random: Random, troubles: Troubles) -> None:
    """Until cancelled: PostgreSQL's connections are cut, or it is restarted, sometimes as after a crash."""
    while True:
        await asyncio.sleep(random.uniform(3, 9))
        if random.random() < 0.7:
            troubles.cuts += await asyncio.to_thread(stage.cut)
            continue
        mode: Mode = random.choice(MODES)
        await _to_its_end(restart(stage, mode))
        troubles.restarts[mode] += 1


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """A server is not left half restarted, also when this is cancelled."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    finally:
        await task


async def befall_slack(stage: Stage, random: Random, troubles: Troubles) -> None:
    """Until cancelled: 429 with Retry-After, 500, and connections that break after the post was taken."""
    slack = stage.slack
    faults: dict[str, Callable[[], None]] = {
        "429": lambda: slack.busy_next(1, method="chat.postMessage"),
        "500": lambda: slack.break_next(method="chat.postMessage"),
        "answer lost": lambda: slack.drop_next(method="chat.postMessage"),
    }
    while True:
        await asyncio.sleep(random.uniform(2, 8))
        name = random.choice(tuple(faults))
        faults[name]()
        troubles.slack[name] += 1


async def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait for it, so long at most; whether it came."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True
