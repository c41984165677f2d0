"""A crash between every two steps of a turn, and of a delivery: nothing lost, nothing doubled.

The process dies at one step (an exception that nobody catches, then a fresh composition over the
same database); Slack, which was not acknowledged, delivers the event again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from storage.schema import migrate
from storage.sql import SqlStorage
from tests.fakes.slack_server import FakeSlack
from tests.scenario.desk import World, policy, settle
from tests.scenario.stages import slack_process
from triage.model import Channel, Platform

QUESTION = "coffee grinder sparks"
STEPS = ("arriving", "claim_all", "load", "next_number", "record", "commit", "committed", "lease", "leased", "sent")


class Crash(BaseException):
    """The process is gone: no handler of ours may see this as an error of the turn."""


class Fuse:
    """Burns once, at the step it is set to."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.burnt = False

    def __call__(self, step: str) -> None:
        if step == self.step and not self.burnt:
            self.burnt = True
            raise Crash(step)


class Watched:
    """Everything as before, but the fuse is asked before each call and after commits and leases."""

    def __init__(self, real: Any, fuse: Fuse) -> None:
        self._real = real
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found):
            return found
        return self._called(name, found)

    def _called(self, name: str, found: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self._fuse(name)
            result = found(*args, **named)
            if name in ("commit", "lease"):
                self._fuse({"commit": "committed", "lease": "leased"}[name])
            return result

        return call


class CrashingStorage:
    """The real storage, whose every step may be the last."""

    def __init__(self, real: SqlStorage, fuse: Fuse) -> None:
        self._real = real
        self._fuse = fuse
        self.outbox = Watched(real.outbox, fuse)

    @contextmanager
    def reading(self) -> Iterator[Any]:
        with self._real.reading() as reading:
            yield Watched(reading, self._fuse)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._real.writing() as work:
            yield Watched(work, self._fuse)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_at_any_step_loses_and_doubles_nothing(step: str, tmp_path: Path) -> None:
    """After the restart there is one ticket, one promise and one card, whatever the step."""
    async with FakeSlack() as slack:
        world = _world(slack, tmp_path)
        _, requests = slack.posted("UDANA", "CHELP", QUESTION)
        fuse = Fuse(step)
        await _life(slack, world, fuse, requests)
        assert fuse.burnt
        world.pause(seconds=61)
        await _life(slack, world, Fuse("never"), requests)
        assert len(_shown(slack, "CHELP", "#1")) == 1
        assert len(_shown(slack, "CTRIAGE", QUESTION)) == 1
        assert not _shown(slack, "CHELP", "#2")


async def _life(slack: FakeSlack, world: World, fuse: Fuse, requests: list[Any]) -> None:
    """Start, take what Slack sends, deliver, until the fuse burns or all is done."""
    world.storage_of = lambda real: CrashingStorage(real, fuse)  # type: ignore[assignment, return-value]
    async with slack_process(slack, world) as desk:
        for request in requests:
            try:
                await slack.deliver(request)
            except Crash:
                return
        try:
            await settle(desk)
        except BaseExceptionGroup as ended:
            if ended.split(Crash)[1] is not None:
                raise


async def test_an_answer_lost_after_success_is_found_and_not_posted_again(tmp_path: Path) -> None:
    """Slack took the post but its answer never came: the lease runs out, the post is found by its key."""
    async with FakeSlack() as slack:
        world = _world(slack, tmp_path)
        async with slack_process(slack, world) as desk:
            _, requests = slack.posted("UDANA", "CHELP", QUESTION)
            for request in requests:
                await slack.deliver(request)
            slack.drop_next(method="chat.postMessage")
            await settle(desk)
            world.pause(seconds=61)
            await settle(desk)
        assert len(_shown(slack, "CHELP", "#1")) == 1
        assert len(_shown(slack, "CTRIAGE", QUESTION)) == 1


async def test_words_under_a_card_whose_answer_was_lost_reach_the_ticket(tmp_path: Path) -> None:
    """Nobody knows yet that the card stands there: the words are refused, and taken when Slack repeats them."""
    async with FakeSlack() as slack:
        world = _world(slack, tmp_path)
        async with slack_process(slack, world) as desk:
            question = await slack.say("UDANA", "CHELP", QUESTION)
            slack.drop_next()
            slack.drop_next()
            await settle(desk)
            (card,) = _shown(slack, "CTRIAGE", QUESTION)
            _, (words,) = slack.posted("ULEE", "CTRIAGE", "a new one is coming", thread=card["ts"])
            assert (await slack.deliver(words)).status == 503
            world.pause(seconds=61)
            await settle(desk)
            assert (await slack.deliver(words, retry=1)).ok
            await settle(desk)
        assert len([post for post in slack.messages("CHELP", question) if "a new one is coming" in str(post)]) == 1


def _world(slack: FakeSlack, folder: Path) -> World:
    slack.add_user("UDANA", name="Dana")
    slack.add_user("ULEE", name="Lee")
    slack.add_channel("CHELP", members={"UDANA"})
    slack.add_channel("CTRIAGE", members={"ULEE"})
    help, triage = (Channel(platform=Platform.SLACK, place=slack.team, id=id) for id in ("CHELP", "CTRIAGE"))
    world = World(f"sqlite:///{folder / 'desk.db'}", policy(Platform.SLACK, slack.team, {"lee": "ULEE"}, help, triage))
    migrate(world.url)
    return world


def _shown(slack: FakeSlack, channel: str, words: str) -> list[Any]:
    posts = slack.state.channels[channel].posts
    return [post for post in posts if "blocks" in post and words in str(post)]
