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

from bot.gathering import MOST, Gathering
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

LAST_LIMIT = 30.0
"""Seconds for a message that came for the last time: it is taken though late, however much there is to do."""

HEARD_WITHIN = 0.5
"""Seconds that a turn waits to be heard: under too much work, those that are begun shall end in time."""

FULL = 0.5
"""Seconds that whoever comes would wait at which the desk is full: what is let in shall be in time."""

FEW = 10
"""Turns that may wait whatever they take: from fewer nobody can tell how long one more would wait."""

LATELY = 20
"""Turns whose mean says what one takes to be stored, more or less: one that waited for the disk shall not say it."""

WAITS_WITHIN = 1.0
"""Seconds that a turn waits to be stored, and in which it must have been heard, whatever it waited for."""

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
    """A message that was heard; by the clock of turns, until when it may wait and when its time is up."""

    arrival: Arrival
    begun_by: float
    deadline: float


class Apart(Exception):
    """Turns that could not be taken together, or not at once: each is to be taken by itself."""


class Turns:
    """Implements `triage.ports.Intake`. `nudge` tells delivery that there may be something to send.

    `clock` gives seconds since whenever, for the time a turn takes. Turns of one thread are taken one after the
    other, in the order in which they came. They are heard in threads of their own (`hearing`; by default in those of
    `run`), so that what was heard need not wait for what comes after it.
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
        hearing: Runner | None = None,
    ) -> None:
        self._desk = desk
        self._hearing = hearing or run
        self._run = run
        self._nudge = nudge
        self._new_id = new_id
        self._pacing = pacing
        self._clock = clock
        self._gathered = Gathering(self._together, most=self._most)
        self._unheard = self._unstored = 0
        self._hears = self._stores = 0.0
        """Seconds that a turn lately waited for each that was to be heard before it; that each took to be stored."""
        self._places: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        """Threads in which a turn is under way, each with those that wait for it."""

    @property
    def full(self) -> bool:
        """Whether what comes now would wait for too long and be refused: cheaper before it is read."""
        waiting, seconds = self._unheard + self._unstored, self._unheard * self._hears + self._unstored * self._stores
        return waiting > FEW and seconds > FULL

    def turns_away(self) -> bool:
        """Whether the desk is full; then the event that asks is counted as turned away."""
        if full := self.full:
            TURNS.labels("turned away").inc()
        return full

    def overhears(self, message: Message) -> bool:
        """Whether this is surely people's talk: then that was its turn, and nobody need look up who wrote it."""
        if talk := self._desk.overhears(message):
            TURNS.labels("talk").inc()
        return talk

    async def __call__(self, message: Message) -> Receipt:
        started = self._clock()
        with structlog.contextvars.bound_contextvars(turn=self._new_id(), key=message.key):
            match self._pacing(message) if self._pacing else Pace.READ:
                case Pace.READ:
                    limit = LAST_LIMIT if message.last_chance else TURN_LIMIT
                    receipt = await self._outcome(message, started + limit)
                case Pace.TELL:
                    log.warning("a person is slowed down")
                    receipt = await self._instead(lambda: self._desk.slow_down(message))
                case Pace.SKIP:
                    TURNS.labels("skipped").inc()
                    return await self._instead(lambda: self._desk.pass_over(message))
        if not receipt.talk:
            self._nudge()
        TURN_SECONDS.observe(self._clock() - started)
        return receipt

    async def _instead(self, work: Callable[[], Receipt]) -> Receipt:
        """What is done for somebody who writes too much."""
        try:
            return await self._run(work)
        except TurnError as error:
            log.warning("turn refused", error=str(error))
            raise

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
        heard = await self._hear(message, deadline)
        if isinstance(heard, Receipt):
            return heard
        begun_by = deadline if message.last_chance else min(self._clock() + WAITS_WITHIN, deadline)
        waiting = Waiting(heard, begun_by, deadline)
        self._unstored += 1
        try:
            return await self._gathered(waiting)
        except Apart:
            return await self._run(lambda: self._alone(waiting))
        finally:
            self._unstored -= 1

    def _alone(self, waiting: Waiting) -> Receipt:
        if self._late(waiting):
            raise TooSlow("the turn took longer than its time and was rolled back")
        return self._desk.answer(waiting.arrival, late=lambda: self._late(waiting))

    async def _hear(self, message: Message, deadline: float) -> Arrival | Receipt:
        """Looks at the clock once there is a thread for it: the wait is for that."""
        if self._desk.overhears(message):
            return Receipt(talk=True)
        if self.full and not message.last_chance:
            raise TooSlow(NOT_BEGUN)
        since, before = self._clock(), self._unheard

        def heard() -> Arrival | Receipt:
            now = self._clock()
            if before >= FEW:
                self._hears = (now - since) / before
            if not message.last_chance and now > min(since + HEARD_WITHIN, deadline - TURN_LIMIT + WAITS_WITHIN):
                raise TooSlow(NOT_BEGUN)
            return self._desk.hear(message)

        self._unheard += 1
        try:
            return await self._hearing(heard)
        finally:
            self._unheard -= 1
            if not self._unheard:  # what one took when there were many says nothing of the next crowd
                self._hears = 0.0

    async def _together(self, waiting: Sequence[Waiting]) -> Sequence[Receipt | TooSlow]:
        """Of those that waited too long none is begun: one that is late would take all of them apart."""
        now = self._clock()
        begun = [each for each in waiting if now <= each.begun_by]
        taken = iter(await self._run(lambda: self._taken(begun)) if begun else ())
        return [next(taken) if each in begun else TooSlow(NOT_BEGUN) for each in waiting]

    def _most(self) -> int:
        """As many turns as take half of the time that they may have together."""
        return max(1, min(MOST, int(TOGETHER_WITHIN / 2 / self._stores))) if self._stores else MOST

    def _taken(self, waiting: Sequence[Waiting]) -> Sequence[Receipt]:
        """The turns that wait, in one transaction."""
        began, end = self._clock(), min(each.deadline for each in waiting)
        if len(waiting) > 1:
            end = min(end, began + TOGETHER_WITHIN)
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
        finally:
            took = self._clock() - began
            self._stores += (took - len(waiting) * self._stores) / (len(waiting) + LATELY)

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
