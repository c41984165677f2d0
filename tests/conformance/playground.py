"""Microsoft 365 Agents Playground, a Teams on this machine: how to start it, and what people do in it.

`Teams` drives it without its page: over the HTTP API that the page uses (not documented, so the
version is pinned), reading what the page would show from its WebSocket.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from tests.conformance.programs import Program, eventually, module, running

Json = dict[str, Any]

TENANT = "11111111-1111-4111-8111-111111111111"
BOT, BOT_NAME = "28:deskbell", "Deskbell"
TEAM_ID, HELP, TRIAGE = "19:fernway@thread.tacv2", "19:fernway@thread.tacv2", "19:it-triage@thread.tacv2"
PERSONAL, GROUP = "a:dana-and-deskbell", "19:coffee@thread.v2"
DANA, LEE, KIM, PARK, CHEN, SATO = "29:dana", "29:lee", "29:kim", "29:park", "29:chen", "29:sato"
NAMES = {DANA: "Dana", LEE: "Lee", KIM: "김지우", PARK: "Park", CHEN: "陳怡君", SATO: "Sato"}
OBJECTS = {user: f"22222222-2222-4222-8222-00000000000{index}" for index, user in enumerate(NAMES)}

PEOPLE = {"lee": {"name": "Lee", "teams": OBJECTS[LEE]}, "kim": {"name": "Kim", "teams": OBJECTS[KIM]}}
PLACES = {"teams": [TENANT]}
CHANNELS = {"teams": {"help": [HELP], "triage": TRIAGE}}
ENVIRON = {"DESKBELL_TEAMS_UNAUTHENTICATED": "1"}


_MARKS = re.compile(r"\*\*|\\|</?b>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message of the bot; `conversation` is the thread's id, `buttons` the actions by title.

    `text` is without the marks of bold text, and with those of mentions: `<at>Lee</at>`.
    """

    conversation: str
    id: str
    text: str
    buttons: Mapping[str, Json] = field(default_factory=dict)


class Teams:
    """Everybody in the tenant; Dana sits before the Playground's page, the others elsewhere.

    `chats` holds the direct chats opened so far, by id: whose they are.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, chats: dict[str, str]) -> None:
        self._session = session
        self._chats = chats
        self.url = url
        self._seen: dict[str, Post] = {}

    async def watch(self) -> None:
        """Take in what the page would show, for ever."""
        async with self._session.ws_connect(f"{self.url}/_ws_conversation/v1/conversations/stream") as socket:
            async for frame in socket:
                said: Json = json.loads(frame.data)
                if said.get("action") in ("createMessage", "updateMessage"):
                    self._see(_post(said["actionConversationId"], said["message"]["messageId"], said["message"]))

    async def overhear(self) -> None:
        """Take in what the bot tells people who are not at the page: only the log has it."""
        async with self._session.ws_connect(f"{self.url}/_ws/log/stream") as socket:
            async for frame in socket:
                call: Json = json.loads(frame.data).get("log", {})
                if call.get("from") != "User Application":
                    continue
                body = call["request"].get("body") or {}
                if call["activityName"] == "createConversation" and body.get("members"):
                    self._chats[call["messageId"]] = body["members"][0]["id"]
                elif call.get("conversationId") in self._chats:
                    self._see(_post(call["conversationId"], call["messageId"], body))

    def _see(self, post: Post) -> None:
        self._seen.pop(post.id, None)
        self._seen[post.id] = post

    # --- what people do ---
    async def say(self, text: str, *, to: str = PERSONAL) -> str:
        """Dana writes, with a mention of the bot where there are others; returns the conversation's id."""
        addressed = to != PERSONAL
        mention = {"id": BOT, "name": BOT_NAME, "text": f"<at>{BOT_NAME}</at>", "mentioned": _who(BOT)}
        message = {
            "type": "text",
            "text": f"<at>{BOT_NAME}</at> {text}" if addressed else text,
            "textFormat": "plain",
            "from": {"id": DANA},
            "mentions": [mention] if addressed else [],
        }
        sent = await self._post(f"/_conversation/v1/conversations/{quote(to)}/messages", message)
        return str(sent.get("postConversationId") or to)

    async def says(self, user: str, text: str, *, to: str, mention: bool = False) -> str:
        """Somebody else writes in a conversation; returns the id of what they wrote."""
        tag = f"<at>{BOT_NAME}</at>"
        mentions = [{"type": "mention", "text": tag, "mentioned": _who(BOT)}] if mention else []
        said = {"text": f"{tag} {text}" if mention else text, "textFormat": "plain", "entities": mentions}
        return await self._activity("message", user, to, said)

    async def edits(self, user: str, text: str, *, to: str, id: str) -> None:
        await self._activity("messageUpdate", user, to, {"text": text, "textFormat": "plain", "id": id})

    async def press(self, user: str, post: Post, title: str) -> Json:
        """The answer to the press, as the Playground was given it."""
        action = post.buttons[title]
        wanted = {"action": {"type": "Action.Execute", "verb": action["verb"], "data": action["data"]}}
        return await self._post(
            "/_conversation/v1/invoke",
            {
                "name": "adaptiveCard/action",
                "value": wanted,
                "from": {"id": user},
                "conversation": {"id": post.conversation},
                "replyToId": post.id,
            },
        )

    # --- what people see ---
    async def bot_says(self, words: str, *, in_: str) -> Post:
        """The bot's newest post with these words in a conversation."""
        return await self._eventually(lambda post: post.conversation == in_ and words in post.text, f"{words!r}")

    async def card(self, words: str) -> Post:
        """The newest card with these words at the top of the triage channel, whose thread it begins."""
        found = await self._eventually(
            lambda post: post.conversation.startswith(TRIAGE) and words in post.text and "Claim" in post.buttons,
            f"a card with {words!r}",
        )
        return replace(found, conversation=f"{TRIAGE};messageid={found.id}")

    async def bot_tells(self, user: str, words: str) -> Post:
        """The bot's newest direct message with these words to somebody who is not at the page."""
        return await self._eventually(
            lambda post: self._chats.get(post.conversation) == user and words in post.text, f"{words!r} to {user}"
        )

    async def became(self, post: Post, words: str) -> Post:
        """The same message, once it was updated to hold these words."""
        now = await self._eventually(lambda now: now.id == post.id and words in now.text, f"it to become {words!r}")
        return replace(now, conversation=post.conversation)

    async def _eventually(self, fits: Callable[[Post], bool], what: str) -> Post:
        async def look() -> Post | None:
            return next((post for post in reversed(self._seen.values()) if fits(post)), None)

        async def seen() -> list[Post]:
            return list(self._seen.values())

        return await eventually(look, f"the bot to say {what}", seen=seen)

    async def _activity(self, type: str, user: str, to: str, more: Json) -> str:
        channel = to.partition(";")[0]
        kind = "groupChat" if channel == GROUP else "channel"
        activity = {
            "type": type,
            "id": uuid.uuid4().hex,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "serviceUrl": f"{self.url}/_connector",
            "channelId": "msteams",
            "from": {**_who(user), "aadObjectId": OBJECTS[user]},
            "recipient": _who(BOT),
            "conversation": {"id": to, "isGroup": True, "conversationType": kind, "tenantId": TENANT},
            "channelData": {"tenant": {"id": TENANT}, **({"channel": {"id": channel}} if kind == "channel" else {})},
            **more,
        }
        await self._post("/_internal/v1/customActivities", activity)
        return str(activity["id"])

    async def _post(self, path: str, body: Json) -> Json:
        async with self._session.post(self.url + path, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{path}: {answer.status} {text}"
            result = json.loads(text) if text else {}
            return result if isinstance(result, dict) else {}


@asynccontextmanager
async def entered(session: aiohttp.ClientSession, url: str, chats: dict[str, str]) -> AsyncIterator[Teams]:
    """Teams with somebody looking at it."""
    teams = Teams(session, url, chats)
    listening = [asyncio.create_task(teams.watch()), asyncio.create_task(teams.overhear())]
    try:
        yield teams
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


@contextmanager
def playground(folder: Path, *, port: int, desk_url: str) -> Iterator[Program]:
    """The Playground in front of a desk that listens already."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".m365agentsplayground.yml").write_text(json.dumps(_tenant(), ensure_ascii=False), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    command = [module("@microsoft/m365agentsplayground/cli.js"), "start", "-e", f"{desk_url}/api/messages"]
    options = ["-c", "msteams", "-p", str(port), "--su", f"{url}/_connector", "--disable-telemetry"]
    with running(
        ["node", *command, *options],
        url=url,
        ready="/_internal/v1/config",
        folder=folder,
        environ={"TEAMSAPPTESTER_BROWSER": "none"},
    ) as program:
        yield program


def _tenant() -> Json:
    """The Playground's configuration; it insists on exactly five users besides the one at its page."""
    dana, *others = (_user(user) for user in NAMES)
    return {
        "version": "0.1.1",
        "tenantId": TENANT,
        "bot": _who(BOT),
        "currentUser": dana,
        "users": others,
        "personalChat": {"id": PERSONAL},
        "groupChat": {"id": GROUP, "name": "Coffee corner"},
        "team": {
            "id": TEAM_ID,
            "name": "Fernway",
            "aadGroupId": "33333333-3333-4333-8333-333333333333",
            "channels": [{"id": TRIAGE, "name": "IT triage"}],
        },
    }


def _user(id: str) -> Json:
    mail = f"{id.partition(':')[2]}@fernway.example"
    return {
        **_who(id),
        "userPrincipleName": mail,
        "aadObjectId": OBJECTS[id],
        "givenName": NAMES[id],
        "surname": "Fern",
        "email": mail,
    }


def _who(id: str) -> Json:
    return {"id": id, "name": BOT_NAME if id == BOT else NAMES[id]}


def _post(conversation: str, id: str, message: Json) -> Post:
    contents = [attachment["content"] for attachment in message.get("attachments") or ()]
    return Post(
        conversation=conversation,
        id=id,
        text=_MARKS.sub("", "\n".join([message.get("text") or "", *_words(contents)])),
        buttons={action["title"]: action for content in contents for action in _actions(content)},
    )


def _words(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _words(part)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in ("text", "value", "title") and isinstance(value, str):
                yield value
            elif name != "msteams":
                yield from _words(value)


def _actions(card: Json) -> Iterator[Json]:
    for element in card["body"]:
        yield from element.get("actions", ())
