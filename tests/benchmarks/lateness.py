"""How late pings are: `python -m tests.benchmarks.lateness`, a Markdown table on stdout.

Real processes (`deskbell serve`, which sweeps every two seconds) on one database, and a Slack of our own that
notes when each message arrives. Tickets become due at an even rate; half of them have an owner, who is told
directly, the other half go to one of ten triage channels. A ping's lateness is its arrival less its due time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from bot import deskfile
from storage.engine import make_engine
from storage.sql import SqlStorage
from tests.benchmarks.databases import POSTGRES, SQLITE, fresh, server, versions
from tests.benchmarks.table import machine
from tests.conformance.programs import free_port, running
from tests.fakes.slack_server import FakeSlack
from triage import sla
from triage.casework import kept
from triage.changes import Decision, KeepEvent, KeepTerms, OpenTicket
from triage.model import Language, Priority, Status, Ticket
from triage.policy import Team
from triage.timeline import Timeline

RATE = 10
SECONDS = 300
TEAMS = 10
PINGS_EACH = 3
"""For one owner at most: fewer than the product holds back."""

AHEAD, EACH = timedelta(seconds=20), timedelta(milliseconds=30)
"""From storing the tickets to the first that is due, and more for each that has to be stored."""

GRACE = 30.0
"""Seconds after the last one is due; what has not arrived by then is lost."""

PROMISE, STAGE = "2h", timedelta(hours=1)
ARTICLE = "---\ntitle: The VPN keeps dropping\nteam: t0\n---\nRestart the client.\n"

Setting = tuple[str, int]
"""A kind of database, and how many processes are on it."""

SETTINGS: Sequence[Setting] = ((SQLITE, 1), (POSTGRES, 1), (POSTGRES, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Seconds by which each ping was late that arrived; `doubled` arrived more than once."""

    late: Sequence[float]
    lost: int
    doubled: int


class ListeningSlack(FakeSlack):
    """Notes when it was asked to post about which ticket."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[tuple[int, float]] = []

    def _record(self, method: str, args: dict[str, Any], error: str | None) -> None:
        super()._record(method, args, error)
        if method == "chat.postMessage" and error is None:
            self.arrived += [(int(number), time.time()) for number in re.findall(r"#(\d+)", str(args["text"]))]


def desk_yaml(pings: int) -> Mapping[str, Any]:
    owners = {owner: {"name": owner.title(), "slack": f"U{owner.upper()}"} for owner in _owners(pings)}
    promises = {"normal": {"first_response": PROMISE, "hours": "calendar"}}
    teams = {
        f"t{n}": {
            "name": f"Team {n}",
            "agents": list(owners),
            "sla": promises,
            "warn": ["50%"],
            "slack": {"help": [f"CHELP{n}"], "triage": f"CTRIAGE{n}"},
        }
        for n in range(TEAMS)
    }
    return {"kb": "kb/", "places": {"slack": [FakeSlack.team]}, "people": owners, "teams": teams}


def _owners(pings: int) -> Sequence[str]:
    return [f"owner{n}" for n in range(max(1, -(-pings // 2 // PINGS_EACH)))]


def put(url: str, config: Path, pings: int, first: datetime, apart: timedelta) -> None:
    """Tickets whose warnings come one after the other; stored as the product stores new ones."""
    desk, _ = deskfile.read(config)
    assert desk is not None
    teams, owners = list(desk.policy.teams.values()), _owners(pings)
    storage = SqlStorage(make_engine(url))
    for begin in range(0, pings, 50):
        with storage.writing() as work:
            for n in range(begin, min(begin + 50, pings)):
                owner = owners[n // 2 % len(owners)] if n % 2 else None
                decision = _opened(n + 1, teams[n // 2 % TEAMS], owner, first + n * apart - STAGE)
                work.record(decision, datetime.now(UTC))
            work.commit()
    storage.close()


def _opened(number: int, team: Team, owner: str | None, at: datetime) -> Decision:
    ticket = Ticket(
        id=f"ticket{number}",
        number=number,
        team=team.id,
        requester="ann",
        subject="The coffee grinder sparks",
        language=Language.EN,
        priority=Priority.NORMAL,
        status=Status.OPEN if owner else Status.NEW,
        opened_at=at,
        owner=owner,
    )
    timeline = sla.opened(team.terms, ticket.priority, at, team=team.id, channel=None)
    events = (KeepEvent(ticket=ticket.id, event=event) for event in timeline.events)
    clocks = kept(ticket.id, Timeline(), timeline)
    return Decision(
        changes=(OpenTicket(ticket=ticket), KeepTerms(ticket=ticket.id, terms=team.terms), *events, *clocks)
    )


@asynccontextmanager
async def serving(url: str, pings: int, processes: int) -> AsyncIterator[tuple[ListeningSlack, Path]]:
    """So many processes on this database, ready, and the Slack that they talk to."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        config = folder / "desk.yaml"
        (folder / "kb").mkdir()
        (folder / "kb" / "vpn.md").write_text(ARTICLE, encoding="utf-8")
        config.write_text(json.dumps(desk_yaml(pings)), encoding="utf-8")
        slack = await stack.enter_async_context(ListeningSlack())
        for owner in _owners(pings):
            slack.add_user(f"U{owner.upper()}", name=owner)
        for n in range(TEAMS):
            slack.add_channel(f"CTRIAGE{n}")
        environ = {
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.url,
            "DESKBELL_DATABASE_URL": url,
            "DESKBELL_ENCODER": "off",
        }
        for n in range(processes):
            port, own = free_port(), folder / f"process{n}"
            deskbell = [Path(sys.executable).with_name("deskbell"), "serve", "--config", config, "--data", own]
            program = running(
                [*deskbell, "--port", port],
                url=f"http://127.0.0.1:{port}",
                ready="/readyz",
                folder=own,
                environ=environ,
            )
            await asyncio.to_thread(stack.enter_context, program)
        yield slack, config


async def measured(url: str, processes: int, *, seconds: int, rate: int = RATE) -> Seen:
    pings, apart = seconds * rate, timedelta(seconds=1 / rate)
    async with serving(url, pings, processes) as (slack, config):
        first = datetime.now(UTC) + AHEAD + pings * EACH
        await asyncio.to_thread(put, url, config, pings, first, apart)
        if datetime.now(UTC) > first:
            raise AssertionError("it took too long to store the tickets")
        over = (first + pings * apart).timestamp()
        while time.time() < over + GRACE and (time.time() < over or len({n for n, _ in slack.arrived}) < pings):
            await asyncio.sleep(0.2)
        await asyncio.sleep(2.0)
        times = Counter(number for number, _ in slack.arrived)
        late = [at - (first + (number - 1) * apart).timestamp() for number, at in slack.arrived]
        return Seen(late=late, lost=pings - len(times), doubled=sum(count > 1 for count in times.values()))


def report(server: str | None, settings: Sequence[Setting], *, seconds: int, rate: int = RATE) -> Iterator[str]:
    yield "| database | processes | pings | p50 s | p99 s | latest s | lost | doubled |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for kind, processes in settings:
        if server is None and kind == POSTGRES:
            continue
        with fresh(kind, server) as url:
            seen = asyncio.run(measured(url, processes, seconds=seconds, rate=rate))
        cuts = quantiles(seen.late, n=100)
        cells = f"{cuts[49]:.2f} | {cuts[98]:.2f} | {max(seen.late):.2f} | {seen.lost} | {seen.doubled}"
        yield f"| {kind} | {processes} | {seconds * rate:,} | {cells} |"
    yield ""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=SECONDS)
    options = parser.parse_args(arguments)
    with server() as url:
        print(f"Measured on: {machine()}, {versions(url)}. {RATE} pings a second for {options.seconds} s.\n")
        for line in report(url, SETTINGS, seconds=options.seconds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
