"""The storage on SQLite or PostgreSQL, as the rest of the program sees it. Made by `bot.compose`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, null, select, text, update

from storage.agreements import Agreements
from storage.auditing import lines
from storage.bell import Bell
from storage.engine import Unusable, glancing, reading, upsert, writing
from storage.histories import History, Late, downtimes_since, histories, late, open_tickets
from storage.library import SqlLibrary
from storage.outbox import SqlOutbox
from storage.retention import Retention
from storage.rows import inbox, outbox, pings, references
from storage.rows_knowledge import kb_events
from storage.transcript import SqlTranscript
from storage.unit_of_work import SqlWork
from storage.views import Health, SqlReading
from triage.auditing import AuditLine
from triage.figures import Downtime
from triage.learning import Case

INBOX_DAYS = 7
"""Longer than any platform's retries."""
BODY_DAYS = 30
EVENT_DAYS = 90
MANY = 10_000
"""Cases read at once."""


PROOF, PROOF_SIZE = "proof", 65_536
"""A row of so many bytes does not fit where there is no room left."""


def fresh_id() -> str:
    return uuid.uuid4().hex


class SqlStorage:
    """Implements `triage.ports.Storage`.

    Every method raises Unavailable when the database cannot be reached in time, and Conflict when
    another transaction was first. `clock` gives unix seconds for leases (SQLite only).
    """

    def __init__(
        self, engine: Engine, *, clock: Callable[[], float] = time.time, new_id: Callable[[], str] = fresh_id
    ) -> None:
        self._engine = engine
        self._agreements = Agreements()
        self._new_id = new_id
        self._doubted = False
        self.outbox = SqlOutbox(engine, clock=clock, new_id=new_id)
        self.transcript = SqlTranscript(engine)
        self.bell = Bell(engine)
        self.retention = Retention(engine)
        self.library = SqlLibrary(engine, self.bell.ring)

    @contextmanager
    def reading(self) -> Iterator[SqlReading]:
        with glancing(self._engine) as connection:
            yield SqlReading(connection)

    @contextmanager
    def writing(self) -> Iterator[SqlWork]:
        with self._watched(), writing(self._engine) as connection:
            yield SqlWork(connection, self._agreements, ring=self.bell.ring, new_id=self._new_id)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except Unusable:
            self._doubted = True
            raise

    def ping(self) -> None:
        """Raises Unavailable when the database cannot be reached, or could not be written and still cannot."""
        with reading(self._engine) as connection:
            connection.execute(select(1))
        if self._doubted:
            self.prove()
            self._doubted = False

    def prove(self) -> None:
        """Write something of some size, and take it back. Raises Unavailable."""
        with writing(self._engine) as connection:
            upsert(connection, references, {"key": PROOF, "reference": "." * PROOF_SIZE}, "key")
            connection.commit()
            connection.execute(delete(references).where(references.c.key == PROOF))
            connection.commit()

    def damage(self) -> str | None:
        """What SQLite finds wrong with its file, None when nothing; reads all of it. Raises Unavailable."""
        if self._engine.dialect.name != "sqlite":
            return None
        with reading(self._engine) as connection:
            found = connection.scalars(text("PRAGMA quick_check(3)")).all()
        return None if found == ["ok"] else "; ".join(found)

    def health(self) -> Health:
        with self.reading() as views:
            return views.health()

    def unreachable(self) -> Mapping[str, str]:
        """Why each person the bot could not write to directly was not reached, by id; reads the whole outbox."""
        with self.reading() as views:
            return views.unreachable()

    def cases(self, limit: int = MANY) -> Sequence[Case]:
        """The newest labelled cases, oldest first; none of tickets that are restricted by now."""
        with self.reading() as views:
            return views.lessons.cases(limit)

    def histories(self, since: datetime) -> Iterator[History]:
        """Whole tickets opened since then, in the order of their numbers."""
        with reading(self._engine) as db:
            yield from histories(db, self._agreements, since)

    def open_tickets(self) -> Sequence[str]:
        with reading(self._engine) as db:
            return open_tickets(db)

    def downtimes(self, since: datetime) -> tuple[Downtime, ...]:
        with reading(self._engine) as db:
            return downtimes_since(db, since)

    def late(self, at: datetime) -> Sequence[Late]:
        """What should have been done by then and was not."""
        with reading(self._engine) as db:
            return late(db, at)

    def audit(self) -> tuple[AuditLine, ...]:
        """All lines, oldest first."""
        with reading(self._engine) as db:
            return tuple(lines(db))

    def purge(self, now: datetime) -> None:
        """Forget inbox keys after 7 days, what was said after 30, figures after 90; outbox keys stay."""
        old = now - timedelta(days=INBOX_DAYS)
        spoken = outbox.c.created_at < now - timedelta(days=BODY_DAYS)
        done = outbox.c.notice.is_not(None) & outbox.c.state.in_(["sent", "dropped"])
        with writing(self._engine) as connection:
            connection.execute(delete(inbox).where(inbox.c.at < old))
            connection.execute(delete(kb_events).where(kb_events.c.at < now - timedelta(days=EVENT_DAYS)))
            connection.execute(delete(pings).where(pings.c.said_at < now - timedelta(days=BODY_DAYS)))
            connection.execute(update(outbox).where(spoken, done).values(notice=null(), fallback=""))
            connection.commit()

    def close(self) -> None:
        """Close the connections."""
        self.bell.close()
        self._engine.dispose()
