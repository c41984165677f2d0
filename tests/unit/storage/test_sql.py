"""What only the SQL storage does: few statements, retention, compare-and-set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from storage.agreements import Agreements
from storage.engine import writing
from storage.sql import SqlStorage, fresh_id
from storage.unit_of_work import SqlWork
from tests.contract.storages import (
    ANN,
    ASKED,
    AT,
    CHAT,
    TERMS,
    Bench,
    conversation,
    deliver,
    kept_clock,
    lease,
    message,
    open_ticket,
    ping,
    record,
    sent_as,
    ticket,
    words,
)
from triage import timeline as clocked
from triage.changes import (
    AddEntry,
    Assign,
    Converse,
    Count,
    Decision,
    KeepEvent,
    KeepPing,
    KeepTerms,
    Meet,
    OpenTicket,
    SayPings,
)
from triage.errors import Conflict
from triage.learning import Event
from triage.model import Entry, EntryKind, Priority, Thread
from triage.ports import Lookup


def engine_of(bench: Bench) -> Engine:
    assert bench.engine is not None
    return bench.engine


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Every statement sent meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_a_turn_costs_few_statements(sqlite_bench: Bench) -> None:
    """A question, by somebody known, that opens a ticket: claim, a look-up, the number, and one write for each fact and
    one for the audit; its terms and their calendar are those of the ticket before."""
    open_ticket(sqlite_bench.storage, 9)
    record(sqlite_bench.storage, KeepTerms(ticket="t9", terms=TERMS), kept_clock(9))
    entry = Entry(at=AT, kind=EntryKind.MESSAGE, author="ann", text="VPN down")
    opened = clocked.Event(at=AT, do=clocked.Do.OPEN, priority=Priority.NORMAL, terms=TERMS)
    opening = (
        Meet(person=ANN, known=ANN),
        Converse(conversation=conversation(ticket="t1")),
        OpenTicket(ticket=ticket(conversation=ASKED.key)),
        AddEntry(ticket="t1", entry=entry),
        KeepTerms(ticket="t1", terms=TERMS),
        KeepEvent(ticket="t1", event=opened),
        kept_clock(next_at=AT),
    )
    with statements(engine_of(sqlite_bench)) as seen, sqlite_bench.storage.writing() as work:
        work.claim_all({"k1": ASKED}, AT)
        work.load(Lookup(sender="ann", here=ASKED, root=None, flat=False, fresh=True))
        work.next_number()
        work.record(Decision(changes=opening, outgoing=(words("o1"), words("o2"))), AT, message=message())
        work.commit()
    assert len(seen) <= 12


def test_the_inbox_key_is_the_first_statement(sqlite_bench: Bench) -> None:
    """A repeat stops before anything is read."""
    with statements(engine_of(sqlite_bench)) as seen, sqlite_bench.storage.writing() as work:
        work.claim("k1", AT)
    assert seen[0] == "BEGIN IMMEDIATE"
    assert seen[1].startswith("INSERT INTO inbox")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_version_that_moved_is_a_conflict(kind: str, request: pytest.FixtureRequest) -> None:
    """Even where no lock was held, a ticket changed since it was loaded is not overwritten."""
    bench: Bench = request.getfixturevalue(f"{kind}_bench")
    open_ticket(bench.storage)
    with writing(engine_of(bench)) as connection:
        work = SqlWork(connection, Agreements(), ring=lambda *_: None, new_id=fresh_id)
        work.load(Lookup(sender="ann", here=ASKED, root=None, flat=False, number=1))
        connection.execute(text("UPDATE ticket SET version = 2"))
        with pytest.raises(Conflict):
            work.record(Decision(changes=(Assign(ticket="t1", owner="lee"),)), AT)


def test_turns_of_different_threads_do_not_wait(postgres_bench: Bench) -> None:
    """On PostgreSQL only one thread's turns are serialised."""
    with postgres_bench.storage.writing() as first, postgres_bench.storage.writing() as second:
        first.load(Lookup(sender="ann", here=ASKED, root=None, flat=False))
        elsewhere = Lookup(sender="bob", here=Thread(channel=CHAT), root=None, flat=True)
        assert second.load(elsewhere).ticket is None


def test_a_known_reference_is_not_written_again(postgres_bench: Bench) -> None:
    """Turns of one place need not wait for each other; else the second would give up here."""
    heard = message(reference="ref")
    record(postgres_bench.storage, on=heard)
    with postgres_bench.storage.writing() as first, postgres_bench.storage.writing() as second:
        first.record(Decision(), AT, message=heard)
        second.record(Decision(), AT, message=heard)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_purging_forgets_what_was_said_long_ago(kind: str, request: pytest.FixtureRequest) -> None:
    """Inbox keys go after 7 days and bodies of sent rows after 30; outbox keys stay for ever."""
    bench: Bench = request.getfixturevalue(f"{kind}_bench")
    storage = bench.storage
    assert isinstance(storage, SqlStorage)
    with storage.writing() as work:
        work.claim("k1", AT)
        work.commit()
    deliver(storage, words("sent"), sent_as("1.1"))
    record(storage, said=(words("waiting"),))
    storage.purge(AT + timedelta(days=31))
    record(storage, said=(words("sent"),))
    with storage.reading() as reading:
        assert not reading.seen("k1")
    with engine_of(bench).connect() as connection:
        rows = connection.execute(text("SELECT key, notice IS NULL AS empty FROM outbox ORDER BY id")).all()
    assert [(row.key, bool(row.empty)) for row in rows] == [("sent", True), ("waiting", False)]
    assert list(lease(storage.outbox)) == ["waiting"]


def test_figures_are_forgotten_after_90_days(sqlite_bench: Bench) -> None:
    """A report needs a day; nobody's questions are to be traced for ever."""
    storage = sqlite_bench.storage
    assert isinstance(storage, SqlStorage)
    record(storage, Count(id="m1", team="it", event=Event.ANSWER))
    counted = []
    for days in (89, 91):
        storage.purge(AT + timedelta(days=days))
        with storage.reading() as reading:
            counted.append(reading.lessons.figures("it", AT, AT + timedelta(days=1)).asked)
    assert counted == [1, 0]


def test_pings_are_forgotten_30_days_after_they_were_said(sqlite_bench: Bench) -> None:
    """Those that wait are kept, however old."""
    storage = sqlite_bench.storage
    assert isinstance(storage, SqlStorage)
    record(storage, KeepPing(ping=ping("said")), KeepPing(ping=ping("waiting")), SayPings(keys=("said",), at=AT))
    left = []
    for days in (29, 31):
        storage.purge(AT + timedelta(days=days))
        with engine_of(sqlite_bench).connect() as connection:
            left.append(connection.scalars(text("SELECT key FROM ping ORDER BY key")).all())
    assert left == [["said", "waiting"], ["waiting"]]


def test_purging_leaves_what_is_recent(sqlite_bench: Bench) -> None:
    """A platform's retries still find their key."""
    storage = sqlite_bench.storage
    assert isinstance(storage, SqlStorage)
    with storage.writing() as work:
        work.claim("k1", AT)
        work.commit()
    storage.purge(AT + timedelta(days=6))
    with storage.reading() as reading:
        assert reading.seen("k1")
