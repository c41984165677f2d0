"""What arrives while something is being written is written together, and never forgotten: marks of what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot.gathering import MOST, Gathering
from storage.memory import MemoryStorage
from tests.builders import ASKED
from tests.contract.storages import lease, record, words
from triage.errors import Unavailable
from triage.model import Thread
from triage.ports import Outbox, Sent


@dataclass
class Slow:
    """An outbox whose commits wait until they may; the next ones fail as told."""

    real: Outbox
    go_on: asyncio.Event
    troubles: list[Exception] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)

    async def sent(self, together: Sequence[Sent]) -> Sequence[bool]:
        await self.go_on.wait()
        self.commits.append(len(together))
        if self.troubles:
            raise self.troubles.pop()
        return self.real.sent(together)


async def settled() -> None:
    """All that can go on has gone on."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
def storage() -> MemoryStorage:
    storage = MemoryStorage()
    record(storage, said=tuple(words(f"o{n}", Thread(channel=ASKED.channel, root=f"{n}.0")) for n in range(4)))
    return storage


async def marking_all(slow: Slow, storage: MemoryStorage) -> list[bool | BaseException]:
    mark = Gathering(slow.sent)
    first, *others = lease(storage.outbox).values()
    marks = [asyncio.create_task(mark(Sent(parcel=first)))]
    await settled()
    marks += [asyncio.create_task(mark(Sent(parcel=parcel))) for parcel in others]
    await settled()
    slow.go_on.set()
    return await asyncio.gather(*marks, return_exceptions=True)


async def test_marks_that_come_meanwhile_go_together(storage: MemoryStorage) -> None:
    """The first is being written when the other three come: two commits, and all four are sent."""
    slow = Slow(storage.outbox, asyncio.Event())
    assert await marking_all(slow, storage) == [True] * 4
    assert (slow.commits, storage.outbox.pending()) == ([1, 3], 0)


async def test_a_mark_that_could_not_be_written_says_so(storage: MemoryStorage) -> None:
    """Only those of that commit; what came after it is written."""
    slow = Slow(storage.outbox, asyncio.Event(), troubles=[Unavailable("the database is away")])
    first, *others = await marking_all(slow, storage)
    assert isinstance(first, Unavailable)
    assert (others, storage.outbox.pending()) == ([True] * 3, 1)


# --- whatever it is that gathers -------------------------------------------------------------------
async def test_so_many_go_together_and_no_more() -> None:
    """All of them wait for the last one; they are worked in the order in which they came."""
    batches: list[Sequence[int]] = []

    async def work(together: Sequence[int]) -> Sequence[int]:
        batches.append(together)
        return [2 * item for item in together]

    gather: Gathering[int, int] = Gathering(work)
    numbers = range(MOST + 5)
    assert await asyncio.gather(*map(gather, numbers)) == [2 * item for item in numbers]
    assert [list(batch) for batch in batches] == [list(numbers[:MOST]), list(numbers[MOST:])]


async def test_an_outcome_may_be_an_error_of_its_own() -> None:
    """The others hear nothing of it."""

    async def work(together: Sequence[int]) -> Sequence[int | Exception]:
        return [item or Unavailable("the first") for item in together]

    gather: Gathering[int, int] = Gathering(work)
    first, second = await asyncio.gather(gather(0), gather(1), return_exceptions=True)
    assert isinstance(first, Unavailable)
    assert second == 1


async def test_who_went_away_leaves_the_others_theirs() -> None:
    """What they waited for together is done all the same."""
    go_on = asyncio.Event()

    async def work(together: Sequence[int]) -> Sequence[int]:
        await go_on.wait()
        return together

    gather: Gathering[int, int] = Gathering(work)
    gone, stays = asyncio.create_task(gather(1)), asyncio.create_task(gather(2))
    await settled()
    gone.cancel()
    await settled()
    go_on.set()
    assert await stays == 2


async def test_a_stop_leaves_nobody_waiting() -> None:
    """What could not be begun any more is cancelled, for all who wait."""

    async def stopped(together: Sequence[int]) -> Sequence[int]:
        raise asyncio.CancelledError

    gather: Gathering[int, int] = Gathering(stopped)
    ended = await asyncio.gather(*map(gather, range(MOST + 1)), return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended)


async def test_no_more_go_together_than_may_when_they_begin() -> None:
    """Here two; what comes meanwhile waits for the next."""
    begun: list[Sequence[str]] = []

    async def work(together: Sequence[str]) -> Sequence[str]:
        begun.append(together)
        return together

    gather: Gathering[str, str] = Gathering(work, most=lambda: 2)
    assert await asyncio.gather(*map(gather, "abcde")) == [*"abcde"]
    assert list(map(list, begun)) == [["a", "b"], ["c", "d"], ["e"]]


async def test_what_comes_in_the_instant_in_which_the_rest_is_done_is_not_forgotten() -> None:
    """Nothing else need come after it."""

    async def work(together: Sequence[int]) -> Sequence[int]:
        return together

    gather: Gathering[int, int] = Gathering(work)

    async def one_after_the_other() -> None:
        for number in range(100):
            assert await gather(number) == number

    async with asyncio.timeout(30):
        await asyncio.gather(*(one_after_the_other() for _ in range(3)))
