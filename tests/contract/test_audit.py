"""The audit: one line for each change of a ticket, in its transaction, by surrogate ids, and never changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError

from storage.columns import METADATA
from storage.rows_data import audit, retentions
from tests.contract.storages import (
    ANN,
    AT,
    LEE,
    Bench,
    kept_clock,
    message,
    open_ticket,
    record,
    ticket,
)
from triage.auditing import AuditLine, Why
from triage.changes import (
    AddEntry,
    Assign,
    Change,
    Consult,
    Decision,
    Detach,
    EditEntry,
    KeepPosition,
    KeepTerms,
    Meet,
    OpenTicket,
    Rate,
    SetPriority,
    SetStatus,
    SwapOnCall,
    TicketChange,
    Transfer,
)
from triage.escalation import Position
from triage.model import Entry, EntryKind, Kind, Language, Platform, Priority, Status
from triage.phrases import catalogue
from triage.policy import Terms
from triage.rota import Override

NOTE = Entry(at=AT, kind=EntryKind.NOTE, author="lee", text="Secret words")
CHANGES: list[tuple[Change, str]] = [
    (Assign(ticket="t1", owner="lee"), "audit.assigned"),
    (Assign(ticket="t1", owner=None), "audit.released"),
    (SetStatus(ticket="t1", status=Status.ON_HOLD, at=AT), "audit.status.on_hold"),
    (SetPriority(ticket="t1", priority=Priority.HIGH), "audit.priority.high"),
    (Transfer(ticket="t1", team="hr", restricted=True), "audit.transferred"),
    (Detach(ticket="t1"), "audit.detached"),
    (Rate(ticket="t1", rating="good"), "audit.rated"),
    (AddEntry(ticket="t1", entry=NOTE), "audit.entry.note"),
    (EditEntry(ticket="t1", message="m1", text="Other words"), "audit.edited"),
    (KeepTerms(ticket="t1", terms=Terms()), "audit.terms"),
    (KeepPosition(ticket="t1", position=Position(run="r1")), "audit.position"),
    (Consult(ticket="t1"), "audit.read"),
    (Consult(ticket=None), "audit.listed"),
    (
        SwapOnCall(team="it", override=Override(since=AT, until=AT + timedelta(hours=1), person="lee"), by="ann"),
        "audit.swapped",
    ),
]


@pytest.mark.parametrize(("change", "what"), CHANGES, ids=[what for _, what in CHANGES])
def test_each_change_leaves_a_line(bench: Bench, change: Change, what: str) -> None:
    """A key of the catalogue, with its ticket."""
    open_ticket(bench.storage)
    record(bench.storage, change)
    line = bench.storage.audit()[-1]
    assert (line.what, line.ticket) == (what, getattr(change, "ticket", None))
    assert what in catalogue(Language.EN)


def test_no_change_of_a_ticket_is_left_out() -> None:
    """Whoever adds one is told here that the audit must know it."""
    from triage.auditing import audited

    tried = {type(change) for change, _ in CHANGES}
    unknown = [kind for kind in TicketChange.__args__ if kind not in tried and kind.__name__ != "Called"]
    assert unknown == []
    assert all(audited([change]) for change, _ in CHANGES)


def test_a_line_says_who_from_where_and_why(bench: Bench) -> None:
    """The sender of the message, by a surrogate that is neither name nor platform id."""
    opened = ticket()
    record(bench.storage, Meet(person=ANN), OpenTicket(ticket=opened), on=message(kind=Kind.COMMAND))
    (line,) = bench.storage.audit()
    assert (line.what, line.ticket, line.why, line.at) == ("audit.opened", "t1", Why.COMMAND, AT)
    assert (line.platform, line.place) == (Platform.SLACK, "T1")
    assert line.who
    assert line.who == line.about != ANN.id


def test_a_person_keeps_their_surrogate(bench: Bench) -> None:
    """So that the lines of one person belong together, and those of two do not."""
    record(bench.storage, Meet(person=ANN), OpenTicket(ticket=ticket(1)), on=message())
    record(bench.storage, Meet(person=LEE), Assign(ticket="t1", owner="ann"))
    record(bench.storage, Meet(person=ANN), Assign(ticket="t1", owner="lee"), on=message("k2"))
    first, second, third = bench.storage.audit()
    assert first.who == second.about == third.who != third.about
    assert third.about


def test_what_the_desk_does_by_itself_is_nobodys(bench: Bench) -> None:
    """The sweep has no name and no place."""
    open_ticket(bench.storage)
    record(bench.storage, SetPriority(ticket="t1", priority=Priority.URGENT))
    line = bench.storage.audit()[-1]
    assert (line.who, line.platform, line.place, line.why) == (None, None, None, Why.TIME)


def test_what_follows_from_the_rest_leaves_no_line(bench: Bench) -> None:
    """Clocks can be computed again, and a new ticket's terms are part of its opening."""
    record(
        bench.storage,
        Meet(person=ANN),
        OpenTicket(ticket=ticket()),
        KeepTerms(ticket="t1", terms=Terms()),
        KeepPosition(ticket="t1", position=Position(run="r1")),
        kept_clock(),
    )
    assert [line.what for line in bench.storage.audit()] == ["audit.opened"]


def test_what_is_rolled_back_leaves_no_line(bench: Bench) -> None:
    """The line and what it tells of are one transaction."""
    with bench.storage.writing() as work:
        work.record(Decision(changes=(OpenTicket(ticket=ticket()),)), AT)
    assert bench.storage.audit() == ()


def test_nobodys_words_are_in_it(bench: Bench) -> None:
    """It outlives the erasure of whoever wrote them."""
    open_ticket(bench.storage, subject="Secret words")
    record(bench.storage, AddEntry(ticket="t1", entry=NOTE))
    assert "Secret" not in str(bench.storage.audit())


# --- only added to -------------------------------------------------------------------------------
DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(f"{request.param}_bench")
    return found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET what = 'audit.read'",
        "UPDATE audit SET who = NULL",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit (id, at, what, why) SELECT id, at, 'x', why FROM audit",
        "TRUNCATE audit",
    ],
)
def test_a_line_can_be_neither_changed_nor_deleted(database: Bench, statement: str) -> None:
    """By no code path: the database itself refuses."""
    open_ticket(database.storage)
    before = database.storage.audit()
    with pytest.raises(DBAPIError), _engine(database).begin() as db:
        db.execute(text(statement))
    assert before
    assert database.storage.audit() == before


@pytest.mark.parametrize(
    ("days", "age", "deleted"), [(40, 41, 1), (40, 39, 0), (None, 4_000, 0), (1, 20, 0), (1, 31, 0)]
)
def test_only_what_is_older_than_the_setting_can_be_deleted(
    database: Bench, days: int | None, age: int, deleted: int
) -> None:
    """By retention; without a setting nothing, and never what is younger than 30 days."""
    with _engine(database).begin() as db:
        _line(db, datetime.now(UTC) - age * DAY)
        if days is not None:
            db.execute(insert(retentions), {"what": "audit", "days": days})
    try:
        with _engine(database).begin() as db:
            db.execute(text("DELETE FROM audit"))
    except DBAPIError:
        assert not deleted
    assert len(database.storage.audit()) == 1 - deleted


def test_the_audit_has_no_column_for_words() -> None:
    """Keys, ids, places and an instant; a further column has to be thought about here."""
    assert set(METADATA.tables["audit"].c.keys()) == {"id", *AuditLine.__slots__}


def _engine(bench: Bench) -> Any:
    assert bench.engine is not None
    return bench.engine


def _line(db: Connection, at: datetime) -> None:
    db.execute(insert(audit), {"at": at, "what": "audit.read", "why": Why.TIME})
