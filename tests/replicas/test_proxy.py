"""What compose.yaml's proxy passes on, to whom, and what it keeps to itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.conformance.programs import free_port
from tests.replicas.proxy import HOSTS, needed, proxied
from tests.replicas.standins import StandIn, standing

pytestmark = needed


@pytest.fixture
async def replicas() -> AsyncIterator[Sequence[StandIn]]:
    async with standing(HOSTS, free_port()) as found:
        yield found


@pytest.fixture
async def outside(replicas: Sequence[StandIn], tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody who only knows the proxy, and keeps its cookies; all three replicas are known to be ready."""
    async with (
        proxied(replicas[0].port, tmp_path) as url,
        aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        async with asyncio.timeout(20):
            while await answering(session) != set(HOSTS):
                await asyncio.sleep(0.1)
        for one in replicas:
            one.asked.clear()
            one.came_from.clear()
        yield session


async def answering(session: aiohttp.ClientSession, times: int = 12) -> set[str]:
    """Who takes messages just now."""
    found = set()
    for _ in range(times):
        async with session.post("/slack/events", data="{}") as answer:
            assert answer.status == 200, await answer.text()
            found.add(await answer.text())
    return found


@pytest.mark.parametrize("path", ["/slack/events", "/api/messages"])
async def test_messages_reach_every_replica(outside: aiohttp.ClientSession, path: str) -> None:
    """Platforms are not pinned: load is spread, and no cookie is set."""
    found = set()
    for _ in range(12):
        async with outside.post(path, data="{}") as answer:
            found.add(await answer.text())
            assert "set-cookie" not in answer.headers
    assert found == set(HOSTS)


async def test_a_browser_stays_with_its_replica(outside: aiohttp.ClientSession) -> None:
    """Pages keep their view in the process that serves them."""
    found = set()
    for path in ("/", "/console", "/console/tickets", "/", "/_nicegui/assets.js") * 2:
        async with outside.get(path) as answer:
            found.add(await answer.text())
    assert len(found) == 1


async def test_a_browser_of_a_lost_replica_gets_another(
    outside: aiohttp.ClientSession, replicas: Sequence[StandIn]
) -> None:
    """It costs a reload, nothing else."""
    async with outside.get("/") as answer:
        first = await answer.text()
    await next(one for one in replicas if one.host == first).stop()
    async with outside.get("/") as answer:
        assert (answer.status, await answer.text()) != (200, first)
        assert answer.status == 200
    async with outside.get("/") as again:
        assert await again.text() == await answer.text()


async def test_the_cookie_is_kept_from_scripts_and_names_no_address(outside: aiohttp.ClientSession) -> None:
    """Nor does it go along with requests that another site makes."""
    async with outside.get("/") as answer:
        cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert not any(host in cookie for host in HOSTS)


async def test_messages_go_only_to_replicas_that_are_ready(
    outside: aiohttp.ClientSession, replicas: Sequence[StandIn]
) -> None:
    """Who is not, is left out within seconds, and comes back within seconds."""
    replicas[0].ready = False
    async with asyncio.timeout(20):
        while HOSTS[0] in await answering(outside):
            await asyncio.sleep(0.1)
    replicas[0].ready = True
    async with asyncio.timeout(20):
        while HOSTS[0] not in await answering(outside):
            await asyncio.sleep(0.1)


async def test_nothing_is_lost_in_the_moment_that_a_replica_dies(
    outside: aiohttp.ClientSession, replicas: Sequence[StandIn]
) -> None:
    """Its address refuses connections before anybody noticed: the next request goes to another at once."""
    await replicas[0].stop()
    assert await answering(outside, times=30) == set(HOSTS[1:])


async def test_what_a_replica_took_and_did_not_answer_is_given_to_another(
    outside: aiohttp.ClientSession, replicas: Sequence[StandIn]
) -> None:
    """It may have been handled: the message's key sees to it that this happens once."""
    replicas[0].drops = True
    assert await answering(outside, times=12) == set(HOSTS[1:])
    assert replicas[0].asked


async def test_what_a_replica_could_not_store_is_given_to_another(
    outside: aiohttp.ClientSession, replicas: Sequence[StandIn]
) -> None:
    """A replica that answers 503 said that nothing was kept."""
    replicas[0].busy = True
    assert await answering(outside, times=12) == set(HOSTS[1:])


async def test_when_no_replica_is_there_the_platform_is_told_to_repeat(
    outside: aiohttp.ClientSession, replicas: Sequence[StandIn]
) -> None:
    """503, soon enough for Slack to read it."""
    for one in replicas:
        await one.stop()
    async with asyncio.timeout(3), outside.post("/slack/events", data="{}") as answer:
        assert answer.status == 503


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/%6detrics", "/metrics/", "/readyz?x=1"])
async def test_operators_pages_are_not_shown_outside(
    outside: aiohttp.ClientSession, replicas: Sequence[StandIn], path: str
) -> None:
    """However the path is written; the replica never sees the request."""
    assert await raw(outside, f"GET {path} HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n") == 404
    assert not any(one.asked for one in replicas)


async def test_a_body_too_large_is_refused(outside: aiohttp.ClientSession, replicas: Sequence[StandIn]) -> None:
    """By what it announces, before any of it is passed on."""
    head = "POST /slack/events HTTP/1.1\r\nHost: desk\r\nContent-Length: 1000001\r\n\r\n"
    assert await raw(outside, head) == 413
    assert not any(one.asked for one in replicas)


async def test_a_body_that_dribbles_in_is_refused(outside: aiohttp.ClientSession, replicas: Sequence[StandIn]) -> None:
    """After five seconds, and no replica ever held a connection for it."""
    head = "POST /slack/events HTTP/1.1\r\nHost: desk\r\nContent-Length: 10\r\n\r\n{"
    assert await raw(outside, head) == 408
    assert not any(one.asked for one in replicas)


async def test_a_large_message_arrives_whole(outside: aiohttp.ClientSession) -> None:
    """Larger than the proxy's buffer, smaller than the limit."""
    async with outside.post("/api/messages", data=b"x" * 900_000) as answer:
        assert answer.status == 200


async def test_a_page_keeps_its_socket(outside: aiohttp.ClientSession) -> None:
    """Live pages talk both ways, with the replica that their browser is pinned to."""
    async with outside.get("/") as answer:
        pinned = await answer.text()
    async with outside.ws_connect("/socket") as socket:
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=5) == f"{pinned} heard hello"


async def test_a_replica_reads_who_asked(outside: aiohttp.ClientSession, replicas: Sequence[StandIn]) -> None:
    """The proxy says it; what somebody claims of themselves stands before that."""
    async with outside.get("/", headers={"X-Forwarded-For": "203.0.113.9"}) as answer:
        host = await answer.text()
    assert next(one for one in replicas if one.host == host).came_from == ["127.0.0.1"]


async def raw(session: aiohttp.ClientSession, request: str) -> int:
    """The status that this request gets, written byte by byte as it stands here."""
    address = urlsplit(str(session._base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request.encode())
    await writer.drain()
    line = await asyncio.wait_for(reader.readline(), 15)
    writer.close()
    await writer.wait_closed()
    return int(line.split()[1])
