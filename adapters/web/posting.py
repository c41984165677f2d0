"""How a visitor's words reach the desk: first into the transcript, then to the intake.

What the desk could not take stays visible as not sent and can be tried again: a repeat has the same
inbox key, so it is never taken twice. Called by the page, shared by all open pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.web import inbound
from adapters.web.desk import DemoPerson
from adapters.web.news import News, Shown
from triage.document import Document, Paragraph, Plain, harmless
from triage.model import Channel, Kind, Message, Sender, Thread
from triage.ports import Intake, NewId, Now
from triage.transcripts import Transcript, WebPost


@dataclass(frozen=True, slots=True)
class _Said:
    message: Message
    post: WebPost


class Posting:
    """Every method raises `TurnError` when the desk stored nothing."""

    def __init__(
        self,
        *,
        intake: Intake,
        transcript: Transcript,
        news: News,
        now: Now,
        new_id: NewId,
        people: Sequence[DemoPerson] = (),
    ) -> None:
        self._intake = intake
        self._transcript = transcript
        self._news = news
        self._now = now
        self._new_id = new_id
        self._people = people
        self._unsent: dict[str, _Said] = {}

    async def post(self, sender: Sender, channel: Channel, text: str, *, thread: str | None = None) -> None:
        """Show the text as this sender's post and hand it in. A command in a channel is seen by its sender alone."""
        message = inbound.typed(
            id=self._new_id(), sender=sender, channel=channel, text=text, thread=thread, people=self._people
        )
        hidden = message.kind is Kind.COMMAND and not message.flat
        post = WebPost(
            id=message.id,
            thread=Thread(channel=channel, root=thread),
            at=self._now(),
            author=sender.name,
            document=harmless(
                Document(blocks=(Paragraph((Plain(text),)),), summary=text, language=sender.locale or "en")
            ),
            only_for=sender.account.user if hidden else None,
            key=message.key,
        )
        await self._say(_Said(message, post))

    async def press(self, sender: Sender, post: WebPost, command: str) -> None:
        """A button on `post`. As in Slack its effect is seen where it shows, and an acknowledgement nowhere."""
        message = inbound.pressed(
            id=self._new_id(),
            sender=sender,
            channel=post.thread.channel,
            command=command,
            post=post.id,
            thread=post.thread.root,
        )
        await self._intake(message)

    async def retry(self, id: str) -> None:
        """Hand in again what was not sent; nothing when it has been sent since."""
        if id in self._unsent:
            await self._say(self._unsent[id])

    def unsent(self, channel: Channel, user: str) -> Mapping[str, WebPost]:
        """What this user said in the channel and the desk has not taken, by id; perhaps not even written down."""
        return {
            id: said.post
            for id, said in self._unsent.items()
            if (said.message.channel, said.message.sender.account.user) == (channel, user)
        }

    async def _say(self, said: _Said) -> None:
        try:
            await self._write(said.post)
            await self._intake(said.message)
        except Exception:
            self._unsent[said.post.id] = said
            self._news.tell(Shown(channel=said.message.channel))
            raise
        if self._unsent.pop(said.post.id, None):
            self._news.tell(Shown(channel=said.message.channel))

    async def _write(self, post: WebPost) -> None:
        await asyncio.to_thread(self._transcript.write, post)
        self._news.tell(Shown(channel=post.thread.channel, only_for=post.only_for))
