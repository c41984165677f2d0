"""Slack for the `ChatPort` contract suite: the real port against the fake Slack."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Self

from adapters.slack.identity import Bot, identify
from adapters.slack.port import SlackPort, web_client
from tests.fakes.slack_server import FakeSlack
from triage.model import Account, Channel, Platform, Thread
from triage.ports import Address


class SlackHarness:
    whispers = True
    finds = True

    def __init__(self) -> None:
        self.slack = FakeSlack()
        self.channel, self.forbidden = _address("C1"), _address("C9")
        self.account = Account(platform=Platform.SLACK, place=FakeSlack.team, user="U1")
        self._bot: Bot | None = None

    async def __aenter__(self) -> Self:
        await self.slack.__aenter__()
        self.slack.add_user("U1", name="Ann")
        self.slack.add_channel("C1", members={"U1"})
        self.slack.add_channel("C9", members={"U1"}, joined=False)
        client = web_client(self.slack.token, base_url=self.slack.url)
        self._bot = await identify(client)
        self.port = SlackPort(client, bot=lambda: self._bot, now=lambda: datetime.now(UTC))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.slack.__aexit__(*exc)

    def shown(self, thread: Thread) -> list[str]:
        return [words(post) for post in self.slack.messages(thread.channel.id, thread.root)]

    def shown_privately(self, account: Account) -> list[str]:
        ephemeral = [words(post) for post in self.slack.ephemerals if post["to"] == account.user]
        direct = f"D{account.user}"
        return ephemeral + ([words(post) for post in self.slack.messages(direct)] if self._has(direct) else [])

    def busy_once(self, seconds: int) -> bool:
        self.slack.busy_next(seconds)
        return True

    def _has(self, channel: str) -> bool:
        return channel in self.slack.state.channels


def words(post: dict[str, Any]) -> str:
    """The message as a person reads it, block by block."""
    return "\n".join(part for block in post["blocks"] for part in _texts(block)) or _read(post["text"])


def _texts(block: dict[str, Any]) -> list[str]:
    objects = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
    found = [item.get("text") for item in objects if isinstance(item, dict)]
    return [_read(text if isinstance(text, str) else text["text"]) for text in found if text]


def _read(mrkdwn: str) -> str:
    text = re.sub(r"<!date\^[^|>]*\|([^>]*)>|<[^@!|>]*\|([^>]*)>", r"\1\2", mrkdwn.replace("\u200b", ""))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _address(id: str) -> Address:
    return Address(thread=Thread(channel=Channel(platform=Platform.SLACK, place=FakeSlack.team, id=id)))
