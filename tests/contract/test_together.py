"""What one transaction writes it reads, in whatever order that goes to the database; and it may refuse to wait."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from tests.contract.storages import ANN, ASKED, AT, Bench, conversation, lease, ticket, words
from triage.changes import AddEntry, Assign, Converse, Decision, Meet, OpenTicket
from triage.errors import Unavailable
from triage.model import Entry, EntryKind, Thread
from triage.ports import Lookup

SAID = AddEntry(ticket="t1", entry=Entry(at=AT, kind=EntryKind.MESSAGE, author="ann", text="on fire", message=None))
OTHER = Thread(channel=ASKED.channel, root="77.7")


def asks(thread: Thread) -> Lookup:
    return Lookup(sender="ann", here=thread, root=None, flat=False)


def test_a_later_turn_sees_the_conversation_of_an_earlier_one(bench: Bench) -> None:
    """Its thread was read when it was locked, and changed since."""
    with bench.storage.writing() as work:
        assert set(work.claim_all({"k1": ASKED, "k2": ASKED, "k3": OTHER}, AT)) == {"k1", "k2", "k3"}
        assert work.load(asks(ASKED)).conversation is None
        work.record(Decision(changes=(Converse(conversation=conversation()),)), AT)
        assert work.load(asks(ASKED)).conversation == conversation()
        assert work.load(asks(OTHER)).conversation is None
        work.commit()
    with bench.storage.writing() as work:
        assert set(work.claim_all({"k3": OTHER, "k4": OTHER}, AT)) == {"k4"}
        assert work.load(asks(ASKED)).conversation == conversation()


def test_a_ticket_of_an_earlier_turn_is_worked_on_by_a_later_one(bench: Bench) -> None:
    """A line is written to another ticket before it is opened: rows that refer to others come after them."""
    second = replace(ticket(), id="t2", number=2)
    with bench.storage.writing() as work:
        work.record(Decision(changes=(Meet(person=ANN), OpenTicket(ticket=ticket()), SAID)), AT)
        work.record(Decision(changes=(OpenTicket(ticket=second), replace(SAID, ticket="t2"))), AT)
        work.record(Decision(changes=(Assign(ticket="t2", owner="ann"),)), AT)
        assert work.look().opening("t2") == "on fire"
        work.commit()
    with bench.storage.reading() as reading:
        found = [reading.numbered(number) for number in (1, 2)]
    assert [(one.owner, one.version) for one in found if one] == [(None, 1), ("ann", 2)]


def test_messages_of_several_turns_go_out_in_their_order(bench: Bench) -> None:
    """Those of one lane, one after the other."""
    with bench.storage.writing() as work:
        for key in ("o1", "o2", "o3"):
            work.record(Decision(outgoing=(words(key),)), AT)
        work.commit()
    order = []
    while parcels := lease(bench.storage.outbox):
        order += list(parcels)
        for parcel in parcels.values():
            bench.storage.outbox.dropped(parcel, "read")
    assert order == ["o1", "o2", "o3"]


def test_who_is_not_patient_waits_for_no_turn(postgres_bench: Bench) -> None:
    """Neither for its thread nor for its key (SQLite has one writer)."""
    storage = postgres_bench.storage
    with storage.writing() as first:
        first.claim_all({"k1": ASKED}, AT)
        for claims in ({"k2": ASKED, "k3": OTHER}, {"k1": OTHER}):
            with pytest.raises(Unavailable), storage.writing() as work:
                work.claim_all(claims, AT, patient=False)
    with storage.writing() as work:
        assert set(work.claim_all({"k1": ASKED, "k2": ASKED}, AT, patient=False)) == {"k1", "k2"}


def test_what_could_not_be_written_is_not_left_out_of_the_commit(sqlite_bench: Bench) -> None:
    """Whoever goes on after a failure commits all of it or nothing (PostgreSQL would refuse by itself)."""
    with sqlite_bench.storage.writing() as work:
        work.record(Decision(changes=(Meet(person=ANN), replace(SAID, ticket="nowhere"))), AT)
        with pytest.raises(IntegrityError):
            work.flush()
        with pytest.raises(IntegrityError):
            work.commit()
    assert ANN.account is not None
    with sqlite_bench.storage.reading() as reading:
        assert reading.person(ANN.account) is None
