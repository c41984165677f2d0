"""Marks of what was sent: written together while others are being written, and never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bot.marking import Marking
from bot.turns import Runner
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

    async def run(self, work: Any) -> Any:
        await self.go_on.wait()
        return work()

    def sent(self, together: Sequence[Sent]) -> Sequence[bool]:
        self.commits.append(len(together))
        if self.troubles:
            raise self.troubles.pop()
        return self.real.sent(together)


@pytest.fixture
def storage() -> MemoryStorage:
    storage = MemoryStorage()
    record(storage, said=tuple(words(f"o{n}", Thread(channel=ASKED.channel, root=f"{n}.0")) for n in range(4)))
    return storage


async def marking_all(slow: Slow, storage: MemoryStorage) -> list[BaseException | None]:
    mark = Marking(cast(Outbox, slow), cast(Runner, slow.run))
    parcels = lease(storage.outbox).values()
    marks = [asyncio.create_task(mark(Sent(parcel=parcel))) for parcel in parcels]
    await asyncio.sleep(0)
    slow.go_on.set()
    return await asyncio.gather(*marks, return_exceptions=True)


async def test_marks_that_come_meanwhile_go_together(storage: MemoryStorage) -> None:
    """The first is being written when the other three come: two commits, and all four are sent."""
    slow = Slow(storage.outbox, asyncio.Event())
    assert await marking_all(slow, storage) == [None] * 4
    assert (slow.commits, storage.outbox.pending()) == ([1, 3], 0)


async def test_a_mark_that_could_not_be_written_says_so(storage: MemoryStorage) -> None:
    """Only those of that commit; what came after it is written."""
    slow = Slow(storage.outbox, asyncio.Event(), troubles=[Unavailable("the database is away")])
    first, *others = await marking_all(slow, storage)
    assert isinstance(first, Unavailable)
    assert (others, storage.outbox.pending()) == ([None] * 3, 1)
