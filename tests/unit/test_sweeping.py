"""What time sets off over the storage: stages, escalations and messages to people, each once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from tests.builders import HOUR, LONDON, NOW, POLICY, TERMS, TRIAGE, mention, message, press, shown, ticket
from tests.timelines import story
from tests.unit.office import Office, phrases
from tests.unit.times import chained, team_with
from triage import sla
from triage.calendars import Calendar, Window
from triage.chain import Chain, Notify, Raise, Reassign, Wait, Whom
from triage.changes import Change, Decision, KeepClock, KeepEvent, KeepPosition, KeepTerms, OpenTicket
from triage.clocks import ClockState
from triage.escalation import Position
from triage.model import EntryKind, Language, Priority, Status, Thread
from triage.outgoing import Card, Direct, Outgoing, Pings, UnderSlot
from triage.policy import Metric, Quiet, Terms
from triage.sweeping import BATCH, SET_ASIDE

QUIET = Chain(steps=())
"""A chain that calls nobody: these tests are about clocks."""

CALM = replace(TERMS, chain=QUIET)


@pytest.fixture
def office() -> Office:
    """A desk whose promises are broken without anybody being called."""
    return Office(policy=team_with(terms=CALM))


def opened(office: Office, text: str = "Printer on fire") -> Thread:
    """Ann's question became a ticket; the thread under its card."""
    office.take(message(text))
    return Thread(channel=TRIAGE, root="p2")


def owned(office: Office, by: str = "kim") -> Thread:
    card = opened(office)
    office.take(mention("claim", by=by, at=card))
    return card


def keep(office: Office, *changes: Change) -> None:
    with office.storage.writing() as work:
        work.record(Decision(changes=changes), office.now)
        work.commit()


def open_with(terms: Terms, number: int, *, next_at: datetime = NOW, owner: str | None = None) -> Iterable[Change]:
    """A ticket whose clocks are looked at from `next_at` on, under terms nobody has checked."""
    found = ticket(number, conversation=None, owner=owner)
    past = story(found, replace(terms, warn=()))
    yield OpenTicket(ticket=found)
    yield KeepTerms(ticket=found.id, terms=terms)
    yield from (KeepEvent(ticket=found.id, event=event) for event in past.events)
    for clock in past.clocks:
        yield KeepClock(ticket=found.id, clock=clock, due_at=None, next_at=next_at)


def reminders(out: list[Outgoing]) -> list[tuple[str, list[str]]]:
    """Who is told what, a message an item."""
    bundles = [(item.to, item.notice) for item in out if isinstance(item.notice, Pings)]
    return [
        (to.person, [reminder.say.phrase for reminder in notice.reminders])
        for to, notice in bundles
        if isinstance(to, Direct)
    ]


# --- clocks ------------------------------------------------------------------------------------
def test_the_sweep_pings_the_team_then_the_owner_then_nobody(office: Office) -> None:
    """Warnings and breaches, each once."""
    card = opened(office)
    (first,) = [item for item in office.sweep(hours=2) if not isinstance(item.notice, Card)]
    assert isinstance(first.to, UnderSlot)
    assert (phrases([first]), office.swept.rung) == (["ping.soon"], 1)
    office.take(mention("claim", by="kim", at=card))
    said = office.sweep(hours=3)
    assert reminders(said) == [("kim", ["ping.due", "ping.soon"])]
    assert {item.language for item in said if isinstance(item.notice, Pings)} == {Language.ZH_HANT}
    assert (office.swept.rung, office.swept.told) == (2, 1)
    assert office.sweep() == []
    assert not office.swept.any


def test_after_downtime_there_is_one_message_a_clock_with_the_highest_stage(office: Office) -> None:
    """Nobody reads on Wednesday what they would have been warned of on Monday."""
    owned(office)
    assert reminders(office.sweep(hours=50)) == [("kim", ["ping.due", "ping.due"])]


def test_the_card_says_how_much_time_is_left_at_each_warning(office: Office) -> None:
    """It is refreshed with the ping, so that what it says does not grow old."""
    opened(office)
    (card,) = [item for item in office.sweep(hours=2) if isinstance(item.notice, Card)]
    assert "2 h of working time left" in shown(replace(card, language=Language.EN))


def test_two_clocks_of_one_ticket_in_one_sweep_do_not_overwrite_each_other() -> None:
    """The first one's breach raises the priority, which retargets the second: what is kept is what follows
    from the events."""
    office = Office(policy=team_with(terms=replace(TERMS, chain=Chain(steps=(Raise(priority=Priority.URGENT),)))))
    opened(office)
    office.sweep(hours=5)
    known = office.known("id2")
    kept = {clock.metric: clock.measure.seconds for clock in known.clocks}
    assert kept == {clock.metric: clock.measure.seconds for clock in sla.recomputed(known.events).clocks}
    assert kept[Metric.RESOLUTION] == TERMS.targets[Priority.URGENT].seconds[Metric.RESOLUTION]


def test_a_broken_promise_stands_on_the_card(office: Office) -> None:
    """As its team sees it, from then on."""
    opened(office)
    (card,) = [item for item in office.sweep(hours=5) if isinstance(item.notice, Card)]
    assert "missed on Monday 9 March, 13:00 (London)" in shown(replace(card, language=Language.EN))
    (late,) = [clock for clock in office.known("id2").clocks if clock.metric is Metric.FIRST_RESPONSE]
    assert late.state is ClockState.BREACHED


def test_what_was_kept_before_the_sweep_came_is_not_said(office: Office) -> None:
    """A reply one minute before."""
    card = opened(office)
    office.take(message("try again", by="kim", at=card), minutes=239)
    assert "ping.due" not in phrases(office.sweep(minutes=2))


def test_a_ping_that_waited_is_checked_again_before_it_is_sent(office: Office) -> None:
    """Answered between the sweep and the delivery: only the solution is still to come."""
    card = owned(office)
    office.now += timedelta(hours=4)
    office.desk.sweep()
    office.desk.take(message("try again", by="kim", at=card))
    assert reminders(office.deliver()) == [("kim", ["ping.soon"])]


def test_the_sweep_ends_however_much_is_due(office: Office) -> None:
    """More than a batch, after a long downtime: the highest stage of each, and then nothing."""
    tickets = BATCH // 2 + 5
    for n in range(tickets):
        office.desk.take(message(f"printer {n}"))
    assert {phrase for phrase in phrases(office.sweep(hours=700)) if phrase.startswith("ping")} == {"ping.due"}
    assert office.swept.rung == 2 * tickets
    assert office.sweep() == []


# --- what cannot be worked out -----------------------------------------------------------------------
BROKEN = replace(CALM, warn=("soon",))
"""Terms that no desk.yaml of ours gives."""


def test_a_clock_that_cannot_be_worked_out_is_set_aside_and_the_rest_goes_on(office: Office) -> None:
    """One broken ticket never silences a company."""
    keep(office, *open_with(BROKEN, 1), *open_with(CALM, 2))
    said = office.sweep(hours=4)
    assert [item.ticket for item in said if phrases([item]) == ["ping.due"]] == ["t2"]
    assert len(office.swept.failed) == 2
    assert office.swept.failed[0].startswith("ticket 1: ValueError: 'soon' is not a duration")


def test_what_was_set_aside_is_tried_again_later(office: Office) -> None:
    """Not with every sweep, and not never."""
    keep(office, *open_with(BROKEN, 1))
    office.sweep(hours=4)
    office.sweep(minutes=1)
    assert not office.swept.failed
    office.sweep(minutes=SET_ASIDE.total_seconds() / 60)
    assert office.swept.failed


def test_a_step_that_cannot_be_worked_out_is_set_aside_and_the_rest_goes_on(office: Office) -> None:
    """It is tried again later, like a clock."""
    wrong = chained(Wait(seconds=60), Raise(priority="mega"), Notify(whom=Whom.LEAD))  # type: ignore[arg-type]
    right = chained(Wait(seconds=60), Notify(whom=Whom.LEAD))
    due = Position(run="r", step=1, next_at=NOW)
    for number, terms in ((1, wrong), (2, right)):
        later = open_with(terms, number, next_at=NOW + timedelta(days=9))
        keep(office, *later, KeepPosition(ticket=f"t{number}", position=due))
    assert reminders(office.sweep()) == [("lee", ["page.rung_you"])]
    assert [failure.partition(":")[0] for failure in office.swept.failed] == ["ticket 1"]
    assert office.known("t1").position == replace(due, next_at=NOW + SET_ASIDE)


# --- escalation ----------------------------------------------------------------------------------
def test_a_broken_promise_calls_one_after_the_other() -> None:
    """The owner reads of the breach; ten minutes later the lead is called, then the whole team."""
    office = Office()
    owned(office)
    assert reminders(office.sweep(hours=4, minutes=1)) == [("kim", ["ping.due", "ping.soon"])]
    assert reminders(office.sweep(minutes=9)) == []
    assert reminders(office.sweep(minutes=1)) == [("lee", ["page.rung_you"])]
    assert "event.rung_team" in phrases(office.sweep(minutes=10))
    assert office.sweep(minutes=10) == []


def test_of_two_promises_broken_at_once_one_chain_is_begun() -> None:
    """Nobody is called twice about one ticket."""
    office = Office()
    opened(office)
    assert reminders(office.sweep(hours=50)) == [("lee", ["page.rung_you"])]
    assert office.known("id2").position.step == 4


def test_whoever_says_that_they_are_on_it_is_left_in_peace_for_an_hour() -> None:
    """Then it begins again, with the owner."""
    office = Office()
    card = owned(office)
    office.sweep(hours=4, minutes=1)
    office.take(press("ack 1", by="kim", at=card))
    assert office.sweep(minutes=55) == []
    assert reminders(office.sweep(minutes=10)) == [("kim", ["page.rung_you"])]


def test_the_card_shows_whom_a_broken_promise_handed_the_ticket_to() -> None:
    """Both the breach and the new owner change it: it is written once, as it stands after both."""
    handing = Chain(steps=(Reassign(whom=Whom.LEAD),))
    office = Office(policy=team_with(terms=replace(CALM, warn=(), chain=handing)))
    opened(office)
    (card,) = [item.notice for item in office.sweep(hours=4, minutes=1) if isinstance(item.notice, Card)]
    assert (card.owner and card.owner.person, card.status) == ("lee", Status.OPEN)


def test_a_call_that_waited_is_not_said_once_somebody_is_on_it() -> None:
    """The lead need not read what is in hand."""
    office = Office()
    card = owned(office)
    office.sweep(hours=4, minutes=1)
    office.now += timedelta(minutes=10)
    office.desk.sweep()
    office.desk.take(press("ack 1", by="kim", at=card))
    assert reminders(office.deliver()) == []


def test_an_empty_role_is_in_the_history() -> None:
    """Nobody owned it when its promise was broken."""
    office = Office()
    opened(office)
    office.sweep(hours=5)
    with office.storage.reading() as reading:
        events = [entry.text for entry in reading.history("id2", 50) if entry.kind is EntryKind.EVENT]
    assert any("event.nobody" in text for text in events)


# --- people --------------------------------------------------------------------------------------
NIGHTS = Calendar(windows=tuple(Window(day=day, opens=12 * HOUR, closes=33 * HOUR) for day in range(7)))
"""Kim works in the mornings only."""


def test_pings_of_quiet_hours_are_said_together_when_they_end() -> None:
    """Due at 13:00 and 17:00, said at nine the next day."""
    kim = replace(POLICY.people["kim"], quiet=Quiet(hours=NIGHTS))
    policy = team_with(terms=replace(CALM, warn=()))
    office = Office(policy=replace(policy, people={**policy.people, "kim": kim}))
    owned(office)
    assert reminders(office.sweep(hours=4, minutes=1)) == []
    assert reminders(office.sweep(hours=4)) == []
    assert reminders(office.sweep(hours=15, minutes=58)) == []
    assert reminders(office.sweep(minutes=1)) == [("kim", ["ping.due", "ping.due"])]


def busy(office: Office, number: int, at: datetime) -> None:
    """A ticket of Kim's whose first answer is due then."""
    terms = replace(CALM, calendar=LONDON, warn=())
    changes = open_with(terms, number, next_at=at, owner="kim")
    keep(office, *(c for c in changes if not isinstance(c, KeepClock) or c.clock.metric is Metric.FIRST_RESPONSE))


def test_beyond_so_many_messages_an_hour_the_rest_is_held_back_and_counted() -> None:
    """The third within the hour waits until an hour after the first, and says so."""
    office = Office(policy=replace(POLICY, pings_an_hour=2))
    late = NOW + timedelta(hours=4)
    for number, minutes in enumerate((0, 10, 20, 30), 1):
        busy(office, number, late + timedelta(minutes=minutes))
    office.now = late
    heard = [office.sweep(minutes=step) for step in (1, 10, 10, 10)]
    assert [len(reminders(out)) for out in heard] == [1, 1, 0, 0]
    (item,) = office.sweep(minutes=30)
    assert isinstance(item.notice, Pings)
    assert (len(item.notice.reminders), item.notice.held) == (2, 2)


# --- two at once ---------------------------------------------------------------------------------
def test_two_sweeps_at_once_say_things_once() -> None:
    """Two processes on one database."""
    office = Office()
    for n in range(5):
        office.take(message(f"printer {n}"))
    office.take(mention("claim 1", by="kim", at=TRIAGE))
    office.now += timedelta(hours=50)
    both = Barrier(2)

    def sweep(_: int) -> int:
        both.wait(timeout=5)
        return office.desk.sweep().rung

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(sweep, range(2))) == 10
    said = office.deliver()
    assert len({item.key for item in said}) == len(said)
    assert sorted(phrases(said)).count("ping.due") == 8
    assert [person for person, _ in reminders(said)].count("kim") == 1
