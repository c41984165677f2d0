"""More turns than the desk can take: it goes on to take about as many as it can, and refuses the others soon.

A machine of one core under virtual time: to hear a turn takes ten milliseconds, to store it five, a commit ten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

from bot.turns import TURN_LIMIT, Runner, Turns
from tests.simulation.timing import VirtualLoop
from triage.briefing import Arrival
from triage.desk import Desk
from triage.errors import TooSlow, TurnError
from triage.model import Account, Channel, Kind, Message, Person, Platform, Sender
from triage.ports import Receipt

HEARING, STORING, COMMITTING = 0.010, 0.005, 0.010
KNEE = 60
"""Turns a second that this machine takes at most, a little more or less: 1 / (HEARING + STORING), and commits."""
SECONDS = 10.0
Result = TypeVar("Result")
DANA = Account(platform=Platform.WEB, place="demo", user="dana")


class Machine(Runner):
    """One core, which does one work after the other in the order in which they came."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._core = asyncio.Lock()
        self._spent = 0.0

    async def __call__(self, work: Callable[[], Result]) -> Result:
        async with self._core:
            try:
                return work()
            finally:
                spent, self._spent = self._spent, 0.0
                await asyncio.sleep(spent)

    def spend(self, seconds: float) -> None:
        self._spent += seconds

    def clock(self) -> float:
        return self._loop.time() + self._spent


class Busy(Desk):
    """A desk that takes time and knows nothing else."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def overhears(self, message: Message) -> bool:
        return False

    def hear(self, message: Message) -> Arrival:
        self._machine.spend(3 if message.text == "a long story" else HEARING)
        dana = Person(id="dana", name="Dana", account=DANA)
        return Arrival(
            message=message, sender=dana, stranger=False, audience=frozenset(), intent=None, match=None, known=dana
        )

    def take_together(self, arrivals: Sequence[Arrival], *, late: Callable[[], bool]) -> Sequence[Receipt]:
        self._machine.spend(COMMITTING + STORING * len(arrivals))
        if late():
            raise TooSlow("late")
        return [Receipt()] * len(arrivals)

    def answer(self, arrival: Arrival, *, late: Callable[[], bool] = lambda: False) -> Receipt:
        return self.take_together([arrival], late=late)[0]


class Load:
    """Turns that come at a rate, each in a thread of its own, and what becomes of them."""

    def __init__(self, *, knocks: bool) -> None:
        self._knocks = knocks
        self.seconds: list[float] = []
        """That those which were taken took."""
        self.refused = 0
        self.turned_away = 0
        self.last_chance: int | None = None
        """The number of the turn that came for the last time, if one did."""
        self.slow: int | None = None
        """The number of the one that takes three seconds to hear."""
        self.lost: list[int] = []

    def run(self, rate: float, seconds: float = SECONDS) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(self._offered(rate, round(rate * seconds)))

    async def _offered(self, rate: float, turns: int) -> None:
        take = self._turns()
        async with asyncio.TaskGroup() as group:
            for number in range(turns):
                if self._knocks and take.full:
                    self.turned_away += 1
                else:
                    group.create_task(self._one(take, number))
                await asyncio.sleep(1 / rate)

    async def crowds(self, count: int) -> None:
        """Thirty turns at once, a minute apart."""
        take = self._turns()
        for crowd in range(count):
            async with asyncio.TaskGroup() as group:
                for number in range(30):
                    group.create_task(self._one(take, 30 * crowd + number))
            await asyncio.sleep(60)

    def _turns(self) -> Turns:
        machine = Machine(asyncio.get_running_loop())
        return Turns(Busy(machine), machine, nudge=lambda: None, new_id=lambda: "turn-1", clock=machine.clock)

    async def _one(self, take: Turns, number: int) -> None:
        began = asyncio.get_running_loop().time()
        here = Channel(platform=Platform.WEB, place="demo", id=str(number))
        message = Message(
            key=f"web:{number}",
            kind=Kind.POST,
            sender=Sender(account=DANA),
            channel=here,
            id="1",
            text="a long story" if number == self.slow else "it broke",
            tries=4 if number == self.last_chance else 1,
        )
        try:
            await take(message)
        except TurnError:
            self.refused += 1
            self.lost.append(number)
        else:
            self.seconds.append(asyncio.get_running_loop().time() - began)


@pytest.mark.parametrize("knocks", [False, True])
def test_at_the_knee_all_are_taken(knocks: bool) -> None:
    """Nobody is sent away from a desk that keeps up."""
    load = Load(knocks=knocks)
    load.run(0.8 * KNEE)
    assert len(load.seconds) == 0.8 * KNEE * SECONDS


@pytest.mark.parametrize("times", [1.5, 2, 4])
@pytest.mark.parametrize("knocks", [False, True])
def test_beyond_the_knee_about_as_many_are_taken_as_at_it(times: float, knocks: bool) -> None:
    """What was heard is stored, whatever else is to be heard; those that are taken are taken in time."""
    load = Load(knocks=knocks)
    load.run(times * KNEE)
    assert len(load.seconds) > 0.75 * KNEE * SECONDS
    assert max(load.seconds) < TURN_LIMIT


def test_whoever_knocks_at_a_full_desk_is_turned_away_before_anything_is_done_for_them() -> None:
    """To read what is refused afterwards costs as much as to take something."""
    load = Load(knocks=True)
    load.run(4 * KNEE)
    assert load.refused < load.turned_away / 50


def test_what_comes_for_the_last_time_is_taken_however_much_there_is_to_do() -> None:
    """Nobody would bring it again, and nobody tell its author."""
    load = Load(knocks=False)
    load.last_chance = 1500
    load.run(4 * KNEE)
    assert {1490, 1510} <= set(load.lost)
    assert load.last_chance not in load.lost


def test_one_that_took_long_to_hear_is_forgotten_when_all_are_heard() -> None:
    """What it took says nothing of the next crowd: thirty behind it are late, thirty a minute later are taken."""
    load = Load(knocks=False)
    load.slow = 0
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(load.crowds(2))
    assert len(load.lost) > 20
    assert max(load.lost) < 30


def test_a_crowd_that_comes_at_once_to_a_desk_at_rest_is_let_in() -> None:
    """Thirty can be heard and stored in time, so nobody is sent away."""
    load = Load(knocks=True)
    load.run(rate=1_000_000, seconds=0.000_03)
    assert len(load.seconds) == 30
