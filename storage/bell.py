"""Processes on one PostgreSQL tell each other that there is something to do, by LISTEN and NOTIFY.

`storage.sql` rings after a commit, `bot.running` listens. Only a shortcut: who hears nothing, because the
connection broke or a pooler stands between, finds the same by polling. On SQLite there is one process, and
nobody to tell.

The bell rings after the commit and on a connection of its own: a transaction that notifies holds a lock of
the whole server until it is on disk, so turns that did it would be written one after the other (ADR 9).
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any, cast

import psycopg
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from storage.engine import translated
from triage.errors import DeskError

CHANNEL = "deskbell"
TOGETHER = 0.2
"""Seconds in which what is rung again is said once: others need not look more often."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
QUIET = 30.0
"""Seconds after which a silent connection is tried."""
PATIENCE = 3.0
"""Seconds that the end of the process waits for the bell."""

log = structlog.get_logger(__name__)


class Topic(StrEnum):
    """What there is to look at."""

    OUTBOX = "outbox"
    ARTICLES = "articles"


Heard = Callable[[Topic], None]


class Bell:
    """One connection and one thread of its own, from `listen` to `close`; before and after, `ring` does nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._waiting: set[Topic] = set()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._wake: _Wake | None = None

    def listen(self, heard: Heard) -> None:
        """Call `heard`, in the bell's thread, with what other processes ring; and with everything whenever
        the connection is new, since something may have been missed. Nothing on SQLite."""
        if self._engine.dialect.name != "postgresql" or self._thread is not None:
            return
        self._closing = False
        self._wake = wake = _Wake()
        self._thread = threading.Thread(target=self._run, args=(heard, wake), name="bell", daemon=True)
        self._thread.start()

    def ring(self, *topics: Topic) -> None:
        """Tell the other processes, soon; never waits and never fails."""
        with self._lock:
            if self._wake is None or self._waiting.issuperset(topics):
                return
            self._waiting.update(topics)
            self._wake.up()

    def ring_now(self, *topics: Topic) -> None:
        """Tell the other processes, for one that does not listen (a command); when that fails they find it."""
        if self._engine.dialect.name == "postgresql" and topics:
            with suppress(DeskError), translated(), self._engine.begin() as db:
                for topic in topics:
                    db.execute(text("SELECT pg_notify(:channel, :topic)"), {"channel": CHANNEL, "topic": topic})

    def close(self) -> None:
        """Say what waits, and end."""
        if self._thread is None or self._wake is None:
            return
        self._closing = True
        self._wake.up()
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            with self._lock:
                wake, self._wake, self._thread = self._wake, None, None
            wake.close()

    # --- in the thread ---
    def _run(self, heard: Heard, wake: _Wake) -> None:
        pause = FIRST_PAUSE
        while not self._closing:
            try:
                with self._connected() as db:
                    pause = FIRST_PAUSE
                    for topic in Topic:
                        heard(topic)
                    self._attend(db, heard, wake)
            except (psycopg.Error, SQLAlchemyError, DeskError, OSError) as error:
                log.warning("other processes are not heard; polling goes on", error=str(error), next_try_s=pause)
                self._rest(wake, pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        """Taken out of the pool for good, so that turns have as many as before."""
        pooled = self._engine.raw_connection()
        db = cast("psycopg.Connection[Any]", pooled.driver_connection)
        pooled.detach()
        try:
            db.autocommit = True
            db.execute("SET synchronous_commit = off")  # a lost ring is no loss
            db.execute(f"LISTEN {CHANNEL}")
            yield db
        finally:
            with suppress(psycopg.Error):
                db.close()

    def _attend(self, db: psycopg.Connection[Any], heard: Heard, wake: _Wake) -> None:
        last = 0.0
        while True:
            held = max(0.0, last + TOGETHER - time.monotonic()) if self._waiting else QUIET
            if not wake.wait(held, db.fileno()) and held == QUIET:
                db.execute("SELECT 1")
            if time.monotonic() >= last + TOGETHER and self._say(db):
                last = time.monotonic()
            for topic in dict.fromkeys(_topics(db)):
                heard(topic)
            if self._closing and not self._waiting:
                return

    def _say(self, db: psycopg.Connection[Any]) -> bool:
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for topic in sorted(waiting):
            db.execute("SELECT pg_notify(%s, %s)", (CHANNEL, topic))
        return bool(waiting)

    def _rest(self, wake: _Wake, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._closing and (left := until - time.monotonic()) > 0:
            wake.wait(left)


class _Wake:
    """Ends another thread's wait for a socket."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def up(self) -> None:
        os.write(self._write, b"!")

    def wait(self, seconds: float, *others: int) -> bool:
        """Until `up`, or until one of the others can be read; False when the time passed."""
        readable, _, _ = select.select([self._read, *others], [], [], seconds)
        if self._read in readable:
            os.read(self._read, 4_096)
        return bool(readable)

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


def _topics(db: psycopg.Connection[Any]) -> Iterator[Topic]:
    """What others rang since the last look; one's own ring is none."""
    known = set(Topic)
    for said in db.notifies(timeout=0):
        if said.pid != db.info.backend_pid and said.payload in known:
            yield Topic(said.payload)
