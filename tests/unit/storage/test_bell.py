"""Processes on one PostgreSQL tell each other; each has a storage, and a bell, of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import current_thread

import pytest
from sqlalchemy import text

from storage.bell import Topic
from storage.engine import make_engine
from storage.sql import SqlStorage
from tests.contract.storages import AT, Bench, record, words
from triage.changes import Decision
from triage.knowledge import Article

LIMIT = 10.0
WAITS = 0.3
"""Seconds in which what must not be heard is not heard."""


class Ears:
    """One process that listens, and what it heard."""

    def __init__(self, url: str) -> None:
        self.storage = SqlStorage(make_engine(url))
        self.heard: Queue[Topic] = Queue()
        self.threads: set[str] = set()

    def listen(self) -> None:
        def heard(topic: Topic) -> None:
            self.threads.add(current_thread().name)
            self.heard.put(topic)

        self.storage.bell.listen(heard)
        assert {self.next(), self.next()} == set(Topic)

    def next(self) -> Topic:
        return self.heard.get(timeout=LIMIT)

    def silent(self) -> bool:
        try:
            return self.heard.get(timeout=WAITS) is None
        except Empty:
            return True


@contextmanager
def listening(url: str) -> Iterator[Ears]:
    ears = Ears(url)
    try:
        ears.listen()
        yield ears
    finally:
        ears.storage.close()


@pytest.fixture
def url(postgres_bench: Bench) -> str:
    assert postgres_bench.engine is not None
    return postgres_bench.engine.url.render_as_string(hide_password=False)


def test_a_commit_with_messages_is_heard_by_others_and_not_by_oneself(url: str) -> None:
    """Whoever stored it delivers it anyway."""
    with listening(url) as one, listening(url) as other:
        record(one.storage, said=(words("o1"),))
        assert other.next() is Topic.OUTBOX
        assert one.silent()


def test_a_turn_without_messages_rings_nothing(url: str) -> None:
    """Most of what is read in channels is chatter."""
    with listening(url) as one, listening(url) as other:
        record(one.storage)
        assert other.silent()


def test_what_is_rolled_back_is_not_rung(url: str) -> None:
    """Nobody looks for what is not there."""
    with listening(url) as one, listening(url) as other:
        with one.storage.writing() as work:
            work.record(_said("o1"), AT)
        assert other.silent()


def test_new_articles_are_heard(url: str) -> None:
    """So that they are in force on every process at once."""
    with listening(url) as one, listening(url) as other:
        one.storage.library.replace("folder", [Article(id="vpn", title="VPN")], AT)
        assert other.next() is Topic.ARTICLES


def test_a_command_that_does_not_listen_is_heard(url: str) -> None:
    """`kb import` and `sla reapply` end before any bell could connect."""
    with listening(url) as ears:
        command = SqlStorage(make_engine(url))
        command.bell.ring_now(Topic.OUTBOX)
        command.close()
        assert ears.next() is Topic.OUTBOX


def test_many_commits_are_said_together(url: str) -> None:
    """Others look once for all of them; the last is never left out."""
    with listening(url) as one, listening(url) as other:
        for number in range(50):
            record(one.storage, said=(words(f"o{number}"),))
        assert other.next() is Topic.OUTBOX
        further = 0
        while not other.silent():
            further += 1
        assert further < 25


def test_a_lost_connection_is_made_again_and_everything_looked_at(url: str) -> None:
    """Whatever was rung meanwhile was missed."""
    with listening(url) as one, listening(url) as other:
        with other.storage._engine.connect() as db:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            db.execute(text(ended))
        assert {other.next(), other.next()} == set(Topic)
        _until(lambda: one.heard.qsize() == 2)
        record(one.storage, said=(words("o1"),))
        assert other.next() is Topic.OUTBOX


def test_a_bell_uses_none_of_the_connections_of_turns(url: str) -> None:
    """It has one of its own, and gives it back at the end."""
    with listening(url) as ears:
        assert ears.storage._engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert ears.threads == {"bell"}


def test_sqlite_has_nobody_to_tell(sqlite_bench: Bench) -> None:
    """One process: it knows what it stored."""
    assert sqlite_bench.engine is not None
    storage = SqlStorage(sqlite_bench.engine)
    storage.bell.listen(lambda _: pytest.fail("nobody rang"))
    record(storage, said=(words("o1"),))
    storage.bell.close()


def _said(key: str) -> Decision:

    return Decision(outgoing=(words(key),))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
