"""The common design, one APScheduler job a ticket, measured beside the sweep: `python -m tests.benchmarks.datejobs`.

A `BackgroundScheduler` with its default settings keeps a `date` job for each ticket in a `SQLAlchemyJobStore`.
Each scheduler lives in a process of its own (`--act`), which prints one JSON object; so does the product, which
sweeps as many tickets. What a job does is next to nothing: only the design is measured.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from storage.engine import make_engine
from storage.sql import SqlStorage
from tests.benchmarks.databases import POSTGRES, SQLITE, filling_engine, fresh, server, versions
from tests.benchmarks.filling import fill
from tests.benchmarks.office import Group, Office, Variety, agents, policy, rounds
from tests.benchmarks.table import machine
from triage.sweeping import sweep

JOBS = 20_000
DUE = 500
DOWN = 10.0
"""Seconds for which the process is not there while pings become due."""

FAR = timedelta(days=30)
LEFT = timedelta(seconds=20)
"""Time enough to end a process before what it leaves becomes due."""

PATIENCE = 300.0
GRACE = 5.0
"""Seconds without any event after which a scheduler is taken to be done."""

Result = Mapping[str, Any]


def ping(ticket: int) -> int:
    """What a job does."""
    return ticket


class Watch:
    """Counts what a scheduler says of its jobs."""

    def __init__(self, scheduler: BackgroundScheduler) -> None:
        self.ran = self.missed = 0
        self.last = 0.0
        scheduler.add_listener(self._saw, EVENT_JOB_EXECUTED | EVENT_JOB_MISSED)

    def _saw(self, event: JobExecutionEvent) -> None:
        self.last = time.time()
        if event.code == EVENT_JOB_EXECUTED:
            self.ran += 1
        else:
            self.missed += 1

    def until_done(self, wanted: int, since: float) -> None:
        """Wait until all have run or were missed, or nothing happens any more."""
        while self.ran + self.missed < wanted and time.time() < since + PATIENCE:
            if self.last and time.time() > self.last + GRACE:
                return
            time.sleep(0.02)


def scheduler(url: str) -> BackgroundScheduler:
    return BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url=url)}, timezone=UTC)


# --- what one process does ---------------------------------------------------------------------
def add(url: str, jobs: int, due: int) -> Result:
    """Jobs for later, one after the other as tickets are opened, then those that are due, which it fires."""
    running = scheduler(url)
    watch = Watch(running)
    running.start()
    started = time.perf_counter()
    for n in range(jobs - due):
        running.add_job(ping, "date", run_date=datetime.now(UTC) + FAR, args=[n], id=f"later-{n}")
    added_s = time.perf_counter() - started
    at = datetime.now(UTC) + timedelta(seconds=max(2.0, added_s * due / jobs * 2))
    for n in range(due):
        running.add_job(ping, "date", run_date=at, args=[n], id=f"due-{n}")
    watch.until_done(due, at.timestamp())
    running.shutdown()
    fired_s = watch.last - at.timestamp() if watch.ran else None
    return {"per_second": (jobs - due) / added_s, "fired_s": fired_s, "ran": watch.ran}


def leave(url: str, due: int, *, within: timedelta = LEFT) -> Result:
    """Jobs that become due in a moment; then the process ends."""
    running = scheduler(url)
    running.start(paused=True)
    at = datetime.now(UTC) + within
    for n in range(due):
        running.add_job(ping, "date", run_date=at, args=[n], id=f"left-{n}")
    running.shutdown()
    return {"at": at.timestamp()}


def come_back(url: str, due: int) -> Result:
    """The process is there again."""
    running = scheduler(url)
    watch = Watch(running)
    started = time.time()
    running.start()
    watch.until_done(due, started)
    running.shutdown()
    return {"ran": watch.ran, "missed": watch.missed}


def sweep_late(url: str, due: int) -> Result:
    """The product in a process that was not there: the clock says `DOWN` seconds past due."""
    storage = SqlStorage(make_engine(url))
    group = Group(variety=Variety.WARNED, round=1)
    started = time.perf_counter()
    swept = sweep(storage, policy(agents(50)), lambda: group.due + timedelta(seconds=DOWN))
    spent = time.perf_counter() - started
    storage.close()
    return {"ran": swept.rung, "missed": due - swept.rung, "fired_s": spent}


ACTS: Mapping[str, Callable[[argparse.Namespace], Result]] = {
    "add": lambda options: add(options.url, options.jobs, options.due),
    "leave": lambda options: leave(options.url, options.due),
    "come-back": lambda options: come_back(options.url, options.due),
    "sweep": lambda options: sweep_late(options.url, options.due),
}


def resident_mb() -> float:
    """Memory of this process now, as Linux tells it."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1_000_000


# --- the table ---------------------------------------------------------------------------------
def report(server: str | None, folder: Path, *, jobs: int, due: int, down: float = DOWN) -> Iterator[str]:
    after = f"of {due} after {down:.0f} s down"
    yield f"| {jobs:,} open, {due} due | database | added a second | fired in s | MB more | {after} |"
    yield "|---|---|---:|---:|---:|---:|"
    for kind in (SQLITE, POSTGRES) if server else (SQLITE,):
        with fresh(kind, server) as url:
            fired = _act("add", url, jobs, due)
            left = _act("leave", url, jobs, due)
            time.sleep(max(0.0, left["at"] + down - time.time()))
            back = _act("come-back", url, jobs, due)
        at_once = f"{_seconds(fired['fired_s'])} ({fired['ran']} of {due})"
        cells = f"{fired['per_second']:.0f} | {at_once} | {fired['grown_mb']:.0f}"
        dropped = f"{back['ran']} sent, {due - back['ran']} dropped"
        yield f"| one job a ticket | {kind} | {cells} | {dropped} |"
    yield from _product(server, folder, jobs, due)
    yield ""


def _product(server: str | None, folder: Path, jobs: int, due: int) -> Iterator[str]:
    (group,) = (each for each in rounds(1) if each.variety is Variety.WARNED)
    office = Office(folder, agents(50))
    seeds = office.seeds([group])
    for kind in (SQLITE, POSTGRES) if server else (SQLITE,):
        with fresh(kind, server) as url:
            engine = filling_engine(url)
            fill(engine, office, seeds, {group: due, Group(): jobs - due})
            engine.dispose()
            done = _act("sweep", url, jobs, due)
        cells = f"(with the ticket) | {_seconds(done['fired_s'])} ({done['ran']} of {due}) | {done['grown_mb']:.0f}"
        yield f"| Deskbell's sweep | {kind} | {cells} | {done['ran']} sent, {done['missed']} dropped |"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _act(act: str, url: str, jobs: int, due: int) -> Result:
    command = [sys.executable, "-m", "tests.benchmarks.datejobs", "--act", act, "--url", url]
    done = subprocess.run(
        [*command, "--jobs", str(jobs), "--due", str(due)], stdout=subprocess.PIPE, check=True, timeout=3_600
    )
    print(f"{act}: {done.stdout.decode().strip()}", file=sys.stderr, flush=True)
    found: Result = json.loads(done.stdout)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if options.act:
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        before = resident_mb()
        done = ACTS[options.act](options)
        print(json.dumps({**done, "grown_mb": resident_mb() - before}))
        return
    with ExitStack() as stack:
        url = stack.enter_context(server()) if POSTGRES in options.databases else None
        folder = Path(stack.enter_context(TemporaryDirectory()))
        print(f"Measured on: {machine()}, {versions(url)}.\n")
        for line in report(url, folder, jobs=options.jobs, due=options.due):
            print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--due", type=int, default=DUE)
    parser.add_argument("--databases", nargs="+", choices=[SQLITE, POSTGRES], default=[SQLITE, POSTGRES])
    parser.add_argument("--act", choices=list(ACTS), help="what this one process does")
    parser.add_argument("--url", help="the database of that process")
    return parser


if __name__ == "__main__":
    main()
