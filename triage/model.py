"""The vocabulary of the desk as frozen values: who, where, what was said, and what a ticket is.

Every layer speaks these words. Adapters make `Message` values, storage keeps `Ticket`,
`Conversation` and `Person` values, `triage.decide` turns the one into changes of the other.
Instants are aware `datetime`s in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Platform(StrEnum):
    SLACK = "slack"
    TEAMS = "teams"
    WEB = "web"


class Language(StrEnum):
    EN = "en"
    KO = "ko"
    ZH_HANT = "zh-Hant"


class Status(StrEnum):
    """`open` has an owner, `pending` waits on the requester, `on_hold` on a third party, `closed` is final."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"


ENDED = frozenset({Status.RESOLVED, Status.CLOSED})


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class ChannelKind(StrEnum):
    DM = "dm"
    GROUP = "group"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person's account on one platform, in one place (Slack workspace, Teams tenant)."""

    platform: Platform
    place: str
    user: str

    @property
    def key(self) -> str:
        return f"{self.platform}:{self.place}:{self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Anywhere messages can be posted: a channel, a group chat, a direct chat with the bot."""

    platform: Platform
    place: str
    id: str
    kind: ChannelKind = ChannelKind.CHANNEL

    @property
    def key(self) -> str:
        return f"{self.platform}:{self.place}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A channel and, where the platform has threads, the id of the message the thread hangs on."""

    channel: Channel
    root: str | None = None

    @property
    def key(self) -> str:
        return self.channel.key if self.root is None else f"{self.channel.key}:{self.root}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """A message as its platform names it, so that it can be updated or answered."""

    thread: Thread
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What the platform says about who wrote; nothing here is trusted for rights but `account`.

    `locale` is the platform's tag (`ko-KR`), `timezone` an IANA name; `guest` is true for people
    of another organisation (Slack Connect, Teams guests).
    """

    account: Account
    name: str = ""
    locale: str | None = None
    timezone: str | None = None
    guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone the desk knows. `id` is the key in desk.yaml, or a surrogate id for everyone else."""

    id: str
    name: str
    language: Language = Language.EN
    timezone: str | None = None
    account: Account | None = None
    """The account last seen; a private message goes there."""
    guest: bool = False
    """Whether the platform said last that this is somebody of another organisation."""


class Kind(StrEnum):
    """What an inbound thing is. `COMMAND` and `BUTTON` carry command text and always address the bot."""

    POST = "post"
    EDIT = "edit"
    DELETE = "delete"
    COMMAND = "command"
    BUTTON = "button"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One inbound thing, translated by an adapter.

    `key` is the inbox key (DESIGN.md, section 3): equal keys are repeats of one thing.
    `id` is the platform's id of the post (for a button: of the post that carries it).
    `thread` is the id of the thread's root when the post is inside a thread, else None.
    `text` is plain text without the bot's mention; other mentions stay as `@Name` and are listed
    in `mentions`. `reply_url` is Slack's response_url. `reference` is opaque to everyone but the
    adapter: what its port needs to write to this channel later (a Teams conversation reference).
    `last_try` says that the platform will not deliver this again if the turn fails, `tries` how often it did.
    `after` is the inbox key of the post whose thread this is in, where that came just before: platforms do not
    wait for one delivery before the next.
    """

    key: str
    kind: Kind
    sender: Sender
    channel: Channel
    id: str
    text: str = ""
    thread: str | None = None
    mentions_bot: bool = False
    mentions: tuple[Account, ...] = ()
    reply_url: str | None = None
    reference: str | None = None
    last_try: bool = True
    tries: int = 1
    after: str | None = None
    sent_at: datetime | None = None
    """When it was written, as the platform says; a message may come late."""

    @property
    def last_chance(self) -> bool:
        """Whether it came again and for the last time: nobody would learn that it was refused."""
        return self.last_try and self.tries > 1

    @property
    def flat(self) -> bool:
        """A chat without threads of its own: everything said there is one conversation."""
        return self.channel.kind is not ChannelKind.CHANNEL

    @property
    def here(self) -> Thread:
        """Where a reply to this message belongs."""
        if self.flat:
            return Thread(channel=self.channel, root=self.thread)
        return Thread(channel=self.channel, root=self.thread or self.id)

    @property
    def addressed(self) -> bool:
        """Whether the sender spoke to the bot, and so must get an answer or a reason."""
        return self.mentions_bot or self.channel.kind is ChannelKind.DM or self.kind in (Kind.COMMAND, Kind.BUTTON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An inbound thing the desk has nothing to do with (a join notice, its own post), and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A thread (or flat chat) in which someone asked; `key` is `Thread.key`.

    `ticket` is the open or last ticket that this conversation feeds; `article` the article last
    answered here; `question` the text that started it; `reasons` why the bot did what it did.
    """

    key: str
    thread: Thread
    requester: str
    language: Language
    team: str
    question: str
    ticket: str | None = None
    article: str | None = None
    reasons: tuple[str, ...] = ()
    asked: str | None = None
    """Key of the post with the question, so that an edit finds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request someone has to answer. `version` rises with every change (compare-and-set).

    `home` is where the requester is answered; None means privately, by direct message. `called` is the name
    of who was last called about it, at `stepped_at`.
    """

    id: str
    number: int
    team: str
    requester: str
    subject: str
    language: Language
    priority: Priority
    status: Status
    opened_at: datetime
    owner: str | None = None
    conversation: str | None = None
    home: Thread | None = None
    restricted: bool = False
    stepped_at: datetime | None = None
    called: str | None = None
    resolved_at: datetime | None = None
    rating: str | None = None
    version: int = 1

    @property
    def ended(self) -> bool:
        return self.status in ENDED


class EntryKind(StrEnum):
    """`MESSAGE` is the requester's, `REPLY` an agent's to the requester, `NOTE` internal, `EVENT` a fact."""

    MESSAGE = "message"
    REPLY = "reply"
    NOTE = "note"
    EVENT = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a ticket's history; `author` is a person's id, None for the bot."""

    at: datetime
    kind: EntryKind
    author: str | None
    text: str
    message: str | None = None
    """Key of the post it came from, so that an edit or a deletion finds it."""
