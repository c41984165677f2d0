"""Erasing a person: nothing of them is left in any column of any table, and nothing of others is lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from storage.columns import METADATA
from storage.erasing import Erased, Erasing, Named, raw_table
from storage.sql import SqlStorage
from tests.builders import mark_sent
from tests.contract.erased_desk import KEY, MARK, OTHER_ID, USER, fill
from tests.contract.storages import AT, TERMS, Bench, load, record, ticket
from triage.chain import Chain, Notify
from triage.changes import Assign, KeepTerms, OpenTicket
from triage.model import Status


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(f"{request.param}_bench")
    assert isinstance(found.storage, SqlStorage)
    fill(found.storage)
    return found


def erase(bench: Bench, *, person: str = KEY, dry: bool = False) -> Erased:
    ids = count()
    named = Named(person=person, names=frozenset({f"{MARK}@example.com"}))
    return Erasing(_engine(bench), lambda: f"erased{next(ids):026}").erase(named, AT, dry=dry)


def marks(engine: Engine) -> list[tuple[str, str, str]]:
    """Table, column and value of everything in which the mark stands."""
    found = []
    with engine.connect() as db:
        for name in METADATA.tables:
            for row in db.execute(select(raw_table(name))).mappings():
                found += [(name, key, value) for key, value in row.items() if MARK in str(value).casefold()]
    return found


# --- nothing of them ---------------------------------------------------------------------------
@pytest.mark.parametrize("by", [KEY, USER, f"slack:T1:{USER}", OTHER_ID])
def test_nothing_of_the_person_is_left(bench: Bench, by: str) -> None:
    """However they were named: no name, no id, no word."""
    assert len({table for table, _, _ in marks(_engine(bench))}) >= 14
    assert erase(bench, person=by).found
    assert marks(_engine(bench)) == []


def test_the_file_itself_holds_nothing_any_more(sqlite_bench: Bench) -> None:
    """Neither in free pages nor in the log beside it."""
    assert isinstance(sqlite_bench.storage, SqlStorage)
    fill(sqlite_bench.storage)
    erase(sqlite_bench)
    file = Path(_engine(sqlite_bench).url.database or "")
    for part in file.parent.glob(f"{file.name}*"):
        assert MARK.encode() not in part.read_bytes().lower(), part


def test_twice_is_harmless(bench: Bench) -> None:
    """The second time there is nobody of that name."""
    erase(bench)
    before = _dump(bench)
    assert not erase(bench).found
    assert _dump(bench) == before


def test_a_rehearsal_changes_nothing(bench: Bench) -> None:
    """It counts what would be replaced."""
    before = _dump(bench)
    found = erase(bench, dry=True)
    assert found.rows["entry"] >= 4
    assert _dump(bench) == before


def test_an_erasure_that_was_stopped_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process was killed after some tables; the same command finishes, though the person has no name any more."""
    done = count()

    class Killed(BaseException):
        pass

    real = Erasing._replace

    def replace_some(self: Erasing, *given: Any) -> int:
        if next(done) == 3:
            raise Killed
        return real(self, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Erasing, "_replace", replace_some)
        with pytest.raises(Killed):
            erase(bench)
    assert marks(_engine(bench))
    assert erase(bench).found
    assert marks(_engine(bench)) == []


def test_turns_go_on_meanwhile(bench: Bench) -> None:
    """Others write all the time: none of them is refused, and nothing of the person is written back."""
    storage, done = bench.storage, threading.Event()
    failed: list[Exception] = []

    def write() -> None:
        number = 100
        while not done.is_set():
            number += 1
            try:
                record(storage, OpenTicket(ticket=ticket(number)), Assign(ticket=f"t{number}", owner="lee"))
            except Exception as error:  # noqa: BLE001
                failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert erase(bench).found
    finally:
        done.set()
        thread.join()
    assert failed == []
    assert marks(_engine(bench)) == []


# --- everything else -----------------------------------------------------------------------------
def test_figures_history_and_audit_stay(bench: Bench) -> None:
    """As many rows as before, but for accounts, pings that wait and phrasings; and what others wrote."""
    before, lines = _counts(bench), bench.storage.audit()
    erase(bench)
    after = _counts(bench)
    gone = {name for name, rows in after.items() if rows != before[name]}
    assert gone - {"thread_lock"} == {"account", "ping", "phrasing", "audit"}
    assert bench.storage.audit()[:-1] == lines
    assert bench.storage.audit()[-1].what == "audit.erased"
    with bench.storage.reading() as reading:
        assert [entry.text for entry in reading.history("t2", 9)][-1] == "Thanks, [erased]! Dana was quick."
        assert "We look at it." in [entry.text for entry in reading.history("t1", 9)]


def test_history_and_audit_name_the_same_surrogate(bench: Bench) -> None:
    """Lines of one person still belong together."""
    erase(bench)
    with bench.storage.reading() as reading:
        requester = reading.ticket("t1").requester  # type: ignore[union-attr]
    opened = next(line for line in bench.storage.audit() if line.what == "audit.opened" and line.ticket == "t1")
    assert opened.about == requester == bench.storage.audit()[-1].about


def test_the_desk_works_on(bench: Bench) -> None:
    """What waits is sent without them, what was for them is not, and every row can still be read."""
    erase(bench)
    keys = set()
    for _ in range(10):
        bench.expire()
        for parcel in bench.storage.outbox.lease(10):
            keys.add(parcel.outgoing.key)
            mark_sent(bench.storage.outbox, parcel, None)
    assert {"quote", "list", "view", "why"} <= keys
    assert "told" not in keys
    assert [ticket.number for ticket in _mine(bench)] == [1, 2]
    assert bench.storage.library.articles()[1] == ()
    assert {case.text for case in bench.storage.cases()} == {""}


def test_terms_that_call_them_hold_for_tickets_opened_since(bench: Bench) -> None:
    """While desk.yaml names them still: the old tickets' terms, which are kept under the same hash, call nobody."""
    calling = replace(TERMS, chain=Chain(steps=(Notify(person=KEY),)))
    record(bench.storage, KeepTerms(ticket="t2", terms=calling))
    erase(bench)
    for number in (7, 8):
        storage = SqlStorage(_engine(bench))
        assert load(storage, number=2).terms != calling
        record(storage, OpenTicket(ticket=ticket(number)), KeepTerms(ticket=f"t{number}", terms=calling))
        assert load(SqlStorage(_engine(bench)), number=number).terms == calling


def test_what_they_had_taken_is_told(bench: Bench) -> None:
    """Somebody else has to go on with it; what is solved needs nobody."""
    record(bench.storage, OpenTicket(ticket=ticket(3, owner=KEY, status=Status.RESOLVED)))
    assert erase(bench).owned_tickets == (2,)


def test_a_ticket_read_before_is_not_written_back(bench: Bench) -> None:
    """The erasure raises the version: a turn under way decides again."""
    erase(bench)
    with bench.storage.reading() as reading:
        assert reading.ticket("t1").version > 1  # type: ignore[union-attr]


def test_nobody_is_nobody(bench: Bench) -> None:
    """A name that is not known changes nothing."""
    before = _dump(bench)
    assert not erase(bench, person="nobody-here").found
    assert _dump(bench) == before


def _engine(bench: Bench) -> Engine:
    assert bench.engine is not None
    return bench.engine


def _dump(bench: Bench) -> dict[str, list[Any]]:
    with _engine(bench).connect() as db:
        return {name: sorted(map(str, db.execute(select(raw_table(name))).all())) for name in METADATA.tables}


def _counts(bench: Bench) -> dict[str, int]:
    return {name: len(rows) for name, rows in _dump(bench).items()}


def _mine(bench: Bench) -> Any:
    with bench.storage.reading() as reading:
        return sorted(reading.queue(["it"], 10)[0], key=lambda ticket: ticket.number)
