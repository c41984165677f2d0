"""`make load`: turns a second and their latencies, as a Markdown page on stdout; progress on stderr."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from tests.benchmarks.databases import POSTGRES, SQLITE, fresh, server, versions
from tests.benchmarks.table import machine
from tests.load import limits
from tests.load.desk import Loaded, assert_kept, assert_syncs, loaded
from tests.load.driver import Step
from tests.load.processes import megabytes, processor_seconds, spent
from tests.load.soak import soak

SETTINGS = ((SQLITE, 1), (POSTGRES, 1), (POSTGRES, 3))
RATES = (20, 40, 60, 80, 100, 125, 150, 200, 250)
"""Durable turns a second; as much talk comes besides."""
SECONDS = 15.0
CONNECTIONS = 8
"""That write at once into the bare PostgreSQL, as many as a process of the desk has threads; SQLite has one writer."""
WARM_RATE = 20.0
MISSED = 0.01
"""Of what was sent may not be taken, so much, for a rate to be sustained; and the replies must have come."""
BEYOND = 2
"""Rates in a row that are not sustained, and then no more: a desk shall also be seen past its knee."""
SLOW_ACK = 1_000.0
"""Milliseconds at the 99th percentile; beyond it a rate is not sustained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    step: Step
    shares: Mapping[str, float]
    """Of one core, by process."""
    memory: float
    """Megabytes of the largest process of the desk."""
    unit: float
    """Seconds of processor of a loop of five million additions, just before and after: the machine's speed then."""

    @property
    def sustained(self) -> bool:
        step = self.step
        sent = sum(step.kinds.values()) + step.refused + step.unanswered
        return step.refused + step.unanswered + step.unreplied <= MISSED * sent and step.ack.p99 < SLOW_ACK


async def main(options: argparse.Namespace) -> int:
    print(f"{machine()}\n")
    with server() as postgres:
        print(f"{versions(postgres)}\n")
        for kind, processes in SETTINGS:
            if options.on and f"{kind}-{processes}".lower() not in options.on:
                continue
            with fresh(kind, postgres) as url:
                assert_syncs(url)
                print(f"{await _limits(kind, url)}\n", flush=True)
                async with loaded(url, processes, seed=options.seed) as desk:
                    title = f"{kind}, {processes} process{'es' * (processes > 1)}"
                    await (_soak if options.soak else _measure)(desk, options, title)
    return 0


async def _limits(kind: str, url: str) -> str:
    with TemporaryDirectory() as name:
        folder, threads = Path(name), 1 if kind == SQLITE else CONNECTIONS
        commits = await asyncio.to_thread(limits.commits, url, threads)
        bare, bolt = await limits.requests(folder), await limits.bolt(folder)
    return (
        f"Bare {kind}: {commits:.0f} durable commits a second; bare ASGI server: {bare:.0f} requests a second; "
        f"bare Bolt: {bolt.events:.0f} events a second, {bolt.milliseconds:.1f} ms of processor for an answer and talk."
    )


async def _measure(desk: Loaded, options: argparse.Namespace, title: str) -> None:
    await _warm(desk)
    print(f"### {title}\n")
    for line in HEAD:
        print(line)
    sustained, beyond = 0.0, 0
    for rate in options.rates:
        row = await _step(desk, rate / limits.DURABLE, options.seconds)
        print(_line(row), flush=True)
        assert_kept(desk.url, row.step.keys)
        beyond = beyond + 1 if not row.sustained else 0
        if beyond == BEYOND:
            break
        if row.sustained:
            sustained = row.step.durable
    print(f"\nKnee: {sustained:.0f} durable turns a second.\n", flush=True)


async def _soak(desk: Loaded, options: argparse.Namespace, title: str) -> None:
    rate = options.rates[0]
    found = await soak(desk, rate=rate / limits.DURABLE, seconds=options.soak, tell=_say)
    minutes = ", ".join(f"{megabytes:.0f}" for megabytes in found)
    print(f"### {title}: memory at {rate:.0f} durable turns a second\n\nMB after each minute: {minutes}.\n", flush=True)


async def _warm(desk: Loaded) -> None:
    """Everybody has written once, and nothing is built any more."""
    for kind in ("talk", "question", "request", "command"):
        await desk.driver.run(desk.ports, rate=WARM_RATE, seconds=5, kind=kind)


async def _step(desk: Loaded, rate: float, seconds: float) -> Row:
    unit = limits.unit()
    before, started = _spent(desk), time.monotonic()
    step = await desk.driver.run(desk.ports, rate=rate, seconds=seconds)
    shares = spent(before, _spent(desk), time.monotonic() - started)
    memory = max(megabytes(process.pid) for process in desk.processes)
    _say(f"{rate:.0f}/s: {dict(step.kinds)}")
    return Row(step=step, shares=shares, memory=memory, unit=(unit + limits.unit()) / 2)


def _spent(desk: Loaded) -> Mapping[str, float]:
    own = {f"desk {n}": processor_seconds([each.pid]) for n, each in enumerate(desk.processes, 1)}
    return own | {"database": desk.database_seconds(), "generator": time.process_time()}


HEAD = (
    "| offered durable/s | durable/s | talk/s | ack p50 ms | p99 | reply p50 ms | p99 | not taken | no reply "
    "| cores: desk | database | generator | ms of processor a durable turn | MB | unit s |",
    "|---:|" + "---:|" * 14,
)


def _line(row: Row) -> str:
    step, shares = row.step, row.shares
    desks = [share for name, share in shares.items() if name.startswith("desk")]
    all_cpu = (sum(desks) + shares["database"]) * 1_000 / max(step.durable, 0.001)
    cells = [
        f"{step.offered * limits.DURABLE:.0f}",
        f"{step.durable:.0f}",
        f"{step.talk:.0f}",
        f"{step.ack.p50:.0f}",
        f"{step.ack.p99:.0f}",
        f"{step.reply.p50:.0f}",
        f"{step.reply.p99:.0f}",
        f"{step.refused + step.unanswered}",
        f"{step.unreplied}",
        " + ".join(f"{share:.2f}" for share in desks),
        f"{shares['database']:.2f}",
        f"{shares['generator']:.2f}",
        f"{all_cpu:.1f}",
        f"{row.memory:.0f}",
        f"{row.unit:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--on", nargs="*", metavar="SETTING", help="such as sqlite-1 postgresql-3; all by default")
    parser.add_argument("--rates", nargs="*", type=float, default=RATES, help="durable turns a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each rate")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="instead: memory over so long, at the first rate")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    uvloop.install()
    sys.exit(asyncio.run(main(_options(sys.argv[1:]))))
