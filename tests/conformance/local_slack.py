"""local-slack, a Slack workspace on this machine: how to start it, and what people do in it.

`Slack` speaks for everybody in the workspace through its control API and reads what they would see.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp

from tests.conformance.programs import Program, eventually, module, running

Json = dict[str, Any]
Mode = Literal["events", "socket"]

BOT = "U0DESKBELL"
TEAM = "T0FERNWAY"
HELP, TRIAGE, RANDOM = "C0ITHELP", "C0ITTRIAGE", "C0RANDOM"
DANA, MINJI, YIJUN, ANA, BEN, LEE, KIM = "U0DANA", "U0MINJI", "U0YIJUN", "U0ANA", "U0BEN", "U0LEE", "U0KIM"
NAMES = {DANA: "Dana", MINJI: "민지", YIJUN: "怡君", ANA: "Ana", BEN: "Ben", LEE: "Lee", KIM: "Kim"}
TOKENS = {"bot": "xoxb-conformance", "app": "xapp-conformance", "signing": "conformance-signing-secret"}

PEOPLE = {"lee": {"name": "Lee", "slack": LEE}, "kim": {"name": "Kim", "slack": KIM}}
PLACES = {"slack": [TEAM]}
CHANNELS = {"slack": {"help": [HELP], "triage": TRIAGE}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message as the people of its channel see it; `only_for` is the one person who does.

    `text` is without the marks of bold text, and with those of mentions: `<@U0LEE>`.
    """

    channel: str
    ts: str
    thread: str | None
    author: str
    text: str
    buttons: Mapping[str, Json] = field(default_factory=dict)
    only_for: str | None = None
    edited: bool = False


class Slack:
    """Everybody in one workspace. Every wait ends with a failure that says what was waited for."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    # --- what people do ---
    async def say(self, user: str, text: str, *, channel: str = HELP, under: Post | None = None) -> Post:
        """A post of `user`; a mention of the bot also arrives as `app_mention`, as in Slack."""
        root = {"thread_ts": under.thread or under.ts} if under else {}
        sent = await self._control("message", {"channel": channel, "user": user, "text": text, **root})
        return _post(sent["message"])

    async def press(self, user: str, post: Post, label: str) -> None:
        action = {"channel": post.channel, "messageTs": post.ts, "user": user, "action": post.buttons[label]}
        await self._control("interact", action)

    async def command(self, user: str, text: str, *, channel: str = HELP) -> None:
        await self._control("command", {"channel": channel, "user": user, "command": "/desk", "text": text})

    async def edit(self, user: str, post: Post, text: str) -> None:
        await self._control("edit-message", {"channel": post.channel, "ts": post.ts, "user": user, "text": text})

    async def delete(self, user: str, post: Post) -> None:
        await self._control("delete-message", {"channel": post.channel, "ts": post.ts, "user": user})

    async def direct(self, user: str) -> str:
        """The id of the direct chat of `user` with the bot, opened if need be."""
        opened = await self._call("conversations.open", {"users": user})
        return str(opened["channel"]["id"])

    # --- what people see ---
    async def posts(self, channel: str) -> list[Post]:
        async with self._session.get(f"{self.url}/_control/messages/{channel}") as answer:
            return [_post(message) for message in (await answer.json())["messages"]]

    async def bot_says(self, words: str, *, under: Post | None = None, channel: str = "", to: str = "") -> Post:
        """The bot's newest post with these words: under a post, at the top of a channel, or to one person."""
        where = under.channel if under else channel
        root = (under.thread or under.ts) if under else None

        def fits(post: Post) -> bool:
            placed = to or post.thread == root
            return post.author == BOT and words in post.text and placed and (post.only_for or "") == to

        return await self._eventually(where, fits, f"the bot to say {words!r}")

    async def bot_tells(self, user: str, words: str) -> Post:
        """The bot's newest direct message to `user` with these words."""
        return await self.bot_says(words, channel=await self.direct(user))

    async def became(self, post: Post, words: str) -> Post:
        """The same message, once it was updated to hold these words."""
        return await self._eventually(
            post.channel, lambda now: now.ts == post.ts and words in now.text, f"the post to become {words!r}"
        )

    async def log(self) -> list[Json]:
        """Every envelope, acknowledgement and Web API call so far."""
        async with self._session.get(f"{self.url}/_control/log") as answer:
            found: list[Json] = (await answer.json())["log"]
            return found

    async def _eventually(self, channel: str, fits: Callable[[Post], bool], what: str) -> Post:
        async def look() -> Post | None:
            return next((post for post in reversed(await self.posts(channel)) if fits(post)), None)

        return await eventually(look, what, seen=lambda: self.posts(channel))

    async def _control(self, path: str, body: Json) -> Json:
        async with self._session.post(f"{self.url}/_control/{path}", json=body) as answer:
            result: Json = await answer.json()
            assert result["ok"], result
            return result

    async def _call(self, method: str, body: Json) -> Json:
        token = {"Authorization": f"Bearer {TOKENS['bot']}"}
        async with self._session.post(f"{self.url}/api/{method}", json=body, headers=token) as answer:
            result: Json = await answer.json()
            assert result["ok"], result
            return result


def workspace(mode: Mode, desk_url: str) -> Json:
    """local-slack's configuration: people, channels, and our app in one of its two modes."""
    app = {
        "appId": "A0DESKBELL",
        "botUserId": BOT,
        "botName": "Deskbell",
        "botToken": TOKENS["bot"],
        "appToken": TOKENS["app"],
        "signingSecret": TOKENS["signing"],
        "mode": mode,
        "requestUrl": f"{desk_url}/slack/events",
    }
    members = [*NAMES, BOT]
    return {
        "workspace": {"name": "Fernway", "domain": "fernway", "teamId": TEAM},
        "apps": [app],
        "users": [{"id": id, "name": name, "real_name": name, "tz": "Europe/London"} for id, name in NAMES.items()],
        "channels": [
            {"id": HELP, "name": "it-help", "members": members},
            {"id": TRIAGE, "name": "it-triage", "members": [LEE, KIM, BOT]},
            {"id": RANDOM, "name": "random", "members": members},
        ],
    }


def environ(mode: Mode, slack_url: str) -> dict[str, str]:
    """What `deskbell serve` needs to work in this workspace."""
    door = {"SLACK_SIGNING_SECRET": TOKENS["signing"]} if mode == "events" else {"SLACK_APP_TOKEN": TOKENS["app"]}
    return {"SLACK_BOT_TOKEN": TOKENS["bot"], "SLACK_API_URL": f"{slack_url}/api/", **door}


@contextmanager
def local_slack(folder: Path, mode: Mode, *, port: int, desk_url: str) -> Iterator[Program]:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "workspace.json"
    config.write_text(json.dumps(workspace(mode, desk_url), ensure_ascii=False), encoding="utf-8")
    binary = module("local-slack-linux-x64/bin/local-slack")
    command = [binary, "--config", config, "--port", str(port), "--base-host", "127.0.0.1", "--files-dir", folder]
    url = f"http://127.0.0.1:{port}"
    with running(command, url=url, ready="/_control/state", folder=folder) as program:
        yield program


def _post(message: Json) -> Post:
    blocks = message.get("blocks") or []
    if isinstance(blocks, str):
        blocks = json.loads(blocks)
    return Post(
        channel=message["channel"],
        ts=message["ts"],
        thread=message.get("thread_ts"),
        author=message["user"],
        text=_shown("\n".join(_words(blocks)) if blocks else message.get("text") or ""),
        buttons={
            element["text"]["text"]: {**element, "block_id": block.get("block_id")}
            for block in blocks
            if block["type"] == "actions"
            for element in block["elements"]
        },
        only_for=message.get("ephemeral_to"),
        edited="edited" in message,
    )


def _shown(text: str) -> str:
    return text.replace("\u200b", "").replace("*", "")


def _words(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _words(part)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from _words(value)
