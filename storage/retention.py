"""Tickets and audit that are kept no longer. `bot.running` calls it as a fixed job.

A ticket goes with all that hangs on it, a few in a transaction, so that turns need not wait. The audit goes
as far as its own triggers let it: they read the number of days from the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, or_, select

from storage.auditing import keep
from storage.engine import upsert, writing
from storage.rows import clocks, conversations, entries, outbox, pings, posts, ticket_events, tickets
from storage.rows_data import audit, retentions
from storage.rows_knowledge import cases, proposals
from triage.auditing import FORGOTTEN, Act, By, Why
from triage.model import ENDED

AT_ONCE = 20
AUDIT_AT_ONCE = 1_000
AT_LEAST = 30
"""Days for which the audit's triggers let nothing go, whatever is set."""


class Retention:
    """Every method raises Unavailable, and goes on the next time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def forget_tickets(self, now: datetime, after: timedelta) -> int:
        """Delete some tickets that ended so long ago; how many, 0 when none is left."""
        with writing(self._engine) as db:
            old = _old(db, now - after)
            if old:
                _forget(db, old)
                keep(db, [Act(what=FORGOTTEN, ticket=id) for id in old], By(why=Why.RETENTION), now)
                db.commit()
        return len(old)

    def forget_audit(self, now: datetime, after: timedelta) -> int:
        """Delete some lines of the audit that are so old; how many, 0 when none is left."""
        days = max(AT_LEAST, after.days)
        oldest = select(audit.c.id).where(audit.c.at < now - timedelta(days=days)).order_by(audit.c.id)
        with writing(self._engine) as db:
            upsert(db, retentions, {"what": "audit", "days": days}, "what")
            gone = db.execute(delete(audit).where(audit.c.id.in_(oldest.limit(AUDIT_AT_ONCE)))).rowcount
            db.commit()
        return gone


def _old(db: Connection, before: datetime) -> Sequence[str]:
    """Ended tickets to which nothing happened since; one being changed just now is left for later, and the
    newest of all for ever, so that its number is not given again."""
    happened = select(func.max(ticket_events.c.at)).where(ticket_events.c.ticket == tickets.c.id).scalar_subquery()
    last = func.coalesce(happened, tickets.c.resolved_at, tickets.c.opened_at)
    newest = select(func.max(tickets.c.number)).scalar_subquery()
    ended = (tickets.c.status.in_(ENDED), tickets.c.opened_at < before, last < before, tickets.c.number < newest)
    found = select(tickets.c.id).where(*ended)
    return db.scalars(found.order_by(tickets.c.number).limit(AT_ONCE).with_for_update(skip_locked=True)).all()


def _forget(db: Connection, ids: Sequence[str]) -> None:
    """Labelled questions go too: nothing else would say any more whose words they are."""
    theirs = conversations.c.ticket.in_(ids)
    keys = select(conversations.c.key).where(theirs)
    for table in (outbox, posts):
        db.execute(delete(table).where(or_(table.c.ticket.in_(ids), table.c.conversation.in_(keys))))
    for table in (entries, ticket_events, clocks, pings, cases, proposals):
        db.execute(delete(table).where(table.c.ticket.in_(ids)))
    db.execute(delete(conversations).where(theirs))
    db.execute(delete(tickets).where(tickets.c.id.in_(ids)))
