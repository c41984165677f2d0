"""What is kept no longer goes whole, in small steps; what is kept stays untouched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from storage.columns import METADATA
from storage.retention import AT_ONCE
from storage.rows_data import audit
from storage.sql import SqlStorage
from tests.contract.storages import (
    ASKED,
    AT,
    Bench,
    converse,
    deliver,
    keep_clock,
    open_ticket,
    ping,
    record,
    sent_as,
    words,
)
from triage.auditing import Why
from triage.changes import Change, Decision, KeepCase, KeepEvent, KeepPing, SetStatus
from triage.learning import Case, CaseKind
from triage.model import Status
from triage.timeline import Do, Event

A_YEAR = timedelta(days=365)


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(f"{request.param}_bench")
    return found


@pytest.fixture
def storage(bench: Bench) -> SqlStorage:
    assert isinstance(bench.storage, SqlStorage)
    return bench.storage


def ended(storage: SqlStorage, number: int, at: datetime = AT, **changes: Any) -> None:
    """A ticket that was closed then."""
    opened = open_ticket(storage, number, **changes)
    closing: tuple[Change, ...] = (
        SetStatus(ticket=opened.id, status=Status.CLOSED, at=at),
        KeepEvent(ticket=opened.id, event=Event(at=at, do=Do.CLOSE)),
    )
    record(storage, *closing, at=at)


def numbers(storage: SqlStorage) -> list[int]:
    with storage.reading() as reading:
        return [number for number in range(100) if reading.numbered(number)]


def test_an_old_ticket_goes_with_all_that_hangs_on_it(bench: Bench, storage: SqlStorage) -> None:
    """No row of any table names it any more, but for the audit."""
    ended(storage, 1, conversation=ASKED.key)
    converse(storage, ASKED, ticket="t1")
    keep_clock(storage)
    case = Case(id="c1", at=AT, text="Request 1", article="vpn", kind=CaseKind.LINKED, person="lee", ticket="t1")
    record(storage, KeepPing(ping=ping()), KeepCase(case=case))
    deliver(storage, words("o1", ticket="t1", conversation=ASKED.key), sent_as("5.5"))
    ended(storage, 2)
    assert storage.retention.forget_tickets(AT + 2 * A_YEAR, A_YEAR) == 1
    assert numbers(storage) == [2]
    assert bench.engine is not None
    with bench.engine.connect() as db:
        for name, table in METADATA.tables.items():
            if "ticket" in table.c and name != "audit":
                assert db.scalars(select(table).where(table.c.ticket == "t1")).all() == []
        assert db.scalars(select(METADATA.tables["conversation"].c.key)).all() == []
    assert storage.audit()[-1].what == "audit.forgotten"


def test_open_and_younger_tickets_stay(storage: SqlStorage) -> None:
    """The last that happened counts, not when it was opened."""
    open_ticket(storage, 1)
    ended(storage, 2, AT + A_YEAR)
    ended(storage, 3)
    ended(storage, 4)
    storage.retention.forget_tickets(AT + A_YEAR + timedelta(days=1), A_YEAR)
    assert numbers(storage) == [1, 2, 4]


def test_the_number_of_a_deleted_ticket_is_not_given_again(storage: SqlStorage) -> None:
    """Somebody may still ask for #2."""
    ended(storage, 1)
    ended(storage, 2)
    storage.retention.forget_tickets(AT + 2 * A_YEAR, A_YEAR)
    with storage.writing() as work:
        work.record(Decision(), AT)
        assert work.look().numbered(2) is not None


def test_many_go_in_small_steps(storage: SqlStorage) -> None:
    """So that turns need not wait."""
    for number in range(1, AT_ONCE + 4):
        ended(storage, number)
    assert storage.retention.forget_tickets(AT + 2 * A_YEAR, A_YEAR) == AT_ONCE
    assert storage.retention.forget_tickets(AT + 2 * A_YEAR, A_YEAR) == 2
    assert storage.retention.forget_tickets(AT + 2 * A_YEAR, A_YEAR) == 0


def test_the_audit_goes_when_it_is_old(bench: Bench, storage: SqlStorage) -> None:
    """Never what is younger than 30 days, whatever is set."""
    now = datetime.now(UTC)
    assert bench.engine is not None
    with bench.engine.begin() as db:
        for days in (400, 40, 20):
            db.execute(insert(audit), {"at": now - timedelta(days=days), "what": "audit.read", "why": Why.TIME})
    assert storage.retention.forget_audit(now, A_YEAR) == 1
    assert storage.retention.forget_audit(now, timedelta(days=1)) == 1
    assert storage.retention.forget_audit(now, timedelta(days=1)) == 0
    assert len(storage.audit()) == 1
