"""That the load run measures what it says, and that what it asserts can fail."""

from __future__ import annotations

from random import Random

import pytest

from tests.benchmarks.databases import SQLITE, fresh
from tests.load.desk import NotDurable, assert_kept, assert_syncs, loaded
from tests.load.driver import Latency
from tests.load.office import SHARES, Office
from tests.load.soak import Grew, _judge


def test_the_mix_is_as_stated() -> None:
    """Half talk, a third questions, the rest what agents and requesters do."""
    office = Office(random=Random(1), clock=lambda: 1_700_000_000.0, actions="http://slack/actions")
    kinds = [office.event().kind for _ in range(4_000)]
    assert kinds.count("talk") / 4_000 == pytest.approx(SHARES["talk"] / 100, abs=0.03)
    assert kinds.count("question") / 4_000 == pytest.approx(SHARES["question"] / 100, abs=0.03)


def test_no_two_events_are_the_same() -> None:
    """A repeat would cost nothing and count for one."""
    office = Office(random=Random(1), clock=lambda: 1_700_000_000.0, actions="http://slack/actions")
    assert len({office.event().key for _ in range(1_000)}) == 1_000


async def test_a_desk_under_a_little_load_keeps_all_it_acknowledged() -> None:
    """Every durable event has its inbox row and something to be said, and its reply arrives."""
    with fresh(SQLITE, None) as url:
        assert_syncs(url)
        async with loaded(url, 1, seed=1) as desk:
            step = await desk.driver.run(desk.ports, rate=8, seconds=4)
        assert_kept(url, step.keys)
        with pytest.raises(NotDurable, match="1 of"):
            assert_kept(url, [*step.keys, "slack:T1:CNEVER:1.1"])
    assert step.keys
    assert step.unreplied == 0


def test_latencies_are_of_those_that_were_answered() -> None:
    """A hundred of 1 to 100 ms: by hand, half are below 50.5."""
    found = Latency.of([n / 1_000 for n in range(1, 101)])
    assert found.p50 == pytest.approx(50.5)
    assert round(found.p99) == 100


def test_memory_that_grows_is_found() -> None:
    """A fifth more in the second half of what came after the caches were full."""
    with pytest.raises(Grew):
        _judge([200, 300, 300, 300, 300, 360, 360, 360])
    _judge([200, 300, 301, 299, 300, 302, 301, 300])
