"""Requests made to fill the memory or to hold a connection: cut off, while everybody else is served."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot import connections
from bot.connections import HEAD_BYTES, Connection

SOON = 0.4
"""Seconds that a request may take here."""
GENEROUS = 20.0


@dataclass
class Served:
    port: int

    async def says(self, *parts: bytes) -> bytes:
        """All that is answered until the connection is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            async with asyncio.timeout(GENEROUS):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def swallows(self, beginning: bytes, *, most: int = 50 * HEAD_BYTES) -> int:
        """Bytes that could be sent after this beginning before the connection broke."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        sent = 0
        try:
            writer.write(beginning)
            while sent < most and not reader.at_eof():
                writer.write(b"a" * 8_192)
                await writer.drain()
                sent += 8_192
                await asyncio.sleep(0.001)
        except ConnectionError:
            pass
        finally:
            writer.close()
        return sent


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """A server that echoes how many bytes a body has, and answers `/deaf` without reading any."""
    monkeypatch.setattr(connections, "REQUEST_SECONDS", SOON)

    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async def deaf(_: Request) -> PlainTextResponse:
        return PlainTextResponse("whatever")

    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"]), Route("/deaf", deaf, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=Connection, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield Served(listener.getsockname()[1])
    server.should_exit = True
    await serving


GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_an_ordinary_request_is_answered(served: Served) -> None:
    """With a body in one piece or in many, far longer than a head may be."""
    assert b"200 OK" in await served.says(GET)
    body = b"a" * (4 * HEAD_BYTES)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    whole = await served.says(head + b"Content-Length: %d\r\n\r\n" % len(body), body)
    chunks = [b"2000\r\n" + b"a" * 8_192 + b"\r\n"] * 32
    pieces = await served.says(head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n")
    assert whole.endswith(b"\r\n262144")
    assert pieces.endswith(b"262144")


async def test_one_connection_serves_several_requests(served: Served) -> None:
    """One after the other, and the last one closes it."""
    answers = await served.says(GET.replace(b"Connection: close\r\n", b""), GET)
    assert answers.count(b"200 OK") == 2


ENDLESS = {
    "address": b"GET /",
    "header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "name of a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-",
    "extension of a chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;x=",
    "trailer": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-A: ",
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_nothing_without_end_is_kept(served: Served, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """It would fill the memory, from one connection and without a right to anything."""
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 10 * GENEROUS)
    assert await served.swallows(ENDLESS[what]) < 40 * HEAD_BYTES
    assert b"200 OK" in await served.says(GET)


async def test_a_large_head_is_told_so(served: Served) -> None:
    """Once it is past the limit."""
    answer = await served.says(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * (HEAD_BYTES + 1))
    assert answer.startswith(b"HTTP/1.1 400") or answer == b""


UNFINISHED = {
    "nothing at all": (b"", 0),
    "half a head": (b"GET / HTTP/1.1\r\nHost: x\r\nX-", 0),
    "half a second head": (GET.replace(b"Connection: close\r\n", b"") + b"GET / HTTP/1.1\r\nHost", 1),
    "a body that nobody reads": (b"POST /deaf HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na", 1),
}
"""And how many answers there are."""


@pytest.mark.parametrize("what", UNFINISHED)
async def test_an_unfinished_request_does_not_hold_its_connection(served: Served, what: str) -> None:
    """It is closed after its time."""
    sent, answers = UNFINISHED[what]
    assert (await served.says(sent)).count(b"200 OK") == answers


async def test_a_head_that_trickles_is_cut_off_too(served: Served) -> None:
    """A byte now and then is not an end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
    answer = asyncio.create_task(reader.read())
    async with asyncio.timeout(GENEROUS):
        while not answer.done():
            writer.write(b"a")
            await asyncio.sleep(SOON / 8)
    writer.close()
    (told,) = await asyncio.gather(answer, return_exceptions=True)
    assert isinstance(told, OSError) or told == b""


async def test_a_body_that_is_read_slowly_is_its_readers_business(served: Served) -> None:
    """Longer than a head may take: whoever reads it has a limit of their own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n")
    for _ in range(9):
        writer.write(b"a")
        await asyncio.sleep(SOON / 4)
    async with asyncio.timeout(GENEROUS):
        assert (await reader.read()).endswith(b"\r\n9")
    writer.close()
