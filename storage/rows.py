"""The tables, as SQLModel classes. They never leave `storage`: queries use the tables below them.

Columns are named like the fields of the domain values they keep. Changing anything here needs a
migration in `storage/migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Sequence, Table, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.codec import GUARD, NOTICE, TARGET, Instant, Paged, Stored, Worded
from triage.document import Document
from triage.escalation import Position
from triage.learning import CaseKind, Event, ProposalKind, ProposalState
from triage.model import Channel, EntryKind, Language, MessageRef, Platform, Priority, Status, Thread
from triage.outgoing import Reminder
from triage.policy import Metric
from triage.timeline import Do

# Written out, not bound: only then do the databases see that a partial index fits.
WAITING = text("state = 'pending'")
FAILED = text("state = 'failed'")
NOT_ENDED = text("status NOT IN ('resolved', 'closed')")


def _serial() -> Any:
    return Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, nullable=False)
    )


def _partial(name: str, *columns: str, where: Any, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


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
    """What turns of one thread wait for on PostgreSQL, before there is a conversation to lock."""

    __tablename__ = "thread_lock"
    key: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)


class PersonRow(SQLModel, table=True):
    """`account` is the key of the account last seen."""

    __tablename__ = "person"
    id: str = Field(primary_key=True)
    name: str
    language: Language = Field(sa_type=Worded(Language))
    timezone: str | None
    account: str | None
    guest: bool


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
        _partial("ticket_conversation", "conversation", where=NOT_ENDED, unique=True),
        _partial("ticket_requester", "requester", where=NOT_ENDED),
        _partial("ticket_team", "team", where=NOT_ENDED),
        _partial("ticket_owner", "owner", where=NOT_ENDED),
        _partial("ticket_step_at", "step_at", where=text("step_at IS NOT NULL")),
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
    id: int | None = _serial()
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
    id: int | None = _serial()
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
    __table_args__ = (_partial("clock_next_at", "next_at", where=text("next_at IS NOT NULL")),)
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
        _partial("ping_waiting", "person", where=text("said_at IS NULL")),
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
    id: int | None = _serial()
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
        _partial("outbox_lane", "lane", "id", where=WAITING),
        _partial("outbox_rank", "rank", "id", where=WAITING),
        _partial("outbox_updates", "updates", where=WAITING),
        _partial("outbox_failed", "id", where=FAILED),
        _partial("outbox_bodies", "created_at", where=text("notice IS NOT NULL")),
        Index("outbox_token", "token"),
    )
    id: int | None = _serial()
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
    id: int | None = _serial()
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
    number: int | None = _serial()
    id: str = Field(unique=True)
    channel: str
    thread: Thread = Field(sa_type=Stored(Thread))
    at: datetime = Field(sa_type=Instant)
    author: str | None
    document: Document = Field(sa_type=Paged)
    only_for: str | None
    edited: bool
    key: str | None = Field(unique=True)


class ArticleRow(SQLModel, table=True):
    """An article in one language, as its source gave it. A retired one is kept, but not in force."""

    __tablename__ = "article"
    id: str = Field(primary_key=True)
    language: Language = Field(primary_key=True, sa_type=Worded(Language))
    source: str = Field(index=True)
    title: str
    body: str
    phrasings: tuple[str, ...] = Field(sa_type=Stored(tuple[str, ...]))
    against: tuple[str, ...] = Field(sa_type=Stored(tuple[str, ...]))
    team: str
    audience: str
    tags: tuple[str, ...] = Field(sa_type=Stored(tuple[str, ...]))
    owner: str | None
    review: date | None
    version: int
    changed_at: datetime = Field(sa_type=Instant)
    retired_at: datetime | None = Field(sa_type=Instant)


class PhrasingRow(SQLModel, table=True):
    """A way to ask that was learned, laid over the article; `against` says that it is not meant by this."""

    __tablename__ = "phrasing"
    __table_args__ = (Index("phrasing_article", "article", "language"),)
    id: int | None = _serial()
    article: str
    language: Language = Field(sa_type=Worded(Language))
    text: str
    against: bool
    by: str
    at: datetime = Field(sa_type=Instant)


class KbRevisionRow(SQLModel, table=True):
    """One row, whose `revision` rises in every transaction that changes articles or learned phrasings."""

    __tablename__ = "kb_revision"
    id: int = Field(primary_key=True)
    revision: int = Field(sa_type=BigInteger)


class KbPullRow(SQLModel, table=True):
    """How the last pull of a git checkout of articles ended, for `doctor`; `problem` is null when well."""

    __tablename__ = "kb_pull"
    folder: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    problem: str | None


class CaseRow(SQLModel, table=True):
    """A labelled question; its id is made of what it says, so that saying it twice keeps it once."""

    __tablename__ = "kb_case"
    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)
    text: str
    article: str | None
    kind: CaseKind = Field(sa_type=Worded(CaseKind))
    person: str
    ticket: str | None = Field(index=True)
    audience: str


class ProposalRow(SQLModel, table=True):
    __tablename__ = "proposal"
    __table_args__ = (
        Index("proposal_article", "article"),
        Index("proposal_offered", "offered_at"),
        _partial("proposal_waiting", "team", where=text("state = 'waiting'")),
    )
    id: str = Field(primary_key=True)
    kind: ProposalKind = Field(sa_type=Worded(ProposalKind))
    article: str
    title: str
    text: str
    body: str
    language: Language = Field(sa_type=Worded(Language))
    team: str
    person: str
    ticket: str | None
    made_at: datetime = Field(sa_type=Instant)
    offered_at: datetime | None = Field(sa_type=Instant)
    state: ProposalState = Field(sa_type=Worded(ProposalState))
    settled_by: str | None
    settled_at: datetime | None = Field(sa_type=Instant)


class EventRow(SQLModel, table=True):
    """A question, or what was said of its answer, as a figure: nobody's words, forgotten after 90 days."""

    __tablename__ = "kb_event"
    __table_args__ = (Index("kb_event_team", "team", "at"), Index("kb_event_at", "at"))
    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    team: str
    event: Event = Field(sa_type=Worded(Event))
    article: str | None
    confidence: float | None


def _table(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]


METADATA = SQLModel.metadata

inbox = _table(InboxRow)
failed_turns = _table(FailedTurnRow)
locks = _table(LockRow)
people = _table(PersonRow)
accounts = _table(AccountRow)
conversations = _table(ConversationRow)
tickets = _table(TicketRow)
entries = _table(EntryRow)
agreements = _table(AgreementRow)
ticket_events = _table(TicketEventRow)
clocks = _table(ClockRow)
pings = _table(PingRow)
swaps = _table(OnCallSwapRow)
heartbeats = _table(HeartbeatRow)
downtimes = _table(DowntimeRow)
outbox = _table(OutboxRow)
posts = _table(PostRow)
references = _table(ReferenceRow)
web_posts = _table(WebPostRow)
articles = _table(ArticleRow)
phrasings = _table(PhrasingRow)
kb_revision = _table(KbRevisionRow)
kb_pulls = _table(KbPullRow)
cases = _table(CaseRow)
proposals = _table(ProposalRow)
kb_events = _table(EventRow)

ticket_numbers = Sequence("ticket_number", metadata=METADATA)
"""Ticket numbers on PostgreSQL; SQLite has no sequences and needs none, having one writer."""
