"""What a requester is promised, under which policy, and who hears of an urgent ticket at night."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders import (
    ASKED,
    CARD,
    HELP,
    HR_HELP,
    LONDON,
    NO_MATCH,
    NOW,
    POLICY,
    TERMS,
    changed,
    commands,
    conversation,
    decided,
    loaded,
    match,
    mention,
    message,
    notice,
    phrases,
    saying,
    slash,
    targets,
    ticket,
)
from tests.unit.times import ON_CALL, ROTA, known, team_with
from triage.changes import Decision, KeepClock, KeepEvent, KeepTerms, OpenTicket, SetStatus
from triage.clocks import ClockState
from triage.model import Language, Priority, Status, Ticket
from triage.outgoing import At, Card, Direct, OnSlot, Outgoing, Say, promise_slot
from triage.policy import Metric, Policy, Rule, Terms, When
from triage.timeline import Do


def by_kim(command: str, found: Ticket | None = None, **known_: Any) -> Decision:
    on_card = loaded(found or ticket(), team_side=True)
    return decided(mention(command, by="kim", at=CARD), on_card, **known_)


def promise_edited(decision: Decision) -> list[Outgoing]:
    slot = promise_slot("t7")
    return [item for item in decision.outgoing if isinstance(item.to, OnSlot) and item.to.slot == slot]


def due(decision: Decision) -> dict[Metric, datetime | None]:
    return {change.clock.metric: change.due_at for change in changed(decision, KeepClock)}


# --- the promise is edited in place ------------------------------------------------------------
def test_another_priority_edits_the_promise_where_it_stands() -> None:
    """High promises the first answer within the hour; no second message says so."""
    (update,) = promise_edited(by_kim("priority 7 high"))
    assert isinstance(update.notice, Say)
    assert update.notice.phrase == "ticket.promise"
    assert update.notice.values["due"] == At(at=NOW + timedelta(hours=1), zone="Europe/London")
    assert update.to.lane == ASKED.key


def test_a_priority_that_promises_nothing_takes_the_promise_back() -> None:
    """The requester reads that it is open, and no time that nobody means."""
    terms = replace(TERMS, targets={Priority.NORMAL: targets()})
    found = replace(known(ticket(), terms=terms), team_side=True)
    (update,) = promise_edited(decided(mention("priority 7 low", by="kim", at=CARD), found))
    assert isinstance(update.notice, Say)
    assert update.notice.phrase == "ticket.open"


def test_another_team_edits_the_promise_where_it_stands() -> None:
    """Its name, and its own hours: Finance opens an hour later."""
    windows = tuple(replace(window, opens=window.opens + 3_600) for window in LONDON.windows)
    later = replace(TERMS, calendar=replace(LONDON, windows=windows))
    (update,) = promise_edited(by_kim("transfer 7 finance", policy=team_with("finance", terms=later)))
    assert isinstance(update.notice, Say)
    assert update.notice.values["team"] == "Finance"
    assert update.notice.values["due"] == At(at=NOW + timedelta(hours=5), zone="Europe/London")


def test_a_transfer_keeps_what_was_promised_and_calls_the_new_teams_people() -> None:
    """Targets stay those of the opening; the calendar and the chain are the new team's."""
    other = replace(TERMS, policy="finance", targets={}, calendar=replace(LONDON, timezone="Asia/Seoul"))
    (kept,) = changed(by_kim("transfer 7 finance", policy=team_with("finance", terms=other)), KeepTerms)
    assert (kept.terms.targets, kept.terms.policy) == (TERMS.targets, TERMS.policy)
    assert (kept.terms.calendar, kept.terms.chain) == (other.calendar, other.chain)


def test_a_promise_in_a_channel_is_not_edited_by_a_team_that_answers_privately() -> None:
    """What HR promises is told in private, by a message of its own."""
    decision = by_kim("transfer 7 hr")
    assert promise_edited(decision) == []
    assert saying(decision, "ticket.moved_promise").to == Direct(person="ann")


@pytest.mark.parametrize("command", ["claim 7", "note 7 they called", "assign 7 lee", "priority 7 normal"])
def test_what_changes_no_promise_edits_none(command: str) -> None:
    """Nobody is shown an edit without a difference."""
    assert promise_edited(by_kim(command)) == []


def test_once_it_was_answered_the_promise_is_history() -> None:
    """Another priority changes what is still to come, not what was said and kept."""
    answered = decided(message("on my way", by="kim", at=CARD), loaded(ticket(), team_side=True))
    clocks = tuple(change.clock for change in changed(answered, KeepClock))
    rest = tuple(clock for clock in loaded(ticket()).clocks if clock.metric is Metric.RESOLUTION)
    found = replace(loaded(ticket(), team_side=True), clocks=(*clocks, *rest))
    assert promise_edited(decided(mention("priority 7 high", by="kim", at=CARD), found)) == []


# --- which policy --------------------------------------------------------------------------------
GOLD = replace(TERMS, policy="gold", targets={Priority.HIGH: targets(0.5, 2)})
SILVER = replace(TERMS, policy="silver")


def ruled(*rules: Rule) -> Policy:
    return team_with(rules=rules)


def opened(policy: Policy, text: str = "The roof is on fire", **said: Any) -> tuple[Ticket, Terms]:
    """The ticket that a question opens, and the terms it keeps."""
    decision = decided(message(text, **said), match=NO_MATCH, policy=policy)
    (new,), (kept,) = changed(decision, OpenTicket), changed(decision, KeepTerms)
    return new.ticket, kept.terms


def test_the_first_policy_that_fits_is_taken_with_its_priority() -> None:
    """In the order of desk.yaml; its terms are copied onto the ticket."""
    first = Rule(when=When(words=("fire",)), terms=GOLD, priority=Priority.HIGH)
    second = Rule(when=When(words=("roof",)), terms=SILVER, priority=Priority.LOW)
    ticket_, terms = opened(ruled(first, second))
    assert (ticket_.priority, terms.policy) == (Priority.HIGH, "gold")
    assert opened(ruled(second, first))[1].policy == "silver"


def test_where_none_fits_the_teams_own_terms_hold() -> None:
    """With normal priority."""
    only = Rule(when=When(words=("flood",)), terms=GOLD, priority=Priority.URGENT)
    ticket_, terms = opened(ruled(only))
    assert (ticket_.priority, terms) == (Priority.NORMAL, TERMS)


@pytest.mark.parametrize(
    "when",
    [
        When(requesters=frozenset({"bob"})),
        When(guests=True),
        When(languages=frozenset({Language.KO})),
        When(channels=frozenset({HR_HELP.key})),
        When(words=("fire",), requesters=frozenset({"bob"})),
    ],
)
def test_every_condition_must_hold(when: When) -> None:
    """Who asks, from where, in which language, in which words."""
    assert opened(ruled(Rule(when=when, terms=GOLD)))[1].policy == TERMS.policy


@pytest.mark.parametrize(
    "when",
    [
        When(requesters=frozenset({"ann"})),
        When(guests=False),
        When(languages=frozenset({Language.EN})),
        When(channels=frozenset({HELP.key})),
        When(words=("flood", "fire")),
        When(),
    ],
)
def test_a_condition_that_holds_is_enough(when: When) -> None:
    """Of words, one of them."""
    assert opened(ruled(Rule(when=when, terms=GOLD, priority=Priority.HIGH)))[1].policy == "gold"


def test_the_promise_is_that_of_the_policy_and_so_are_the_clocks() -> None:
    """Half an hour, where the fallback says four."""
    rule = Rule(when=When(), terms=GOLD, priority=Priority.HIGH)
    decision = decided(message("x"), match=NO_MATCH, policy=ruled(rule))
    assert notice(decision, "ticket.promise").values["due"] == At(at=NOW + timedelta(minutes=30), zone="Europe/London")
    assert due(decision)[Metric.FIRST_RESPONSE] == NOW + timedelta(minutes=30)
    (event,) = [change.event for change in changed(decision, KeepEvent)]
    assert (event.do, event.terms, event.team, event.channel) == (Do.OPEN, GOLD, "it", HELP.key)


def test_the_policy_that_was_taken_is_among_the_reasons() -> None:
    """A team with several says which; a team with one has nothing to say."""
    rule = Rule(when=When(words=("fire",)), terms=replace(GOLD, policy="sharp"))
    asked = decided(message("The roof is on fire"), match=NO_MATCH, policy=ruled(rule))
    assert any("sharp" in reason for reason in asked.reasons)
    alone = decided(message("The roof is on fire"), match=NO_MATCH)
    assert not any("cause.policy" in reason for reason in alone.reasons)


def test_a_stranger_is_a_guest_to_the_policy() -> None:
    """Max comes from another company; Finance welcomes guests."""
    rule = Rule(when=When(guests=True), terms=GOLD, priority=Priority.HIGH)
    policy = team_with("finance", rules=(rule,))
    decision = decided(mention("invoice", by="max"), match=match(team="finance"), policy=guest_desk(policy))
    assert changed(decision, KeepTerms)[0].terms.policy == "gold"


def guest_desk(policy: Policy) -> Policy:
    """Finance helps in the help channel."""
    it, finance = replace(policy.teams["it"], help=()), replace(policy.teams["finance"], help=(HELP,))
    return replace(policy, teams={**policy.teams, "it": it, "finance": finance})


# --- urgent, and nobody is in --------------------------------------------------------------------
EVENING = NOW + timedelta(hours=10)
URGENT = Rule(when=When(words=("fire",)), terms=TERMS, priority=Priority.URGENT)
MANNED = team_with(rules=(URGENT,), rota=ROTA)


def test_an_urgent_ticket_opened_at_night_pages_whoever_is_on_call() -> None:
    """At once and directly, in their language, with a button to claim it."""
    decision = decided(message("fire!"), match=NO_MATCH, policy=MANNED, now=EVENING)
    page = saying(decision, "page.off_hours")
    assert isinstance(page.to, Direct)
    assert (page.to.person, page.language) == ("kim", Language.ZH_HANT)
    assert commands(notice(decision, "page.off_hours").choices) == ["claim 42", "why 42"]


def test_a_ticket_made_urgent_at_night_pages_whoever_is_on_call() -> None:
    """As if it had been opened so."""
    decision = by_kim("priority 7 urgent", policy=ON_CALL, now=EVENING)
    page = saying(decision, "page.off_hours").to
    assert isinstance(page, Direct)
    assert page.person == "kim"


def test_an_urgent_ticket_handed_on_at_night_pages_the_new_teams_person() -> None:
    """Chen is on call for Finance."""
    policy = team_with("finance", rota=replace(ROTA, people=("chen",)))
    decision = by_kim("transfer 7 finance", ticket(priority=Priority.URGENT), policy=policy, now=EVENING)
    page = saying(decision, "page.off_hours").to
    assert isinstance(page, Direct)
    assert page.person == "chen"


@pytest.mark.parametrize(
    ("text", "now", "policy"),
    [
        ("fire!", NOW, MANNED),
        ("smoke!", EVENING, MANNED),
        ("fire!", EVENING, replace(MANNED, teams={"it": replace(MANNED.teams["it"], rota=POLICY.teams["it"].rota)})),
    ],
    ids=["in-hours", "not-urgent", "nobody-on-call"],
)
def test_nobody_else_is_paged(text: str, now: datetime, policy: Policy) -> None:
    """While somebody is in, what is not urgent, and where nobody takes turns."""
    decision = decided(message(text), match=NO_MATCH, policy=policy, now=now)
    assert "page.off_hours" not in phrases(decision)


# --- on hold -------------------------------------------------------------------------------------
def test_on_hold_says_for_whom_in_a_note() -> None:
    """The requester reads nothing of it; the card and the team do."""
    decision = by_kim("hold 7 waiting for the vendor", ticket(owner="kim"))
    assert [change.status for change in changed(decision, SetStatus)] == [Status.ON_HOLD]
    assert phrases(decision) == {"done.hold", "event.on_hold"}
    (card,) = [item.notice for item in decision.outgoing if isinstance(item.notice, Card)]
    assert card.status is Status.ON_HOLD


@pytest.mark.parametrize(("pauses", "states"), [(True, {ClockState.PAUSED}), (False, set[ClockState]())])
def test_on_hold_pauses_what_the_policy_says(pauses: bool, states: set[ClockState]) -> None:
    """By default waiting for a third party is the team's own time."""
    terms = replace(TERMS, targets={Priority.NORMAL: targets(pause_on_hold=pauses)})
    found = replace(known(ticket(owner="kim"), terms=terms), team_side=True)
    decision = decided(mention("hold 7", by="kim", at=CARD), found)
    assert {change.clock.state for change in changed(decision, KeepClock)} == states


def test_on_hold_twice_without_words_changes_nothing() -> None:
    """There is nothing to note and nothing to pause."""
    assert phrases(by_kim("hold 7", ticket(status=Status.ON_HOLD))) == {"done.nothing"}


@pytest.mark.parametrize("status", [Status.ON_HOLD, Status.PENDING])
def test_reopening_what_waits_goes_on_with_it(status: Status) -> None:
    """An owned ticket is open, and the solution is counted again."""
    decision = by_kim("reopen 7", ticket(owner="kim", status=status))
    assert [change.status for change in changed(decision, SetStatus)] == [Status.OPEN]
    assert [change.event.do for change in changed(decision, KeepEvent)] == [Do.RESUME]
    assert phrases(decision) == {"done.resumed", "event.resumed"}


# --- when it was written ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("late", "counted"),
    [
        (timedelta(minutes=30), timedelta(minutes=30)),
        (timedelta(hours=3), timedelta()),
        (timedelta(minutes=-5), timedelta()),
        (None, timedelta()),
    ],
)
def test_a_message_counts_from_when_it_was_written(late: timedelta | None, counted: timedelta) -> None:
    """A platform may deliver late; what is older than two hours, or of the future, counts from now."""
    now = NOW + timedelta(hours=4)
    sent = now - late if late is not None else None
    found = loaded(ticket(owner="kim", status=Status.PENDING))
    decision = decided(message("third floor", at=ASKED, sent_at=sent), found, now=now)
    (event,) = [change.event for change in changed(decision, KeepEvent)]
    assert (event.do, event.at) == (Do.MESSAGE, now - counted)


def test_a_late_message_never_comes_before_what_was_stored() -> None:
    """Kim asked after it was written: it answers no question before that was put."""
    asked = decided(
        mention("pending 7 which floor?", by="kim", at=CARD),
        loaded(ticket(owner="kim"), team_side=True),
        now=NOW + timedelta(minutes=20),
    )
    events = tuple(change.event for change in changed(asked, KeepEvent))
    found = loaded(ticket(owner="kim", status=Status.PENDING), conversation=conversation(ticket="t7"))
    found = replace(found, events=(*found.events[:1], *events))
    late = message("third floor", at=ASKED, sent_at=NOW)
    decision = decided(late, found, now=NOW + timedelta(minutes=30))
    assert [change.event.at for change in changed(decision, KeepEvent)] == [NOW + timedelta(minutes=20)]


def test_a_slash_command_at_night_is_promised_the_next_morning() -> None:
    """Whoever asks at seven in the evening reads when somebody is in."""
    decision = decided(slash("ask where is my chair"), match=NO_MATCH, now=EVENING)
    promised = NOW + timedelta(days=1, hours=4)
    assert notice(decision, "ticket.promise").values["due"] == At(at=promised, zone="Europe/London")
