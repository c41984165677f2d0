"""Turns that arrive while another is under way share a transaction, and not their misfortunes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from threading import Event

import pytest

from bot.turns import WAITS_WITHIN, Runner, Turns
from triage.desk import Desk
from triage.errors import Conflict, TooSlow, TurnError
from triage.model import Account, Channel, ChannelKind, Kind, Message, Platform, Sender
from triage.ports import Receipt


class Slow(Desk):
    """A desk that waits until it may, and on which some texts fail, in company or always."""

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()
        self.taken: list[list[str]] = []

    def take_together(self, messages: Sequence[Message], *, late: Callable[[], bool]) -> Sequence[Receipt]:
        self.taken.append([message.text for message in messages])
        self.begun.set()
        self.go_on.wait(10)
        for message in messages:
            if message.text != "fine":
                raise KeyError(message.text)
        return [Receipt()] * len(messages)

    def take(self, message: Message, *, late: Callable[[], bool] = lambda: False) -> Receipt:
        self.taken.append([message.text])
        if message.text == "lost":
            raise Conflict("somebody else was first")
        return Receipt()


@pytest.fixture
async def run() -> AsyncIterator[Runner]:
    runner = Runner(1)
    yield runner
    runner.close()


_numbers = count()


def message(text: str = "fine", *, channel: str = "help") -> Message:
    id = str(next(_numbers))
    place = Channel(platform=Platform.WEB, place="demo", id=channel, kind=ChannelKind.CHANNEL)
    sender = Sender(account=Account(platform=Platform.WEB, place="demo", user="dana"))
    return Message(key=f"web:{id}", kind=Kind.POST, sender=sender, channel=place, id=id, text=text)


async def while_one_is_under_way(take: Turns, desk: Slow, *then: Message) -> list[Receipt | BaseException]:
    """The outcomes of those that came meanwhile."""
    first = asyncio.create_task(take(message()))
    await asyncio.to_thread(desk.begun.wait, 10)
    others = [asyncio.create_task(take(one)) for one in then]
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
    came = [message(), message("in company"), message("lost")]
    fine, company, lost = await while_one_is_under_way(turns(desk, run), desk, *came)
    assert (fine, company) == (Receipt(), Receipt())
    assert isinstance(lost, TurnError)
    assert sorted(map(len, desk.taken)) == [1, 1, 1, 1, 3]


async def test_a_turn_that_waited_too_long_is_not_begun(run: Runner) -> None:
    """Under too much work those that are begun end in time; the others come again."""
    desk, now = Slow(), [0.0]
    take = turns(desk, run, clock=lambda: now[0])
    first = asyncio.create_task(take(message()))
    await asyncio.to_thread(desk.begun.wait, 10)
    waits = asyncio.create_task(take(message()))
    await asyncio.sleep(0)
    now[0] = WAITS_WITHIN + 0.1
    desk.go_on.set()
    await first
    with pytest.raises(TooSlow):
        await waits
    assert len(desk.taken) == 1
