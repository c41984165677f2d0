"""What a person typed or pressed on the page becomes a `Message`; pure, called by `adapters.web.posting`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.web.desk import BOT, DemoPerson
from triage.model import Account, Channel, Kind, Message, Sender

_COMMAND = re.compile(r"/desk(?:\s+|$)", re.IGNORECASE)
_BOT = re.compile(rf"(?<![\w.@-])@{BOT}(?![A-Za-z0-9_-])[,:]?", re.IGNORECASE)
"""A Korean particle may follow at once (`@Deskbell아`); an e-mail address is no mention."""


def typed(
    *,
    id: str,
    sender: Sender,
    channel: Channel,
    text: str,
    thread: str | None = None,
    people: Sequence[DemoPerson] = (),
) -> Message:
    """A post, or a command when it begins with `/desk`; `people` are those an `@Name` can mean."""
    command = _COMMAND.match(text.strip())
    kept = text.strip()[command.end() :] if command else _BOT.sub(" ", text)
    return Message(
        key=_key(channel, id),
        kind=Kind.COMMAND if command else Kind.POST,
        sender=sender,
        channel=channel,
        id=id,
        text=_tidy(kept),
        thread=thread,
        mentions_bot=not command and _BOT.search(text) is not None,
        mentions=_mentions(kept, people),
    )


def pressed(
    *, id: str, sender: Sender, channel: Channel, command: str, post: str, thread: str | None = None
) -> Message:
    """A button; `id` names this press, `post` the post that carries the button."""
    return Message(
        key=_key(channel, id),
        kind=Kind.BUTTON,
        sender=sender,
        channel=channel,
        id=post,
        text=command,
        thread=thread,
    )


def _key(channel: Channel, id: str) -> str:
    return f"web:{channel.id}:{id}"


def _tidy(text: str) -> str:
    """Without the holes a removed mention leaves; line breaks are the writer's own."""
    return "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines()).strip()


def _mentions(text: str, people: Sequence[DemoPerson]) -> tuple[Account, ...]:
    """Everyone named as `@Name`, in the order of `people`."""
    return tuple(
        person.account
        for person in people
        if re.search(rf"(?<![\w.@-])@{re.escape(person.name)}(?![A-Za-z0-9_-])", text, re.IGNORECASE)
    )
