"""The topology of compose.yaml as processes: three replicas, PostgreSQL and the proxy, while replicas come and go.

Slow, so `make conformance` runs them, where `.ci/run` has installed the proxy.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from storage.parcels import LEASE_SECONDS
from tests.fakes.slack_payloads import Signed
from tests.replicas.cluster import DANA, HELP, Cluster, until
from tests.replicas.proxy import proxied

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

ASKED, EVERY = 120, 0.4
REPEATS, PAUSE = 3, 1.0
"""As Slack repeats, but sooner."""


async def test_replicas_come_and_go_and_every_question_is_answered_once(three: Cluster, tmp_path: Path) -> None:
    """One is killed, one is told to end, both come back, while people ask through the proxy: each question becomes one
    ticket, with one card and one answer."""
    async with proxied(three.replicas[0].port, tmp_path) as url:
        coming_and_going = asyncio.create_task(_come_and_go(three))
        subjects, threads, asking = [], [], []
        for number in range(ASKED):
            subjects.append(f"The gate squeaks, case {number:03d}.")
            post, (event,) = three.slack.posted(DANA, HELP, subjects[-1])
            threads.append(str(post["ts"]))
            asking.append(asyncio.create_task(_brought(three, event, url)))
            await asyncio.sleep(EVERY)
        repeated = Counter(await asyncio.gather(*asking))
        await coming_and_going
        await until(lambda: three.leased() == 0, "leases to run out", seconds=LEASE_SECONDS + 60)
        await three.delivered()
    print(f"{ASKED} questions; taken after so many repeats: {dict(sorted(repeated.items()))}")
    assert [len(three.cards(subject)) for subject in subjects] == [1] * ASKED
    assert [len(three.answers(thread)) for thread in threads] == [1] * ASKED
    assert three.select("SELECT count(*) FROM ticket WHERE subject LIKE 'The gate%'") == [(ASKED,)]
    assert three.complaints() == []


async def _come_and_go(three: Cluster) -> None:
    first, second, _ = three.replicas
    await asyncio.sleep(4)
    first.kill()
    await asyncio.sleep(4)
    first.start()
    await first.ready()
    await second.stop()
    second.start()
    await second.ready()


async def _brought(three: Cluster, event: Signed, url: str) -> int:
    """How often the platform had to repeat it until it was taken."""
    for times in range(REPEATS + 1):
        try:
            async with asyncio.timeout(3):
                if await three.bring(event, url) == 200:
                    return times
        except (TimeoutError, aiohttp.ClientError):
            pass
        await asyncio.sleep(PAUSE + random.random())
    raise AssertionError("nobody took it")


async def test_the_leases_of_a_killed_replica_move_within_the_lease_time(three: Cluster) -> None:
    """Nobody helps: the database's own clock lets another have what it was sending."""
    asked = await three.kill_while_sending(5, lost=True)
    killed = time.monotonic()
    await until(lambda: three.leased() == 0, "the leases to move", seconds=LEASE_SECONDS + 30)
    took = time.monotonic() - killed
    await three.delivered()
    print(f"moved {took:.0f} s after the end, with leases of {LEASE_SECONDS} s")
    assert took < LEASE_SECONDS + 10
    assert [len(three.cards(subject)) for _, subject in asked] == [1] * 5
    assert [len(three.answers(thread)) for thread, _ in asked] == [1] * 5
    three.replicas[0].start()
    await three.replicas[0].ready()
