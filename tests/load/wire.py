"""HTTP/1.1 for few cycles: a client that keeps its connections, and a server of one function.

A load generator that shares two cores with what it measures must not need one for itself: this takes about
a fifth of the time of a full client. Used by `tests.load.driver` and `tests.load.slack`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import httptools

Headers = Mapping[str, str]
Answer = Callable[[str, bytes], bytes]
"""From path and body of a request to the JSON text that answers it."""


@dataclass(frozen=True, slots=True)
class Got:
    """`status` is 0 where the connection ended without an answer."""

    status: int
    body: bytes = b""


NONE = Got(0)


class _Client(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self.waiting: asyncio.Future[Got] | None = None
        self.transport: asyncio.Transport | None = None
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._done(Got(self._parser.get_status_code(), b"".join(self._body)))
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._done(NONE)

    def _done(self, got: Got) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting and not waiting.done():
            waiting.set_result(got)


class Client:
    """Requests to one address; as many connections as there are requests under way."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._free: deque[_Client] = deque()
        self._all: list[_Client] = []

    async def post(self, path: str, body: bytes, headers: Headers) -> Got:
        client = await self._connected()
        if client is None or client.transport is None:
            return NONE
        client.waiting = asyncio.get_running_loop().create_future()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        client.transport.write(head.encode() + body)
        got = await client.waiting
        if client.transport is not None:
            self._free.append(client)
        return got

    async def _connected(self) -> _Client | None:
        while self._free:
            client = self._free.pop()
            if client.transport is not None:
                return client
        loop = asyncio.get_running_loop()
        try:
            _, client = await loop.create_connection(_Client, self._host, self._port)
        except OSError:
            return None
        self._all.append(client)
        return client

    def close(self) -> None:
        for client in self._all:
            if client.transport is not None:
                client.transport.close()


class _Served(asyncio.Protocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        text = self._answer(self._url.decode(), b"".join(self._body))
        self._url, self._body = b"", []
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text)
        self._transport.write(head + text)


async def serve(answer: Answer) -> tuple[asyncio.Server, int]:
    """A server on a free port of loopback, and the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Served(answer), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return server, port
