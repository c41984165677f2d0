"""Socket Mode of the fake Slack: the WebSocket, envelopes out, acknowledgements in.

Used by `slack_server`. Like Slack it gives an envelope to one socket, and an acknowledgement may
carry what would otherwise be the HTTP answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack_payloads import Delivered, Signed


class FakeSocketMode:
    def __init__(self) -> None:
        self.acks: list[dict[str, Any]] = []
        """What came back, oldest first."""
        self._ids = count(1)
        self._sockets: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._connected = asyncio.Event()

    async def connected(self) -> None:
        """Wait until an app is on the socket."""
        await asyncio.wait_for(self._connected.wait(), 5)

    async def disconnect(self) -> None:
        self._connected.clear()
        for socket in self._sockets:
            with contextlib.suppress(ConnectionError):
                await socket.close()
        self._sockets.clear()

    async def deliver(self, request: Signed, *, retry: int, patience: float) -> Delivered:
        """Send an envelope; without an app, or its acknowledgement within `patience` seconds, the status is None."""
        if not self._sockets:
            return Delivered(status=None)
        id = f"envelope-{next(self._ids)}"
        waiting = self._waiting[id] = asyncio.get_running_loop().create_future()
        envelope = {
            "envelope_id": id,
            "type": request.kind,
            "payload": request.payload,
            "accepts_response_payload": True,
        }
        if request.kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        try:
            await self._sockets[-1].send_json(envelope)
            ack = await asyncio.wait_for(waiting, patience)
        except (TimeoutError, ConnectionError):
            return Delivered(status=None)
        return Delivered(status=200, body=json.dumps(ack["payload"]) if ack.get("payload") else "")

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": len(self._sockets)})
        self._connected.set()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._take(json.loads(message.data))
        if socket in self._sockets:
            self._sockets.remove(socket)
        return socket

    def _take(self, ack: dict[str, Any]) -> None:
        self.acks.append(ack)
        waiting = self._waiting.pop(ack["envelope_id"], None)
        if waiting and not waiting.done():
            waiting.set_result(ack)
