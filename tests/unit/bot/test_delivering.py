"""What delivery does when it cannot know whether a message arrived, and when it would arrive in the wrong place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from bot.delivery import Delivery
from bot.turns import Runner
from storage.memory import MemoryStorage
from tests.builders import ASKED, DM, NOW, words
from tests.contract.storages import Ticking, deliver, record, sent_as
from tests.contract.storages import words as sentence
from tests.scenario.desk import deliver_some
from triage.document import Document
from triage.errors import TryLater
from triage.model import Account, MessageRef, Platform, Thread
from triage.outgoing import OnSlot
from triage.ports import Address


class Blind:
    """A platform that cannot look a post up; `troubles` are raised first, one a post, after it arrived."""

    platform = Platform.SLACK
    finds = False

    def __init__(self, *troubles: Exception) -> None:
        self.shown: list[str] = []
        self._troubles = list(troubles)

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        self.shown.append(words(document))
        if self._troubles:
            raise self._troubles.pop(0)
        return MessageRef(thread=to.thread, id=str(len(self.shown)))

    async def update(self, ref: MessageRef, document: Document, *, reference: str | None) -> None:
        self.shown.append(words(document))

    async def whisper(self, to: Address, account: Account, document: Document, *, reply_url: str | None) -> None:
        self.shown.append(words(document))

    async def direct(self, account: Account, *, reference: str | None) -> Address:
        raise NotImplementedError

    async def find(self, to: Address, *, key: str) -> MessageRef | None:
        return None

    def invitation(self, place: str) -> str | None:
        return None


class Slow(Blind):
    """A platform that shows a message at once and answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        self.asked.set()
        await self.answers.wait()
        return await super().post(to, document, key=key)


class Looking(Blind):
    """A platform where a post can be looked up, with time passing meanwhile."""

    finds = True

    def __init__(self, clock: Ticking, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    async def find(self, to: Address, *, key: str) -> MessageRef | None:
        self._clock.seconds += self._seconds
        return None


@contextmanager
def delivery(storage: MemoryStorage, port: Blind, clock: Ticking | None = None) -> Iterator[Delivery]:
    run = Runner(1)
    try:
        yield Delivery(
            storage.outbox,
            {Platform.SLACK: port},
            run,
            now=lambda: NOW + timedelta(seconds=clock.seconds - 1_000_000 if clock else 0),
            told=lambda _: (),
            missed=lambda _: None,
        )
    finally:
        run.close()


async def shown_after(trouble: Exception) -> list[str]:
    """What stands there once a post met with this and was tried again, a minute later."""
    clock = Ticking()
    storage, port = MemoryStorage(clock=clock), Blind(trouble)
    record(storage, said=(sentence("o1"),), at=NOW)
    with delivery(storage, port) as sending:
        await deliver_some(sending)
        clock.seconds += 60
        sending._slow.clear()
        await deliver_some(sending)
    return port.shown


async def test_what_had_no_answer_says_that_it_may_be_there_already() -> None:
    """The post arrived, its answer did not."""
    first, second = await shown_after(TimeoutError())
    assert "you may have it already" not in first
    assert "you may have it already" in second


async def test_what_broke_off_says_that_it_may_be_there_already() -> None:
    """A 500 or a broken connection leaves it open what became of the post."""
    assert "you may have it already" in (await shown_after(TryLater("the connection was reset")))[1]


async def test_what_was_refused_says_nothing_of_the_kind() -> None:
    """A 429 is certain: nothing was shown."""
    assert "you may have it already" not in (await shown_after(TryLater("429", bucket_wide=True)))[1]


async def test_what_one_process_was_refused_another_may_have_sent_since() -> None:
    """Both know of their own tries alone: who was refused at the first must not take the second for refused, too."""
    clock = Ticking()
    storage = MemoryStorage(clock=clock)
    busy = TryLater("429", bucket_wide=True)
    here, there = Blind(busy), Blind(TryLater("the connection was reset"))
    record(storage, said=(sentence("o1"),), at=NOW)
    with delivery(storage, here) as one, delivery(storage, there) as other:
        for sending in (one, other, one):
            await deliver_some(sending)
            clock.seconds += 60
            sending._slow.clear()
    assert "you may have it already" in here.shown[-1]


async def test_a_private_update_never_lands_in_a_channel() -> None:
    """A ticket moved to a restricted team: what was said of it in the help channel stays as it is."""
    storage, port = MemoryStorage(clock=Ticking()), Blind()
    deliver(storage, sentence("o1", slot="promise:t1"), sent_as("1.1", ASKED.channel))
    private = OnSlot(slot="promise:t1", lane="person:ann", bucket="person:ann")
    record(storage, said=(sentence("o2", to=private),), at=NOW)
    with delivery(storage, port) as sending:
        await deliver_some(sending)
    assert not port.shown
    assert storage.health().failed_rows[0].key == "o2"


async def test_a_private_update_lands_in_the_direct_chat() -> None:
    """The promise that was told there follows the ticket."""
    storage, port = MemoryStorage(clock=Ticking()), Blind()
    deliver(storage, sentence("o1", slot="promise:t1"), sent_as("1.1", DM))
    private = OnSlot(slot="promise:t1", lane="person:ann", bucket="person:ann")
    record(storage, said=(sentence("o2", to=private),), at=NOW)
    with delivery(storage, port) as sending:
        await deliver_some(sending)
    assert len(port.shown) == 1


async def test_a_stop_lets_what_is_being_sent_arrive_and_sends_nothing_more() -> None:
    """Cut off it would be in doubt for a whole lease after the next start."""
    storage, port = MemoryStorage(clock=Ticking()), Slow()
    record(storage, said=(sentence("o1"), sentence("o2")), at=NOW)
    with delivery(storage, port) as sending:
        serving = asyncio.create_task(sending.serve())
        await port.asked.wait()
        resting = asyncio.create_task(sending.rest(60))
        await asyncio.sleep(0)
        port.answers.set()
        await resting
        assert serving.done()
    assert [row.state for row in storage._tables.outbox.values()] == ["sent", "pending"]


async def test_a_stop_waits_only_so_long_for_an_answer() -> None:
    """A platform that does not answer holds up no stop."""
    storage, port = MemoryStorage(clock=Ticking()), Slow()
    record(storage, said=(sentence("o1"),), at=NOW)
    with delivery(storage, port) as sending:
        serving = asyncio.create_task(sending.serve())
        await port.asked.wait()
        await sending.rest(0.01)
        assert not serving.done()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


class Once(Slow):
    """Only the first post waits for its answer."""

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        if self.asked.is_set():
            return await Blind.post(self, to, document, key=key)
        return await super().post(to, document, key=key)


async def test_a_send_that_hangs_keeps_only_its_own_lane_waiting() -> None:
    """What is written meanwhile for another thread goes out; the second message of its own thread does not."""
    storage, port = MemoryStorage(clock=Ticking()), Once()
    record(storage, said=(sentence("o1"), sentence("o2")), at=NOW)
    with delivery(storage, port) as sending:
        serving = asyncio.create_task(sending.serve())
        await port.asked.wait()
        record(storage, said=(sentence("o3", Thread(channel=ASKED.channel, root="9.9")),), at=NOW)
        sending.nudge()
        async with asyncio.timeout(10):
            while storage.outbox.pending() > 2:
                await asyncio.sleep(0.01)
        port.answers.set()
        await sending.rest(60)
        assert serving.done()
    assert [row.state for row in storage._tables.outbox.values()] == ["sent", "pending", "sent"]


async def test_a_machine_that_slept_through_a_lease_sends_nothing_twice() -> None:
    """The row is leased again while its first send is under way: that one is waited for, and marked."""
    clock = Ticking()
    storage, port = MemoryStorage(clock=clock), Slow()
    record(storage, said=(sentence("o1"),), at=NOW)
    with delivery(storage, port) as sending:
        serving = asyncio.create_task(sending.serve())
        await port.asked.wait()
        clock.seconds += 120
        async with asyncio.TaskGroup() as group:
            assert await sending.begin_some(group) == 1
        port.answers.set()
        await sending.rest(60)
        assert serving.done()
    assert len(port.shown) == 1
    assert [row.state for row in storage._tables.outbox.values()] == ["sent"]


@pytest.mark.parametrize(("seconds", "posted"), [(120, 0), (5, 1)])
async def test_a_machine_that_slept_on_the_way_to_a_post_leaves_it_to_the_next_lease(
    seconds: float, posted: int
) -> None:
    """It had looked, and found nothing; another process may have posted while it slept."""
    clock = Ticking()
    storage, port = MemoryStorage(clock=clock), Looking(clock, seconds)
    record(storage, said=(sentence("o1"),), at=NOW)
    storage.outbox.lease(1)
    clock.seconds += 61
    with delivery(storage, port, clock) as sending:
        await deliver_some(sending)
    assert len(port.shown) == posted


async def test_what_another_process_stored_is_looked_for_a_moment_later() -> None:
    """It is sending that itself; this one takes what is left."""
    with delivery(MemoryStorage(clock=Ticking()), Blind()) as sending:
        sending.overhear()
        sending.overhear()
        assert not sending._nudged.is_set()
        async with asyncio.timeout(10):
            await sending._nudged.wait()
