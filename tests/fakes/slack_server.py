"""Slack on 127.0.0.1: its Web API, response_urls and Socket Mode, and what it sends to an app.

Used by the Slack unit tests, the port's contract suite and the scenarios:

    async with FakeSlack() as slack:
        slack.add_user("U1", name="Ann")
        slack.add_channel("C1", members={"U1"})
        slack.deliver_to(asgi_app)                       # or Socket Mode: just connect to it
        await slack.say("U1", "C1", "<@UBOT> vpn is down")
        slack.messages("C1", thread=...), slack.ephemerals, slack.calls

It refuses what Slack refuses, keeps every call, and can be told to misbehave (`busy_next`,
`break_next`, `drop_next`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from itertools import count
from time import time
from typing import Any, Self

import httpx
from aiohttp import web

from tests.fakes import slack_payloads as payloads
from tests.fakes.slack_faults import Misbehaving
from tests.fakes.slack_methods import METHODS, Args, FakeChannel, Post, Refused, State, whisper
from tests.fakes.slack_payloads import Delivered, Payload, Signed
from tests.fakes.slack_rules import ARGUMENTS, granted, needed, refuse_content
from tests.fakes.slack_socket import FakeSocketMode

App = Callable[..., Any]
RESPONSES = 5
"""How often a response_url works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A Web API call as it arrived; `error` is what Slack answered, None for ok."""

    method: str
    args: Args
    error: str | None


class FakeSlack(Misbehaving):
    token = "xoxb-fake"
    app_token = "xapp-fake"
    signing_secret = "fake-signing-secret"
    team, bot, bot_id, app_id = "T1", "UBOT", "BBOT", "A1"
    host = "127.0.0.1"

    def __init__(self, *, scopes: frozenset[str] | None = None, clock: Callable[[], float] = time) -> None:
        super().__init__()
        self.scopes = granted() if scopes is None else scopes
        self.calls: list[Call] = []
        self.socket = FakeSocketMode()
        self.refuses_tokens = False
        self.takes = 0.0
        """Seconds that an answer of the Web API takes, after what was asked is done."""
        self.state = State(team=self.team, bot=self.bot, bot_id=self.bot_id, app=self.app_id, stamp=self._stamp)
        self._clock = clock
        self._ids = count(1)
        self._responses: dict[str, tuple[str, str, int]] = {}
        self._client: httpx.AsyncClient | None = None
        self._watchers: list[tuple[str, asyncio.Future[None]]] = []
        self.add_user(self.bot, name="deskbell", is_bot=True)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/actions/{id}", self._respond)
        app.router.add_get("/link", self.socket.link)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._origin = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._client:
            await self._client.aclose()
        await self.socket.disconnect()
        open_ones = [handler.transport for handler in self._runner.server.connections] if self._runner.server else []
        await self._runner.cleanup()
        for transport in filter(None, open_ones):
            transport.abort()
        await asyncio.sleep(0)  # the loop, which may end with us, closes them in its next turn

    # --- the workspace -------------------------------------------------------------------------
    @property
    def url(self) -> str:
        """The Web API's base URL."""
        return f"{self._origin}/api/"

    @property
    def ephemerals(self) -> list[Post]:
        """Each with `channel`, `to`, `text`, `blocks`, and `thread_ts` if in a thread."""
        return self.state.ephemerals

    def messages(self, channel: str, thread: str | None = None) -> list[Post]:
        """Top-level posts of a channel, or one thread with its root; oldest first."""
        return self.state.shown(channel, thread)

    def called(self, method: str) -> list[Args]:
        """Arguments of the successful calls of one method."""
        return [call.args for call in self.calls if call.method == method and call.error is None]

    async def next_call(self, method: str, *, within: float = 5) -> None:
        """Wait until this method is called; raises TimeoutError after so many seconds."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append((method, watcher))
        await asyncio.wait_for(watcher, within)

    def add_user(
        self, id: str, *, name: str = "", locale: str = "en-US", tz: str = "Europe/London", **more: Any
    ) -> None:
        profile = {"display_name": name or id, "real_name": name or id}
        self.state.users[id] = {
            "id": id, "team_id": self.team, "name": (name or id).lower(), "locale": locale, "tz": tz,
            "profile": profile, **more,
        }  # fmt: skip

    def add_channel(
        self, id: str, *, kind: str = "channel", members: set[str] | None = None, joined: bool = True
    ) -> None:
        """`kind`: `channel`, `group` (private), `im`, `mpim`; the bot is in it unless `joined` is False."""
        names = {"im": "directmessage", "mpim": f"mpdm-{id.lower()}-1", "group": "privategroup"}
        people = set(members or ()) | ({self.bot} if joined else set())
        self.state.channels[id] = FakeChannel(id=id, kind=kind, name=names.get(kind, id.lower()), members=people)

    def archive(self, channel: str) -> None:
        self.state.channels[channel].archived = True

    # --- what Slack sends ----------------------------------------------------------------------
    def deliver_to(self, app: App | str) -> None:
        """Send over HTTP from now on: to an ASGI app, or to a URL such as `http://127.0.0.1:3000`."""
        if isinstance(app, str):
            self._client = httpx.AsyncClient(base_url=app, trust_env=False)
        else:
            transport = httpx.ASGITransport(app=app)
            self._client = httpx.AsyncClient(transport=transport, base_url="http://deskbell.test")

    async def deliver(self, request: Signed, *, retry: int = 0, patience: float = 3.0) -> Delivered:
        """Send to the app, over HTTP if it is known there, else over Socket Mode."""
        if self._client is None:
            return await self.socket.deliver(request, retry=retry, patience=patience)
        again = {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_error"} if retry else {}
        answer = await self._client.post(
            "/slack/events", content=request.body, headers={**request.headers, **again}, timeout=patience
        )
        return Delivered(status=answer.status_code, body=answer.text)

    def sign(
        self, body: bytes | str, *, at: float | None = None, content_type: str = "application/json"
    ) -> dict[str, str]:
        """The headers of a request with this body, sent now or at another time."""
        raw = body.encode() if isinstance(body, str) else body
        stamp = int(self._clock() if at is None else at)
        return {"content-type": content_type, **payloads.signature(self.signing_secret, stamp, raw)}

    def event(self, event: Payload) -> Signed:
        body = payloads.callback(
            event, team=self.team, app=self.app_id, bot=self.bot, id=f"Ev{next(self._ids)}", at=int(self._clock())
        )
        return self._signed("events_api", body, payloads.as_json)

    def command(self, user: str, channel: str, text: str) -> Signed:
        """`/desk <text>`."""
        body = payloads.slash_command(
            text,
            user=user,
            user_name=self.state.users.get(user, {}).get("name", user),
            channel=channel,
            channel_name=self.state.channels[channel].name if channel in self.state.channels else "directmessage",
            team=self.team,
            app=self.app_id,
            trigger=self._trigger(),
            url=self._response_url(user, channel),
        )
        return self._signed("slash_commands", body, payloads.as_form)

    def press(
        self, user: str, shown: Post, label: str, *, channel: str | None = None, team: str | None = None
    ) -> Signed:
        """A press of the button with this label on a message; for a post give its channel."""
        place = str(channel or shown["channel"])
        found = [
            element
            for block in shown["blocks"]
            for element in block.get("elements", [])
            if element.get("type") == "button" and element["text"]["text"] == label
        ]
        if not found:
            raise LookupError(f"no button {label!r} on this message")
        body = payloads.block_actions(
            found[0],
            shown,
            user={"id": user, "username": user.lower(), "name": user.lower(), "team_id": team or self.team},
            channel=place,
            channel_name=self.state.channels[place].name if place in self.state.channels else "",
            team=self.team,
            app=self.app_id,
            trigger=self._trigger(),
            url=self._response_url(user, place),
        )
        form: Callable[[Payload], tuple[bytes, str]] = lambda body: payloads.as_form({"payload": json.dumps(body)})  # noqa: E731
        return self._signed("interactive", body, form)

    def posted(
        self, user: str, channel: str, text: str, *, thread: str | None = None, **more: Any
    ) -> tuple[Post, list[Signed]]:
        """Write a person's post; it, and what Slack sends for it (`message`, and `app_mention` if due)."""
        place = self.state.channels[channel]
        post: Post = {"type": "message", "user": user, "text": text, "ts": self._stamp(), "team": self.team, **more}
        if thread:
            post["thread_ts"] = thread
        self.state.write(place, post)
        if self.bot not in place.members:
            return post, []
        events = [payloads.message(post, channel=channel, channel_type=place.kind)]
        if f"<@{self.bot}>" in text and place.kind != "im":
            events.append(payloads.app_mention(post, channel=channel))
        return post, [self.event(event) for event in events]

    async def say(self, user: str, channel: str, text: str, *, thread: str | None = None, **more: Any) -> str:
        """Post as a person and deliver; the post's ts. Raises when the app does not acknowledge."""
        post, requests = self.posted(user, channel, text, thread=thread, **more)
        for request in requests:
            await self._accepted(request)
        return str(post["ts"])

    async def edit(self, channel: str, ts: str, text: str) -> None:
        await self._accepted(self.edited(channel, ts, text))

    def edited(self, channel: str, ts: str, text: str) -> Signed:
        """Edit a person's post; what Slack sends for it."""
        post = self._post(channel, ts)
        before, stamp = dict(post), self._stamp()
        post.update(text=text, edited={"user": post["user"], "ts": stamp})
        kind = self.state.channels[channel].kind
        return self.event(payloads.message_changed(dict(post), before, channel=channel, channel_type=kind, ts=stamp))

    async def delete(self, channel: str, ts: str) -> None:
        post = self._post(channel, ts)
        self.state.channels[channel].posts.remove(post)
        kind = self.state.channels[channel].kind
        await self._accepted(
            self.event(payloads.message_deleted(post, channel=channel, channel_type=kind, ts=self._stamp()))
        )

    # --- the Web API ---------------------------------------------------------------------------
    async def _call(self, request: web.Request) -> web.Response:
        method, args = request.match_info["method"], await _arguments(request)
        fault = self._fault(method)
        if await self._forgotten(method) and request.transport:
            request.transport.close()
            return web.Response()
        if fault and fault.kind == "busy":
            self._record(method, args, "ratelimited")
            headers = {"Retry-After": str(fault.seconds)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if fault and fault.kind == "break":
            self._record(method, args, "500")
            return web.Response(status=500, text="upstream connect error", content_type="text/html")
        answer = self._answer(method, args, request.headers.get("Authorization", ""))
        self._record(method, args, answer.get("error"))
        await asyncio.sleep(self.takes)
        if fault and request.transport:
            request.transport.close()
        return web.json_response(answer)

    def _record(self, method: str, args: Args, error: str | None) -> None:
        self.calls.append(Call(method=method, args=args, error=error))
        for watched, watcher in self._watchers:
            if watched == method and not watcher.done():
                watcher.set_result(None)

    def _answer(self, method: str, args: Args, authorization: str) -> dict[str, Any]:
        try:
            self._admit(method, args, authorization)
            if method == "apps.connections.open":
                return {"ok": True, "url": f"{self._origin.replace('http', 'ws')}/link"}
            return {"ok": True, **METHODS[method](self.state, args)}
        except Refused as refused:
            return {"ok": False, "error": str(refused)}

    def _admit(self, method: str, args: Args, authorization: str) -> None:
        if method not in ARGUMENTS:
            raise Refused("unknown_method")
        expected = self.app_token if method == "apps.connections.open" else self.token
        if self.refuses_tokens or authorization != f"Bearer {expected}":
            raise Refused("invalid_auth")
        if args.keys() - ARGUMENTS[method]:
            raise Refused("invalid_arguments")
        channel = self.state.channels.get(str(args.get("channel")))
        scope = needed(method, channel.kind if channel else None)
        if scope and scope not in self.scopes:
            raise Refused("missing_scope")

    async def _respond(self, request: web.Request) -> web.Response:
        id, content = request.match_info["id"], await request.json()
        fault = self._fault("response_url")
        if fault and fault.kind == "busy":
            return web.Response(status=429, headers={"Retry-After": str(fault.seconds)})
        user, channel, left = self._responses.get(id, ("", "", 0))
        if not left:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        if error := refuse_content(content.get("text"), content.get("blocks")):
            return web.json_response({"ok": False, "error": error}, status=400)
        self._responses[id] = (user, channel, left - 1)
        if content.get("response_type", "ephemeral") == "ephemeral":
            whisper(self.state, channel, user, content)["response_url"] = str(request.url)
        return web.Response(text="ok")

    # --- odds and ends -------------------------------------------------------------------------
    def expire_response_urls(self) -> None:
        """As after 30 minutes."""
        self._responses.clear()

    def _stamp(self) -> str:
        return f"{int(self._clock())}.{next(self._ids):06d}"

    def _trigger(self) -> str:
        return f"{next(self._ids)}.{next(self._ids)}.trigger"

    def _response_url(self, user: str, channel: str) -> str:
        id = f"r{next(self._ids)}"
        self._responses[id] = (user, channel, RESPONSES)
        return f"{self._origin}/actions/{id}"

    def _signed(self, kind: str, payload: Payload, encode: Callable[[Payload], tuple[bytes, str]]) -> Signed:
        body, content_type = encode(payload)
        return Signed(kind=kind, payload=payload, body=body, headers=self.sign(body, content_type=content_type))

    def _post(self, channel: str, ts: str) -> Post:
        return next(post for post in self.state.channels[channel].posts if post["ts"] == ts)

    async def _accepted(self, request: Signed) -> None:
        answer = await self.deliver(request)
        if not answer.ok:
            raise AssertionError(f"the app answered {answer.status} {answer.body!r}")


async def _arguments(request: web.Request) -> Args:
    """From JSON, a form or the query, with JSON inside forms and `1`/`0` for booleans understood."""
    args: MutableMapping[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        args.update(await request.json())
    else:
        args.update(await request.post())
    flags = {"include_all_metadata", "include_locale", "inclusive"}
    return {
        key: value in (True, "1", "true") if key in flags else json.loads(value) if _is_json(key, value) else value
        for key, value in args.items()
    }


def _is_json(key: str, value: object) -> bool:
    return key in ("blocks", "metadata") and isinstance(value, str)
