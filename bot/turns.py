"""Runs one turn: off the event loop, within its time, and never without an outcome.

This is the `Intake` that every adapter hands its messages to. Made by `bot.compose`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog

from bot.gathering import Gathering
from bot.logs import place_of
from bot.metrics import TURN_SECONDS, TURNS
from bot.pacing import Pace, Pacing
from triage.briefing import Arrival
from triage.desk import Desk
from triage.errors import TooSlow, TurnError, Unavailable, Unsettled
from triage.model import Kind, Message
from triage.ports import NewId, Receipt

Result = TypeVar("Result")

TURN_LIMIT = 2.0
"""Seconds a turn may take; past that it rolls back and the platform is not acknowledged."""

WAITS_WITHIN = 1.0
"""Seconds after which a turn is not begun any more: under too much work, those that are begun shall end in time."""

NOT_BEGUN = "the turn waited longer than its time and was not begun"

TOGETHER_WITHIN = 0.5
"""Seconds that a transaction of several turns may last; then there is time left to take each by itself."""

SETTLES_WITHIN, SETTLE_PAUSE = 1.0, 0.2
"""Seconds that a message waits here for what it hangs on, and between two looks."""

log = structlog.get_logger(__name__)


class Runner:
    """Blocking work off the event loop. SQLite has one writer, so one thread serves it best."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="turn")

    async def __call__(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for the turns under way; those that have not begun are not acknowledged, and come again."""
        self._pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A message that was heard; by the clock of turns, since when it waits and when its time is up."""

    arrival: Arrival
    since: float
    deadline: float


class Apart(Exception):
    """Turns that could not be taken together, or not at once: each is to be taken by itself."""


class Turns:
    """Implements `triage.ports.Intake`. `nudge` tells delivery that there may be something to send.

    `clock` gives seconds since whenever, for the time a turn takes. Turns of one thread are taken one after the
    other, in the order in which they came; up to `lanes` transactions of turns of other threads go on at one time.
    """

    def __init__(
        self,
        desk: Desk,
        run: Runner,
        *,
        nudge: Callable[[], None],
        new_id: NewId,
        clock: Callable[[], float] = time.monotonic,
        pacing: Pacing | None = None,
        lanes: int = 1,
    ) -> None:
        self._desk = desk
        self._run = run
        self._nudge = nudge
        self._new_id = new_id
        self._pacing = pacing
        self._clock = clock
        self._gathered = Gathering(self._together, lanes=lanes)
        self._places: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        """Threads in which a turn is under way, each with those that wait for it."""

    async def __call__(self, message: Message) -> Receipt:
        started = self._clock()
        with structlog.contextvars.bound_contextvars(turn=self._new_id(), key=message.key):
            match self._pacing(message) if self._pacing else Pace.READ:
                case Pace.READ:
                    receipt = await self._outcome(message, started + TURN_LIMIT)
                case Pace.TELL:
                    log.warning("a person is slowed down")
                    receipt = await self._run(lambda: self._desk.slow_down(message))
                case Pace.SKIP:
                    TURNS.labels("skipped").inc()
                    return await self._run(lambda: self._desk.pass_over(message))
        if not receipt.talk:
            self._nudge()
        TURN_SECONDS.observe(self._clock() - started)
        return receipt

    async def _outcome(self, message: Message, deadline: float) -> Receipt:
        try:
            receipt = await self._settled(message, deadline)
        except TurnError as error:
            TURNS.labels("refused").inc()
            log.warning("turn refused", kind=message.kind, error=str(error))
            raise
        except Exception as error:
            log.exception("turn failed", kind=message.kind)
            return await self._failed(message, error)
        if receipt.talk:
            TURNS.labels("talk").inc()
            return receipt
        TURNS.labels("repeat" if receipt.repeat else "done").inc()
        log.info("turn", kind=message.kind, repeat=receipt.repeat)
        return receipt

    async def _settled(self, message: Message, deadline: float) -> Receipt:
        """The turn, begun again for a second while what it hangs on is under way: sooner than the platform would."""
        place = self._places.setdefault(_place(message), asyncio.Lock())
        while True:
            try:
                async with place:
                    return await self._turn(message, deadline)
            except Unsettled:
                if self._clock() > deadline - TURN_LIMIT + SETTLES_WITHIN:
                    raise
            await asyncio.sleep(SETTLE_PAUSE)

    async def _turn(self, message: Message, deadline: float) -> Receipt:
        """Heard by itself, since finding its article may take long; then stored with those that wait, too."""
        if self._clock() > deadline - TURN_LIMIT + WAITS_WITHIN:
            raise TooSlow(NOT_BEGUN)
        heard = await self._run(lambda: self._desk.hear(message))
        if isinstance(heard, Receipt):
            return heard
        waiting = Waiting(heard, self._clock(), deadline)
        try:
            return await self._gathered(waiting)
        except Apart as apart:
            if self._late(waiting):
                raise TooSlow("the turn took longer than its time and was rolled back") from apart
        return await self._run(lambda: self._desk.answer(heard, late=lambda: self._late(waiting)))

    async def _together(self, waiting: Sequence[Waiting]) -> Sequence[Receipt | TooSlow]:
        """Of those that waited too long none is begun: one that is late would take all of them apart."""
        now = self._clock()
        begun = [each for each in waiting if now <= min(each.since + WAITS_WITHIN, each.deadline)]
        taken = iter(await self._run(lambda: self._taken(begun)) if begun else ())
        return [next(taken) if each in begun else TooSlow(NOT_BEGUN) for each in waiting]

    def _taken(self, waiting: Sequence[Waiting]) -> Sequence[Receipt]:
        """The turns that wait, in one transaction."""
        end = min(each.deadline for each in waiting)
        if len(waiting) > 1:
            end = min(end, self._clock() + TOGETHER_WITHIN)
        try:
            return self._desk.take_together([each.arrival for each in waiting], late=lambda: self._clock() > end)
        except TurnError as error:
            log.info("turns taken apart", turns=len(waiting), error=type(error).__name__)
            raise Apart from error
        except Exception as error:
            if len(waiting) == 1:
                raise
            log.warning("turns taken apart", turns=len(waiting), exc_info=True)
            raise Apart from error

    def _late(self, waiting: Waiting) -> bool:
        return self._clock() > waiting.deadline

    async def _failed(self, message: Message, error: Exception) -> Receipt:
        """Platforms that deliver again get the chance to; on the last try the failure itself is kept."""
        TURNS.labels("failed").inc()
        if not message.last_try:
            raise Unavailable("the turn failed and will be delivered again") from error
        try:
            return await self._run(lambda: self._desk.fail(message, place_of(error)))
        except TurnError:
            raise
        except Exception as worse:
            log.exception("the failure could not be kept", kind=message.kind)
            raise Unavailable("neither the turn nor its failure could be stored") from worse


def _place(message: Message) -> Hashable:
    """A slash command belongs to no thread, but to whoever gave it."""
    return message.sender.account if message.kind is Kind.COMMAND else message.here
