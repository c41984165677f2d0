"""The tables, as SQLModel classes. They never leave `storage`: queries use the tables below them.

Columns are named like the fields of the domain values they keep. Changing anything here needs a
migration in `storage/migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Sequence, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.codec import GUARD, NOTICE, TARGET, Instant, Paged, Stored, Worded
from storage.columns import METADATA, partial, serial, table_of
from triage.document import Document
from triage.escalation import Position
from triage.model import Channel, EntryKind, Language, MessageRef, Platform, Priority, Status, Thread
from triage.outgoing import Reminder
from triage.policy import Metric
from triage.timeline import Do

# Written out, not bound: only then do the databases see that a partial index fits.
WAITING = text("state = 'pending'")
FAILED = text("state = 'failed'")
NOT_ENDED = text("status NOT IN ('resolved', 'closed')")


class InboxRow(SQLModel, table=True):
    __tablename__ = "inbox"
    key: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)


class FailedTurnRow(SQLModel, table=True):
    __tablename__ = "failed_turn"
    id: str = Field(primary_key=True)
    key: str
    at: datetime = Field(sa_type=Instant)
    error: str


class LockRow(SQLModel, table=True):
    """What turns of one thread waited for in 0.2.0. Not used any more: a contracting migration of the release
    after this one takes it away."""

    __tablename__ = "thread_lock"
    key: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)


class PersonRow(SQLModel, table=True):
    """`account` is the key of the account last seen. `surrogate` names the person in the audit; only rows of
    the version before it have none, until they are seen again."""

    __tablename__ = "person"
    id: str = Field(primary_key=True)
    name: str
    language: Language = Field(sa_type=Worded(Language))
    timezone: str | None
    account: str | None
    guest: bool
    surrogate: str | None


class AccountRow(SQLModel, table=True):
    """`direct` is the direct chat of the bot with this account."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("platform", "place", "user"),)
    key: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    platform: Platform = Field(sa_type=Worded(Platform))
    place: str
    user: str
    direct: Channel | None = Field(sa_type=Stored(Channel))


class ConversationRow(SQLModel, table=True):
    __tablename__ = "conversation"
    key: str = Field(primary_key=True)
    thread: Thread = Field(sa_type=Stored(Thread))
    requester: str
    language: Language = Field(sa_type=Worded(Language))
    team: str
    question: str
    ticket: str | None
    article: str | None
    reasons: tuple[str, ...] = Field(sa_type=Stored(tuple[str, ...]))
    asked: str | None


class TicketRow(SQLModel, table=True):
    """`terms` is the key of an agreement; `step_at` is the position's `next_at`, kept so that queries can ask."""

    __tablename__ = "ticket"
    __table_args__ = (
        partial("ticket_conversation", "conversation", where=NOT_ENDED, unique=True),
        partial("ticket_requester", "requester", where=NOT_ENDED),
        partial("ticket_team", "team", where=NOT_ENDED),
        partial("ticket_owner", "owner", where=NOT_ENDED),
        partial("ticket_step_at", "step_at", where=text("step_at IS NOT NULL")),
    )
    id: str = Field(primary_key=True)
    number: int = Field(unique=True)
    team: str
    requester: str
    subject: str
    language: Language = Field(sa_type=Worded(Language))
    priority: Priority = Field(sa_type=Worded(Priority))
    status: Status = Field(sa_type=Worded(Status))
    opened_at: datetime = Field(sa_type=Instant)
    owner: str | None
    conversation: str | None
    home: Thread | None = Field(sa_type=Stored(Thread))
    restricted: bool
    stepped_at: datetime | None = Field(sa_type=Instant)
    called: str | None
    resolved_at: datetime | None = Field(sa_type=Instant)
    rating: str | None
    version: int
    terms: str | None = Field(sa_type=Text)
    position: Position = Field(sa_type=Stored(Position))
    step_at: datetime | None = Field(sa_type=Instant)


class EntryRow(SQLModel, table=True):
    __tablename__ = "entry"
    __table_args__ = (Index("entry_ticket", "ticket", "id"),)
    id: int | None = serial()
    ticket: str = Field(foreign_key="ticket.id")
    at: datetime = Field(sa_type=Instant)
    kind: EntryKind = Field(sa_type=Worded(EntryKind))
    author: str | None
    text: str
    message: str | None


class AgreementRow(SQLModel, table=True):
    """Terms or a calendar as JSON, under the hash of what it says; never changed."""

    __tablename__ = "agreement"
    key: str = Field(primary_key=True)
    text: str


class TicketEventRow(SQLModel, table=True):
    """What a ticket's clocks are computed from; `terms` is the key of an agreement."""

    __tablename__ = "ticket_event"
    __table_args__ = (Index("ticket_event_ticket", "ticket", "id"),)
    id: int | None = serial()
    ticket: str = Field(foreign_key="ticket.id")
    at: datetime = Field(sa_type=Instant, index=True)
    do: Do = Field(sa_type=Worded(Do))
    priority: Priority | None = Field(sa_type=Worded(Priority))
    terms: str | None
    thanks: bool
    team: str | None
    channel: str | None


class ClockRow(SQLModel, table=True):
    """`log` is JSON in which calendars are keys of agreements. `live`, `paused` and `revision` follow from
    it and are kept so that queries can ask for them."""

    __tablename__ = "clock"
    __table_args__ = (partial("clock_next_at", "next_at", where=text("next_at IS NOT NULL")),)
    ticket: str = Field(primary_key=True, foreign_key="ticket.id")
    metric: Metric = Field(primary_key=True, sa_type=Worded(Metric))
    instance: int = Field(primary_key=True)
    log: str
    known_at: datetime = Field(sa_type=Instant)
    rung: tuple[str, ...] = Field(sa_type=Stored(tuple[str, ...]))
    due_at: datetime | None = Field(sa_type=Instant)
    next_at: datetime | None = Field(sa_type=Instant)
    revision: int
    live: bool
    paused: bool


class PingRow(SQLModel, table=True):
    """A reminder for one person; waiting while `said_at` is null, and then not before `not_before`.

    `capped` says that it waited because its person had been told too much already.
    """

    __tablename__ = "ping"
    __table_args__ = (
        partial("ping_waiting", "person", where=text("said_at IS NULL")),
        Index("ping_said", "person", "said_at"),
    )
    key: str = Field(primary_key=True)
    person: str
    ticket: str
    at: datetime = Field(sa_type=Instant)
    reminder: Reminder = Field(sa_type=Stored(Reminder))
    urgent: bool
    said_at: datetime | None = Field(sa_type=Instant)
    not_before: datetime | None = Field(sa_type=Instant)
    capped: bool


class OnCallSwapRow(SQLModel, table=True):
    """Who is on call instead of the rota's person, as agreed in chat."""

    __tablename__ = "oncall_swap"
    id: int | None = serial()
    team: str
    person: str
    since: datetime = Field(sa_type=Instant)
    until: datetime = Field(sa_type=Instant, index=True)
    by: str
    at: datetime = Field(sa_type=Instant)


class HeartbeatRow(SQLModel, table=True):
    """One row: when any process last swept."""

    __tablename__ = "heartbeat"
    id: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)


class DowntimeRow(SQLModel, table=True):
    """A time in which no process swept."""

    __tablename__ = "downtime"
    since: datetime = Field(primary_key=True, sa_type=Instant)
    until: datetime = Field(sa_type=Instant)


class OutboxRow(SQLModel, table=True):
    """`updates` is the slot an update is for. `leased_until` and `not_before` are unix seconds of the
    lease clock. A purged row has no notice any more, but keeps its key for ever."""

    __tablename__ = "outbox"
    __table_args__ = (
        partial("outbox_lane", "lane", "id", where=WAITING),
        partial("outbox_rank", "rank", "id", where=WAITING),
        partial("outbox_updates", "updates", where=WAITING),
        partial("outbox_failed", "id", where=FAILED),
        partial("outbox_bodies", "created_at", where=text("notice IS NOT NULL")),
        Index("outbox_token", "token"),
    )
    id: int | None = serial()
    key: str = Field(unique=True)
    state: str
    lane: str
    bucket: str
    rank: int
    to: Any = Field(sa_type=Stored(TARGET))
    notice: Any = Field(sa_type=Stored(NOTICE), nullable=True)
    language: Language = Field(sa_type=Worded(Language))
    fallback: str
    slot: str | None
    updates: str | None
    ticket: str | None
    conversation: str | None
    guard: Any = Field(sa_type=Stored(GUARD), nullable=True)
    created_at: datetime = Field(sa_type=Instant)
    tries: int
    token: str | None
    leased_until: float | None
    not_before: float | None
    reason: str | None


class PostRow(SQLModel, table=True):
    """A message of the bot and what it belongs to. Of several under one slot the newest counts."""

    __tablename__ = "post"
    __table_args__ = (UniqueConstraint("channel", "message"), Index("post_slot", "slot", "id"))
    id: int | None = serial()
    channel: str
    message: str
    ref: MessageRef = Field(sa_type=Stored(MessageRef))
    slot: str | None
    ticket: str | None
    conversation: str | None


class ReferenceRow(SQLModel, table=True):
    """An adapter's opaque reference, by channel key and by `platform:place`."""

    __tablename__ = "reference"
    key: str = Field(primary_key=True)
    reference: str


class WebPostRow(SQLModel, table=True):
    __tablename__ = "web_post"
    __table_args__ = (Index("web_post_channel", "channel", "number"),)
    number: int | None = serial()
    id: str = Field(unique=True)
    channel: str
    thread: Thread = Field(sa_type=Stored(Thread))
    at: datetime = Field(sa_type=Instant)
    author: str | None
    document: Document = Field(sa_type=Paged)
    only_for: str | None
    edited: bool
    key: str | None = Field(unique=True)


inbox = table_of(InboxRow)
failed_turns = table_of(FailedTurnRow)
people = table_of(PersonRow)
accounts = table_of(AccountRow)
conversations = table_of(ConversationRow)
tickets = table_of(TicketRow)
entries = table_of(EntryRow)
agreements = table_of(AgreementRow)
ticket_events = table_of(TicketEventRow)
clocks = table_of(ClockRow)
pings = table_of(PingRow)
swaps = table_of(OnCallSwapRow)
heartbeats = table_of(HeartbeatRow)
downtimes = table_of(DowntimeRow)
outbox = table_of(OutboxRow)
posts = table_of(PostRow)
references = table_of(ReferenceRow)
web_posts = table_of(WebPostRow)

ticket_numbers = Sequence("ticket_number", metadata=METADATA)
"""Ticket numbers on PostgreSQL; SQLite has no sequences and needs none, having one writer."""
