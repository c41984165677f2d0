"""Slack payloads as `Message` values. Pure; called by the listeners in `adapters.slack.app`.

Each function takes the payload's body, who the bot is, and what is already known of the people and
the channel in it; it returns the `Message`, or `Ignored` with the reason. Inbox keys are those of
DESIGN.md, section 3: one post that arrives as `message` and as `app_mention` makes the same
`Message` twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.slack.entities import read
from adapters.slack.identity import Bot
from triage.model import Account, Channel, ChannelKind, Ignored, Kind, Message, Platform, Sender

Payload = Mapping[str, Any]

POSTS = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes of `message` that are somebody's own words."""

LAST_RETRY = 3
"""Slack delivers an event once and retries it three times."""

KINDS = {"im": ChannelKind.DM, "mpim": ChannelKind.GROUP, "channel": ChannelKind.CHANNEL, "group": ChannelKind.CHANNEL}

SOON = timedelta(minutes=1)

MAX_DIGITS = 10
"""Of the seconds of a time stamp."""

EPHEMERAL = "ephemeral:"
"""Before the id of an ephemeral message: nothing can be posted in its thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Looked up beforehand: display names of mentioned people, and the channel's kind."""

    names: Mapping[str, str] = field(default_factory=dict)
    kind: ChannelKind | None = None


NOTHING = Known()


def from_event(body: Payload, bot: Bot, known: Known = NOTHING, *, retry: int = 0) -> Message | Ignored:
    """An Events API callback; `retry` is Slack's count of retries so far."""
    found = _at_home(_event(body["event"], bot, known, last_try=retry >= LAST_RETRY), body, bot)
    return replace(found, tries=retry + 1) if isinstance(found, Message) else found


def _event(event: Payload, bot: Bot, known: Known, *, last_try: bool) -> Message | Ignored:
    match event.get("type"), event.get("subtype"):
        case "app_mention", _:
            return _posted(event, bot, known, last_try=last_try, edited=event.get("edited"))
        case "message", "message_changed":
            return _changed(event, bot, known, last_try=last_try)
        case "message", "message_deleted":
            return _deleted(event, event.get("previous_message") or {}, bot, known, last_try=last_try)
        case "message", subtype if subtype in POSTS:
            return _posted(event, bot, known, last_try=last_try)
        case "message", subtype:
            return Ignored(reason=f"a message of subtype {subtype}")
        case other, _:
            return Ignored(reason=f"events of type {other} are not used")


def from_command(body: Payload, bot: Bot, known: Known = NOTHING) -> Message | Ignored:
    """A slash command: its text is command text. It has no post, so its `id` is the trigger's."""
    if missing := _missing(body, "trigger_id", "channel_id", "user_id"):
        return Ignored(reason=f"a command without {missing}")
    said = read(body.get("text") or "", bot=bot.user, names=known.names)
    command = Message(
        key=f"slack:{bot.team}:trigger:{body['trigger_id']}",
        kind=Kind.COMMAND,
        sender=_sender(body["user_id"], bot, name=body.get("user_name")),
        channel=_channel(body["channel_id"], bot, known.kind or _kind_by_name(body.get("channel_name"))),
        id=body["trigger_id"],
        text=said.text,
        thread=body.get("thread_ts"),
        mentions_bot=said.mentions_bot,
        mentions=_accounts(said.people, bot),
        reply_url=body.get("response_url"),
    )
    return _at_home(command, body, bot)


def from_action(body: Payload, bot: Bot, known: Known = NOTHING) -> Message | Ignored:
    """A press of a button on one of the bot's messages; the button's value is command text."""
    action, container = (body.get("actions") or [{}])[0], body.get("container") or {}
    channel = body.get("channel") or {}
    place = container.get("channel_id") or channel.get("id")
    if not action.get("value"):
        return Ignored(reason="an action that carries no command")
    if not place or not container.get("message_ts"):
        return Ignored(reason="an action outside a message")
    if missing := _missing(body, "trigger_id", "user"):
        return Ignored(reason=f"an action without {missing}")
    user, id = body["user"], str(container["message_ts"])
    thread = container.get("thread_ts") or (body.get("message") or {}).get("thread_ts")
    press = Message(
        key=f"slack:{bot.team}:trigger:{body['trigger_id']}",
        kind=Kind.BUTTON,
        sender=_sender(user["id"], bot, home=user.get("team_id"), name=user.get("name") or user.get("username")),
        channel=_channel(place, bot, known.kind or _kind_by_name(channel.get("name"))),
        id=f"{EPHEMERAL}{id}" if container.get("is_ephemeral") else id,
        text=action["value"],
        thread=thread if thread != id else None,
        reply_url=body.get("response_url"),
    )
    return _at_home(press, body, bot)


def _at_home(made: Message | Ignored, body: Payload, bot: Bot) -> Message | Ignored:
    """An app that others may install hears their people too, who do not say where they come from: the payload does."""
    home = _installed_elsewhere(body, bot)
    if isinstance(made, Ignored) or home is None or made.sender.guest:
        return made
    return replace(made, sender=_sender(made.sender.account.user, bot, home=home, name=made.sender.name))


def _installed_elsewhere(body: Payload, bot: Bot) -> str | None:
    """The workspace whose installation a payload was sent for, unless it is the bot's own or a whole organisation's."""
    granted = body.get("authorizations") or (body,)
    if any(str(each.get("is_enterprise_install")).lower() == "true" for each in granted):
        return None
    teams = [each.get("team_id") or (each.get("team") or {}).get("id") for each in granted]
    return None if bot.team in teams else next(filter(None, teams), None)


def _posted(
    post: Payload, bot: Bot, known: Known, *, last_try: bool, edited: Payload | None = None
) -> Message | Ignored:
    return _by_person(post, bot) or _message(
        post, post, bot, known, kind=Kind.EDIT if edited else Kind.POST, edited=edited, last_try=last_try
    )


def _changed(event: Payload, bot: Bot, known: Known, *, last_try: bool) -> Message | Ignored:
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    if now.get("subtype") == "tombstone":
        gone = {"deleted_ts": now.get("ts"), **event}
        return _deleted(gone, before or now, bot, known, last_try=last_try)
    if ignored := _by_person(now, bot):
        return ignored
    if before and now.get("text") == before.get("text"):
        return Ignored(reason="an edit that left the text as it was")
    if not before and not now.get("edited"):
        return Ignored(reason="a change that nobody made (a link preview)")
    edited = now.get("edited") or {"ts": event.get("event_ts") or event.get("ts")}
    return _message(now, event, bot, known, kind=Kind.EDIT, edited=edited, last_try=last_try)


def _deleted(event: Payload, post: Payload, bot: Bot, known: Known, *, last_try: bool) -> Message | Ignored:
    if ignored := _by_person(post, bot):
        return ignored
    gone = {**post, "ts": event.get("deleted_ts") or post.get("ts"), "text": "", "files": ()}
    return _message(gone, event, bot, known, kind=Kind.DELETE, last_try=last_try)


def _by_person(post: Payload, bot: Bot) -> Ignored | None:
    """None when a person wrote it, else why it is ignored."""
    if post.get("user") == bot.user or (bot.id and post.get("bot_id") == bot.id):
        return Ignored(reason="the bot's own message")
    if post.get("bot_id") or post.get("user") == "USLACKBOT" or post.get("subtype") == "bot_message":
        return Ignored(reason="a message of another bot")
    if not post.get("user"):
        return Ignored(reason="a message without an author")
    return None


def _message(
    post: Payload,
    event: Payload,
    bot: Bot,
    known: Known,
    *,
    kind: Kind,
    last_try: bool,
    edited: Payload | None = None,
) -> Message:
    said = read(post.get("text") or "", bot=bot.user, names=known.names)
    ts, thread = str(post["ts"]), post.get("thread_ts")
    channel = f"slack:{bot.team}:{event['channel']}"
    suffix = {Kind.EDIT: f":edit:{(edited or {}).get('ts')}", Kind.DELETE: ":delete"}.get(kind, "")
    return Message(
        key=f"{channel}:{ts}{suffix}",
        kind=kind,
        sender=_sender(post["user"], bot, home=post.get("user_team") or post.get("source_team")),
        channel=_channel(event["channel"], bot, KINDS.get(event.get("channel_type") or "") or known.kind),
        id=ts,
        text=said.text or _files(post),
        thread=thread if thread != ts else None,
        mentions_bot=said.mentions_bot,
        mentions=_accounts(said.people, bot),
        last_try=last_try,
        sent_at=_instant(ts) if kind is Kind.POST else None,
        after=f"{channel}:{thread}" if kind is Kind.POST and _soon_after(ts, thread) else None,
    )


def _soon_after(ts: str, root: str | None) -> bool:
    """Whether a reply followed the post that its thread hangs on within a minute."""
    said, asked = _instant(ts), _instant(root or "")
    return ts != root and said is not None and asked is not None and said - asked < SOON


def _instant(ts: str) -> datetime | None:
    """A Slack time stamp, unix seconds with a fraction, in whole seconds."""
    seconds, _, _ = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() and len(seconds) <= MAX_DIGITS else None


def _files(post: Payload) -> str:
    """What a post without words shares, by name."""
    names = (file.get("title") or file.get("name") for file in post.get("files") or ())
    return ", ".join(name for name in names if name)


def _sender(user: str, bot: Bot, *, home: str | None = None, name: str | None = None) -> Sender:
    place = home or bot.team
    account = Account(platform=Platform.SLACK, place=place, user=user)
    return Sender(account=account, name=name or "", guest=place != bot.team)


def _accounts(people: tuple[str, ...], bot: Bot) -> tuple[Account, ...]:
    return tuple(Account(platform=Platform.SLACK, place=bot.team, user=user) for user in people)


def _channel(id: str, bot: Bot, kind: ChannelKind | None) -> Channel:
    if id.startswith("D"):
        kind = ChannelKind.DM
    return Channel(platform=Platform.SLACK, place=bot.team, id=id, kind=kind or ChannelKind.CHANNEL)


def _kind_by_name(name: str | None) -> ChannelKind | None:
    if name == "directmessage":
        return ChannelKind.DM
    return ChannelKind.GROUP if (name or "").startswith("mpdm-") else None


def _missing(body: Payload, *names: str) -> str | None:
    return next((name for name in names if not body.get(name)), None)
