"""Who looks after a ticket stops its escalation for a while: by saying so, or by doing something."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import (
    ASKED,
    CARD,
    NOW,
    TERMS,
    changed,
    commands,
    decided,
    loaded,
    mention,
    message,
    notice,
    phrases,
    press,
    ticket,
)
from tests.unit.times import kept_position, known, tick
from triage import calling
from triage.chain import Chain
from triage.changes import AddEntry, Decision, KeepPosition
from triage.escalation import Position
from triage.model import Message, Priority, Status, Ticket
from triage.policy import Terms

RUNS = Position(run="r", step=4, next_at=NOW + timedelta(minutes=3))
AN_HOUR = timedelta(hours=1)
"""How long an acknowledgement holds, where desk.yaml says nothing else."""

LATE = ticket(owner="kim", opened_at=NOW - timedelta(days=7))
"""Its promises were broken days ago."""


def by_kim(command: str, found: Ticket, position: Position = RUNS) -> Decision:
    on_card = replace(known(found, position), team_side=True)
    return decided(mention(command, by="kim", at=CARD), on_card)


def ack(found: Ticket, position: Position = RUNS, *, by: str = "kim", terms: Terms = TERMS) -> Decision:
    return decided(press("ack 7", by=by, at=CARD), replace(known(found, position, terms), team_side=True))


# --- the button --------------------------------------------------------------------------------
def test_whoever_is_called_can_say_that_they_are_on_it() -> None:
    """The chain rests for an hour, the team reads who it is, and the history keeps it."""
    decision = ack(ticket())
    assert kept_position(decision) == replace(RUNS, acked_by="kim", next_at=NOW + AN_HOUR)
    assert phrases(decision) == {"event.acknowledged"}
    assert decision.ack is not None
    assert notice(decision, "event.acknowledged").values == {"actor": "Kim"}
    (kept,) = changed(decision, AddEntry)
    assert kept.entry.author == "kim"


def test_saying_it_again_changes_nothing() -> None:
    """It is confirmed once more, and the hour is not begun anew."""
    decision = ack(ticket(), replace(RUNS, acked_by="kim"))
    assert (decision.changes, decision.outgoing) == ((), ())
    assert decision.ack is not None


def test_somebody_else_can_take_over() -> None:
    """The last one counts."""
    assert kept_position(ack(ticket(), replace(RUNS, acked_by="lee"))).acked_by == "kim"


def test_where_nobody_is_called_any_more_it_says_so() -> None:
    """The button stands on an old message."""
    decision = ack(ticket(), Position())
    assert phrases(decision) == {"ack.not_called"}
    assert decision.changes == ()


@pytest.mark.parametrize(("by", "reply"), [("ann", "error.not_agent"), ("bob", "error.no_ticket")])
def test_only_agents_of_the_team_can_be_on_it(by: str, reply: str) -> None:
    """Not the requester, and nobody who may not see it."""
    decision = decided(press("ack 7", by=by), loaded(ticket(), position=RUNS, conversation=None))
    assert phrases(decision) == {reply}
    assert decision.changes == ()


def test_the_rest_is_counted_in_the_policys_own_hours() -> None:
    """Two hours from Monday 16:30 end on Tuesday; where a promise counts around the clock, that evening."""
    evening = NOW + timedelta(hours=7, minutes=30)
    chain = Chain(ack=7_200)
    around = {Priority.NORMAL: replace(TERMS.targets[Priority.NORMAL], hours="calendar")}
    ends = []
    for terms in (replace(TERMS, chain=chain), replace(TERMS, chain=chain, targets=around)):
        found = known(ticket(), RUNS, terms)
        decision = decided(press("ack 7", by="kim", at=CARD), replace(found, team_side=True), now=evening)
        ends.append(kept_position(decision).next_at)
    assert ends == [NOW + timedelta(days=1, hours=1, minutes=30), evening + timedelta(hours=2)]


def test_while_it_rests_nobody_is_called_and_then_it_begins_again() -> None:
    """Whoever was on it did not finish: from the first step, as a run of its own."""
    resting = kept_position(ack(ticket(owner="kim")))
    before = calling.went_on(tick(known(LATE, resting), NOW + AN_HOUR - timedelta(seconds=1)), LATE)
    assert kept_position(before) == resting
    after = kept_position(calling.went_on(tick(known(LATE, resting), NOW + AN_HOUR), LATE))
    assert after.run != resting.run
    assert after.step == 2


# --- doing something ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("claim 7", replace(LATE, owner=None, status=Status.NEW)),
        ("assign 7 lee", LATE),
        ("reply 7 on my way", LATE),
        ("pending 7 which floor?", LATE),
        ("resolve 7", LATE),
    ],
)
def test_whoever_acts_on_a_ticket_acknowledges_it(command: str, found: Ticket) -> None:
    """Nobody has to press a button besides."""
    assert kept_position(by_kim(command, found)) == replace(RUNS, acked_by="kim", next_at=NOW + AN_HOUR)


REPLIES = [message("on my way", by="kim", at=CARD), mention("reply 7 on my way", by="kim", at=CARD)]


@pytest.mark.parametrize("said", REPLIES)
def test_a_reply_that_leaves_nothing_late_ends_the_chain(said: Message) -> None:
    """Somebody asked for help, and got an answer in time."""
    assert kept_position(decided(said, replace(known(ticket(), RUNS), team_side=True))) == Position()


@pytest.mark.parametrize("command", ["release 7", "note 7 still nobody", "priority 7 high", "show 7"])
def test_what_takes_no_care_of_it_stops_nothing(command: str) -> None:
    """Giving a ticket back least of all."""
    assert changed(by_kim(command, LATE), KeepPosition) == []


@pytest.mark.parametrize("command", ["claim 7", "reply 7 done", "pending 7", "resolve 7"])
def test_where_nobody_was_called_there_is_nothing_to_stop(command: str) -> None:
    """A chain that did not begin is not begun by an agent's work."""
    assert changed(by_kim(command, ticket(), Position()), KeepPosition) == []


def test_the_requesters_words_stop_nothing() -> None:
    """They wait all the same."""
    decision = decided(message("hello?", at=ASKED), known(ticket(owner="kim"), RUNS))
    assert changed(decision, KeepPosition) == []


def test_a_transfer_leaves_the_chain_behind() -> None:
    """The new team has people of its own."""
    assert kept_position(by_kim("transfer 7 finance", ticket())) == Position()


def test_a_team_that_is_handed_a_broken_promise_has_ten_minutes() -> None:
    """Then its own chain begins, from the first step."""
    position = kept_position(by_kim("transfer 7 finance", LATE))
    assert (position.step, position.next_at) == (0, NOW + timedelta(minutes=10))


@pytest.mark.parametrize("command", ["resolve 7", "reopen 7"])
def test_the_requesters_own_verbs_acknowledge_nothing(command: str) -> None:
    """Only somebody of the team can be on it."""
    status = Status.RESOLVED if command == "reopen 7" else Status.OPEN
    found = known(ticket(owner="kim", status=status), RUNS)
    assert changed(decided(mention(command, by="ann", at=ASKED), found), KeepPosition) == []


def test_the_buttons_of_a_call_are_commands_an_agent_can_give() -> None:
    """Pressing "I'm on it" on a page does what it says."""
    page = notice(decided(mention("hello?", at=ASKED), known(ticket(owner="kim"))), "page.called_you")
    assert commands(page.choices)[0] == "ack 7"
