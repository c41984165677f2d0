"""What is stored, read past the desk: the same few look-ups on the memory and on SQLite.

Used by `tests.simulation.laws` and to find out when something is due next.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, event, select

from storage.codec import build
from storage.engine import make_engine, reading
from storage.memory import MemoryStorage
from storage.rows import clocks, entries, inbox, outbox, pings, tickets
from storage.sql import SqlStorage
from triage.model import Entry
from triage.outgoing import Outgoing, Ping
from triage.ports import Loaded

Late = tuple[str, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An outbox row as it stands."""

    number: int
    outgoing: Outgoing
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that is stored, at one instant."""

    inbox: frozenset[str]
    tickets: tuple[Loaded, ...]
    entries: Mapping[str, tuple[Entry, ...]]
    rows: tuple[Sent, ...]
    pings: tuple[tuple[Ping, bool], ...]
    failed_turns: int


class Inside(Protocol):
    def opened(self) -> Any:
        """The storage as a new process opens it."""
        ...

    def upcoming(self) -> Sequence[Late]:
        """What is to be done, and when: stages of clocks, steps of chains, words to people."""
        ...

    def pending(self) -> int: ...

    def has_key(self, key: str) -> bool:
        """Whether this ping was kept, or said in a channel."""
        ...

    def snapshot(self) -> Snapshot: ...

    def close(self) -> None: ...


class InMemory:
    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._storage = MemoryStorage(clock=clock, new_id=new_id)
        self._t = self._storage._tables

    def opened(self) -> MemoryStorage:
        return self._storage

    def upcoming(self) -> Sequence[Late]:
        found = [(f"ping for {key[1]} of {key[0]}", at) for key, at in self._t.upcoming.items()]
        found += [(f"step of the escalation of {id}", at) for id, at in self._t.steps.items()]
        waiting = (held for held in self._t.pings.values() if held.said_at is None)
        return found + [(f"word to {held.ping.person}", held.not_before or held.ping.at) for held in waiting]

    def pending(self) -> int:
        return len(self._t.waiting)

    def has_key(self, key: str) -> bool:
        return key in self._t.pings or key in self._t.outbox

    def snapshot(self) -> Snapshot:
        with self._storage.writing() as work:
            found = tuple(work.whole(id) for id in self._t.tickets)
        rows = (
            Sent(number=row.number, outgoing=row.outgoing, state=row.state, reason=row.reason or "")
            for row in self._t.outbox.values()
        )
        return Snapshot(
            inbox=frozenset(self._t.inbox),
            tickets=found,
            entries=dict(self._t.entries),
            rows=tuple(rows),
            pings=tuple((held.ping, held.said_at is not None) for held in self._t.pings.values()),
            failed_turns=len(self._t.failed_turns),
        )

    def close(self) -> None:
        pass


class OnSqlite:
    """On a copy of `empty`, a migrated database without rows."""

    def __init__(self, empty: Path, file: Path, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        shutil.copyfile(empty, file)
        self._engine = _engine(file)
        self._clock, self._new_id = clock, new_id

    def opened(self) -> SqlStorage:
        return SqlStorage(self._engine, clock=self._clock, new_id=self._new_id)

    def upcoming(self) -> Sequence[Late]:
        with reading(self._engine) as db:
            rings = db.execute(
                select(clocks.c.ticket, clocks.c.metric, clocks.c.next_at).where(clocks.c.next_at.is_not(None))
            ).all()
            steps = db.execute(select(tickets.c.id, tickets.c.step_at).where(tickets.c.step_at.is_not(None))).all()
            words = db.execute(
                select(pings.c.person, pings.c.at, pings.c.not_before).where(pings.c.said_at.is_(None))
            ).all()
        found = [(f"ping for {row.metric} of {row.ticket}", row.next_at) for row in rings]
        found += [(f"step of the escalation of {row.id}", row.step_at) for row in steps]
        return found + [(f"word to {row.person}", row.not_before or row.at) for row in words]

    def pending(self) -> int:
        return self.opened().outbox.pending()

    def has_key(self, key: str) -> bool:
        with reading(self._engine) as db:
            return any(db.scalar(select(t.c.key).where(t.c.key == key)) for t in (pings, outbox))

    def snapshot(self) -> Snapshot:
        storage = self.opened()
        with storage.reading() as views:
            failed = len(views.health().failed_turns)
        with storage.writing() as work, reading(self._engine) as db:
            ids = db.scalars(select(tickets.c.id).order_by(tickets.c.number)).all()
            rows = db.execute(select(outbox).order_by(outbox.c.id)).all()
            held = db.execute(select(pings)).all()
            lines = db.execute(select(entries).order_by(entries.c.id)).all()
            return Snapshot(
                inbox=frozenset(db.scalars(select(inbox.c.key)).all()),
                tickets=tuple(work.whole(id) for id in ids),
                entries={id: tuple(build(Entry, line) for line in lines if line.ticket == id) for id in ids},
                rows=tuple(
                    Sent(number=row.id, outgoing=build(Outgoing, row), state=row.state, reason=row.reason or "")
                    for row in rows
                ),
                pings=tuple((build(Ping, row), row.said_at is not None) for row in held),
                failed_turns=failed,
            )

    def close(self) -> None:
        self._engine.dispose()


def _engine(file: Path) -> Engine:
    """Nothing pulls the plug of this machine, so nothing need reach the disk."""
    engine = make_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine
