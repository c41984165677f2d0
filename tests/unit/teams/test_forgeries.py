"""Tokens that Teams did not sign for this bot: 401 and never 500, with real keys and a real key server."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.teams import endpoint
from adapters.teams.auth import KeyRing, Refused
from tests.fakes.teams_connector import APP_ID, ISSUER, KEY_ID, FakeTeams, private_key
from tests.unit.teams.conftest import Desk

NOW = int(time.time())


def signed(desk: Desk, claims: dict[str, Any] | None = None, **header: Any) -> str:
    """A token by the genuine key, with whatever header a stranger likes."""
    genuine = {"iss": ISSUER, "aud": APP_ID, "serviceurl": desk.teams.service_url, "exp": int(time.time()) + 600}
    body = {**genuine, **(claims or {})}
    return jwt.encode(body, private_key(KEY_ID), algorithm="RS256", headers={"kid": KEY_ID, **header})


def signed_raw(body: Any, header: dict[str, Any]) -> str:
    """The same without the library's own checks of what it signs."""
    return jwt.PyJWS().encode(json.dumps(body).encode(), private_key(KEY_ID), algorithm="RS256", headers=header)


async def refused(desk: Desk, token: str) -> bool:
    answer = await desk.receive(desk.teams.activity("hi"), {"Authorization": f"Bearer {token}"})
    return (answer.status_code, answer.content, desk.messages) == (401, b"", [])


async def test_the_helper_makes_genuine_tokens(desk: Desk) -> None:
    """So that the refusals below prove something."""
    assert not await refused(desk, signed(desk))


CLAIMS: dict[str, dict[str, Any]] = {
    "expiry in words": {"exp": "never"},
    "expiry before the beginning": {"exp": -1},
    "expiry in a list": {"exp": [NOW + 600]},
    "expiry null": {"exp": None},
    "issued in the future": {"iat": NOW + 86_400},
    "valid in the future": {"nbf": NOW + 86_400},
    "validity in words": {"nbf": "always"},
    "an audience within ours": {"aud": APP_ID[:-1]},
    "an audience of numbers": {"aud": 7},
    "an audience of others": {"aud": ["https://api.botframework.com", "x"]},
    "no audience at all": {"aud": []},
    "an issuer beside ours": {"iss": f"{ISSUER}.evil.example"},
    "an issuer list": {"iss": ["https://evil.example"]},
    "Entra as issuer": {"iss": "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"},
    "a service URL beside ours": {"serviceurl": "https://smba.evil.example/"},
    "a list of service URLs": {"serviceurl": ["https://smba.evil.example/"]},
    "another claim's case": {"serviceurl": None, "serviceUrl": "https://smba.trafficmanager.net/"},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS.keys())
async def test_a_token_with_strange_claims_is_refused(desk: Desk, claims: dict[str, Any]) -> None:
    """Signed by the right key and still not for this request."""
    body = json.loads(jwt.utils.base64url_decode(signed(desk).split(".")[1])) | claims
    assert await refused(desk, signed_raw(body, {"kid": KEY_ID}))


HEADERS: dict[str, dict[str, Any]] = {
    "an empty key id": {"kid": ""},
    "a key id with a path": {"kid": "../../etc/passwd"},
    "a key id with SQL": {"kid": "' OR 1=1 --"},
    "a long key id": {"kid": "k" * 20_000},
    "a critical extension": {"crit": ["x"], "x": 1},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_a_token_with_a_strange_header_is_refused(desk: Desk, header: dict[str, Any]) -> None:
    """The key is looked up by its id and nothing else."""
    assert await refused(desk, signed(desk, {}, **header))


async def test_a_token_without_key_id_is_refused(desk: Desk) -> None:
    """No key is tried that the token does not name."""
    body = json.loads(jwt.utils.base64url_decode(signed(desk).split(".")[1]))
    assert await refused(desk, signed_raw(body, {}))


async def test_a_key_that_the_token_brings_along_is_not_used(desk: Desk) -> None:
    """Neither in the header (`jwk`) nor at an address in it (`jku`, `x5u`)."""
    key = private_key("mallory")
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    header = {"kid": KEY_ID, "jwk": jwk, "jku": "https://evil.example/keys", "x5u": "https://evil.example/cert"}
    claims = {"iss": ISSUER, "aud": APP_ID, "serviceurl": desk.teams.service_url, "exp": NOW + 3600}
    assert await refused(desk, jwt.encode(claims, key, algorithm="RS256", headers=header))


async def test_the_public_key_is_no_shared_secret(desk: Desk) -> None:
    """HS256 "signed" with the published key: the algorithm is ours to choose, not the token's."""
    pem = private_key(KEY_ID).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    encode = jwt.utils.base64url_encode
    header = encode(json.dumps({"alg": "HS256", "kid": KEY_ID}).encode())
    claims = {"iss": ISSUER, "aud": APP_ID, "serviceurl": desk.teams.service_url, "exp": NOW + 3600}
    body = header + b"." + encode(json.dumps(claims).encode())
    token = body + b"." + encode(hmac.new(pem, body, hashlib.sha256).digest())
    assert await refused(desk, token.decode())


TOKENS = st.one_of(
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=80),
    st.lists(st.binary(max_size=60).map(lambda part: jwt.utils.base64url_encode(part).decode()), max_size=4).map(
        ".".join
    ),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4).flatmap(
        lambda value: st.sampled_from(["alg", "kid", "typ", "crit", "b64"]).map(
            lambda name: ".".join(
                jwt.utils.base64url_encode(json.dumps(part).encode()).decode()
                for part in ({"alg": "RS256", "kid": KEY_ID, name: value}, {"exp": value}, "x")
            )
        )
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=TOKENS)
async def test_no_garbage_is_more_than_refused(desk: Desk, token: str) -> None:
    """Whatever stands where a token should."""
    assert await refused(desk, token)


# --- the keys ------------------------------------------------------------------------------------
@asynccontextmanager
async def key_server(answer: Handler) -> AsyncIterator[str]:
    """The address of a server whose OpenID metadata is this answer."""
    app = web.Application()
    app.router.add_get("/openid", answer)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("/openid"))
    await server.close()


async def test_fetching_keys_does_not_hold_up_others(desk: Desk) -> None:
    """While one request waits for the keys, another is answered."""
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slowly(request: web.Request) -> web.Response:
        asked.set()
        await may_answer.wait()
        return web.Response(status=500)

    async with key_server(slowly) as desk.keys_url:
        waiting = asyncio.create_task(desk.receive(desk.teams.activity("hi")))
        await asyncio.wait_for(asked.wait(), 5)
        other = await asyncio.wait_for(desk.receive("{"), 1)
        assert (other.status_code, waiting.done()) == (400, False)
        may_answer.set()
        assert (await waiting).status_code == 503


async def test_a_new_key_during_an_outage_is_asked_for_again(desk: Desk) -> None:
    """Keys rotated, and their server down: 401 would lose the message, 503 makes Teams repeat it."""
    await desk.receive(desk.teams.activity("before"))
    desk.now += 61
    activity, headers = desk.teams.activity("after"), desk.teams.headers(key="second-key")
    await desk.teams.stop()
    assert (await desk.receive(activity, headers)).status_code == 503


async def test_known_keys_outlive_an_outage(desk: Desk) -> None:
    """What was signed with a key that is known is taken; and what was forged with it is not."""
    await desk.receive(desk.teams.activity("before"))
    genuine, forged = desk.teams.headers(), desk.teams.headers(aud="another")
    activity = desk.teams.activity("after", channelData={})
    await desk.teams.stop()
    statuses = [(await desk.receive(activity, headers)).status_code for headers in (genuine, forged)]
    assert statuses == [200, 401]


@pytest.mark.parametrize(
    "published",
    ["", "[]", "{}", '{"jwks_uri": 7}', '{"jwks_uri": "http://["}', '{"jwks_uri": "file:///etc/passwd"}', "\ud7ff"],
)
async def test_a_broken_key_server_is_an_outage(desk: Desk, published: str) -> None:
    """Nonsense where the keys should be is told as 503, not as an error of ours."""

    async def nonsense(request: web.Request) -> web.Response:
        return web.Response(text=published)

    async with key_server(nonsense) as desk.keys_url:
        assert (await desk.receive(desk.teams.activity("hi"))).status_code == 503


async def test_unknown_ids_cost_one_fetch_a_minute(teams: FakeTeams) -> None:
    """And a hundred at the same moment no more than one."""
    now = 1_000_000.0
    async with aiohttp.ClientSession() as session:
        ring = KeyRing(teams.settings.keys_url, lambda: session, lambda: now)
        for _ in range(3):
            found = await asyncio.gather(*(ring.find(f"k{n}") for n in range(100)), return_exceptions=True)
            assert {type(each) for each in found} == {Refused}
        assert teams.keys_fetched == 1
        now += 61
        with pytest.raises(Refused):
            await ring.find("another")
    assert teams.keys_fetched == 2


# --- without authentication -----------------------------------------------------------------------
@pytest.mark.parametrize("header", ["Via", "X-Real-IP", "X-Forwarded-Server", "x-forwarded-anything"])
async def test_what_was_passed_on_is_not_local(desk: Desk, header: str) -> None:
    """Whatever a proxy calls itself."""
    desk.unauthenticated = True
    answer = await desk.receive(desk.teams.activity("hi"), {header: "127.0.0.1"})
    assert (answer.status_code, desk.messages) == (403, [])


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:192.0.2.1", "fe80::1", "0.0.0.0", "localhost.evil.example", ""])
async def test_only_a_loopback_peer_is_local(desk: Desk, peer: str) -> None:
    """By its address, not by what it calls itself."""
    desk.unauthenticated = True
    transport = httpx.ASGITransport(app=desk.app, client=(peer, 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.post("/api/messages", json=desk.teams.activity("hi"))
    assert answer.status_code == 403


# --- the body --------------------------------------------------------------------------------------
async def test_a_body_that_never_ends_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection held open costs ten seconds, not a process."""
    monkeypatch.setattr(endpoint, "BODY_SECONDS", 0.01)
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": "/api/messages", "headers": [], "query_string": b""}
    await desk.app(scope, receive, send)
    assert statuses == [400]
