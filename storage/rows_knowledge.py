"""The tables of articles and of what was learned about them, as SQLModel classes.

As `storage.rows`: they never leave `storage`, and changing anything here needs a migration.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from storage.codec import Instant, Stored, Worded
from storage.columns import partial, serial, table_of
from triage.learning import CaseKind, Event, ProposalKind, ProposalState
from triage.model import Language


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
    id: int | None = serial()
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
        partial("proposal_waiting", "team", where=text("state = 'waiting'")),
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


articles = table_of(ArticleRow)
phrasings = table_of(PhrasingRow)
kb_revision = table_of(KbRevisionRow)
kb_pulls = table_of(KbPullRow)
cases = table_of(CaseRow)
proposals = table_of(ProposalRow)
kb_events = table_of(EventRow)
