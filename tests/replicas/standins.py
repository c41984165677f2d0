"""Servers that stand where replicas stand, and say which of them answered: what the proxy does is seen in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(slots=True)
class StandIn:
    """Told by the test how it is."""

    host: str
    port: int
    ready: bool = True
    busy: bool = False
    """Answers 503, as a replica does that could not store a message."""
    drops: bool = False
    """Takes a request and closes the connection, as a replica does that is killed."""
    asked: list[str] = field(default_factory=list)
    """Method and path of each request but for health."""
    came_from: list[str] = field(default_factory=list)
    """The nearest sender that X-Forwarded-For names, of each of them."""
    _runner: web.AppRunner | None = field(default=None, init=False)

    async def start(self) -> None:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/socket", self._socket)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()

    async def stop(self) -> None:
        """Nobody listens there any more."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _readyz(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def _answer(self, request: web.Request) -> web.Response:
        await request.read()
        if request.path != "/healthz":
            self.asked.append(f"{request.method} {request.path}")
            self.came_from.append(request.headers.getall("X-Forwarded-For")[-1])
        if self.drops and request.transport:
            request.transport.close()
        return web.Response(status=503 if self.busy else 200, text=self.host)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"{self.host} heard {message.data}")
        return socket


@asynccontextmanager
async def standing(hosts: Sequence[str], port: int) -> AsyncIterator[Sequence[StandIn]]:
    async with AsyncExitStack() as stack:
        found = [StandIn(host, port) for host in hosts]
        for one in found:
            await one.start()
            stack.push_async_callback(one.stop)
        yield found
