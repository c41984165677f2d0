"""A connection of the web server: no request is waited for longer, or may begin larger, than any of ours is.

uvicorn itself waits for ever for the end of a request's head and keeps all of it, so that anybody who reaches
the port could fill the memory. `bot.cli` hands this class to uvicorn. A body that somebody reads is their own
business (they stop at a size and a time that suits them).
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
"""Of address and headers; browsers and platforms send a few thousand."""
REQUEST_SECONDS = 15
"""From the connection, or the first byte of a further request, until all of it has come."""


class Connection(HttpToolsProtocol):
    """Closed when a head is too large, or when a request does not come to its end and nobody reads it."""

    _unread = 0
    """Bytes of a head, or of what stands around the pieces of a body."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of this request is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        self._wait_no_more()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._wait_no_more()
        super().handle_websocket_upgrade()

    def _wait(self) -> None:
        self._wait_no_more()
        self._timer = self.loop.call_later(REQUEST_SECONDS, self._too_late)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        """Whoever answers may still be reading; they have a limit of their own."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()
        else:
            self.transport.close()
