"""What is kept and read back: people, history, clocks, queues, health, on every storage."""

from __future__ import annotations

from dataclasses import replace

from storage.codec import values
from tests.builders import mark_sent
from tests.contract.storages import (
    ANN,
    AT,
    CHAT,
    SEOUL,
    TEAMS_ANN,
    TERMS,
    Bench,
    clock,
    event,
    keep_clock,
    kept_clock,
    lease,
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
    Decision,
    EditEntry,
    KeepPosition,
    KeepTerms,
    Meet,
    OpenTicket,
)
from triage.clocks import Cause, ClockEventKind, Measure
from triage.escalation import Position
from triage.model import Entry, EntryKind, Language, Priority, Status, Thread
from triage.outgoing import Direct
from triage.policy import Metric


# --- history, people -----------------------------------------------------------------------------
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


# --- clocks --------------------------------------------------------------------------------------
def test_a_clock_comes_back_with_its_log(bench: Bench) -> None:
    """A clock is kept under ticket, metric and instance; keeping it again replaces it."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, next_at=minutes(5))
    met = clock(
        event(ClockEventKind.RETARGET, 3, measure=Measure(seconds=7, calendar=SEOUL)),
        event(ClockEventKind.BREACH, 3, cause=Cause.RECLASSIFIED),
        event(ClockEventKind.MEET, 9),
        event(ClockEventKind.RESUME, 10, counted=True),
        known_at=minutes(1),
        rung=("1:50%", "2:due", "overdue:3"),
    )
    keep_clock(bench.storage, kept=met)
    assert load(bench.storage, number=1).clocks == (met,)


def test_due_clocks_come_oldest_first(bench: Bench) -> None:
    """Only clocks whose next stage has come, in order, as many as asked for."""
    for number, at in enumerate((minutes(3), minutes(1), minutes(2), minutes(99), None), start=1):
        open_ticket(bench.storage, number)
        keep_clock(bench.storage, number, next_at=at)
    with bench.storage.writing() as work:
        assert [item.ticket.number for item in work.due(minutes(3), 9)] == [2, 3, 1]
        assert [item.ticket.number for item in work.due(minutes(3), 2)] == [2, 3]


def test_a_due_clock_comes_with_ticket_terms_and_position(bench: Bench) -> None:
    """The sweep needs nothing else to decide."""
    opened, kept = open_ticket(bench.storage), clock()
    position = Position(run="r1", step=2, next_at=minutes(9))
    record(bench.storage, kept_clock(kept=kept, next_at=minutes(1)))
    record(bench.storage, KeepTerms(ticket="t1", terms=TERMS), KeepPosition(ticket="t1", position=position))
    with bench.storage.writing() as work:
        (item,) = work.due(minutes(1), 9)
    assert (item.ticket, item.clock) == (replace(opened, version=2), kept)
    assert (item.terms, item.position) == (TERMS, position)


def test_a_clock_rung_is_not_due_again(bench: Bench) -> None:
    """Storing the clock's next stage takes it out of the range."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, next_at=minutes(1))
    keep_clock(bench.storage, next_at=None)
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
    keep_clock(bench.storage, 3, next_at=minutes(9))
    keep_clock(bench.storage, 4, next_at=minutes(5))
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
    keep_clock(bench.storage, kept=clock(event(ClockEventKind.MEET)), due_at=minutes(1))
    keep_clock(bench.storage, kept=clock(metric=Metric.RESOLUTION), due_at=minutes(8))
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
    bench.storage.outbox.failed(lease(bench.storage.outbox)["o1"], "channel_not_found", AT)
    health = bench.storage.health()
    assert (health.tickets, health.pending) == ({Status.NEW: 1, Status.CLOSED: 1}, 1)
    assert [(row.key, row.ticket, row.reason) for row in health.failed_rows] == [("o1", "t1", "channel_not_found")]


def test_whoever_could_only_be_mentioned_is_listed_with_the_reason(bench: Bench) -> None:
    """`doctor` sees whom the bot cannot write to; a row that only had to wait first is no such thing."""
    record(
        bench.storage,
        said=(words("o1", to=Direct(person="lee")), words("o2", to=Direct(person="ann"))),
    )
    outbox = bench.storage.outbox
    leased = lease(outbox)
    mark_sent(outbox, leased["o1"], None, missed="user_disabled")
    outbox.later(leased["o2"], -1, "429")
    mark_sent(outbox, lease(outbox)["o2"], None)
    assert bench.storage.unreachable() == {"lee": "user_disabled"}
