"""`python -m tests.benchmarks.bells`: what LISTEN and NOTIFY bring on PostgreSQL, and what they cost.

First the time from another process's commit to the call of the port, with the bell and by polling alone; then
commits a second of eight writers, when nobody notifies, when each transaction does, and with the bell. The
server writes durably (fsync and synchronous_commit on).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from statistics import median, quantiles

from sqlalchemy import Engine, text

from bot.delivery import Delivery
from bot.turns import Runner
from storage.bell import CHANNEL, Topic
from storage.engine import make_engine
from storage.schema import migrate
from storage.sql import SqlStorage
from tests.contract.storages import clear, record, sent_as, words
from tests.postgres import server
from triage.document import Document
from triage.model import Account, MessageRef, Platform
from triage.ports import Address

TIMES, WRITERS, SECONDS = 40, 8, 5.0


class Noting:
    """A port that notes when it is called."""

    platform = Platform.SLACK
    finds = False

    def __init__(self) -> None:
        self.called: dict[str, float] = {}

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        self.called[key] = time.perf_counter()
        return sent_as(key)

    async def update(self, ref: MessageRef, document: Document, *, reference: str | None) -> None: ...

    async def whisper(self, to: Address, account: Account, document: Document, *, reply_url: str | None) -> None: ...

    async def direct(self, account: Account, *, reference: str | None) -> Address:
        raise NotImplementedError

    async def find(self, to: Address, *, key: str) -> MessageRef | None:
        return None

    def invitation(self, place: str) -> str | None:
        return None


async def delays(url: str, *, bell: bool) -> list[float]:
    """Seconds from each commit of one process to the port of another."""
    there, here = SqlStorage(make_engine(url)), SqlStorage(make_engine(url))
    port, run, loop = Noting(), Runner(2), asyncio.get_running_loop()
    delivery = Delivery(here.outbox, {Platform.SLACK: port}, run, now=_now, told=lambda _: (), missed=_ignore)

    def heard(_: Topic) -> None:
        loop.call_soon_threadsafe(delivery.nudge)

    if bell:
        here.bell.listen(heard)
        there.bell.listen(_ignore)
    serving, found = asyncio.create_task(delivery.serve()), []
    for number in range(TIMES):
        await asyncio.sleep(random.uniform(0.1, 0.5))
        key = f"{bell}:{number}"
        await asyncio.to_thread(record, there, said=(words(key),), at=_now())
        committed = time.perf_counter()
        while key not in port.called:
            await asyncio.sleep(0.001)
        found.append(port.called[key] - committed)
    serving.cancel()
    for storage in (there, here):
        await asyncio.to_thread(storage.close)
    run.close()
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def _ignore(_: object) -> None:
    """Nobody is told."""


def commits(engine: Engine, after: Callable[[], None], *, notify: bool) -> float:
    """Commits a second of writers that insert one row each time."""
    until = time.monotonic() + SECONDS

    def write(writer: int) -> int:
        done = 0
        while time.monotonic() < until:
            with engine.begin() as db:
                db.execute(text("INSERT INTO inbox VALUES (:key, now())"), {"key": f"{time.monotonic()}:{writer}"})
                if notify:
                    db.execute(text("SELECT pg_notify(:channel, 'outbox')"), {"channel": CHANNEL})
            after()
            done += 1
        return done

    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(write, range(WRITERS))) / SECONDS


def main() -> None:
    with server() as url:
        migrate(url)
        engine = make_engine(url)
        clear(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("ALTER SYSTEM SET fsync = on"))
            db.execute(text("SELECT pg_reload_conf()"))
        for bell in (True, False):
            found = asyncio.run(delays(url, bell=bell))
            p99 = quantiles(found, n=100)[98]
            print(f"{'bell' if bell else 'polling'}: median {median(found) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms")
        storage = SqlStorage(engine)
        print(f"nobody notifies: {commits(engine, lambda: None, notify=False):.0f} commits/s")
        print(f"in the transaction: {commits(engine, lambda: None, notify=True):.0f} commits/s")
        storage.bell.listen(lambda _: None)
        print(f"the bell: {commits(engine, lambda: storage.bell.ring(Topic.OUTBOX), notify=False):.0f} commits/s")
        storage.close()


if __name__ == "__main__":
    main()
