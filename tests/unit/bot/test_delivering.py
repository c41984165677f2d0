"""What delivery does when it cannot know whether a message arrived, and when it would arrive in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.delivery import Delivery
from bot.turns import Runner
from storage.memory import MemoryStorage
from tests.builders import ASKED, DM, NOW, words
from tests.contract.storages import Ticking, deliver, record, sent_as
from tests.contract.storages import words as sentence
from triage.document import Document
from triage.errors import TryLater
from triage.model import Account, MessageRef, Platform
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


@contextmanager
def delivery(storage: MemoryStorage, port: Blind) -> Iterator[Delivery]:
    run = Runner(1)
    try:
        yield Delivery(
            storage.outbox,
            {Platform.SLACK: port},
            run,
            now=lambda: NOW,
            told=lambda _: None,
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
        await sending.deliver_some()
        clock.seconds += 60
        sending._slow.clear()
        await sending.deliver_some()
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


async def test_a_private_update_never_lands_in_a_channel() -> None:
    """A ticket moved to a restricted team: what was said of it in the help channel stays as it is."""
    storage, port = MemoryStorage(clock=Ticking()), Blind()
    deliver(storage, sentence("o1", slot="promise:t1"), sent_as("1.1", ASKED.channel))
    private = OnSlot(slot="promise:t1", lane="person:ann", bucket="person:ann")
    record(storage, said=(sentence("o2", to=private),), at=NOW)
    with delivery(storage, port) as sending:
        await sending.deliver_some()
    assert not port.shown
    assert storage.health().failed_rows[0].key == "o2"


async def test_a_private_update_lands_in_the_direct_chat() -> None:
    """The promise that was told there follows the ticket."""
    storage, port = MemoryStorage(clock=Ticking()), Blind()
    deliver(storage, sentence("o1", slot="promise:t1"), sent_as("1.1", DM))
    private = OnSlot(slot="promise:t1", lane="person:ann", bucket="person:ann")
    record(storage, said=(sentence("o2", to=private),), at=NOW)
    with delivery(storage, port) as sending:
        await sending.deliver_some()
    assert len(port.shown) == 1
