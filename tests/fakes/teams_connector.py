"""A Teams of our own: the Bot Framework connector, and whoever signs the requests to the bot.

It keeps conversations, records every call, and answers as the real one was seen to (`404` for an
unknown conversation, `400 BadSyntax` for a group chat, `429` on demand). `deliver` plays the other
direction: it posts an activity to the bot, with a token signed by keys that it publishes.
"""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import httpx
import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from adapters.teams.credentials import Settings

Json = dict[str, Any]

TENANT = "11111111-1111-4111-8111-111111111111"
APP_ID = "22222222-2222-4222-8222-222222222222"
BOT = f"28:{APP_ID}"
BOT_NAME = "Deskbell"
BOT_TOKEN = "the-bot's-own-token"
KEY_ID = "first-key"
CHANNEL = "19:help@thread.tacv2"
GROUP = "19:group@thread.v2"
ISSUER = "https://api.botframework.com"


@lru_cache
def private_key(name: str) -> RSAPrivateKey:
    """One RSA key a name, for the whole test run: they are slow to make."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def object_id(user: str) -> str:
    """The Entra object id of the user `kim`."""
    return f"object-{user}"


@dataclass(slots=True)
class Post:
    """What one message of the bot now shows."""

    id: str
    conversation: str
    activity: Json
    edits: int = 0

    @property
    def text(self) -> str:
        return plain_text(self.activity)

    @property
    def card(self) -> Json | None:
        attachments = self.activity.get("attachments") or []
        return attachments[0]["content"] if attachments else None

    @property
    def commands(self) -> list[str]:
        """The commands behind its buttons."""
        return [action["data"]["command"] for action in actions_of(self.card or {})]


@dataclass(slots=True)
class Call:
    method: str
    path: str
    body: Any
    token: str


@dataclass(slots=True)
class FakeTeams:
    """`async with FakeTeams() as teams:` and give `teams.settings`, `teams.bot_token` to the adapter."""

    tenant: str = TENANT
    endorsements: tuple[str, ...] = ("msteams",)
    guests: set[str] = field(default_factory=set)
    """Users (`kim`) whom the roster calls guests."""
    forbidden: set[str] = field(default_factory=set)
    """Conversations in which the bot may not write."""
    published: list[str] = field(default_factory=lambda: [KEY_ID])
    """Ids of the signing keys that can be fetched now."""
    calls: list[Call] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    keys_fetched: int = 0
    _conversations: set[str] = field(default_factory=lambda: {CHANNEL, GROUP})
    _refusals: list[web.HTTPException] = field(default_factory=list)
    _ids: Counter[str] = field(default_factory=Counter)
    _server: TestServer | None = None

    # --- life ------------------------------------------------------------------------------------
    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/keys/openid", self._openid)
        app.router.add_get("/keys/jwks", self._jwks)
        app.router.add_post("/teams/v3/conversations", self._create)
        app.router.add_post("/teams/v3/conversations/{conversation}/activities", self._post)
        app.router.add_put("/teams/v3/conversations/{conversation}/activities/{id}", self._update)
        app.router.add_delete("/teams/v3/conversations/{conversation}/activities/{id}", self._delete)
        app.router.add_get("/teams/v3/conversations/{conversation}/members/{user}", self._member)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Go off the net; what is asked of it afterwards fails."""
        if self._server is not None:
            await self._server.close()

    @property
    def service_url(self) -> str:
        return self._url("/teams/")

    @property
    def settings(self) -> Settings:
        return Settings(app_id=APP_ID, app_password="unused", tenant_id=self.tenant, keys_url=self._url("/keys/openid"))

    @staticmethod
    def bot_token() -> str:
        """The token source to give to the adapter; any other token is refused."""
        return BOT_TOKEN

    # --- what the bot receives -------------------------------------------------------------------
    def activity(
        self,
        text: str = "",
        *,
        user: str = "kim",
        conversation: str | None = None,
        thread: str | None = None,
        kind: str = "message",
        id: str | None = None,
        mention: bool = False,
        **more: Any,
    ) -> Json:
        """An activity as Teams posts it. Without a conversation it is said in the user's own chat."""
        where = conversation or self.chat_with(user)
        self._conversations.add(where)
        id = id or self._new_id("activity")
        tag = f"<at>{BOT_NAME}</at> " if mention else ""
        bot = {"id": BOT, "name": BOT_NAME}
        return {
            "type": kind,
            "id": id,
            "timestamp": datetime.now(UTC).isoformat(),
            "channelId": "msteams",
            "serviceUrl": self.service_url,
            "from": {"id": f"29:{user}", "name": user.title(), "aadObjectId": object_id(user)},
            "recipient": bot,
            "conversation": self._conversation(where, thread or id),
            "channelData": {"tenant": {"id": self.tenant}},
            "text": f"{tag}{text}",
            "textFormat": "plain",
            "locale": "en-GB",
            "localTimezone": "Europe/London",
            "entities": [{"type": "mention", "text": tag.strip(), "mentioned": bot}] if mention else [],
            **more,
        }

    def press(self, command: str, on: Post, *, user: str = "kim", submit: bool = False) -> Json:
        """Somebody presses the button that carries this command, on one of the bot's posts."""
        data = next(a["data"] for a in actions_of(on.card or {}) if a["data"]["command"] == command)
        conversation, _, thread = on.conversation.partition(";messageid=")
        extra: Json = {"value": data} if submit else {"value": {"action": {"type": "Action.Execute", "data": data}}}
        if not submit:
            extra["name"] = "adaptiveCard/action"
        kind = "message" if submit else "invoke"
        return self.activity(user=user, conversation=conversation, thread=thread, kind=kind, replyToId=on.id, **extra)

    def chat_with(self, user: str) -> str:
        """The id of the direct chat between this user and the bot."""
        return f"a:{user}"

    def token(self, *, key: str = KEY_ID, algorithm: str = "RS256", **claims: Any) -> str:
        """A genuine token; a claim given as None is left out, `key` signs under its own name."""
        now = int(time.time())
        genuine = {
            "iss": ISSUER,
            "aud": APP_ID,
            "serviceurl": self.service_url,
            "nbf": now - 60,
            "exp": now + 3600,
        }
        body = {name: value for name, value in {**genuine, **claims}.items() if value is not None}
        secret: Any = private_key(key) if algorithm.startswith("RS") else "x" * 64
        return jwt.encode(body, secret, algorithm=algorithm, headers={"kid": key})

    def headers(self, **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(**claims)}"}

    async def deliver(self, app: Any, activity: Any, *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Post an activity (or raw text) to the bot's endpoint in an ASGI app, genuinely signed unless told."""
        body = activity if isinstance(activity, str) else json.dumps(activity)
        sent = {"Content-Type": "application/json", **(self.headers() if headers is None else headers)}
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.example") as client:
            raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
            return await client.post("/api/messages", content=body, headers=raw)

    # --- what the bot sent -----------------------------------------------------------------------
    def messages(self, conversation: str, thread: str | None = None) -> list[Post]:
        """What is now shown there, oldest first; without a thread, everything in the conversation."""
        if thread is not None:
            return [p for p in self.posts if p.conversation == f"{conversation};messageid={thread}"]
        return [p for p in self.posts if p.conversation.partition(";messageid=")[0] == conversation]

    def refuse_next(self, status: int, code: str = "", *, retry_after: int | None = None) -> None:
        """Answer the next call of the connector with an error."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._refusals.append(_error(status, code, headers))

    # --- the signer ------------------------------------------------------------------------------
    async def _openid(self, request: web.Request) -> web.Response:
        self.keys_fetched += 1
        return web.json_response({"issuer": ISSUER, "jwks_uri": self._url("/keys/jwks")})

    async def _jwks(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [self._jwk(name) for name in self.published]})

    def _jwk(self, name: str) -> Json:
        numbers = private_key(name).public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": name,
            "n": _base64(numbers.n),
            "e": _base64(numbers.e),
            "endorsements": list(self.endorsements),
        }

    # --- the connector ---------------------------------------------------------------------------
    async def _create(self, request: web.Request) -> web.Response:
        body = await self._received(request)
        channel = body.get("channelData", {}).get("channel", {}).get("id")
        members = body.get("members") or []
        if not body.get("tenantId"):
            raise _error(403, "Forbidden")
        if body.get("isGroup") and channel and body.get("activity"):
            self._check(channel)
            id = self._new_id("post")
            thread = f"{channel};messageid={id}"
            self.posts.append(Post(id=id, conversation=thread, activity=body["activity"]))
            return web.json_response({"id": thread, "activityId": id}, status=201)
        if body.get("isGroup") or len(members) != 1:
            raise _error(400, "BadSyntax")
        chat = self.chat_with(re.sub("^(29:|object-)", "", members[0]["id"]))
        if chat in self.forbidden:
            raise _error(403, "ForbiddenOperationException")
        self._conversations.add(chat)
        return web.json_response({"id": chat}, status=201)

    async def _post(self, request: web.Request) -> web.Response:
        body = await self._received(request)
        conversation = request.match_info["conversation"]
        self._check(conversation)
        post = Post(id=self._new_id("post"), conversation=conversation, activity=body)
        self.posts.append(post)
        return web.json_response({"id": post.id}, status=201)

    async def _update(self, request: web.Request) -> web.Response:
        body = await self._received(request)
        post = self._find(request)
        post.activity, post.edits = body, post.edits + 1
        return web.json_response({"id": post.id})

    async def _delete(self, request: web.Request) -> web.Response:
        await self._received(request)
        self.posts.remove(self._find(request))
        return web.json_response({})

    async def _member(self, request: web.Request) -> web.Response:
        await self._received(request)
        user = request.match_info["user"].removeprefix("29:")
        role = "guest" if user in self.guests else "user"
        member = {"id": f"29:{user}", "aadObjectId": object_id(user), "tenantId": self.tenant, "userRole": role}
        return web.json_response(member)

    async def _received(self, request: web.Request) -> Json:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        raw = await request.text()
        body = json.loads(raw) if raw else {}
        self.calls.append(Call(method=request.method, path=request.path, body=body, token=token))
        if token != BOT_TOKEN:
            raise _error(401, "Unauthorized")
        if self._refusals:
            raise self._refusals.pop(0)
        if len(raw.encode()) > 100_000:
            raise _error(413, "MessageSizeTooBig")
        return body if isinstance(body, dict) else {}

    def _check(self, conversation: str) -> None:
        base = conversation.partition(";messageid=")[0]
        if base in self.forbidden:
            raise _error(403, "BotNotInConversationRoster")
        if base not in self._conversations:
            raise _error(404, "ConversationNotFound")

    def _find(self, request: web.Request) -> Post:
        conversation, id = request.match_info["conversation"], request.match_info["id"]
        self._check(conversation)
        for post in self.posts:
            if post.id == id and post.conversation == conversation:
                return post
        raise _error(404, "ActivityNotFoundInConversation")

    def _conversation(self, where: str, root: str) -> Json:
        if where == GROUP:
            return {"id": where, "conversationType": "groupChat", "isGroup": True, "tenantId": self.tenant}
        if where.startswith("a:"):
            return {"id": where, "conversationType": "personal", "tenantId": self.tenant}
        return {"id": f"{where};messageid={root}", "conversationType": "channel", "isGroup": True}

    def _new_id(self, kind: str) -> str:
        self._ids[kind] += 1
        return f"{'17' if kind == 'post' else '16'}{self._ids[kind]:011}"

    def _url(self, path: str) -> str:
        if self._server is None:
            raise RuntimeError("enter the context first: async with FakeTeams() as teams")
        return str(self._server.make_url(path))


def plain_text(activity: Mapping[str, Any]) -> str:
    """What a reader sees of an activity, in one line a block; buttons are left out."""
    if activity.get("attachments"):
        return "\n".join(_card_texts(activity["attachments"][0]["content"]))
    return html.unescape(re.sub("<[^>]*>", "", activity.get("text", "").replace("<br>", "\n")))


def actions_of(card: Mapping[str, Any]) -> list[Json]:
    return [action for element in card.get("body", []) for action in element.get("actions", [])]


def _card_texts(element: Any) -> list[str]:
    if isinstance(element, list):
        return [text for part in element for text in _card_texts(part)]
    if element.get("type") == "TextBlock":
        return [_unescaped(element["text"])]
    facts = [f"{_unescaped(f['title'])}: {_unescaped(f['value'])}" for f in element.get("facts", [])]
    return facts + _card_texts(element.get("body", []) + element.get("items", []))


def _unescaped(text: str) -> str:
    """A TextBlock's Markdown as it is read: escapes resolved, bold and mentions as their words."""
    read = re.compile(r"\\(?P<sign>[!-/:-@\[-`{-~])|(?P<entity>&#?\w+;)|\*\*|</?at>")
    return read.sub(lambda found: found["sign"] or html.unescape(found["entity"] or ""), text.replace("\u200b", ""))


def _base64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> web.HTTPException:
    kind: Any = type("Refusal", (web.HTTPException,), {"status_code": status})
    body = json.dumps({"error": {"code": code, "message": "as Teams says"}})
    refusal: web.HTTPException = kind(text=body, content_type="application/json", headers=headers)
    return refusal
