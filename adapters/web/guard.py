"""What stands before every page: under which name, from which page, in which session, with which headers.

An ASGI middleware. `bot.web` puts it around the whole server and names the addresses that are for machines:
platforms and monitors reach those under any name and have checks of their own. A browser runs what any site
tells it to, so it is not enough that pages are served on this machine or in this network:

- another site's name may point here (DNS rebinding): only the installation's own names are answered;
- another site's page may post here, or open a socket (a socket is not kept back by the browser's rules):
  `Origin` must be this one, and without it nothing but reading is possible;
- another site's page may embed or load ours: refused by where the browser says that it comes from, and by headers;
- a socket needs the session that the page was given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.sessions import SCOPE, Session, Sessions

SOCKET = "/_nicegui_ws/"
"""Where NiceGUI's live pages talk to us, by websocket, or by requests where there can be none."""
SAFE = ("GET", "HEAD", "OPTIONS")
ENDED = 4401
"""The code of a socket that is closed because its session has ended."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing is ever loaded from or sent to another origin, whatever an article's author wrote."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send forms with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class Guard:
    """`public` is the URL that people use, or None where only this machine does; `machines` the paths that are
    answered under any name and without a session.
    """

    def __init__(
        self, app: ASGIApp, *, sessions: Sessions, public: str | None = None, machines: Collection[str] = ()
    ) -> None:
        self.app = app
        self._sessions = sessions
        self._machines = frozenset(machines)
        self._origin = _origin(public) if public else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif scope["path"] in self._machines:
            await self.app(scope, receive, _with_headers(send, HEADERS))
        elif refusal := self._refusal(scope, Headers(scope=scope)):
            await refusal(scope, receive, _with_headers(send, HEADERS))
        elif scope["type"] == "websocket" or scope["path"].startswith(SOCKET):
            await self._socket(scope, receive, send)
        else:
            await self._page(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        own = self._own_origin(headers.getlist("host"))
        if own is None:
            return _refused(421, "There is no page under this name here.")
        if not _from_own_page(scope, headers, own):
            return _refused(403, "Only pages of this server may do that.")
        return None

    def _own_origin(self, hosts: list[str]) -> str | None:
        """The origin that pages have under the name that was asked for; None when it is no name of ours."""
        host = hosts[0].lower() if len(hosts) == 1 else ""
        found = _HOST.fullmatch(host)
        if host and self._origin.endswith(f"://{host}"):
            return self._origin
        return f"http://{host}" if found and _is_loopback(found[1]) else None

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page without a session that lasts is given one; files of a page are given none, for they are cached."""
        known = self._session(scope)
        session = known or self._sessions.begin()
        told = self._sessions.renewed(session) if known else session
        scope[SCOPE] = session
        cookie = {"Set-Cookie": self._sessions.header(told, _port(scope))} if told else {}
        await self.app(scope, receive, _with_headers(send, HEADERS, page=cookie))

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = self._session(scope)
        if session is None:
            if scope["type"] == "websocket" and self._cookie(scope):
                await _reload(receive, send)
            else:
                await _refused(403, "The session of this page has ended: load it again.")(scope, receive, send)
            return
        scope[SCOPE] = session
        self._sessions.use(session)
        if scope["type"] == "http":
            await self.app(scope, receive, _with_headers(send, HEADERS))
        else:
            await self.app(scope, self._while_it_lasts(session, receive, send), send)

    def _while_it_lasts(self, session: Session, receive: Receive, send: Send) -> Receive:
        """A live page answers pings every few seconds, so that a session's end is noticed without a timer."""

        async def received() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                if not self._sessions.lasts(session):
                    await send({"type": "websocket.close", "code": ENDED})
                    return {"type": "websocket.disconnect", "code": ENDED}
                self._sessions.use(session)
            return message

        return received

    def _session(self, scope: Scope) -> Session | None:
        cookie = self._cookie(scope)
        return self._sessions.read(cookie) if cookie else None

    def _cookie(self, scope: Scope) -> str | None:
        cookies = cookie_parser("; ".join(Headers(scope=scope).getlist("cookie")))
        return cookies.get(self._sessions.name(_port(scope)))


def _origin(url: str) -> str:
    """As browsers write it: without the port that the scheme has anyway."""
    parts = urlsplit(url.lower())
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _from_own_page(scope: Scope, headers: Headers, own: str) -> bool:
    """Whether a page of ours, or the person at the browser, is behind this request; programs may read too."""
    origins = headers.getlist("origin")
    if origins:
        return [origin.lower() for origin in origins] == [own]
    if scope["type"] == "websocket" or scope["method"] not in SAFE:
        return False
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _port(scope: Scope) -> int | None:
    server = scope.get("server")
    return server[1] if server else None


def _with_headers(send: Send, headers: dict[str, str], *, page: dict[str, str] | None = None) -> Send:
    """`headers` on every answer, and `page` on those that are pages."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = MutableHeaders(scope=message)
            found.update(headers)
            if page and found.get("content-type", "").startswith("text/html"):
                for name, value in page.items():
                    found.append(name, value)
        await send(message)

    return sent


def _refused(status: int, sentence: str) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: answered with 403
        else:
            await PlainTextResponse(sentence, status_code=status)(scope, receive, send)

    return answer


async def _reload(receive: Receive, send: Send) -> None:
    """Tell the page of a session that has ended to load itself again, in the words of its protocol (Engine.IO 4)."""
    opened = {"sid": "ended", "upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 1_000}
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": f"0{json.dumps(opened)}"})
    if (await receive())["type"] == "websocket.disconnect":
        return
    await send({"type": "websocket.send", "text": '44{"message":"Implicit handshake failed"}'})
    await send({"type": "websocket.close", "code": ENDED})
