"""The tables of the audit, of retention and of erasures under way, as SQLModel classes.

As `storage.rows`: they never leave `storage`, and changing anything here needs a migration. Triggers keep
`audit` from being changed (`storage/migrations/versions/data_0004.py`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.codec import Instant, Stored, Worded
from storage.columns import partial, serial, table_of
from storage.needles import Needles
from triage.auditing import Why
from triage.model import Platform


class AuditRow(SQLModel, table=True):
    """Only ever added to. `who` and `about` are surrogates of people; nobody's words are in it."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_ticket", "ticket", "id"),
        partial("audit_who", "who", "id", where=text("who IS NOT NULL")),
        partial("audit_about", "about", "id", where=text("about IS NOT NULL")),
        Index("audit_at", "at"),
    )
    id: int | None = serial()
    at: datetime = Field(sa_type=Instant)
    who: str | None
    what: str
    ticket: str | None
    about: str | None
    platform: Platform | None = Field(sa_type=Worded(Platform))
    place: str | None
    why: Why = Field(sa_type=Worded(Why))


class RetentionRow(SQLModel, table=True):
    """How many days something is kept; the audit's triggers read it, and refuse everything without it."""

    __tablename__ = "retention"
    what: str = Field(primary_key=True)
    days: int


class ErasureRow(SQLModel, table=True):
    """An erasure under way: what is to be found and replaced; gone when nothing is found any more."""

    __tablename__ = "erasure"
    person: str = Field(primary_key=True)
    begun_at: datetime = Field(sa_type=Instant)
    needles: Needles = Field(sa_type=Stored(Needles))


audit = table_of(AuditRow)
retentions = table_of(RetentionRow)
erasures = table_of(ErasureRow)
