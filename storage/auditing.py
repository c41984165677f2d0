"""The audit on SQL: written in the transaction of what it tells of, and never changed.

Used by `storage.unit_of_work`, and by whatever else changes or hands out what is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, select

from storage.codec import build
from storage.pen import Db, write
from storage.rows import people
from storage.rows_data import audit
from triage.auditing import Act, AuditLine, By

BATCH = 1_000


def keep(db: Db, acts: Iterable[Act], by: By, at: datetime) -> None:
    """Write a line for each."""
    who = {"at": at, "by": by.who, "platform": by.platform, "place": by.place, "why": by.why}
    lines = [who | {"what": act.what, "ticket": act.ticket, "of": act.about} for act in acts]
    write(db, _insert(), lines)


def lines(db: Connection, *which: Any) -> Iterator[AuditLine]:
    """The lines that fit, oldest first."""
    rows = db.execute(select(audit).where(*which).order_by(audit.c.id).execution_options(yield_per=BATCH))
    return (build(AuditLine, row) for row in rows)


@cache
def _insert() -> Insert:
    """People are named by their surrogates, looked up in the same statement."""
    who = select(people.c.surrogate).where(people.c.id == bindparam("by")).scalar_subquery()
    about = select(people.c.surrogate).where(people.c.id == bindparam("of")).scalar_subquery()
    given = ("at", "what", "ticket", "platform", "place", "why")
    return audit.insert().values({name: bindparam(name) for name in given} | {"who": who, "about": about})
