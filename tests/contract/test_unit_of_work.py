"""What a turn's transaction promises, on every storage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event

import pytest

from storage.codec import values
from tests.contract.storages import (
    ANN,
    ASKED,
    AT,
    CHAT,
    HELP,
    LEE,
    TRIAGE,
    Bench,
    clock,
    conversation,
    converse,
    deliver,
    keep_clock,
    lease,
    load,
    message,
    minutes,
    open_ticket,
    record,
    sent_as,
    ticket,
    words,
)
from triage.calendars import Calendar, Window
from triage.changes import (
    AddEntry,
    Assign,
    Converse,
    Decision,
    Detach,
    EditEntry,
    Feedback,
    KeepClock,
    KeepTerms,
    Meet,
    OpenTicket,
    Rate,
    SetPriority,
    SetStatus,
    Step,
    Transfer,
)
from triage.errors import Conflict
from triage.model import Account, Entry, EntryKind, Language, Platform, Priority, Status, Thread
from triage.outgoing import card_slot
from triage.policy import Metric, Targets, Terms
from triage.ports import Lookup
from triage.sla import ClockEvent, ClockEventKind, ClockState

TERMS = Terms(
    calendar=Calendar(
        timezone="Asia/Seoul", windows=(Window(day=0, opens=32_400, closes=64_800),), holidays=("KR", "2026-12-25")
    ),
    targets={Priority.HIGH: Targets(seconds={Metric.RESOLUTION: 28_800}, pause_on_hold=True)},
    warn=("50%", "-30m"),
)
TEAMS_ANN = Account(platform=Platform.TEAMS, place="tenant", user="29:ann")


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
        KeepClock(clock=clock(next_at=AT)),
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
        chain=("owner", "team"),
        step=1,
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
        Step(ticket="t1", step=1, at=AT, called="Lee"),
        Rate(ticket="t1", rating="good"),
        Detach(ticket="t1"),
    )
    record(bench.storage, *changes)
    expected = replace(
        opened,
        owner="lee",
        status=Status.OPEN,
        priority=Priority.HIGH,
        step=1,
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
        work.record(Decision(changes=(Step(ticket="t1", step=1, at=AT, called="Lee"),)), AT)
        work.record(Decision(changes=(Assign(ticket="t1", owner="lee"),)), AT)
        work.commit()
    found = load(bench.storage, number=1).ticket
    assert found is not None
    assert (found.step, found.owner, found.version) == (1, "lee", 3)


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


# --- what a turn finds ---------------------------------------------------------------------------
def test_nothing_known_loads_nothing(bench: Bench) -> None:
    """A new thread has neither conversation nor ticket."""
    loaded = load(bench.storage)
    assert (loaded.conversation, loaded.ticket, loaded.team_side) == (None, None, False)


def test_a_thread_finds_its_conversation_and_ticket(bench: Bench) -> None:
    """The conversation of the thread leads to its ticket."""
    opened = open_ticket(bench.storage)
    kept = converse(bench.storage, ticket="t1", article="vpn", reasons=("because",))
    loaded = load(bench.storage)
    assert (loaded.conversation, loaded.ticket, loaded.team_side) == (kept, opened, False)


def test_a_number_comes_before_the_thread(bench: Bench) -> None:
    """`claim 2` in the thread of ticket 1 means ticket 2."""
    open_ticket(bench.storage, 1)
    second = open_ticket(bench.storage, 2)
    converse(bench.storage, ticket="t1")
    assert load(bench.storage, number=2).ticket == second


def test_a_card_s_thread_is_the_team_s_side_of_its_ticket(bench: Bench) -> None:
    """A reply under a ticket card is about that ticket, from the team's side."""
    opened = open_ticket(bench.storage)
    card = words("card", Thread(channel=TRIAGE), slot=card_slot("t1", "it"), ticket="t1")
    deliver(bench.storage, card, sent_as("200.1", TRIAGE))
    loaded = load(bench.storage, Thread(channel=TRIAGE, root="200.1"))
    assert (loaded.ticket, loaded.team_side) == (opened, True)


def test_the_same_id_in_another_channel_is_no_card(bench: Bench) -> None:
    """Message ids are unique in one channel only."""
    open_ticket(bench.storage)
    card = words("card", Thread(channel=TRIAGE), slot=card_slot("t1", "it"), ticket="t1")
    deliver(bench.storage, card, sent_as("200.1", TRIAGE))
    assert load(bench.storage, Thread(channel=HELP, root="200.1")).ticket is None


def test_a_reply_to_a_message_of_the_bot_finds_what_it_was_about(bench: Bench) -> None:
    """A thread that hangs on the bot's own post belongs to that post's ticket and conversation."""
    opened = open_ticket(bench.storage)
    kept = converse(bench.storage, ticket="t1")
    ping = words("ping", Thread(channel=CHAT), ticket="t1", conversation=kept.key)
    deliver(bench.storage, ping, sent_as("300.1", CHAT))
    loaded = load(bench.storage, Thread(channel=CHAT, root="300.1"), flat=True)
    assert (loaded.ticket, loaded.conversation, loaded.team_side) == (opened, kept, False)


def test_a_reply_to_an_answer_finds_the_ticket_opened_since(bench: Bench) -> None:
    """A post made before there was a ticket leads to it through its conversation."""
    converse(bench.storage)
    deliver(bench.storage, words("answer", conversation=ASKED.key), sent_as("300.1"))
    opened = open_ticket(bench.storage)
    converse(bench.storage, ticket="t1")
    assert load(bench.storage, Thread(channel=HELP, root="300.1")).ticket == opened


def test_a_direct_chat_finds_the_newest_open_private_ticket(bench: Bench) -> None:
    """What is answered by direct message is continued there."""
    open_ticket(bench.storage, 1)
    newest = open_ticket(bench.storage, 2)
    open_ticket(bench.storage, 3, home=ASKED)
    open_ticket(bench.storage, 4, status=Status.RESOLVED)
    open_ticket(bench.storage, 5, requester="bob")
    kept = converse(bench.storage, Thread(channel=CHAT))
    loaded = load(bench.storage, Thread(channel=CHAT), flat=True)
    assert (loaded.ticket, loaded.conversation) == (newest, kept)


def test_a_direct_chat_s_own_open_ticket_comes_first(bench: Bench) -> None:
    """A flat chat with an open ticket goes on with it."""
    own = open_ticket(bench.storage, 1, home=Thread(channel=CHAT))
    open_ticket(bench.storage, 2)
    converse(bench.storage, Thread(channel=CHAT), ticket="t1")
    assert load(bench.storage, Thread(channel=CHAT), flat=True).ticket == own


def test_a_direct_chat_s_ended_ticket_is_found_when_nothing_is_open(bench: Bench) -> None:
    """A word of thanks after the resolution still finds its ticket."""
    own = open_ticket(bench.storage, 1, status=Status.RESOLVED)
    converse(bench.storage, Thread(channel=CHAT), ticket="t1")
    assert load(bench.storage, Thread(channel=CHAT), flat=True).ticket == own


def test_a_channel_thread_never_finds_a_private_ticket(bench: Bench) -> None:
    """Only a chat without threads stands for all of a person's private tickets."""
    open_ticket(bench.storage)
    assert load(bench.storage, Thread(channel=HELP, root="9.9")).ticket is None


def test_a_ticket_is_loaded_with_people_clocks_and_first_message(bench: Bench) -> None:
    """The situation holds what a decision needs of a ticket."""
    open_ticket(bench.storage, owner="lee")
    kim = replace(LEE, id="kim", name="Kim", account=None)
    note = Entry(at=AT, kind=EntryKind.NOTE, author="kim", text="looking")
    resolution = clock(metric=Metric.RESOLUTION)
    first = clock(next_at=minutes(30))
    record(
        bench.storage,
        Meet(person=LEE),
        Meet(person=kim),
        AddEntry(ticket="t1", entry=note),
        KeepClock(clock=resolution),
        KeepClock(clock=first),
    )
    loaded = load(bench.storage, number=1)
    assert loaded.people == {"ann": ANN, "lee": LEE, "kim": kim}
    assert loaded.clocks == (first, resolution)
    assert loaded.opening == "Request 1"


# --- history, people, feedback -------------------------------------------------------------------
def test_history_gives_the_newest_entries_oldest_first(bench: Bench) -> None:
    """`show` gets the end of the history in reading order."""
    open_ticket(bench.storage)
    notes = [
        Entry(at=minutes(n), kind=EntryKind.NOTE, author=None if n else "ann", text=str(n), message=None)
        for n in range(3)
    ]
    record(bench.storage, *(AddEntry(ticket="t1", entry=note) for note in notes))
    with bench.storage.reading() as reading:
        assert list(reading.history("t1", 2)) == notes[1:]


def test_an_edit_finds_its_entry_by_the_post(bench: Bench) -> None:
    """An edited or deleted post changes the entry it made, and no other."""
    open_ticket(bench.storage)
    other = Entry(at=AT, kind=EntryKind.MESSAGE, author="ann", text="stays", message="m2")
    record(bench.storage, AddEntry(ticket="t1", entry=other), EditEntry(ticket="t1", message="m1", text=""))
    with bench.storage.reading() as reading:
        assert [entry.text for entry in reading.history("t1", 9)] == ["", "stays"]


def test_a_person_is_known_by_every_account(bench: Bench) -> None:
    """One person on two platforms is one person, reached where they were last seen."""
    on_teams = replace(ANN, account=TEAMS_ANN)
    record(bench.storage, Meet(person=ANN), on=message())
    record(bench.storage, Meet(person=on_teams), on=message())
    assert ANN.account is not None
    with bench.storage.reading() as reading:
        assert (reading.person(ANN.account), reading.person(TEAMS_ANN)) == (on_teams, on_teams)


def test_reading_desk_yaml_does_not_count_as_seeing_somebody(bench: Bench) -> None:
    """Accounts kept at start leave alone where a person was last seen."""
    record(bench.storage, Meet(person=ANN), on=message())
    record(bench.storage, Meet(person=replace(ANN, account=TEAMS_ANN)))
    with bench.storage.reading() as reading:
        assert reading.person(TEAMS_ANN) == ANN


def test_meeting_again_refreshes_a_person(bench: Bench) -> None:
    """Name, language and zone follow the last meeting; no account in it forgets none."""
    renamed = replace(ANN, name="Anna", language=Language.KO, timezone="Asia/Seoul", account=None)
    record(bench.storage, Meet(person=ANN), on=message())
    record(bench.storage, Meet(person=renamed), on=message())
    with bench.storage.reading() as reading:
        assert reading.people(["ann", "nobody"]) == {"ann": replace(renamed, account=ANN.account)}


def test_a_stranger_is_nobody(bench: Bench) -> None:
    """An account never seen belongs to no person."""
    with bench.storage.reading() as reading:
        assert reading.person(TEAMS_ANN) is None


def test_feedback_is_kept(bench: Bench) -> None:
    """Verdicts on articles come back in order."""
    verdicts = [Feedback(at=AT, person="ann", question="q", article=a, verdict="solved") for a in ("vpn", None)]
    record(bench.storage, *verdicts)
    with bench.storage.writing() as work:
        assert list(work.look().feedback()) == verdicts


# --- clocks --------------------------------------------------------------------------------------
def test_a_clock_comes_back_with_its_log(bench: Bench) -> None:
    """A clock is kept under ticket, metric and instance; keeping it again replaces it."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, clock(next_at=minutes(5)))
    log = (*clock().log, ClockEvent(at=minutes(9), kind=ClockEventKind.MEET))
    met = clock(log=log, state=ClockState.MET, hours="calendar", fired=("50%", "due"), revision=3)
    keep_clock(bench.storage, met)
    assert load(bench.storage, number=1).clocks == (met,)


def test_due_clocks_come_oldest_first(bench: Bench) -> None:
    """Only clocks whose next stage has come, in order, as many as asked for."""
    for number, at in enumerate((minutes(3), minutes(1), minutes(2), minutes(99), None), start=1):
        open_ticket(bench.storage, number)
        keep_clock(bench.storage, clock(number, next_at=at))
    with bench.storage.writing() as work:
        assert [item.ticket.number for item in work.due(minutes(3), 9)] == [2, 3, 1]
        assert [item.ticket.number for item in work.due(minutes(3), 2)] == [2, 3]


def test_a_due_clock_comes_with_ticket_requester_and_terms(bench: Bench) -> None:
    """The sweep needs nothing else to decide."""
    opened = open_ticket(bench.storage)
    kept = clock(next_at=minutes(1))
    record(bench.storage, KeepClock(clock=kept))
    record(bench.storage, KeepTerms(ticket="t1", terms=TERMS))
    with bench.storage.writing() as work:
        (item,) = work.due(minutes(1), 9)
    assert (item.ticket, item.clock) == (replace(opened, version=2), kept)
    assert (item.requester, item.terms) == (ANN, TERMS)


def test_a_clock_rung_is_not_due_again(bench: Bench) -> None:
    """Storing the clock's next stage takes it out of the range."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, clock(next_at=minutes(1)))
    keep_clock(bench.storage, clock(next_at=None))
    with bench.storage.writing() as work:
        assert work.due(minutes(5), 9) == []


# --- queues --------------------------------------------------------------------------------------
def test_a_queue_shows_the_most_pressing_first(bench: Bench) -> None:
    """By due time, then priority, then age; ended tickets and other teams are left out."""
    open_ticket(bench.storage, 1)
    open_ticket(bench.storage, 2, priority=Priority.URGENT)
    open_ticket(bench.storage, 3)
    open_ticket(bench.storage, 4)
    open_ticket(bench.storage, 5, status=Status.CLOSED)
    open_ticket(bench.storage, 6, team="hr")
    keep_clock(bench.storage, clock(3, next_at=minutes(9)))
    keep_clock(bench.storage, clock(4, next_at=minutes(5)))
    with bench.storage.reading() as reading:
        shown, count = reading.queue(["it", "fin"], 3)
    assert ([each.number for each in shown], count) == ([4, 3, 2], 4)


def test_mine_are_those_i_own_or_asked_for(bench: Bench) -> None:
    """A person's list holds both sides of their work."""
    open_ticket(bench.storage, 1, owner="lee")
    open_ticket(bench.storage, 2, requester="lee")
    open_ticket(bench.storage, 3, owner="kim")
    open_ticket(bench.storage, 4, owner="lee", status=Status.RESOLVED)
    with bench.storage.reading() as reading:
        shown, count = reading.mine("lee", 9)
    assert ([each.number for each in shown], count) == ([1, 2], 2)


def test_the_next_due_time_is_that_of_a_live_clock(bench: Bench) -> None:
    """Ended clocks promise nothing any more; a ticket without a promise has none."""
    open_ticket(bench.storage, 1)
    open_ticket(bench.storage, 2)
    ended = (*clock().log, ClockEvent(at=AT, kind=ClockEventKind.MEET))
    keep_clock(bench.storage, clock(1, due_at=minutes(1), log=ended, state=ClockState.MET))
    keep_clock(bench.storage, clock(1, due_at=minutes(8), metric=Metric.RESOLUTION))
    with bench.storage.reading() as reading:
        assert reading.due_of(["t1", "t2"]) == {"t1": minutes(8)}


def test_a_transaction_reads_its_own_writes(bench: Bench) -> None:
    """`look` shows what this turn has recorded."""
    with bench.storage.writing() as work:
        work.record(Decision(changes=(OpenTicket(ticket=ticket()),)), AT)
        assert work.look().queue(["it"], 9) == ((ticket(),), 1)


def test_a_ticket_is_read_by_id(bench: Bench) -> None:
    """Without a lock, for those who only look."""
    opened = open_ticket(bench.storage)
    with bench.storage.reading() as reading:
        assert (reading.ticket("t1"), reading.ticket("t2")) == (opened, None)


# --- health --------------------------------------------------------------------------------------
def test_a_failed_turn_is_kept_for_doctor(bench: Bench) -> None:
    """What could not be decided is listed with its error."""
    with bench.storage.writing() as work:
        work.fail("f1", "k1", AT, "KeyError: 'x'")
        work.commit()
    (failed,) = bench.storage.health().failed_turns
    assert values(failed) == {"id": "f1", "key": "k1", "at": AT, "error": "KeyError: 'x'"}


def test_health_counts_tickets_and_lists_what_was_given_up(bench: Bench) -> None:
    """`doctor` and the metrics see counts by status and failed deliveries with reasons."""
    open_ticket(bench.storage, 1)
    open_ticket(bench.storage, 2, status=Status.CLOSED)
    record(bench.storage, said=(words("o1", ticket="t1"), words("o2", Thread(channel=CHAT))))
    bench.storage.outbox.failed(lease(bench.storage.outbox)["o1"], "channel_not_found")
    health = bench.storage.health()
    assert (health.tickets, health.pending) == ({Status.NEW: 1, Status.CLOSED: 1}, 1)
    assert [(row.key, row.ticket, row.reason) for row in health.failed_rows] == [("o1", "t1", "channel_not_found")]
