"""What this machine gives at most, in the same run: bare durable commits, and a bare ASGI server.

Used by `tests.load.__main__`, which prints them beside what the desk does.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path

from sqlalchemy import text

from storage.engine import make_engine
from tests.conformance.programs import free_port
from tests.load.wire import Client

SECONDS = 5.0
BARE = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""


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


async def requests(folder: Path, connections: int = 16) -> float:
    """Answers a second of uvicorn with an application that does nothing, to bodies like Slack's."""
    (folder / "bare.py").write_text(BARE, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bare:app", "--port", str(port), "--log-level", "warning"]
    process = await asyncio.create_subprocess_exec(*command, "--no-access-log", cwd=folder)
    try:
        client = Client("127.0.0.1", port)
        while not (await client.post("/", b"", {})).status:
            await asyncio.sleep(0.05)
        until, body = time.monotonic() + SECONDS, b"x" * 900

        async def ask() -> int:
            asked = 0
            while time.monotonic() < until:
                await client.post("/slack/events", body, {})
                asked += 1
            return asked

        done = await asyncio.gather(*(ask() for _ in range(connections)))
        client.close()
        return sum(done) / SECONDS
    finally:
        process.terminate()
        await process.wait()
