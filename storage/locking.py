"""The inbox keys that turns claim, and the threads they lock while they last (ADR 11). Used by `storage`.

A lock is a number made of the thread's name. SQLite has one writer at a time and needs none. Keys come before
locks, each in one order, in every transaction: two that take several of them never wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from storage.engine import STATEMENT_MS, is_postgres
from storage.pen import Db
from storage.rows import inbox

INSTANT_MS = 50
"""How long somebody waits for one lock who will not wait."""

# Of two threads with one hash, 64 bits, the turns wait for each other; that costs time, nothing else.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:thread, 0))")
WAIT = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:thread, 0))")
CLAIM = text("""
    WITH claimed AS (
        INSERT INTO inbox (key, at) SELECT key, CAST(:at AS timestamptz) FROM unnest(CAST(:keys AS text[])) AS key
        WHERE (SELECT set_config('lock_timeout', CAST(:wait AS text), true)) IS NOT NULL
        ORDER BY key ON CONFLICT DO NOTHING RETURNING key
    )
    SELECT claims.keys, count(pg_advisory_xact_lock(hashtextextended(thread, 0)))
    FROM (SELECT array_agg(key) AS keys FROM claimed) AS claims,
        (SELECT DISTINCT thread FROM unnest(CAST(:threads AS text[])) AS thread ORDER BY thread) AS threads
    GROUP BY claims.keys
""")
CLAIM_ALONE = sqlite.insert(inbox).on_conflict_do_nothing().returning(inbox.c.key)


def claim_and_lock(db: Db, claims: Mapping[str, str], at: datetime, *, patient: bool) -> Collection[str]:
    """Put the keys of `claims` into the inbox and lock their threads, in one statement; the keys that were new.

    Who is not `patient` waits for no lock of this transaction longer than an instant: raises Locked.
    """
    if not is_postgres(db):
        return set(db.scalars(CLAIM_ALONE, [{"key": key, "at": at} for key in claims]))
    given = {"keys": list(claims), "threads": list(claims.values()), "at": at}
    return db.scalar(CLAIM, given | {"wait": str(STATEMENT_MS if patient else INSTANT_MS)}) or ()


def lock_thread(db: Db, thread: str) -> None:
    """Other transactions that lock this thread wait until this one ends."""
    if is_postgres(db):
        db.execute(LOCK, {"thread": thread})


def wait_for_thread(db: Db, thread: str) -> None:
    """Until no transaction has this thread locked."""
    if is_postgres(db):
        db.execute(WAIT, {"thread": thread})
