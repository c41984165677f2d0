"""One turn at the edge: in time or not at all, and never without an outcome."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from bot.knowing import Knowing
from bot.turns import TURN_LIMIT, Runner, Turns
from storage.memory import MemoryStorage
from tests.scenario.desk import MONDAY
from triage.desk import Desk
from triage.errors import TooSlow, Unavailable, Unsettled
from triage.knowledge import KnowledgeBase
from triage.model import Account, Channel, ChannelKind, Kind, Message, Platform, Sender
from triage.policy import Policy, Team

POLICY = Policy(teams={"it": Team(id="it", name="IT")}, places=frozenset({(Platform.WEB, "demo")}))


@pytest.fixture
async def run() -> AsyncIterator[Runner]:
    runner = Runner(1)
    yield runner
    runner.close()


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


Nudged = list[bool]


def turns(storage: MemoryStorage, run: Runner, nudged: Nudged, policy: Callable[[], Policy] = lambda: POLICY) -> Turns:
    desk = Desk(storage, Knowing(KnowledgeBase(), precision=0.95), policy, now=lambda: MONDAY, new_id=lambda: "id-1")
    return Turns(desk, run, nudge=lambda: nudged.append(True), new_id=lambda: "turn-1")


def message(*, last_try: bool = True) -> Message:
    account = Account(platform=Platform.WEB, place="demo", user="dana")
    channel = Channel(platform=Platform.WEB, place="demo", id="dm-dana", kind=ChannelKind.DM)
    return Message(
        key="web:1", kind=Kind.POST, sender=Sender(account=account), channel=channel, id="1",
        text="the roof leaks", last_try=last_try,
    )  # fmt: skip


async def test_a_stored_turn_nudges_delivery(storage: MemoryStorage, run: Runner) -> None:
    """What was committed goes out at once, not at the next poll."""
    nudged: Nudged = []
    receipt = await turns(storage, run, nudged)(message())
    assert not receipt.repeat
    assert nudged
    assert storage.outbox.pending() == 1


async def test_a_repeat_does_nothing(storage: MemoryStorage, run: Runner) -> None:
    """The same key a second time: one ticket, one promise."""
    take = turns(storage, run, [])
    await take(message())
    receipt = await take(message())
    assert receipt.repeat
    assert storage.outbox.pending() == 1


async def test_a_turn_that_comes_too_late_stores_nothing(storage: MemoryStorage, run: Runner) -> None:
    """Two seconds were over before it could commit: it is refused, so the platform sends it again."""
    begun: list[float] = []

    def slow() -> Policy:
        begun.append(time.monotonic())  # the turn began before
        while time.monotonic() - begun[0] <= TURN_LIMIT:
            pass
        return POLICY

    with pytest.raises(TooSlow):
        await turns(storage, run, [], slow)(message())
    assert storage.outbox.pending() == 0


def _broken() -> Policy:
    raise KeyError("a bug")


class Breaks:
    """A policy that is broken for the turn itself, and whole for whoever keeps the failure."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Policy:
        self.asked += 1
        return _broken() if self.asked == 1 else POLICY


async def test_a_bug_is_left_to_the_platforms_next_delivery(storage: MemoryStorage, run: Runner) -> None:
    """While the platform will try again nothing is stored, and it is not acknowledged."""
    with pytest.raises(Unavailable):
        await turns(storage, run, [], Breaks())(message(last_try=False))
    assert not storage.health().failed_turns


async def test_on_the_last_try_the_failure_is_kept_and_apologised_for(storage: MemoryStorage, run: Runner) -> None:
    """The failed turn is stored with an id, which the person is told; with what broke where, and nobody's words."""
    receipt = await turns(storage, run, [], Breaks())(message())
    (failed,) = storage.health().failed_turns
    assert receipt.failure == failed.id
    assert re.fullmatch(r"KeyError at triage\.desk:\d+", failed.error)
    assert storage.outbox.pending() == 1


async def test_a_failure_that_cannot_be_kept_is_not_acknowledged(storage: MemoryStorage, run: Runner) -> None:
    """Whatever is wrong, the adapter hears that nothing was stored, and nothing else."""
    with pytest.raises(Unavailable):
        await turns(storage, run, [], _broken)(message())


async def test_a_stop_begins_no_turn_that_still_waits(run: Runner) -> None:
    """It is not acknowledged, and comes again; the one under way is finished."""
    going, release, begun = threading.Event(), threading.Event(), list[bool]()

    def turn() -> bool:
        going.set()
        return release.wait(10)

    first = asyncio.create_task(run(turn))
    second = asyncio.create_task(run(lambda: begun.append(True)))
    assert await asyncio.to_thread(going.wait, 10)
    closing = asyncio.create_task(asyncio.to_thread(run.close))
    with pytest.raises(asyncio.CancelledError):
        await second
    release.set()
    assert await first
    await closing
    assert not begun


# --- what hangs on something under way -----------------------------------------------------------------
HELP = Channel(platform=Platform.WEB, place="demo", id="help")
HELPING = Policy(teams={"it": Team(id="it", name="IT", help=(HELP,))}, places=frozenset({(Platform.WEB, "demo")}))


def posted(id: str, *, below: str | None = None) -> Message:
    """In the help channel; a reply says what it follows, and comes again if it is refused."""
    sender = Sender(account=Account(platform=Platform.WEB, place="demo", user="dana"))
    key = f"web:demo:help:{id}"
    said = Message(key=key, kind=Kind.POST, sender=sender, channel=HELP, id=id, text="the roof leaks", thread=below)
    return replace(said, after=f"web:demo:help:{below}", last_try=False) if below else said


async def test_words_wait_a_moment_for_the_question_above_them(storage: MemoryStorage, run: Runner) -> None:
    """Both are acknowledged, though the second came first."""
    take = turns(storage, run, [], lambda: HELPING)
    words = asyncio.create_task(take(posted("2", below="1")))
    await asyncio.sleep(0.01)
    assert not words.done()
    await take(posted("1"))
    assert not (await words).repeat
    with storage.reading() as reading:
        assert reading.seen("web:demo:help:2")


async def test_words_do_not_wait_long(storage: MemoryStorage, run: Runner) -> None:
    """After a second they are refused, and the platform brings them again."""
    seconds = iter([0.0, 0.0, 0.5, *[1.5] * 9])
    desk = Desk(storage, Knowing(KnowledgeBase(), precision=0.95), lambda: HELPING, now=lambda: MONDAY, new_id=str)
    take = Turns(desk, run, nudge=lambda: None, new_id=str, clock=lambda: next(seconds))
    with pytest.raises(Unsettled):
        await take(posted("2", below="1"))
    with storage.reading() as reading:
        assert not reading.seen("web:demo:help:2")
