"""From an Activity, as Teams posts it, to a `Message` or the reason why there is none. Pure.

Called by `endpoint` once the request is known to be genuine. Reads plain JSON, not SDK models, and
takes nothing for granted about its shape.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from adapters.teams import hypertext
from adapters.teams.reference import Reference
from triage.model import Account, Channel, ChannelKind, Ignored, Kind, Message, Platform, Sender

Json = Mapping[str, Any]

CARD_ACTION = "adaptiveCard/action"
KINDS = {"message": Kind.POST, "messageUpdate": Kind.EDIT, "messageDelete": Kind.DELETE}
CHANNEL_KINDS = {"personal": ChannelKind.DM, "groupChat": ChannelKind.GROUP, "channel": ChannelKind.CHANNEL}
THREAD_MARK = ";messageid="
LONGEST_TEXT = 100_000
"""Characters that are read; Teams itself takes fewer."""
MOST_MENTIONS = 200
"""Of one post that are read: each is looked for in the text, and looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the roster says about a `29:…` id: the Entra object id, and whether they are a guest."""

    user: str
    guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where an activity happened: its channel, and the thread's root where there are threads."""

    channel: Channel
    root: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """A text without the bot's mention, and who else is mentioned in it."""

    text: str = ""
    mentions_bot: bool = False
    mentions: tuple[Account, ...] = field(default=())


def to_message(activity: Json, known: Mapping[str, Profile] | None = None) -> Message | Ignored:
    """`known` holds the roster's word on the ids that `people_in` names."""
    known = known or {}
    spot = _spot(activity)
    if spot is None:
        return Ignored(reason="an activity without tenant or conversation")
    if _own(activity):
        return Ignored(reason="the bot's own post")
    if not _str(activity, "id") or not _str(activity, "from", "id"):
        return Ignored(reason="an activity without id or sender")
    command = command_of(activity)
    if command is not None:
        return _button(activity, spot, known, command)
    kind = KINDS.get(_str(activity, "type"))
    if kind is None:
        return Ignored(reason=f"an activity of type {_str(activity, 'type') or 'unknown'}")
    return _post(activity, spot, known, kind)


def command_of(activity: Json) -> str | None:
    """The command text of a pressed button: Action.Execute (an invoke) or Action.Submit (a message)."""
    command = _str(_pressed(activity), "command")
    return command.strip() or None


def people_in(activity: Json) -> Iterator[str]:
    """The `29:…` ids of the sender and of everyone mentioned but the bot."""
    if sender := _str(activity, "from", "id"):
        yield sender
    for mention in _mentions(activity):
        mentioned = _str(mention, "mentioned", "id")
        if mentioned and mentioned != _str(activity, "recipient", "id"):
            yield mentioned


def tenant_of(activity: Json) -> str:
    return _str(activity, "channelData", "tenant", "id") or _str(activity, "conversation", "tenantId")


def conversation_of(activity: Json) -> str:
    """The conversation's id without the thread's."""
    return _str(activity, "conversation", "id").partition(THREAD_MARK)[0]


# --- kinds of messages ---------------------------------------------------------------------------
def _post(activity: Json, spot: Spot, known: Mapping[str, Profile], kind: Kind) -> Message:
    id = _str(activity, "id")
    said = Said() if kind is Kind.DELETE else _said(activity, spot.channel.place, known)
    return Message(
        key=f"teams:{spot.channel.id}:{id}{_revision(activity, kind)}",
        kind=kind,
        sender=_sender(activity, spot.channel.place, known),
        channel=spot.channel,
        id=id,
        text=said.text,
        thread=spot.root if spot.root != id else None,
        mentions_bot=said.mentions_bot,
        mentions=said.mentions,
        reference=_reference(activity, spot.channel),
        sent_at=_instant(_str(activity, "timestamp")) if kind is Kind.POST else None,
    )


def _instant(text: str) -> datetime | None:
    """The connector's time stamp, in whole seconds; None when it is none."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC).replace(microsecond=0) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _button(activity: Json, spot: Spot, known: Mapping[str, Profile], command: str) -> Message:
    id = _str(activity, "replyToId") or _str(activity, "id")
    return Message(
        key=_button_key(activity, spot.channel, command),
        kind=Kind.BUTTON,
        sender=_sender(activity, spot.channel.place, known),
        channel=spot.channel,
        id=id,
        text=command,
        thread=spot.root if spot.root != id else None,
        reference=_reference(activity, spot.channel),
    )


def _button_key(activity: Json, channel: Channel, command: str) -> str:
    """A slow submit is sent again under a new activity id, so the card's nonce counts instead.

    The same press a minute later is meant. A command may quote what somebody wrote, and keys stand in
    logs and outlive erasure, so only a digest of it and of who pressed is in the key.
    """
    nonce = _str(_pressed(activity), "nonce")
    if not nonce:
        return f"teams:{channel.id}:{_str(activity, 'id')}"
    minute = _str(activity, "timestamp")[:16]
    digest = sha256(f"{_str(activity, 'from', 'id')} {command}".encode()).hexdigest()[:16]
    return f"teams:{channel.id}:{nonce[:64]}:{digest}:{minute}"


def _revision(activity: Json, kind: Kind) -> str:
    match kind:
        case Kind.EDIT:
            return f":edit:{_str(activity, 'timestamp')}"
        case Kind.DELETE:
            return ":delete"
        case _:
            return ""


# --- parts of an activity ------------------------------------------------------------------------
def _spot(activity: Json) -> Spot | None:
    place, id = tenant_of(activity), conversation_of(activity)
    if not place or not id:
        return None
    _, marked, root = _str(activity, "conversation", "id").partition(THREAD_MARK)
    channel = Channel(platform=Platform.TEAMS, place=place, id=id, kind=_channel_kind(activity, threaded=bool(marked)))
    return Spot(channel=channel, root=root or None)


def _channel_kind(activity: Json, *, threaded: bool) -> ChannelKind:
    named = CHANNEL_KINDS.get(_str(activity, "conversation", "conversationType"))
    if named is not None:
        return named
    if threaded or _str(activity, "channelData", "channel", "id"):
        return ChannelKind.CHANNEL
    return ChannelKind.GROUP if _at(activity, "conversation", "isGroup") is True else ChannelKind.DM


def _own(activity: Json) -> bool:
    sender = _str(activity, "from", "id")
    return bool(sender) and (sender == _str(activity, "recipient", "id") or _str(activity, "from", "role") == "bot")


def _sender(activity: Json, place: str, known: Mapping[str, Profile]) -> Sender:
    id = _str(activity, "from", "id")
    home = _str(activity, "from", "tenantId")
    client = next((e for e in _entities(activity) if e.get("type") == "clientInfo"), {})
    return Sender(
        account=_account(place, _at(activity, "from"), known),
        name=_str(activity, "from", "name"),
        locale=_str(activity, "locale") or _str(client, "locale") or None,
        timezone=_str(activity, "localTimezone") or _str(client, "timezone") or None,
        guest=(bool(home) and home != place)
        or _str(activity, "from", "userRole") == "guest"
        or (id in known and known[id].guest),
    )


def _account(place: str, who: Any, known: Mapping[str, Profile]) -> Account:
    """desk.yaml names people by their Entra object id, so that is the account where it is known."""
    who = who if isinstance(who, Mapping) else {}
    id = _str(who, "id")
    user = _str(who, "aadObjectId") or (known[id].user if id in known else id)
    return Account(platform=Platform.TEAMS, place=place, user=user)


def _reference(activity: Json, channel: Channel) -> str:
    return Reference(
        service_url=_str(activity, "serviceUrl"),
        place=channel.place,
        conversation=channel.id,
        bot=_str(activity, "recipient", "id"),
        bot_name=_str(activity, "recipient", "name"),
        user=_str(activity, "from", "id"),
        user_object=_str(activity, "from", "aadObjectId"),
    ).dumps()


def _pressed(activity: Json) -> Json:
    """The data of the button, empty when the activity is not a press."""
    if _str(activity, "type") == "invoke" and _str(activity, "name") == CARD_ACTION:
        data = _at(activity, "value", "action", "data")
        executed = _str(activity, "value", "action", "type") == "Action.Execute"
        return data if executed and isinstance(data, Mapping) else {}
    value = activity.get("value")
    return value if _str(activity, "type") == "message" and isinstance(value, Mapping) else {}


# --- text ----------------------------------------------------------------------------------------
def _said(activity: Json, place: str, known: Mapping[str, Profile]) -> Said:
    text, rich = _source(activity)
    text = text[:LONGEST_TEXT].replace("&nbsp;", " ").replace("\xa0", " ")
    bot = _str(activity, "recipient", "id")
    mentions_bot, mentions = False, []
    for mention in _mentions(activity):
        mentioned = _at(mention, "mentioned")
        name = _str(mention, "mentioned", "name")
        tag = _str(mention, "text") or f"<at>{name}</at>"
        if bot and _str(mention, "mentioned", "id") == bot:
            mentions_bot, text = True, re.sub(rf"(?<! ) *+{re.escape(tag)} *", " ", text)
        else:
            shown = f"@{name or re.sub(r'<[^>]*>', '', tag)}"
            text = text.replace(tag, html.escape(shown, quote=False) if rich else shown)
            mentions.append(_account(place, mentioned, known))
    return Said(
        _tidy(hypertext.words(text) if rich else hypertext.characters(text)),
        mentions_bot,
        tuple(dict.fromkeys(mentions)),
    )


def _source(activity: Json) -> tuple[str, bool]:
    """The text and whether it is HTML. A post of rich content only has it as an attachment."""
    text = _str(activity, "text")
    if text.strip():
        return text, _str(activity, "textFormat") in ("xhtml", "xml", "html")
    attachments = activity.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        if isinstance(attachment, Mapping) and _str(attachment, "contentType") == "text/html":
            return _str(attachment, "content"), True
    return "", False


def _tidy(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


# --- careful reading of JSON ---------------------------------------------------------------------
def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _str(value: Any, *path: str) -> str:
    """A string that any database takes: no half of a character, no NUL."""
    found = _at(value, *path)
    return found.encode(errors="replace").decode().replace("\0", "") if isinstance(found, str) else ""


def _entities(activity: Json) -> Iterator[Json]:
    entities = activity.get("entities")
    for entity in entities if isinstance(entities, list) else []:
        if isinstance(entity, Mapping):
            yield entity


def _mentions(activity: Json) -> Iterator[Json]:
    found = (entity for entity in _entities(activity) if entity.get("type") == "mention")
    return islice(found, MOST_MENTIONS)
