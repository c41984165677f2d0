"""SIGTERM under load: the process ends in time and in order, and loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.crash.author import Author
from tests.crash.nursery import Nursery
from tests.crash.stage import HELP, How, Setting, Stage, staged
from tests.crash.story import beside, calm, verdict
from tests.crash.trouble import STOP_LIMIT

SEED = 5
LOAD_SECONDS = 4.0


@pytest.mark.timeout(300)
async def test_a_stop_under_load_is_in_time_and_loses_nothing(tmp_path: Path) -> None:
    """It ends within ten seconds with exit code 0; what was acknowledged comes out after the next start."""
    async with staged(Setting.SQLITE_SOCKET, tmp_path) as stage:
        author = Author(stage.slack, Random(SEED))
        stage.served.start()
        await stage.served.ready()
        async with beside([author.write()]):
            await asyncio.sleep(LOAD_SECONDS)
            await stage.served.stop(STOP_LIMIT)
            assert stage.served.code == 0
            stage.served.start()
            await stage.served.ready()
        await calm(stage, author)
        await stage.served.stop(STOP_LIMIT)
        assert stage.served.code == 0
        assert verdict(stage, author).violations == []
        assert any(letter.acknowledged for letter in author.letters)


@pytest.mark.timeout(300)
async def test_what_comes_during_a_stop_is_refused_so_that_slack_repeats_it(nursery: Nursery, tmp_path: Path) -> None:
    """While a request under way holds the stop up, a new one gets no answer or 503, and is taken after the start."""
    async with staged(Setting.SQLITE_HTTP, tmp_path, How(nursery=nursery)) as stage:
        stage.served.start()
        await stage.served.ready()
        stage.slack.add_user("UDANA")
        stage.slack.state.channels[HELP].members.add("UDANA")
        _, (request,) = stage.slack.posted("UDANA", HELP, "My VPN keeps disconnecting")
        async with unfinished_request(stage):
            stopping = asyncio.create_task(stage.served.stop(STOP_LIMIT))
            await stops_listening(stage)
            with pytest.raises(httpx.ConnectError):
                await stage.slack.deliver(request)
            await stopping
        stage.served.start()
        await stage.served.ready()
        assert (await stage.slack.deliver(request, retry=1)).ok


@asynccontextmanager
async def unfinished_request(stage: Stage) -> AsyncIterator[None]:
    """A client that never sends the rest of its request."""
    _, writer = await asyncio.open_connection("127.0.0.1", stage.served.port)
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: desk\r\nContent-Length: 10\r\n\r\n")
    await writer.drain()
    try:
        yield
    finally:
        writer.close()


async def stops_listening(stage: Stage) -> None:
    """Until the process takes no connections any more, while it lives."""
    async with asyncio.timeout(STOP_LIMIT):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", stage.served.port)
            except ConnectionRefusedError:
                break
            writer.close()
            await asyncio.sleep(0.05)
    assert stage.served.alive
