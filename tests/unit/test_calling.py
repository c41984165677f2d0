"""Calling people about a ticket: who is called when, what they read, and what the walk changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import (
    ASKED,
    LOBBY,
    NOW,
    TERMS,
    TRIAGE,
    changed,
    commands,
    conversation,
    decided,
    loaded,
    mention,
    notice,
    phrases,
    saying,
    ticket,
    to_team,
)
from tests.unit.times import ON_CALL, called, chained, kept_pings, kept_position, known, team_with, tick
from triage import calling
from triage.chain import Notify, Raise, Reassign, Repeat, Wait, Whom
from triage.changes import AddEntry, Assign, Decision, KeepClock, KeepEvent, OpenTicket, SetPriority, SetStatus
from triage.escalation import Position
from triage.model import EntryKind, Language, Message, Priority, Status, Thread, Ticket
from triage.outgoing import Card, Direct, InThread, OnSlot, Say, StepGuard, card_slot, promise_slot
from triage.phrases import spoken
from triage.policy import Metric, Policy, Terms
from triage.ports import Loaded
from triage.timeline import Do

TEN_MINUTES = timedelta(minutes=10)
OWNED = ticket(owner="kim")
AFTER_OWNER = Position(run="r", step=2, next_at=NOW)
AFTER_LEAD = Position(run="r", step=4, next_at=NOW)
HIGH = TERMS.targets[Priority.HIGH]
LATE = NOW + timedelta(hours=4)
"""When the first answer to a normal ticket is due."""


def asked(
    found: Ticket, position: Position | None = None, *, by: str = "ann", terms: Terms = TERMS, policy: Policy = ON_CALL
) -> Decision:
    """Somebody mentions the bot in the thread of this ticket."""
    return decided(mention("hello?", by=by, at=ASKED), known(found, position, terms), policy=policy)


def events(decision: Decision) -> list[str]:
    """What the history keeps of it, in English."""
    entries = [change.entry for change in changed(decision, AddEntry)]
    return [spoken(entry.text, Language.EN) for entry in entries if entry.kind is EntryKind.EVENT]


# --- a mention ---------------------------------------------------------------------------------
def test_the_first_mention_begins_the_chain_and_its_timer() -> None:
    """The owner is called; the lead is next, in ten minutes of working time."""
    said = mention("hello?", at=ASKED)
    decision = decided(said, known(OWNED))
    assert called(decision) == ["Kim"]
    assert kept_position(decision) == Position(run=said.key, step=2, next_at=NOW + TEN_MINUTES)


@pytest.mark.parametrize(
    ("found", "position", "by", "whom"),
    [
        (OWNED, None, "ann", "Kim"),
        (OWNED, AFTER_OWNER, "ann", "Lee"),
        (ticket(), None, "ann", "Lee"),
        (ticket(owner="lee"), None, "ann", "Lee"),
        (ticket(owner="lee"), AFTER_OWNER, "ann", "Kim"),
        (ticket(), AFTER_LEAD, "ann", "Kim"),
        (OWNED, AFTER_LEAD, "ann", "IT"),
        (ticket(), Position(run="r", step=7), "ann", "IT"),
    ],
)
def test_a_mention_takes_the_next_step_that_calls_somebody_new(
    found: Ticket, position: Position | None, by: str, whom: str
) -> None:
    """Owner, lead, whoever is on call, everyone: a missing owner and whoever was called are passed over."""
    assert called(asked(found, position, by=by)) == [whom]


def test_nobody_is_called_by_themselves() -> None:
    """The lead who asks for help gets whoever is on call."""
    decision = decided(mention("escalate 7", by="lee", at=LOBBY), known(ticket()), policy=ON_CALL)
    assert called(decision) == ["Kim"]


@pytest.mark.parametrize("terms", [chained(), chained(Notify(whom=Whom.OWNER))])
def test_where_the_chain_has_nobody_the_whole_team_is_called(terms: Terms) -> None:
    """A call is never without effect, and may be repeated."""
    first = asked(ticket(), terms=terms)
    assert called(first) == ["IT"]
    assert called(asked(ticket(), kept_position(first), terms=terms)) == ["IT"]


def test_a_mention_calls_at_once_whatever_the_hour() -> None:
    """What a person asks for waits in no bundle; the page offers to say that one is on it."""
    decision = asked(OWNED)
    page = saying(decision, "page.called_you")
    assert isinstance(page.to, Direct)
    assert page.to.person == "kim"
    assert commands(notice(decision, "page.called_you").choices) == ["ack 7", "why 7"]
    assert kept_pings(decision.changes) == []


def test_a_mention_ends_an_acknowledgement_that_was_not_enough() -> None:
    """Kim said that she is on it; the requester still asks."""
    resting = replace(AFTER_OWNER, acked_by="kim", next_at=NOW + timedelta(minutes=50))
    decision = asked(OWNED, resting)
    assert called(decision) == ["Lee"]
    assert kept_position(decision).acked_by is None


def test_what_was_asked_for_is_noted_with_who_asked() -> None:
    """In the history, and under the card."""
    decision = asked(OWNED)
    assert "Ann" in events(decision)[0]
    assert changed(decision, AddEntry)[-1].entry.author == "ann"
    assert "event.escalated" in {item.notice.phrase for item in to_team(decision) if isinstance(item.notice, Say)}


# --- a ticket opened by the call itself ----------------------------------------------------------
RAISING = chained(Notify(whom=Whom.LEAD), Raise(priority=Priority.HIGH), Reassign(whom=Whom.LEAD))


def below_an_answer(found: Loaded) -> Decision:
    return decided(mention("nobody answers", at=ASKED), found, policy=team_with(terms=RAISING))


@pytest.mark.parametrize(
    "found",
    [
        Loaded(conversation=conversation(article="vpn")),
        loaded(ticket(status=Status.CLOSED), conversation=conversation()),
    ],
)
def test_a_ticket_opened_by_the_call_runs_through_its_own_chain(found: Loaded) -> None:
    """What follows the call happens to the new ticket and its own clocks, not to an older one's."""
    decision = below_an_answer(found)
    (new,) = changed(decision, OpenTicket)
    assert called(decision) == ["Lee"]
    assert [change.ticket for change in changed(decision, SetPriority)] == [new.ticket.id]
    assert [change.event.do for change in changed(decision, KeepEvent)] == [Do.OPEN, Do.PRIORITY, Do.ASSIGN]
    assert {change.ticket for change in changed(decision, KeepClock)} == {new.ticket.id}
    assert (
        changed(decision, KeepClock)[-1].clock.measure.seconds
        == TERMS.targets[Priority.HIGH].seconds[Metric.RESOLUTION]
    )


def test_the_card_of_a_ticket_opened_by_the_call_keeps_its_text() -> None:
    """The card is posted, then updated with the priority and the owner it has now."""
    decision = below_an_answer(Loaded(conversation=conversation(article="vpn")))
    new, after = [item.notice for item in decision.outgoing if isinstance(item.notice, Card)]
    assert isinstance(new, Card)
    assert isinstance(after, Card)
    assert (new.priority, after.priority) == (Priority.NORMAL, Priority.HIGH)
    assert after.text == new.text == "Printer on fire\nnobody answers"


# --- a broken promise ----------------------------------------------------------------------------
def test_a_broken_promise_starts_the_chain() -> None:
    """Under a run of its own; the owner is called with their other pings, not by a message apart."""
    decision = calling.broken(tick(known(OWNED), LATE, key="sla:t7:due"), OWNED, told=frozenset())
    (ping,) = kept_pings(decision.changes)
    assert (ping.person, ping.urgent, ping.at) == ("kim", False, LATE)
    assert ping.reminder.guard == StepGuard(ticket="t7", run="sla:t7:due")
    assert ping.reminder.say.phrase == "page.rung_you"
    assert kept_position(decision) == Position(run="sla:t7:due", step=2, next_at=LATE + TEN_MINUTES)
    assert called(decision) == ["Kim"]


def test_whoever_was_just_pinged_is_not_called_as_well() -> None:
    """The breach itself was told to the owner: the chain begins with the wait for them."""
    decision = calling.broken(tick(known(OWNED), LATE), OWNED, told=frozenset({"kim"}))
    assert kept_pings(decision.changes) == []
    assert decision.outgoing == ()
    assert called(decision) == []
    assert kept_position(decision).next_at == LATE + TEN_MINUTES


def test_a_second_broken_promise_does_not_begin_a_chain_that_runs() -> None:
    """Nobody is called from the beginning again because the solution is late as well."""
    assert calling.broken(tick(known(OWNED, AFTER_LEAD), LATE), OWNED, told=frozenset()) == Decision()


def test_calls_about_urgent_tickets_are_urgent() -> None:
    """They wait for no quiet hours."""
    urgent = ticket(owner="kim", priority=Priority.URGENT)
    (ping,) = kept_pings(calling.broken(tick(known(urgent), LATE), urgent, told=frozenset()).changes)
    assert ping.urgent


def test_an_empty_role_is_noted_and_the_next_is_called_at_once() -> None:
    """Nobody owns it: the history says so, and the lead is called without waiting for nobody."""
    decision = calling.broken(tick(known(ticket()), LATE), ticket(), told=frozenset())
    assert [ping.person for ping in kept_pings(decision.changes)] == ["lee"]
    assert events(decision)[0] == "Nobody could be called (it has no owner), so the next in the chain is."
    assert phrases(decision) == {"event.rung"}
    assert {change.entry.author for change in changed(decision, AddEntry)} == {None}


# --- the timer -----------------------------------------------------------------------------------
def went_on(position: Position, found: Ticket = OWNED, *, terms: Terms = TERMS, policy: Policy = ON_CALL) -> Decision:
    return calling.went_on(tick(known(found, position, terms), NOW, key="step:t7:r:0:2", policy=policy), found)


def test_the_timer_goes_on_to_the_next_step() -> None:
    """Ten minutes after the owner the lead is called, and the team reads it."""
    decision = went_on(AFTER_OWNER)
    assert [ping.person for ping in kept_pings(decision.changes)] == ["lee"]
    assert kept_position(decision) == Position(run="r", step=4, next_at=NOW + TEN_MINUTES)
    assert events(decision) == ["Nobody has reacted: Lee was called."]


def test_after_the_last_step_nothing_more_comes_by_itself() -> None:
    """The team was called; the run stays known, so that it does not begin anew."""
    decision = went_on(Position(run="r", step=6, next_at=NOW))
    assert "event.rung_team" in phrases(decision)
    assert kept_position(decision) == Position(run="r", step=7)


def test_the_team_is_called_once_under_the_card() -> None:
    """Everyone reads it there; nobody gets it privately as well."""
    decision = went_on(Position(run="r", step=6, next_at=NOW))
    assert [item.notice.phrase for item in to_team(decision) if isinstance(item.notice, Say)] == ["event.rung_team"]
    assert kept_pings(decision.changes) == []


def test_a_channel_can_be_called() -> None:
    """With a message of its own there, and a line in the history."""
    terms = chained(Wait(seconds=600), Notify(channel=LOBBY))
    decision = went_on(Position(run="r", step=1, next_at=NOW), terms=terms)
    assert saying(decision, "page.rung_you").to == InThread(thread=Thread(channel=LOBBY))
    assert called(decision) == [f"#{LOBBY.id}"]


def test_a_chain_may_repeat() -> None:
    """So many times from the beginning; then it is over."""
    terms = chained(Notify(whom=Whom.OWNER), Wait(seconds=600), Repeat(times=1))
    again = went_on(Position(run="r", step=2, next_at=NOW), terms=terms)
    assert [ping.person for ping in kept_pings(again.changes)] == ["kim"]
    assert kept_position(again) == Position(run="r", step=2, round=1, next_at=NOW + TEN_MINUTES)
    last = went_on(replace(kept_position(again), next_at=NOW), terms=terms)
    assert kept_position(last).next_at is None
    assert called(last) == []


@pytest.mark.parametrize(
    "stale",
    [
        Position(),
        Position(run="r", step=2, next_at=NOW + timedelta(seconds=1)),
        Position(run="r", step=2, next_at=None),
        Position(run="r", step=2, acked_by="kim", next_at=NOW + timedelta(minutes=5)),
    ],
)
def test_a_stale_step_does_nothing(stale: Position) -> None:
    """Another process went on first, or somebody took care of it meanwhile."""
    decision = went_on(stale)
    assert decision.outgoing == ()
    assert [*decision.changes] == [change for change in decision.changes if kept_position(decision) == stale]


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.CLOSED])
def test_a_ticket_that_is_over_calls_nobody(status: Status) -> None:
    """Its chain ends where it stood."""
    decision = went_on(AFTER_OWNER, ticket(owner="kim", status=status))
    assert decision.outgoing == ()
    assert kept_position(decision) == Position()


def test_while_a_ticket_waits_for_its_requester_nobody_is_called() -> None:
    """The chain stays where it is, and is looked at again in half an hour."""
    decision = went_on(AFTER_OWNER, ticket(owner="kim", status=Status.PENDING))
    assert decision.outgoing == ()
    assert kept_position(decision) == replace(AFTER_OWNER, next_at=NOW + timedelta(minutes=30))


def test_an_acknowledgement_that_ran_out_begins_the_chain_again() -> None:
    """Under a new run, so that what was said before is stale. Its name is part of keys: it must not hold the run
    before, or it would grow with every acknowledgement until no index takes it."""
    decision = went_on(Position(run="r", step=4, acked_by="kim", next_at=NOW))
    assert [ping.person for ping in kept_pings(decision.changes)] == ["kim"]
    assert kept_position(decision) == Position(run=f"again:{NOW.isoformat()}", step=2, next_at=NOW + TEN_MINUTES)


# --- what a chain does to a ticket -----------------------------------------------------------------
def test_a_raise_changes_priority_clocks_card_and_promise() -> None:
    """Ten minutes before the answer is due everything follows the new priority."""
    terms = chained(Raise(priority=Priority.URGENT))
    decision = calling.broken(tick(known(ticket(), terms=terms), NOW), ticket(), told=frozenset())
    assert changed(decision, SetPriority) == [SetPriority(ticket="t7", priority=Priority.URGENT)]
    due = {str(change.clock.metric): change.due_at for change in changed(decision, KeepClock)}
    assert due == {"first_response": NOW + timedelta(minutes=30), "resolution": NOW + timedelta(hours=2)}
    edited = {item.to.slot: item.notice for item in decision.outgoing if isinstance(item.to, OnSlot)}
    assert edited.keys() == {card_slot("t7", "it"), promise_slot("t7")}
    card = edited[card_slot("t7", "it")]
    assert isinstance(card, Card)
    assert card.priority is Priority.URGENT
    assert events(decision) == ["Nobody has reacted: the priority is urgent now."]


def test_a_raise_never_lowers() -> None:
    """An urgent ticket stays urgent, and nothing is said about it."""
    urgent = ticket(owner="kim", priority=Priority.URGENT)
    terms = chained(Raise(priority=Priority.HIGH))
    decision = calling.broken(tick(known(urgent, terms=terms), NOW), urgent, told=frozenset())
    assert changed(decision, SetPriority) == []
    assert decision.outgoing == ()


def test_a_new_owner_is_told_and_stands_on_the_card() -> None:
    """A new ticket is open from then on."""
    terms = chained(Reassign(whom=Whom.LEAD))
    decision = calling.broken(tick(known(ticket(), terms=terms), NOW), ticket(), told=frozenset())
    assert changed(decision, Assign) == [Assign(ticket="t7", owner="lee")]
    assert changed(decision, SetStatus) == [SetStatus(ticket="t7", status=Status.OPEN, at=NOW)]
    page = saying(decision, "page.handed_you")
    assert isinstance(page.to, Direct)
    assert page.to.person == "lee"
    (card,) = [item.notice for item in decision.outgoing if isinstance(item.notice, Card)]
    assert card.owner is not None
    assert (card.owner.person, card.status) == ("lee", Status.OPEN)
    assert events(decision) == ["Nobody has reacted: Lee owns it now."]


def test_raise_and_reassign_in_one_walk_leave_one_card() -> None:
    """As it stands after all of it."""
    terms = chained(Raise(priority=Priority.HIGH), Reassign(person="kim"), Notify(whom=Whom.OWNER))
    decision = calling.broken(tick(known(ticket(), terms=terms), NOW), ticket(), told=frozenset())
    (card,) = [item.notice for item in decision.outgoing if isinstance(item.notice, Card)]
    assert card.owner is not None
    assert (card.priority, card.owner.person) == (Priority.HIGH, "kim")
    assert [change.event.do for change in changed(decision, KeepEvent)] == [Do.PRIORITY, Do.ASSIGN]
    assert [ping.person for ping in kept_pings(decision.changes)] == ["kim"]


def test_the_clocks_after_a_message_and_its_call_are_the_same_ones() -> None:
    """The words wake a pending ticket, then the chain raises it: both are in the clocks that are kept."""
    terms = chained(Raise(priority=Priority.HIGH), Notify(whom=Whom.LEAD))
    said: Message = mention("hello?", at=ASKED)
    decision = decided(said, known(ticket(owner="kim", status=Status.PENDING), terms=terms))
    assert [change.event.do for change in changed(decision, KeepEvent)] == [Do.MESSAGE, Do.PRIORITY]
    last = changed(decision, KeepClock)[-1]
    assert (last.clock.paused, last.clock.measure.seconds) == (
        False,
        TERMS.targets[Priority.HIGH].seconds[Metric.RESOLUTION],
    )
    cards = [item for item in decision.outgoing if isinstance(item.notice, Card)]
    assert {item.to.bucket for item in cards} == {TRIAGE.key}
