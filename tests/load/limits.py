"""What this machine gives at most, in the same run: bare durable commits, a bare ASGI server, and bare Bolt.

Used by `tests.load.__main__`, which prints them beside what the desk does.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from random import Random

from sqlalchemy import text

from storage.engine import make_engine
from tests.conformance.programs import free_port
from tests.fakes.slack_payloads import signature
from tests.fakes.slack_server import FakeSlack
from tests.load.office import SHARES, Office
from tests.load.processes import processor_seconds
from tests.load.slack import Slack
from tests.load.wire import Client, Headers, serve

SECONDS = 5.0
CONNECTIONS = 16
DURABLE = (100 - SHARES["talk"]) / 100
BARE = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""
BOLT = """
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route

client = AsyncWebClient("{token}", base_url="{api}")
bolt = AsyncApp(client=client, signing_secret="{secret}", process_before_response=True)

@bolt.event("message")
async def answer(event, say):
    if not event["channel"].startswith("CTALK"):
        await say("Here is your answer.", thread_ts=event["ts"])

app = Starlette(routes=[Route("/slack/events", AsyncSlackRequestHandler(bolt).handle, methods=["POST"])])
"""
"""Slack's library as its documentation shows it: no store, no matching, one plain sentence for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bolt:
    """`events` a second, and the process's `milliseconds` for each that is answered and the talk beside it."""

    events: float
    milliseconds: float


def commits(url: str, threads: int) -> float:
    """One row a commit, from so many connections at once: commits a second."""
    engine = make_engine(url)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE IF NOT EXISTS bare (id INTEGER)"))
    done, until = [0] * threads, time.monotonic() + SECONDS

    def write(n: int) -> None:
        with engine.connect() as db:
            while time.monotonic() < until:
                db.execute(text("INSERT INTO bare VALUES (1)"))
                db.commit()
                done[n] += 1

    workers = [threading.Thread(target=write, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with engine.begin() as db:
        db.execute(text("DROP TABLE bare"))
    engine.dispose()
    return sum(done) / SECONDS


def unit() -> float:
    """Processor seconds of five million additions: figures of a machine whose speed changes compare by it."""
    started, sum = time.process_time(), 0
    for n in range(5_000_000):
        sum += n
    return time.process_time() - started


async def requests(folder: Path) -> float:
    """Answers a second of uvicorn with an application that does nothing, to bodies like Slack's."""
    body = b"x" * 900
    async with _served(folder, "bare", BARE) as (client, _):
        return await _asked(client, lambda: (body, {}))


async def bolt(folder: Path) -> Bolt:
    """What Bolt and Slack's SDK need by themselves, for the mix of `office` as far as it is talk and questions."""
    slack, port = await serve(Slack(lambda *_: None, lambda *_: None, lambda _: None))
    random = Random(1)
    office = Office(random=random, clock=time.time, actions="")

    def signed() -> tuple[bytes, Headers]:
        event = office.event("question" if random.random() < DURABLE else "talk")
        headers = signature(FakeSlack.signing_secret, int(time.time()), event.body)
        return event.body, {**headers, "content-type": event.content_type}

    source = BOLT.format(token=FakeSlack.token, secret=FakeSlack.signing_secret, api=f"http://127.0.0.1:{port}/api/")
    async with _served(folder, "bolted", source) as (client, pid):
        before = processor_seconds([pid])
        events = await _asked(client, signed)
        spent = processor_seconds([pid]) - before
    slack.close()
    return Bolt(events=events, milliseconds=1_000 * spent / (events * SECONDS * DURABLE))


@asynccontextmanager
async def _served(folder: Path, name: str, source: str) -> AsyncIterator[tuple[Client, int]]:
    """The application under uvicorn in a process of its own, and that process's id."""
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"{name}:app", "--port", str(port), "--log-level", "warning"]
    process = await asyncio.create_subprocess_exec(*command, "--no-access-log", cwd=folder)
    client = Client("127.0.0.1", port)
    try:
        while not (await client.post("/", b"", {})).status:
            await asyncio.sleep(0.05)
        yield client, process.pid
    finally:
        client.close()
        process.terminate()
        await process.wait()


async def _asked(client: Client, request: Callable[[], tuple[bytes, Headers]]) -> float:
    """Requests a second that were answered with 200, each connection asking when its last one was answered."""
    until = time.monotonic() + SECONDS

    async def ask() -> int:
        answered = 0
        while time.monotonic() < until:
            body, headers = request()
            answered += (await client.post("/slack/events", body, headers)).status == HTTPStatus.OK
        return answered

    return sum(await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))) / SECONDS
