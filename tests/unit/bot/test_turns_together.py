"""Turns that arrive while another is under way share a transaction, and not their misfortunes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from itertools import count
from threading import Event

import pytest

from bot.turns import WAITS_WITHIN, Runner, Turns
from tests.builders import LOBBY, mention
from tests.builders import message as said
from tests.unit.office import Office, phrases
from triage.briefing import Arrival
from triage.desk import Desk
from triage.errors import Conflict, TooSlow, TurnError, Unavailable
from triage.model import Account, Channel, ChannelKind, Kind, Message, Person, Platform, Sender, Thread
from triage.ports import Receipt

DANA = Account(platform=Platform.WEB, place="demo", user="dana")


class Slow(Desk):
    """A desk whose first transaction waits until it may; some texts fail in company, or always."""

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()
        self.taken: list[list[str]] = []

    def overhears(self, message: Message) -> bool:
        return False

    def hear(self, message: Message) -> Arrival:
        nobody = Person(id="dana", name="Dana", account=DANA)
        return Arrival(
            message=message,
            sender=nobody,
            stranger=False,
            audience=frozenset(),
            intent=None,
            match=None,
            known=nobody,
        )

    def take_together(self, arrivals: Sequence[Arrival], *, late: Callable[[], bool]) -> Sequence[Receipt]:
        texts = [arrival.message.text for arrival in arrivals]
        self.taken.append(texts)
        self.begun.set()
        self.go_on.wait(10)
        if "lost" in texts or (len(texts) > 1 and "only alone" in texts):
            raise KeyError("lost")
        return [Receipt()] * len(arrivals)

    def answer(self, arrival: Arrival, *, late: Callable[[], bool] = lambda: False) -> Receipt:
        self.taken.append([arrival.message.text])
        if arrival.message.text == "lost":
            raise Conflict("somebody else was first")
        return Receipt()


@pytest.fixture
async def run() -> AsyncIterator[Runner]:
    runner = Runner(8)
    yield runner
    runner.close()


_numbers = count()


def message(text: str = "fine", *, direct: bool = False) -> Message:
    id = str(next(_numbers))
    kind = ChannelKind.DM if direct else ChannelKind.CHANNEL
    place = Channel(platform=Platform.WEB, place="demo", id=str(kind), kind=kind)
    return Message(key=f"web:{id}", kind=Kind.POST, sender=Sender(account=DANA), channel=place, id=id, text=text)


async def while_one_is_under_way(take: Turns, desk: Slow, *then: Message) -> list[Receipt | BaseException]:
    """The outcomes of those that came meanwhile."""
    first = asyncio.create_task(take(message()))
    await asyncio.to_thread(desk.begun.wait, 10)
    others = [asyncio.create_task(take(one)) for one in then]
    gathered = take._gathered
    while len(gathered._waiting) < len({one.here for one in then}):
        await asyncio.sleep(0)
    desk.go_on.set()
    assert await first == Receipt()
    return await asyncio.gather(*others, return_exceptions=True)


def turns(desk: Desk, run: Runner, clock: Callable[[], float] = lambda: 0.0) -> Turns:
    return Turns(desk, run, nudge=lambda: None, new_id=lambda: "turn-1", clock=clock)


async def test_a_lone_turn_waits_for_nobody_and_the_next_go_together(run: Runner) -> None:
    """Two transactions for four messages."""
    desk = Slow()
    assert await while_one_is_under_way(turns(desk, run), desk, *(message() for _ in range(3))) == [Receipt()] * 3
    assert [len(batch) for batch in desk.taken] == [1, 3]


async def test_where_one_fails_each_is_taken_by_itself(run: Runner) -> None:
    """Whoever failed only in company is stored; the others hear nothing of who failed for good."""
    desk = Slow()
    came = [message(), message("only alone"), message("lost")]
    fine, company, lost = await while_one_is_under_way(turns(desk, run), desk, *came)
    assert (fine, company) == (Receipt(), Receipt())
    assert isinstance(lost, TurnError)
    assert sorted(map(len, desk.taken)) == [1, 1, 1, 1, 3]


async def test_what_follows_in_its_thread_waits_for_a_turn_that_is_taken_by_itself(run: Runner) -> None:
    """Else what somebody deletes could be stored after it was deleted."""
    desk = Slow()
    came = [message("only alone", direct=True), message(), message("later", direct=True)]
    assert await while_one_is_under_way(turns(desk, run), desk, *came) == [Receipt()] * 3
    alone = desk.taken.index(["only alone"])
    assert alone < next(place for place, batch in enumerate(desk.taken) if "later" in batch)


async def test_words_that_follow_a_mention_at_once_are_heard_after_it(run: Runner) -> None:
    """The question was asked in an ordinary channel: only the turn before says that its thread is no talk."""
    office = Office()
    asked = mention("my chair broke", at=Thread(channel=LOBBY, root=None))
    reply = said("the left arm", at=Thread(channel=LOBBY, root=asked.id), id="9.9")
    take = turns(office.desk, run)
    assert list(await asyncio.gather(take(asked), take(reply))) == [Receipt(), Receipt()]
    assert "thread.message" in phrases(office.deliver())


async def test_a_turn_that_hears_slowly_keeps_no_other_waiting(run: Runner) -> None:
    """An encoder that does not answer is the misfortune of whoever asked."""

    class Hard(Slow):
        def hear(self, message: Message) -> Arrival:
            if message.text == "hard":
                assert self.go_on.wait(10)
            return super().hear(message)

        def take_together(self, arrivals: Sequence[Arrival], *, late: Callable[[], bool]) -> Sequence[Receipt]:
            return [Receipt()] * len(arrivals)

    desk = Hard()
    take = turns(desk, run)
    hard = asyncio.create_task(take(message("hard")))
    assert await take(message()) == Receipt()
    desk.go_on.set()
    assert await hard == Receipt()


async def test_a_turn_that_waited_too_long_is_not_begun(run: Runner) -> None:
    """Under too much work those that are begun end in time; the others come again."""
    desk, now = Slow(), [0.0]
    take = turns(desk, run, clock=lambda: now[0])
    first = asyncio.create_task(take(message(direct=True)))
    await asyncio.to_thread(desk.begun.wait, 10)
    waits = asyncio.create_task(take(message(direct=True)))
    await asyncio.sleep(0)
    now[0] = WAITS_WITHIN + 0.1
    desk.go_on.set()
    await first
    with pytest.raises(TooSlow):
        await waits
    assert len(desk.taken) == 1


async def test_the_last_try_of_a_turn_that_fails_is_kept_by_itself(run: Runner) -> None:
    """The platform is told to come again while it will."""
    desk = Slow()
    desk.go_on.set()
    with pytest.raises(Unavailable, match="delivered again"):
        await turns(desk, run)(replace(message("lost"), last_try=False))
