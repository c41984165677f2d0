"""An embeddings API of our own, on a real socket: it answers as OpenAI's does, or as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

KEY = "sk-the-only-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer once; `rest` bytes that are promised and never come, until the server closes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    rest: int = 0


@dataclass(slots=True)
class EmbeddingsServer:
    """`asked` holds the bodies of all requests; of `replies`, one is used up by each."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    key: str | None = None
    dimensions: int = 8
    closing: Event = field(default_factory=Event)

    @property
    def inputs(self) -> list[list[str]]:
        return [body["input"] for body in self.asked]


@contextmanager
def embeddings_server() -> Iterator[EmbeddingsServer]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    http.daemon_threads = False
    server = EmbeddingsServer(url=f"http://127.0.0.1:{http.server_port}/v1")
    http.RequestHandlerClass = _handler(server)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        http.shutdown()
        thread.join()
        http.server_close()


def vector(text: str, dimensions: int) -> list[float]:
    """Of any length but one; the same for the same text."""
    return [byte - 127.5 for byte in sha256(text.encode()).digest()[:dimensions]]


def listed(vectors: list[Any]) -> bytes:
    """A response that holds these vectors."""
    data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(vectors)]
    return json.dumps({"object": "list", "data": data}).encode()


def _handler(server: EmbeddingsServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(server.replies.pop(0) if server.replies else self._usual())

        def _usual(self) -> Reply:
            if server.key and self.headers["Authorization"] != f"Bearer {server.key}":
                return Reply(status=401, body=f"no such key: {self.headers['Authorization']}".encode())
            if self.path != "/v1/embeddings":
                return Reply(status=404)
            made = [vector(text, server.dimensions) for text in server.asked[-1]["input"]]
            return Reply(body=listed(made))

        def _answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + reply.rest))
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()
            if reply.rest:
                server.closing.wait(10)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
