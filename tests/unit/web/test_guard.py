"""Pages over real HTTP: what other sites, other names and forged cookies get."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from fastapi.responses import HTMLResponse, PlainTextResponse
from starlette.requests import Request

from adapters.web.guard import ENDED, SOCKET, Guard
from adapters.web.sessions import IDLE, LONGEST, Sessions, session_of
from tests.unit.web.test_sessions import KEY, OLDER, Hours

PUBLIC = "https://desk.example/"


def site(sessions: Sessions, public: str | None) -> FastAPI:
    """A page that says its session, a file, something that changes the world, a machine's address and a socket."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, sessions=sessions, public=public, machines={"/metrics"})

    @app.get("/")
    async def page(request: Request) -> HTMLResponse:
        session = session_of(request.scope)
        return HTMLResponse(session.id if session else "")

    @app.get("/file.js")
    async def file() -> PlainTextResponse:
        return PlainTextResponse("1", media_type="text/javascript")

    @app.api_route("/change", methods=["POST", "PUT", "PATCH", "DELETE"])
    @app.api_route("/metrics", methods=["GET", "POST"])
    async def anything() -> str:
        return "done"

    @app.get(SOCKET + "socket.io/")
    async def polled() -> str:
        return "polled"

    @app.websocket(SOCKET + "socket.io/")
    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(f"heard {text}")

    return app


@dataclass
class Site:
    """A running site and a browser's way to it."""

    url: str
    web: aiohttp.ClientSession
    sessions: Sessions
    hours: Hours

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def status(self, path: str = "/", method: str = "GET", **headers: str) -> int:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.web.request(method, self.url + path, headers=said, allow_redirects=False) as answer:
            return answer.status

    async def page(self, cookie: str | None = None) -> tuple[str, str | None]:
        """The session's id, and the cookie that was set."""
        headers = {"Cookie": cookie} if cookie else {}
        async with self.web.get(self.url, headers=headers) as answer:
            set_cookie = answer.headers.get("Set-Cookie")
            assert answer.status == 200
            return await answer.text(), set_cookie.partition(";")[0] if set_cookie else None

    def live(self, cookie: str | None, origin: str | None = "own") -> aiohttp.client._WSRequestContextManager:
        headers = {"Origin": self.url if origin == "own" else origin} if origin else {}
        return self.web.ws_connect(
            f"{self.url}{SOCKET}socket.io/", headers=headers | ({"Cookie": cookie} if cookie else {})
        )

    async def refused(self, cookie: str | None, origin: str | None = "own") -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await self.live(cookie, origin)
        return refusal.value.status


@asynccontextmanager
async def running(public: str | None = None) -> AsyncIterator[Site]:
    hours = Hours()
    sessions = Sessions([KEY], secure=bool(public), now=hours)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(site(sessions, public), log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as web:
        yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", web, sessions, hours)
    server.should_exit = True
    await serving


@pytest.fixture
async def local() -> AsyncIterator[Site]:
    async with running() as site:
        yield site


@pytest.fixture
async def public() -> AsyncIterator[Site]:
    async with running(PUBLIC) as site:
        yield site


# --- headers -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/", "/file.js", "/nowhere", "/metrics"])
async def test_every_answer_carries_the_policy(local: Site, path: str) -> None:
    """Pages, files and errors alike."""
    async with local.web.get(local.url + path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "connect-src 'self'" in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_refusals_carry_it_too(local: Site) -> None:
    """A browser shows them as a page."""
    async with local.web.get(local.url, headers={"Host": "evil.example"}) as answer:
        assert answer.status == 421
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


# --- names -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST:{}", "127.0.0.2:{}", "[::1]:{}"])
async def test_this_machine_has_several_names(local: Site, host: str) -> None:
    """With its port and without."""
    assert await local.status(Host=host.format(local.port)) == 200


HOSTILE = [
    "evil.example",
    "evil.example:{}",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "127.0.0.1@evil.example",
]
HOSTILE += [
    "evil.example@127.0.0.1",
    "evil.example/127.0.0.1",
    "127.0.0.1, evil.example",
    "192.168.0.7:{}",
    "0.0.0.0",
    "x",
]
HOSTILE += ["127.0.0.1:99999999", "[::ffff:8.8.8.8]", "desk.example"]


@pytest.mark.parametrize("host", HOSTILE)
async def test_another_name_for_this_machine_gets_nothing(local: Site, host: str) -> None:
    """Whoever makes a name point here (DNS rebinding) would otherwise be the same origin."""
    assert await local.status(Host=host.format(local.port)) == 421


async def test_two_names_at_once_get_nothing(local: Site) -> None:
    """Proxies and servers choose differently between them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", local.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.split()[1] in (b"400", b"421")


async def test_no_name_gets_nothing(local: Site) -> None:
    """HTTP/1.0 needs none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", local.port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.split()[1] in (b"400", b"421")


async def test_the_public_name_is_answered(public: Site) -> None:
    """And no other; monitors come by address and get theirs."""
    assert await public.status(Host="desk.example") == 200
    assert await public.status(Host="other.example") == 421
    assert await public.status("/metrics", Host="10.1.2.3:9090") == 200


# --- other sites' pages ------------------------------------------------------------------------------
FOREIGN = ["https://evil.example", "null", "http://localhost:1", "https://127.0.0.1:{}", "http://127.0.0.1", ""]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("origin", FOREIGN)
async def test_other_origins_change_nothing(local: Site, method: str, origin: str) -> None:
    """Another site, a sandboxed frame, another port, another scheme."""
    assert await local.status("/change", method, Origin=origin.format(local.port)) == 403


async def test_a_request_that_names_no_origin_changes_nothing(local: Site) -> None:
    """Browsers name it with everything but reading."""
    assert await local.status("/change", "POST") == 403
    assert await local.status("/change", "POST", Sec_Fetch_Site="same-origin") == 403


async def test_our_own_pages_may(local: Site, public: Site) -> None:
    """On this machine, and under the public name by https, whatever the proxy speaks to us."""
    assert await local.status("/change", "POST", Origin=local.url) == 200
    assert await public.status("/change", "POST", Host="desk.example", Origin="https://desk.example") == 200
    assert await public.status("/change", "POST", Host="desk.example", Origin="http://desk.example") == 403


async def test_machines_are_not_asked_for_an_origin(local: Site) -> None:
    """Platforms sign what they send."""
    assert await local.status("/metrics", "POST") == 200


async def test_other_sites_cannot_embed_or_load_anything(local: Site) -> None:
    """Not as a frame, picture or script; people may follow a link here."""
    foreign = {"Sec_Fetch_Site": "cross-site"}
    for dest, mode in (("iframe", "navigate"), ("image", "no-cors"), ("script", "no-cors"), ("object", "navigate")):
        assert await local.status(Sec_Fetch_Dest=dest, Sec_Fetch_Mode=mode, **foreign) == 403
    assert await local.status(Sec_Fetch_Dest="document", Sec_Fetch_Mode="navigate", **foreign) == 200
    assert await local.status(Sec_Fetch_Dest="image", Sec_Fetch_Mode="no-cors", Sec_Fetch_Site="same-site") == 403


# --- sockets -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("origin", [*FOREIGN, None])
async def test_other_origins_open_no_socket(local: Site, origin: str | None) -> None:
    """Not even with the right cookie, which a browser would send along."""
    _, cookie = await local.page()
    assert await local.refused(cookie, origin.format(local.port) if origin is not None else None) == 403


async def test_a_page_of_ours_opens_one(local: Site) -> None:
    """With the session that it was given."""
    _, cookie = await local.page()
    async with local.live(cookie) as live:
        await live.send_str("hello")
        assert await live.receive_str() == "heard hello"


async def test_no_session_opens_no_socket(local: Site) -> None:
    """Neither by websocket nor by polling."""
    assert await local.refused(None) == 403
    assert await local.status(SOCKET + "socket.io/", Origin=local.url) == 403


async def test_polling_belongs_to_a_session_too(local: Site) -> None:
    """And to our own pages."""
    _, cookie = await local.page()
    assert cookie is not None
    assert await local.status(SOCKET + "socket.io/", Cookie=cookie, Sec_Fetch_Site="same-origin") == 200
    assert await local.status(SOCKET + "socket.io/", Cookie=cookie, Sec_Fetch_Site="cross-site") == 403
    assert await local.status(SOCKET + "socket.io/", Cookie=cookie, Origin="https://evil.example") == 403


async def _told(site: Site, cookie: str) -> list[str | bytes]:
    """What a page hears whose session has ended, and the code its socket is closed with."""
    async with site.live(cookie) as live:
        opened = await live.receive_str()
        await live.send_str("40")
        refused = await live.receive_str()
        await live.receive()
        return [opened[:1], refused, str(live.close_code)]


async def test_the_page_of_a_session_that_ended_is_told_to_load_itself_again(local: Site) -> None:
    """In the words of its own protocol; its socket reaches nobody."""
    _, cookie = await local.page()
    assert cookie is not None
    local.hours.now += IDLE
    assert await _told(local, cookie) == ["0", '44{"message":"Implicit handshake failed"}', str(ENDED)]


async def test_a_forged_cookie_opens_no_socket(local: Site) -> None:
    """Signed with another key."""
    foreign = Sessions([OLDER], now=local.hours)
    forged = foreign.header(foreign.begin(), local.port).partition(";")[0]
    assert (await _told(local, forged))[1] == '44{"message":"Implicit handshake failed"}'


async def test_an_open_socket_ends_with_its_session(local: Site) -> None:
    """At its next sign of life."""
    _, cookie = await local.page()
    async with local.live(cookie) as live:
        local.hours.now += IDLE - 1
        await live.send_str("still there")
        assert await live.receive_str() == "heard still there"
        local.hours.now += LONGEST
        await live.send_str("too late")
        assert (await live.receive()).type is aiohttp.WSMsgType.CLOSE
        assert live.close_code == ENDED


# --- sessions ----------------------------------------------------------------------------------------
async def test_a_browser_keeps_its_session(local: Site) -> None:
    """The cookie is set once, and again only when a while has passed."""
    id, cookie = await local.page()
    assert await local.page(cookie) == (id, None)
    local.hours.now += 120
    again, renewed = await local.page(cookie)
    assert (again, renewed is None) == (id, False)


async def test_files_set_no_cookie(local: Site) -> None:
    """They are cached, and what is cached is everybody's."""
    async with local.web.get(f"{local.url}/file.js") as answer:
        assert "Set-Cookie" not in answer.headers


async def test_a_forged_or_ended_session_is_a_new_one(local: Site) -> None:
    """Never an error."""
    id, cookie = await local.page()
    assert cookie is not None
    name = cookie.partition("=")[0]
    local.hours.now += IDLE
    for bad in (
        cookie,
        f"{name}=x.y",
        f"{name}=",
        f'{name}="\\',
        f"{name}=%00; {name}",
        "=;;=",
        f"{name}=" + "A" * 6_000,
    ):
        fresh, told = await local.page(bad)
        assert fresh not in ("", id)
        assert told is not None


async def test_https_has_a_cookie_that_no_other_host_can_set(public: Site) -> None:
    """Its name says so to the browser."""
    async with public.web.get(public.url, headers={"Host": "desk.example"}) as answer:
        assert answer.headers["Set-Cookie"].startswith("__Host-deskbell=")
        assert answer.headers["Set-Cookie"].endswith("; Secure")
