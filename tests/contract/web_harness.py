"""The web chat under the `ChatPort` contract suite: its platform is its own transcript."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

from adapters.web.desk import direct_channel, triage_channel
from adapters.web.port import WebPort
from storage.memory import MemoryStorage
from tests.unit.web.desk import DANA, START, counting
from triage.document import Block, Buttons, Document, Facts, Heading, Markdown, Paragraph, Quote, Small, text_of
from triage.model import Account, Thread
from triage.ports import Address
from triage.transcripts import WebPost

EVERYTHING = 1_000


class WebHarness:
    """Use as `async with WebHarness() as harness`."""

    whispers = True
    finds = True

    def __init__(self) -> None:
        self._transcript = MemoryStorage().transcript
        self.port = WebPort(self._transcript, now=lambda: START, new_id=counting("post-"))
        here = triage_channel("it")
        self.channel = Address(thread=Thread(channel=here))
        self.forbidden = Address(thread=Thread(channel=replace(here, place="elsewhere")))
        self.account = DANA.account

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def shown(self, thread: Thread) -> list[str]:
        posts = self._transcript.read([thread.channel.key], "", EVERYTHING)
        return [words_of(post) for post in posts if post.thread == thread]

    def shown_privately(self, account: Account) -> list[str]:
        channels = [self.channel.thread.channel.key, direct_channel(account.user).key]
        posts = self._transcript.read(channels, account.user, EVERYTHING)
        own = direct_channel(account.user)
        return [words_of(post) for post in posts if post.only_for == account.user or post.thread.channel == own]

    def busy_once(self, seconds: int) -> bool:
        return False


def words_of(post: WebPost) -> str:
    """The post as a person reads it, block by block."""
    document: Document = post.document
    return "\n".join(line for block in document.blocks for line in _lines(block))


def _lines(block: Block) -> list[str]:
    match block:
        case Heading(text) | Markdown(text) | Quote(text):
            return [text]
        case Paragraph(line) | Small(line):
            return [text_of(line)]
        case Facts(pairs):
            return [f"{label}: {text_of(line)}" for label, line in pairs]
        case Buttons(buttons):
            return [button.label for button in buttons]
