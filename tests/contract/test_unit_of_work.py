"""What a turn's transaction promises, on every storage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import TypeVar

import pytest

from tests.contract.storages import (
    ANN,
    ASKED,
    AT,
    TERMS,
    TRIAGE,
    Bench,
    conversation,
    kept_clock,
    load,
    message,
    minutes,
    open_ticket,
    record,
    ticket,
    words,
)
from triage.changes import (
    AddEntry,
    Assign,
    Called,
    Converse,
    Decision,
    Detach,
    KeepTerms,
    Meet,
    OpenTicket,
    Rate,
    SetPriority,
    SetStatus,
    Transfer,
)
from triage.errors import Conflict, Unavailable
from triage.model import Conversation, Entry, EntryKind, Language, Priority, Status, Thread
from triage.ports import Lookup

Found = TypeVar("Found")


def both(first: Callable[[], str], second: Callable[[], str]) -> list[str]:
    """Run two turns in two threads; a turn that lost says `conflict`."""

    def turn(run: Callable[[], str]) -> str:
        try:
            return run()
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(turn, (first, second)))


# --- the inbox -----------------------------------------------------------------------------------
def test_a_repeat_is_known_by_its_key(bench: Bench) -> None:
    """The second claim of one key is refused, and only that one."""
    with bench.storage.writing() as work:
        assert work.claim("k1", AT)
        work.commit()
    with bench.storage.writing() as work:
        assert (work.claim("k1", AT), work.claim("k2", AT)) == (False, True)


def test_a_committed_key_has_been_seen(bench: Bench) -> None:
    """`seen` knows a key once its turn is committed."""
    with bench.storage.writing() as work:
        work.claim("k1", AT)
        work.commit()
    with bench.storage.reading() as reading:
        assert (reading.seen("k1"), reading.seen("k2")) == (True, False)


def test_leaving_without_commit_leaves_nothing(bench: Bench) -> None:
    """Inbox, people, tickets, history, clocks and outbox are rolled back together."""
    entry = Entry(at=AT, kind=EntryKind.NOTE, author="ann", text="x")
    changes = (
        Meet(person=ANN),
        OpenTicket(ticket=ticket()),
        AddEntry(ticket="t1", entry=entry),
        kept_clock(next_at=AT),
    )
    with bench.storage.writing() as work:
        work.claim("k1", AT)
        work.record(Decision(changes=changes, outgoing=(words("o1"),)), AT, message=message())
    with bench.storage.writing() as work:
        assert work.claim("k1", AT)
        assert work.due(AT, 10) == []
        assert work.load(Lookup(sender="ann", here=ASKED, root=None, flat=False, number=1)).ticket is None
    assert bench.storage.outbox.pending() == 0


def test_an_error_inside_leaves_nothing(bench: Bench) -> None:
    """A turn that raises half-way is as if it had never been."""

    def turn() -> None:
        with bench.storage.writing() as work:
            work.claim("k1", AT)
            raise RuntimeError("decide failed")

    with pytest.raises(RuntimeError):
        turn()
    with bench.storage.reading() as reading:
        assert not reading.seen("k1")


def test_a_repeat_waits_for_the_first_try(bench: Bench) -> None:
    """While the first try of a message is not committed, its repeat neither passes nor is lost."""
    claimed, go_on = Event(), Event()

    def first() -> bool:
        with bench.storage.writing() as work:
            won = work.claim("k1", AT)
            claimed.set()
            go_on.wait(1)
            work.commit()
            return won

    def repeat() -> bool:
        claimed.wait(5)
        go_on.set()
        with bench.storage.writing() as work:
            return work.claim("k1", AT)

    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(first), pool.submit(repeat)]
        assert [each.result(10) for each in tries] == [True, False]


def test_a_turn_kept_waiting_too_long_says_so(bench: Bench) -> None:
    """Past its time a turn is refused, so that the platform can be told to come again."""
    claimed, go_on = Event(), Event()

    def slow() -> None:
        with bench.storage.writing() as work:
            work.claim("k1", AT)
            claimed.set()
            go_on.wait(10)

    def waiting() -> None:
        with bench.storage.writing() as work:
            work.claim("k1", AT)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(slow)
        claimed.wait(5)
        with pytest.raises(Unavailable):
            waiting()
        go_on.set()
        held.result(5)


def found_meanwhile(bench: Bench, look: Callable[[], Found]) -> Found:
    """What is found by who looks while a turn holds the thread, before it stored the thread's conversation."""
    claimed, go_on = Event(), Event()

    def turn() -> None:
        with bench.storage.writing() as work:
            work.claim_all({"k1": ASKED}, AT)
            claimed.set()
            go_on.wait(1)
            work.record(Decision(changes=(Converse(conversation=conversation()),)), AT)
            work.commit()

    def meanwhile() -> Found:
        claimed.wait(5)
        go_on.set()
        return look()

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(turn)
        found = pool.submit(meanwhile).result(10)
        holding.result(10)
    return found


def test_turns_of_one_thread_wait_for_each_other(bench: Bench) -> None:
    """From the claim on: what the first stored is there when the second looks."""

    def second() -> Conversation | None:
        with bench.storage.writing() as work:
            work.claim_all({"k2": ASKED}, AT)
            return work.load(Lookup(sender="ann", here=ASKED, root=None, flat=False)).conversation

    assert found_meanwhile(bench, second) == conversation()


def test_who_asks_whether_a_thread_is_known_waits_for_its_turns(postgres_bench: Bench) -> None:
    """Words that follow a question within a moment are not taken for talk (SQLite has one thread for turns)."""

    def known() -> bool:
        with postgres_bench.storage.reading() as reading:
            return reading.knows(ASKED)

    assert found_meanwhile(postgres_bench, known)


def test_who_arrives_is_read_with_whether_it_is_a_repeat(bench: Bench) -> None:
    """Somebody unknown is nobody, also when they come again."""
    assert ANN.account is not None
    record(bench.storage, Meet(person=ANN))
    with bench.storage.writing() as work:
        work.claim("k1", AT)
        work.commit()
    with bench.storage.reading() as reading:
        ann, nobody = ANN.account, replace(ANN.account, user="UNOBODY")
        both = reading.arriving({"k1": ann, "k2": ann, "k3": nobody})
        known = reading.person(ann)
        assert both == {"k1": (True, known), "k2": (False, known), "k3": (False, None)}


def test_somebody_known_to_be_just_so_is_not_written(bench: Bench) -> None:
    """What was kept of them meanwhile stands."""
    assert ANN.account is not None
    record(bench.storage, Meet(person=ANN))
    with bench.storage.reading() as reading:
        known = reading.person(ANN.account)
    assert known is not None
    record(bench.storage, Meet(person=replace(known, name="Anna")))
    record(bench.storage, Meet(person=known, known=known))
    with bench.storage.reading() as reading:
        assert reading.person(ANN.account) == replace(known, name="Anna")


# --- tickets -------------------------------------------------------------------------------------
def test_a_ticket_comes_back_as_it_was(bench: Bench) -> None:
    """Every field of a ticket survives, its terms too."""
    whole = ticket(
        owner="lee",
        status=Status.OPEN,
        priority=Priority.URGENT,
        language=Language.ZH_HANT,
        home=ASKED,
        restricted=True,
        stepped_at=minutes(3),
        called="Lee",
        rating="good",
    )
    record(bench.storage, OpenTicket(ticket=whole), KeepTerms(ticket="t1", terms=TERMS))
    loaded = load(bench.storage, number=1)
    assert (loaded.ticket, loaded.terms) == (whole, TERMS)


def test_all_changes_of_a_turn_raise_the_version_once(bench: Bench) -> None:
    """A turn folds its changes and writes the ticket back one version higher."""
    opened = open_ticket(bench.storage, conversation=ASKED.key, home=ASKED)
    changes = (
        Assign(ticket="t1", owner="lee"),
        SetStatus(ticket="t1", status=Status.OPEN, at=AT),
        SetPriority(ticket="t1", priority=Priority.HIGH),
        Called(ticket="t1", at=AT, called="Lee"),
        Rate(ticket="t1", rating="good"),
        Detach(ticket="t1"),
    )
    record(bench.storage, *changes)
    expected = replace(
        opened,
        owner="lee",
        status=Status.OPEN,
        priority=Priority.HIGH,
        stepped_at=AT,
        called="Lee",
        rating="good",
        conversation=None,
        version=2,
    )
    assert load(bench.storage, number=1).ticket == expected


def test_a_transfer_gives_up_the_owner(bench: Bench) -> None:
    """Changes mean what `triage.changes.apply` says they mean."""
    open_ticket(bench.storage, owner="lee", status=Status.OPEN)
    record(bench.storage, Transfer(ticket="t1", team="hr", restricted=True))
    found = load(bench.storage, number=1).ticket
    assert found is not None
    assert (found.team, found.owner, found.restricted) == ("hr", None, True)


def test_a_ticket_opened_and_changed_in_one_turn_is_new(bench: Bench) -> None:
    """What is opened in this turn keeps its first version."""
    record(bench.storage, OpenTicket(ticket=ticket()), Assign(ticket="t1", owner="lee"))
    assert load(bench.storage, number=1).ticket == ticket(owner="lee")


def test_two_records_in_one_transaction_add_up(bench: Bench) -> None:
    """The sweep records several decisions about one ticket in one transaction."""
    open_ticket(bench.storage)
    with bench.storage.writing() as work:
        work.record(Decision(changes=(Called(ticket="t1", at=AT, called="Lee"),)), AT)
        work.record(Decision(changes=(Assign(ticket="t1", owner="lee"),)), AT)
        work.commit()
    found = load(bench.storage, number=1).ticket
    assert found is not None
    assert (found.called, found.owner, found.version) == ("Lee", "lee", 3)


def test_a_change_to_a_ticket_that_is_gone_is_a_conflict(bench: Bench) -> None:
    """Nothing is written about a ticket that does not exist."""
    with bench.storage.writing() as work, pytest.raises(Conflict):
        work.record(Decision(changes=(Assign(ticket="t9", owner="lee"),)), AT)


def test_a_conversation_has_one_open_ticket(bench: Bench) -> None:
    """A second ticket for one conversation is a conflict, and leaves nothing."""
    open_ticket(bench.storage, 1, conversation=ASKED.key)
    with pytest.raises(Conflict):
        open_ticket(bench.storage, 2, conversation=ASKED.key)
    assert load(bench.storage, number=2).ticket is None


def test_an_ended_ticket_leaves_its_conversation_to_another(bench: Bench) -> None:
    """Resolved tickets do not count; reopening one beside the next is a conflict."""
    open_ticket(bench.storage, 1, conversation=ASKED.key)
    record(bench.storage, SetStatus(ticket="t1", status=Status.RESOLVED, at=AT))
    open_ticket(bench.storage, 2, conversation=ASKED.key)
    with pytest.raises(Conflict):
        record(bench.storage, SetStatus(ticket="t1", status=Status.OPEN, at=AT))


def test_a_detached_conversation_takes_another_ticket_in_the_same_turn(bench: Bench) -> None:
    """A conversation moves from one ticket to the next at once."""
    open_ticket(bench.storage, 1, conversation=ASKED.key)
    record(bench.storage, OpenTicket(ticket=ticket(2, conversation=ASKED.key)), Detach(ticket="t1"))
    found = load(bench.storage, number=2).ticket
    assert found is not None
    assert found.conversation == ASKED.key


def test_numbers_count_from_one(bench: Bench) -> None:
    """Each ticket gets the next number."""
    for number in (1, 2, 3):
        with bench.storage.writing() as work:
            assert work.next_number() == number
            work.record(Decision(changes=(OpenTicket(ticket=ticket(number)),)), AT)
            work.commit()


def test_two_messages_at_once_make_one_ticket(bench: Bench) -> None:
    """Two turns of one thread wait for each other; the second finds the first one's ticket."""
    start = Barrier(2)

    def turn(id: str) -> str:
        start.wait(5)
        with bench.storage.writing() as work:
            work.claim(id, AT)
            if work.load(Lookup(sender="ann", here=ASKED, root=ASKED.root, flat=False)).ticket:
                return "found"
            opened = replace(ticket(work.next_number()), id=id, conversation=ASKED.key)
            from_thread = Converse(conversation=conversation(ticket=id))
            work.record(Decision(changes=(OpenTicket(ticket=opened), from_thread)), AT)
            work.commit()
        return "opened"

    assert both(lambda: turn("a"), lambda: turn("b")) == ["found", "opened"]


def test_two_claims_at_once_have_one_winner(bench: Bench) -> None:
    """From two threads of chat, by number: the second sees who owns the ticket now."""
    open_ticket(bench.storage)
    start = Barrier(2)

    def claim(owner: str, here: Thread) -> str:
        start.wait(5)
        with bench.storage.writing() as work:
            found = work.load(Lookup(sender=owner, here=here, root=None, flat=False, number=1)).ticket
            assert found is not None
            if found.owner:
                return "late"
            work.record(Decision(changes=(Assign(ticket="t1", owner=owner),)), AT)
            work.commit()
        return "won"

    elsewhere = Thread(channel=TRIAGE, root="9.9")
    assert both(lambda: claim("lee", ASKED), lambda: claim("kim", elsewhere)) == ["late", "won"]
