"""A person who writes too much is slowed down; nobody else is, and nothing but posts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from bot.pacing import MAX_PEOPLE, Pace, Pacing
from bot.turns import Runner, Turns
from storage.memory import MemoryStorage, MemoryWork
from tests.builders import (
    DM,
    HELP,
    LOBBY,
    NOW,
    POLICY,
    Known,
    account,
    mark_sent,
    mention,
    message,
    press,
    shown,
    slash,
)
from triage.desk import Desk
from triage.errors import Unavailable
from triage.model import Kind, Message, Sender
from triage.policy import Member, Policy

LIMIT = POLICY.messages_a_minute


@dataclass
class Minute:
    """The limiter, and a clock that the test moves on."""

    now: float = 0.0
    policy: Policy = POLICY
    pacing: Pacing = field(init=False)

    def __post_init__(self) -> None:
        self.pacing = Pacing(lambda: self.policy, clock=lambda: self.now)

    def posts(self, count: int, by: str = "ann", **changes: object) -> list[Pace]:
        return [self.pacing(message("hello", by=by, at=DM, **changes)) for _ in range(count)]


@pytest.fixture
def minute() -> Minute:
    return Minute()


def test_ordinary_people_never_notice(minute: Minute) -> None:
    """Twenty in a minute are read, every minute."""
    for _ in range(5):
        assert minute.posts(LIMIT) == [Pace.READ] * LIMIT
        minute.now += 61


def test_what_is_more_is_told_once_and_then_not_read(minute: Minute) -> None:
    """However long it goes on."""
    minute.posts(LIMIT)
    assert minute.posts(50) == [Pace.TELL] + [Pace.SKIP] * 49
    minute.now += 30
    assert set(minute.posts(50)) == {Pace.SKIP}


def test_a_flood_that_goes_on_is_not_read_in_between(minute: Minute) -> None:
    """Whoever keeps writing two a second waits until they stop."""
    paces = []
    for _ in range(600):
        minute.now += 0.5
        paces += minute.posts(1)
    assert (paces.count(Pace.READ), paces.count(Pace.TELL)) == (LIMIT, 1)


def test_calm_is_believed(minute: Minute) -> None:
    """A minute later they are read again, and told again should they begin anew."""
    minute.posts(LIMIT + 5)
    minute.now += 61
    assert minute.posts(LIMIT + 1) == [Pace.READ] * LIMIT + [Pace.TELL]


def test_others_are_read(minute: Minute) -> None:
    """One account, not one channel and not the desk."""
    minute.posts(100)
    assert minute.posts(1, by="bob") == [Pace.READ]


def test_one_post_delivered_twice_counts_once(minute: Minute) -> None:
    """Slack sends a mention as two events, and repeats what was not acknowledged: both fare alike."""
    said = [message("hello", at=DM) for _ in range(LIMIT + 2)]
    first = [minute.pacing(each) for each in said]
    assert first == [minute.pacing(each) for each in said] == [Pace.READ] * LIMIT + [Pace.TELL, Pace.SKIP]


@pytest.mark.parametrize("by", ["kim", "lee", "ada", "park"])
def test_staff_are_never_slowed_down(minute: Minute, by: str) -> None:
    """An agent working off a queue writes in many threads."""
    assert set(minute.posts(500, by=by)) == {Pace.READ}


def test_an_agents_id_as_a_guest_is_nobodys(minute: Minute) -> None:
    """Nor is somebody named in desk.yaml who works for no team."""
    sender = Sender(account=account("kim"), guest=True)
    assert Pace.TELL in minute.posts(LIMIT + 1, sender=sender)
    minute.policy = replace(POLICY, people={"bob": Member(id="bob", name="Bob", accounts=(account("bob"),))})
    assert Pace.TELL in minute.posts(LIMIT + 1, by="bob")


def test_buttons_commands_edits_and_deletions_are_always_taken(minute: Minute) -> None:
    """Whoever takes back what they should not have written does not wait."""
    minute.posts(100)
    made: list[Message] = [slash("help"), press("resolve 1")]
    made += [message("x", at=DM, kind=kind) for kind in (Kind.EDIT, Kind.DELETE)]
    assert [minute.pacing(each) for each in made * 50] == [Pace.READ] * 200


def test_talk_among_people_is_not_counted(minute: Minute) -> None:
    """In a channel that is no help channel, and not to the bot: nobody is told off for chatting."""
    assert {minute.pacing(message("lunch?", at=LOBBY)) for _ in range(200)} == {Pace.READ}
    assert Pace.TELL in [minute.pacing(message("help", at=HELP)) for _ in range(LIMIT + 1)]
    assert Pace.TELL in [minute.pacing(mention("help", by="bob", at=LOBBY)) for _ in range(LIMIT + 1)]


def test_memory_is_bounded(minute: Minute) -> None:
    """By people and by posts, whoever comes."""
    for number in range(MAX_PEOPLE + 50):
        minute.posts(1, sender=Sender(account=replace(account("ann"), user=f"U{number}")))
    minute.posts(5_000)
    assert len(minute.pacing._people) == MAX_PEOPLE
    assert max(len(recent.posts) for recent in minute.pacing._people.values()) <= 10 * LIMIT


class Leaving(MemoryStorage):
    """A database that can be `away`."""

    away = False

    @contextmanager
    def writing(self) -> Iterator[MemoryWork]:
        if self.away:
            raise Unavailable("away")
        with super().writing() as work:
            yield work


# --- through whole turns -----------------------------------------------------------------------------
@pytest.fixture
async def run() -> AsyncIterator[Runner]:
    runner = Runner(1)
    yield runner
    runner.close()


async def test_what_was_not_read_is_not_read_later_either(run: Runner) -> None:
    """Slack repeats for five minutes what it thinks was not taken, and a new process knows nothing of the flood."""
    storage, minute = MemoryStorage(), Minute()
    desk = Desk(storage, Known(), lambda: POLICY, now=lambda: NOW, new_id=iter(map(str, range(10_000))).__next__)
    turns = Turns(desk, run, nudge=lambda: None, new_id=lambda: "t", pacing=minute.pacing)
    said = [message("VPN keeps dropping", at=DM) for _ in range(LIMIT + 3)]
    for each in said:
        await turns(each)
    minute.now += 300
    pending = storage.outbox.pending()
    repeats = [await turns(each) for each in said]
    restarted = Turns(desk, run, nudge=lambda: None, new_id=lambda: "t", pacing=Minute().pacing)
    repeats += [await restarted(each) for each in said]
    assert all(receipt.repeat for receipt in repeats)
    assert storage.outbox.pending() == pending


async def test_what_is_not_read_is_not_acknowledged_unless_that_is_stored(run: Runner) -> None:
    """The platform repeats it, as it does everything that a database could not take."""
    storage, minute = Leaving(), Minute()
    desk = Desk(storage, Known(), lambda: POLICY, now=lambda: NOW, new_id=iter(map(str, range(10_000))).__next__)
    turns = Turns(desk, run, nudge=lambda: None, new_id=lambda: "t", pacing=minute.pacing)
    for _ in range(LIMIT + 1):
        await turns(message("hm", at=DM))
    storage.away = True
    with pytest.raises(Unavailable):
        await turns(message("hm", at=DM))


async def test_the_desk_says_slow_down_once_and_hears_the_others(run: Runner) -> None:
    """All are acknowledged; the one who wrote too much gets one private word, the other an answer."""
    storage, minute = MemoryStorage(), Minute()
    desk = Desk(storage, Known(), lambda: POLICY, now=lambda: NOW, new_id=iter(map(str, range(10_000))).__next__)
    turns = Turns(desk, run, nudge=lambda: None, new_id=lambda: "t", pacing=minute.pacing)
    for _ in range(LIMIT + 10):
        await turns(message("hm", at=DM))
    await turns(message("VPN keeps dropping", by="bob", at=replace(DM, id="D0BOB")))
    said = []
    while parcels := storage.outbox.lease(100):
        for parcel in parcels:
            said.append(shown(parcel.outgoing))
            mark_sent(storage.outbox, parcel, None)
    slowed = [text for text in said if "more than 20 messages in a minute" in text]
    assert (len(slowed), any("Restart the client" in text for text in said)) == (1, True)
