"""What only Slack may send, sent by somebody else: answered 4xx, never 500, and never taken."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import Message as AsgiMessage

from adapters.slack import app as slack_app
from adapters.slack.adapter import SlackAdapter
from tests.fakes.slack_server import FakeSlack
from tests.unit.slack.conftest import Desk

EVENT = json.dumps(
    {"type": "event_callback", "event": {"type": "message", "channel": "C1", "user": "U1", "text": "hi", "ts": "1.1"}}
).encode()
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Forgery:
    """A request by a stranger, who may have recorded a genuine one; `change` is made to its headers."""

    body: bytes = EVENT
    at: float = 0.0
    """Seconds from now at which it was signed."""
    change: dict[str, str | None] = field(default_factory=dict)
    sent: bytes | None = None
    """The body in place of the signed one."""
    key: str | None = None
    """A signing secret that is not ours."""


FORGERIES = {
    "no signature": Forgery(change={"x-slack-signature": None}),
    "an empty signature": Forgery(change={"x-slack-signature": ""}),
    "a signature of nothing": Forgery(change={"x-slack-signature": "v0="}),
    "another version": Forgery(change={"x-slack-signature": "v1=" + "0" * 64}),
    "a long signature": Forgery(change={"x-slack-signature": "v0=" + "0" * 60_000}),
    "no time": Forgery(change={"x-slack-request-timestamp": None}),
    "a time in words": Forgery(change={"x-slack-request-timestamp": "now"}),
    "a negative time": Forgery(change={"x-slack-request-timestamp": "-1"}),
    "a fraction of a second": Forgery(change={"x-slack-request-timestamp": "1e9"}),
    "no number": Forgery(change={"x-slack-request-timestamp": "nan"}),
    "a time without end": Forgery(change={"x-slack-request-timestamp": "9" * 400}),
    "another time than was signed": Forgery(change={"x-slack-request-timestamp": str(int(time.time()) + 30)}),
    "replayed after 5 minutes": Forgery(at=-301),
    "signed ahead": Forgery(at=330),
    "another body": Forgery(sent=EVENT.replace(b"hi", b"ho")),
    "a longer body": Forgery(sent=EVENT + b" "),
    "no body": Forgery(sent=b""),
    "another secret": Forgery(key="not-the-secret"),
    "an empty secret": Forgery(key=""),
}


@pytest.fixture
async def http(adapter: SlackAdapter) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Starlette(routes=adapter.routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://deskbell.test") as client:
        yield client


def _headers(slack: FakeSlack, forgery: Forgery) -> dict[str, str]:
    secret = slack.signing_secret
    slack.signing_secret = secret if forgery.key is None else forgery.key
    signed = slack.sign(forgery.body, at=time.time() + forgery.at)
    slack.signing_secret = secret
    kept = {name.lower(): value for name, value in signed.items()} | forgery.change
    return {name: value for name, value in kept.items() if value is not None}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_forged_request_is_refused(
    slack: FakeSlack, desk: Desk, http: httpx.AsyncClient, forgery: Forgery
) -> None:
    """With 401, or 400 where there is nothing to check; the desk never hears of it."""
    body = forgery.body if forgery.sent is None else forgery.sent
    answer = await http.post("/slack/events", content=body, headers=_headers(slack, forgery))
    assert (answer.status_code in (400, 401), desk.taken) == (True, [])


async def test_the_same_request_signed_is_taken(slack: FakeSlack, desk: Desk, http: httpx.AsyncClient) -> None:
    """So that the table above proves something."""
    answer = await http.post("/slack/events", content=EVENT, headers=_headers(slack, Forgery(at=-290)))
    assert (answer.status_code, len(desk.taken)) == (200, 1)


BODIES = {
    "nothing": b"",
    "no JSON": b"{not json",
    "a list": b"[1]",
    "a number": b"5",
    "null": b"null",
    "not a number": b"NaN",
    "an event that is none": b'{"type": "event_callback", "event": 5}',
    "not UTF-8": b"\xff\xfe\x00",
    "half a pair": b'{"type": "\\ud800"}',
    "nested": b'{"a":' * 50_000,
    "nested lists": b"[" * 200_000,
    "a huge number": b'{"a": ' + b"9" * 100_000 + b"}",
    "a form without payload": b"a=b&c=d",
    "a form with a broken payload": b"payload=%7Bnot",
    "a form with a list": b"payload=%5B%5D",
    "a form with a number": b"payload=5",
    "a form with a broken character": b"payload=%ff%fe",
    "a million fields": b"a=b&" * 240_000,
    "a strange team": b'{"team": 5, "team_id": [], "user": 7, "authorizations": {"a": 1}}',
    "a strange enterprise": b'{"enterprise": "x", "is_enterprise_install": [], "authorizations": [5]}',
}
TYPES = [
    "application/json",
    FORM,
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-99",
    "",
]


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_is_refused_before_it_can_hurt(
    desk: Desk, http: httpx.AsyncClient, body: bytes, content_type: str
) -> None:
    """Unsigned and malformed: 4xx whatever it says it is, since Bolt parses before it verifies."""
    headers = {
        "content-type": content_type,
        "x-slack-request-timestamp": str(int(time.time())),
        "x-slack-signature": "v0=" + "0" * 64,
    }
    answer = await http.post("/slack/events", content=body, headers=headers)
    assert (400 <= answer.status_code < 500, desk.taken) == (True, [])


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_signed_body_that_is_none_does_not_break_the_desk(
    slack: FakeSlack, desk: Desk, http: httpx.AsyncClient, body: bytes, content_type: str
) -> None:
    """Even Slack cannot make it answer 500: refused, ignored, or asked for again."""
    headers = {**slack.sign(body), "content-type": content_type}
    answer = await http.post("/slack/events", content=body, headers=headers)
    assert (answer.status_code != 500, desk.taken) == (True, [])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), content_type=st.sampled_from(TYPES), signed=st.booleans())
async def test_no_bytes_at_all_are_an_error_of_ours(
    slack: FakeSlack, http: httpx.AsyncClient, body: bytes, content_type: str, signed: bool
) -> None:
    """Whatever is sent, signed or not: 500 is never the answer."""
    headers = slack.sign(body) if signed else {"x-slack-request-timestamp": str(int(time.time()))}
    answer = await http.post("/slack/events", content=body, headers={**headers, "content-type": content_type})
    assert answer.status_code != 500


@pytest.mark.parametrize("name", ["type", "challenge", "ssl_check"])
async def test_what_slack_asks_without_a_signature_tells_nothing(
    desk: Desk, http: httpx.AsyncClient, name: str
) -> None:
    """An unsigned challenge is not echoed, and the check of the certificate says nothing of us."""
    body = {"type": "url_verification", "challenge": "echo-me", "ssl_check": "1"}
    form = urlencode({name: body[name]}).encode()
    for content, kind in ((json.dumps(body).encode(), "application/json"), (form, FORM)):
        headers = {"content-type": kind, "x-slack-request-timestamp": str(int(time.time()))}
        answer = await http.post("/slack/events", content=content, headers=headers)
        assert ("echo-me" in answer.text, desk.taken) == (False, [])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(http: httpx.AsyncClient, method: str) -> None:
    """Slack posts."""
    assert (await http.request(method, "/slack/events")).status_code == 405


async def test_an_endless_body_is_cut_off(desk: Desk, http: httpx.AsyncClient) -> None:
    """After a megabyte, however much more is announced."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000_000_000:
            sent += 65_536
            yield b"x" * 65_536

    answer = await http.post("/slack/events", content=endless())
    assert (answer.status_code, sent < 2_000_000) == (413, True)


async def _raw(adapter: SlackAdapter, receive: Callable[[], AsgiMessage]) -> int:
    """The status of a request whose body comes as `receive` says; below what a client library can do."""
    statuses: list[int] = []

    async def receiving() -> AsgiMessage:
        message = receive()
        if message["type"] == "pause":
            await asyncio.Event().wait()
        return message

    async def sending(message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": "/slack/events", "headers": [], "query_string": b""}
    await Starlette(routes=adapter.routes)(scope, receiving, sending)
    return statuses[0]


async def test_a_body_that_never_ends_is_not_waited_for(adapter: SlackAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection held open costs ten seconds, not a process."""
    monkeypatch.setattr(slack_app, "BODY_SECONDS", 0.01)
    assert await _raw(adapter, lambda: {"type": "pause"}) == 408


async def test_a_client_that_hangs_up_is_no_error_of_ours(adapter: SlackAdapter) -> None:
    """Nothing is raised, so nothing is logged as a failure."""
    assert await _raw(adapter, lambda: {"type": "http.disconnect"}) == 408
