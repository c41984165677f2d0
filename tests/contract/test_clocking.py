"""What clocks are computed from and what moves them, kept and read back on every storage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.memory import MemoryStorage
from storage.sql import SqlStorage
from tests.contract.storages import (
    AT,
    CHAT,
    SEOUL,
    TERMS,
    Bench,
    clock,
    event,
    keep_clock,
    kept_clock,
    load,
    minutes,
    open_ticket,
    record,
    started,
    ticket,
)
from triage.calendars import ALWAYS, Calendar, Window
from triage.changes import Decision, KeepEvent, KeepPosition, KeepTerms, OpenTicket, SetStatus, SwapOnCall
from triage.clocks import Cause, Clock, ClockEventKind, LogEvent, Measure
from triage.escalation import Position
from triage.model import Priority, Status
from triage.policy import Metric, Targets, Terms
from triage.ports import Loaded, Storage
from triage.rota import Override
from triage.timeline import Do, Event

SPLIT = Calendar(timezone="Europe/London", windows=tuple(Window(day=d, opens=0, closes=9) for d in range(3)))
OTHER = Terms(calendar=SPLIT, targets={Priority.LOW: Targets(seconds={Metric.NEXT_REPLY: 9}, hours="calendar")})

ANY_DATA = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def another(bench: Bench) -> Storage:
    """A second process on the same database."""
    return SqlStorage(bench.engine) if bench.engine else bench.storage


# --- terms and calendars -------------------------------------------------------------------------
def test_terms_come_back_as_they_were(bench: Bench) -> None:
    """Calendar, targets, stages and every kind of step of the chain; by whichever process reads them."""
    open_ticket(bench.storage)
    record(bench.storage, KeepTerms(ticket="t1", terms=TERMS))
    assert (load(bench.storage, number=1).terms, load(another(bench), number=1).terms) == (TERMS, TERMS)


def test_tickets_share_terms_or_have_their_own(bench: Bench) -> None:
    """Other terms for one ticket leave those of the rest alone; without any there are none."""
    for number, terms in enumerate((TERMS, TERMS, OTHER, None), start=1):
        open_ticket(bench.storage, number)
        if terms is not None:
            record(bench.storage, KeepTerms(ticket=f"t{number}", terms=terms))
    record(bench.storage, KeepTerms(ticket="t2", terms=OTHER))
    assert [load(another(bench), number=number).terms for number in (1, 2, 3, 4)] == [TERMS, OTHER, OTHER, None]


def test_terms_that_were_rolled_back_are_written_again(bench: Bench) -> None:
    """What a process wrote in vain it must not take for kept: neither terms nor the calendar of a clock."""
    open_ticket(bench.storage)
    changes = (KeepTerms(ticket="t1", terms=TERMS), kept_clock(kept=in_seoul()))
    with bench.storage.writing() as work:
        work.record(Decision(changes=changes), AT)
        assert work.whole("t1").terms == TERMS
    assert load(bench.storage, number=1).terms is None
    record(bench.storage, *changes)
    loaded = load(another(bench), number=1)
    assert (loaded.terms, loaded.clocks) == (TERMS, (in_seoul(),))


def test_a_calendar_changed_under_the_same_name_is_another(bench: Bench) -> None:
    """A new holiday holds for new clocks; those that were started before keep their days."""
    open_ticket(bench.storage)
    changed = replace(SEOUL, holidays=("KR", "2026-12-24"))
    keep_clock(bench.storage, kept=in_seoul())
    keep_clock(bench.storage, kept=clock(metric=Metric.RESOLUTION, log=(started(calendar=changed),)))
    found = load(another(bench), number=1).clocks
    assert [each.measure.calendar for each in found] == [SEOUL, changed]


def in_seoul() -> Clock:
    return clock(log=(started(calendar=SEOUL),))


# --- events and logs -----------------------------------------------------------------------------
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda naive: naive.replace(tzinfo=AT.tzinfo))
CALENDARS = st.sampled_from([ALWAYS, SEOUL, SPLIT])
MEASURES = st.builds(Measure, seconds=st.integers(0, 10**9), calendar=CALENDARS)
WORDS = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
EVENTS = st.builds(
    Event,
    at=INSTANTS,
    do=st.sampled_from(Do),
    priority=st.none() | st.sampled_from(Priority),
    terms=st.sampled_from([None, TERMS, OTHER]),
    thanks=st.booleans(),
    team=WORDS,
    channel=WORDS,
)
FURTHER = st.builds(
    LogEvent,
    at=INSTANTS,
    kind=st.sampled_from([kind for kind in ClockEventKind if kind not in ("start", "retarget")]),
    counted=st.booleans(),
    cause=st.none() | st.sampled_from(Cause),
) | st.builds(LogEvent, at=INSTANTS, kind=st.just(ClockEventKind.RETARGET), measure=MEASURES)


@st.composite
def clocks(draw: st.DrawFn) -> Clock:
    """Any log that begins with a target, however odd: storage does not judge."""
    start = LogEvent(at=draw(INSTANTS), kind=ClockEventKind.START, measure=draw(MEASURES))
    return Clock(
        metric=draw(st.sampled_from(Metric)),
        instance=draw(st.integers(1, 99)),
        log=(start, *draw(st.lists(FURTHER, max_size=8))),
        known_at=draw(INSTANTS),
        rung=tuple(draw(st.lists(st.sampled_from(["1:50%", "2:-30m", "2:due", "overdue:12"])))),
    )


@ANY_DATA
@given(kept=clocks())
def test_any_log_comes_back_as_it_was(bench: Bench, kept: Clock) -> None:
    """To the microsecond, with every target's calendar, and with all that follows from it."""
    if load(bench.storage, number=1).ticket is None:
        open_ticket(bench.storage)
    keep_clock(bench.storage, kept=kept)
    found = load(another(bench), number=1).clocks
    assert [each for each in found if (each.metric, each.instance) == (kept.metric, kept.instance)] == [kept]


@ANY_DATA
@given(happened=st.lists(EVENTS, min_size=1, max_size=4))
def test_any_events_come_back_in_order(bench: Bench, happened: list[Event]) -> None:
    """In the order they were kept in, also those of one turn and of one instant, each with its terms."""
    before = len(load(bench.storage, number=1).events)
    if load(bench.storage, number=1).ticket is None:
        open_ticket(bench.storage)
    record(bench.storage, *(KeepEvent(ticket="t1", event=each) for each in happened))
    assert load(another(bench), number=1).events[before:] == tuple(happened)


def test_clocks_come_in_the_order_of_their_metrics(bench: Bench) -> None:
    """And of their instances, whichever was kept last."""
    open_ticket(bench.storage)
    kept = [clock(metric=metric, instance=n) for metric in (Metric.NEXT_REPLY, Metric.OWNERSHIP) for n in (1, 2, 10)]
    record(bench.storage, *(kept_clock(kept=each) for each in reversed(kept)))
    assert load(bench.storage, number=1).clocks == tuple(kept)


def test_the_events_of_other_tickets_are_not_its_own(bench: Bench) -> None:
    """Each ticket is computed from what happened to it alone."""
    opened = Event(at=AT, do=Do.OPEN, priority=Priority.HIGH, terms=TERMS, team="it", channel=CHAT.key)
    for number in (1, 2):
        open_ticket(bench.storage, number)
        record(bench.storage, KeepEvent(ticket=f"t{number}", event=replace(opened, team=f"team{number}")))
    assert [each.team for each in load(bench.storage, number=2).events] == ["team2"]


def test_a_ticket_is_read_whole_by_id(bench: Bench) -> None:
    """The sweep finds all that a turn in the ticket's thread would find; nothing about one that is gone."""
    open_ticket(bench.storage)
    opened = Event(at=AT, do=Do.OPEN, priority=Priority.NORMAL, terms=TERMS)
    position = Position(run="r1", step=3, round=1, next_at=minutes(1), acked_by="lee")
    keep_clock(bench.storage)
    record(
        bench.storage,
        KeepTerms(ticket="t1", terms=TERMS),
        KeepEvent(ticket="t1", event=opened),
        KeepPosition(ticket="t1", position=position),
    )
    with bench.storage.writing() as work:
        found, gone = work.whole("t1"), work.whole("t9")
    assert found == load(bench.storage, number=1)
    assert (found.terms, found.events, found.position, gone) == (TERMS, (opened,), position, Loaded())


def test_what_this_transaction_wrote_is_read_whole(bench: Bench) -> None:
    """The sweep goes on from what it has just recorded."""
    open_ticket(bench.storage)
    met = clock(event(ClockEventKind.MEET, 1))
    with bench.storage.writing() as work:
        changes = (kept_clock(kept=met), KeepPosition(ticket="t1", position=Position(run="r1")))
        work.record(Decision(changes=changes), AT)
        found = work.whole("t1")
    assert (found.clocks, found.position) == ((met,), Position(run="r1"))


# --- escalation ----------------------------------------------------------------------------------
def at_steps(bench: Bench, *when: datetime | None) -> None:
    """Tickets from 1 on whose chains go on then."""
    for number, next_at in enumerate(when, start=1):
        open_ticket(bench.storage, number)
        position = Position(run=f"r{number}", next_at=next_at)
        record(bench.storage, KeepPosition(ticket=f"t{number}", position=position))


def due_steps(storage: Storage, at: datetime, limit: int = 9) -> list[str]:
    with storage.writing() as work:
        return list(work.due_steps(at, limit))


def test_steps_come_oldest_first(bench: Bench) -> None:
    """Only chains whose time has come, in order, as many as asked for."""
    at_steps(bench, minutes(3), minutes(1), minutes(2), minutes(4), None)
    assert due_steps(bench.storage, minutes(3)) == ["t2", "t3", "t1"]
    assert due_steps(bench.storage, minutes(3), 2) == ["t2", "t3"]


@pytest.mark.parametrize("position", [Position(), Position(run="r1", step=7), Position(run="r2", next_at=minutes(9))])
def test_a_chain_that_went_on_is_not_due_again(position: Position, bench: Bench) -> None:
    """Where it stands now decides."""
    at_steps(bench, minutes(1))
    record(bench.storage, KeepPosition(ticket="t1", position=position))
    assert due_steps(bench.storage, minutes(5)) == []
    assert load(bench.storage, number=1).position == position


def test_a_position_stays_when_the_ticket_changes(bench: Bench) -> None:
    """What happens to the ticket leaves its terms and its chain alone."""
    record(bench.storage, OpenTicket(ticket=ticket()), KeepTerms(ticket="t1", terms=TERMS))
    record(bench.storage, KeepPosition(ticket="t1", position=Position(run="r1", next_at=minutes(1))))
    record(bench.storage, SetStatus(ticket="t1", status=Status.PENDING, at=AT))
    loaded = load(bench.storage, number=1)
    assert (loaded.terms, loaded.position.run, due_steps(bench.storage, minutes(1))) == (TERMS, "r1", ["t1"])


# --- being on call -------------------------------------------------------------------------------
def test_swaps_are_kept_by_team(bench: Bench) -> None:
    """In the order they were agreed, without those that are over."""
    over, first, last = (
        Override(since=minutes(since), until=minutes(until), person=person)
        for since, until, person in ((0, 5, "kim"), (30, 60, "lee"), (0, 6, "kim"))
    )
    for team, override in (("it", over), ("it", first), ("hr", first), ("it", last)):
        record(bench.storage, SwapOnCall(team=team, override=override, by="ada"))
    with bench.storage.reading() as reading:
        assert reading.swaps(minutes(5)) == {"it": (first, last), "hr": (first,)}
        assert reading.swaps(minutes(60)) == {}


# --- the sweep is alive --------------------------------------------------------------------------
def beat(storage: Storage, seconds: float) -> None:
    with storage.writing() as work:
        work.beat(AT + timedelta(seconds=seconds))
        work.commit()


def down(bench: Bench) -> list[tuple[float, float]]:
    """When nobody swept, in seconds."""
    if isinstance(bench.storage, SqlStorage):
        found = [(each.since, each.until) for each in bench.storage.downtimes(AT)]
    else:
        assert isinstance(bench.storage, MemoryStorage)
        found = list(bench.storage._tables.downtimes.items())
    return [((since - AT).total_seconds(), (until - AT).total_seconds()) for since, until in sorted(found)]


def test_a_long_silence_is_downtime(bench: Bench) -> None:
    """From the last beat to the next; the first of all follows no silence."""
    for seconds in (0, 15, 100, 130):
        beat(bench.storage, seconds)
    assert down(bench) == [(15, 100)]


def test_a_minute_of_silence_is_none(bench: Bench) -> None:
    """A slow sweep is no outage; a second more is."""
    for seconds in (0, 60, 121):
        beat(bench.storage, seconds)
    assert down(bench) == [(60, 121)]


def test_whoever_sweeps_keeps_the_desk_alive(bench: Bench) -> None:
    """Of two processes one may be down."""
    other = another(bench)
    for storage, seconds in ((bench.storage, 0), (other, 50), (other, 100), (bench.storage, 150)):
        beat(storage, seconds)
    assert down(bench) == []


def test_a_late_clock_does_not_turn_time_back(bench: Bench) -> None:
    """A process whose clock goes behind makes no downtime out of nothing."""
    for seconds in (100, 30, 155):
        beat(bench.storage, seconds)
    assert down(bench) == []


def test_two_processes_that_start_again_keep_one_downtime(bench: Bench) -> None:
    """However close together they begin to sweep."""
    beat(bench.storage, 0)
    start = Barrier(2)

    def begins(storage: Storage, seconds: float) -> Callable[[], None]:
        def run() -> None:
            start.wait(5)
            beat(storage, seconds)

        return run

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(begins(bench.storage, 300)), pool.submit(begins(another(bench), 301))]
        for each in both:
            each.result(10)
    assert [since for since, _ in down(bench)] == [0]
