"""What each event does to each clock: the tables and rules of the SLA engine, one behaviour a test."""

from __future__ import annotations

import pytest

from tests.unit.sla_stories import NEW_YORK, at, promise, told
from triage.calendars import Calendar
from triage.clocks import Cause
from triage.model import Priority
from triage.timeline import NotAllowed

ALL = promise(
    first_response=1, next_reply=1, periodic_update=2, requester_wait=8, agent_work=8, resolution=8, ownership=8
)
OPEN = "Mon 09:00 open"


def states(*lines: str, until: str | None = None, policy: object = ALL) -> dict[str, str]:
    story = told(ALL if policy is ALL else policy, *lines, until=until)  # type: ignore[arg-type]
    return {f"{clock.metric}{clock.instance}": clock.state.value for clock in story.timeline.clocks}


def test_opening_starts_every_clock_but_next_reply() -> None:
    """Nobody asked anything that is unanswered besides the opening itself."""
    assert list(states(OPEN)) == [
        *("first_response1", "periodic_update1", "requester_wait1", "agent_work1", "resolution1", "ownership1")
    ]


@pytest.mark.parametrize("quiet", ["assign", "note", "bot_reply"])
def test_inner_work_touches_no_clock(quiet: str) -> None:
    """An assignment, a note and a bot's answer promise and keep nothing."""
    assert states(OPEN, f"Mon 09:10 {quiet}") == states(OPEN)


def test_a_reply_ends_one_periodic_update_and_starts_the_next() -> None:
    """Each update promises another one."""
    story = told(ALL, OPEN, "Mon 10:00 reply")
    assert story.state("periodic_update") == "met"
    assert story.due("periodic_update", 2) == at("Mon 12:00")


def test_a_reply_while_pending_starts_its_periodic_update_paused() -> None:
    """A reply changes no status, and that clock rests while the requester is waited for."""
    story = told(ALL, OPEN, "Mon 10:00 pending", "Mon 10:30 reply", "Mon 11:00 resume")
    assert story.due("periodic_update", 2) == at("Mon 13:00")


def test_first_response_does_not_pause() -> None:
    """Waiting for the requester is no excuse for never having answered."""
    assert told(ALL, OPEN, "Mon 09:10 pending", until="Mon 10:01").state("first_response") == "breached"


def test_pending_pauses_all_others() -> None:
    """All but first response and the clock that is not there."""
    found = states(OPEN, "Mon 09:10 pending")
    assert {name for name, state in found.items() if state == "running"} == {"first_response1"}


def test_on_hold_pauses_agents_work_only() -> None:
    """The requester still waits while a third party works."""
    found = states(OPEN, "Mon 09:10 on_hold")
    assert {name for name, state in found.items() if state == "paused"} == {"agent_work1"}


def test_on_hold_pauses_what_the_policy_says() -> None:
    """`pause_on_hold` is about resolution and ownership."""
    policy = promise(resolution=8, ownership=8, requester_wait=8, pause_on_hold=True)
    assert states(OPEN, "Mon 09:10 on_hold", policy=policy) == {
        "requester_wait1": "running",
        "resolution1": "paused",
        "ownership1": "paused",
    }


def test_a_message_leaves_a_ticket_on_hold() -> None:
    """The third party still has it."""
    assert told(ALL, OPEN, "Mon 10:00 on_hold", "Mon 11:00 message").state("agent_work") == "paused"


def test_next_reply_waits_for_the_first_response() -> None:
    """Until then the first response is what is owed."""
    assert told(ALL, OPEN, "Mon 09:10 message").instances("next_reply") == 0


def test_a_paused_clock_has_no_due_time() -> None:
    """Nobody knows how long the pause will last."""
    story = told(ALL, OPEN, "Mon 10:00 pending", until="Fri 12:00")
    assert (story.state("resolution"), story.due("resolution"), story.used("resolution")) == ("paused", None, 3_600)


def test_resolving_meets_four_clocks_and_cancels_the_rest() -> None:
    """What was promised until then is kept or no longer owed."""
    assert states(OPEN, "Mon 09:30 resolve") == {
        "first_response1": "cancelled",
        "periodic_update1": "cancelled",
        "requester_wait1": "met",
        "agent_work1": "met",
        "resolution1": "met",
        "ownership1": "met",
    }


def test_resolving_does_not_hide_a_first_response_past_due() -> None:
    """It ends breached, by comparing instants and not by when a sweep came by."""
    story = told(ALL, OPEN, "Mon 10:30 resolve")
    assert (story.state("first_response"), story.clock("first_response").ended_at) == ("breached", at("Mon 10:30"))


def test_resolved_at_the_due_second_is_met() -> None:
    """Met if and only if it ended by the due time."""
    assert (
        told(promise(resolution=2), OPEN, "2026-03-09T11:00:00 resolve", until="Tue 12:00").state("resolution") == "met"
    )


def test_resolved_one_second_late_is_one_breach() -> None:
    """No sweep has to come by in between."""
    story = told(promise(resolution=2), OPEN, "2026-03-09T11:00:01 resolve", until="Tue 12:00")
    assert story.state("resolution") == "breached"
    assert story.pings() == [(at("Mon 11:00"), "due")]


def test_reopening_goes_on_in_the_same_instance_and_starts_a_new_ownership() -> None:
    """Three clocks go on, two start anew, the first response is never asked for again."""
    found = states(OPEN, "Mon 09:30 resolve", "Tue 09:00 reopen")
    assert {name for name, state in found.items() if state == "running"} == {
        *("requester_wait1", "agent_work1", "resolution1", "periodic_update2", "ownership2")
    }


def test_a_message_to_a_resolved_ticket_reopens_it_and_wants_an_answer() -> None:
    """The first response was cancelled, so that the next reply is what is owed."""
    story = told(ALL, OPEN, "Mon 09:30 resolve", "Tue 09:00 message")
    assert (story.state("resolution"), story.due("next_reply")) == ("running", at("Tue 10:00"))


def test_the_time_resolved_stands_in_the_spans() -> None:
    """Spans join up, and a resolved ticket is not shown as out of hours."""
    story = told(promise(resolution=8), OPEN, "Mon 12:00 resolve", "Tue 12:00 reopen", until="Tue 13:00")
    assert story.spans("resolution") == [
        (at("Mon 09:00"), at("Mon 12:00"), "running"),
        (at("Mon 12:00"), at("Tue 12:00"), "resolved"),
        (at("Tue 12:00"), at("Tue 13:00"), "running"),
    ]


def test_paused_comes_before_closed() -> None:
    """At night a waiting ticket waits; a running one is out of hours."""
    story = told(promise(resolution=8), OPEN, "Mon 16:00 pending", "Tue 08:00 resume", until="Tue 10:00")
    assert story.spans("resolution") == [
        (at("Mon 09:00"), at("Mon 16:00"), "running"),
        (at("Mon 16:00"), at("Tue 08:00"), "paused"),
        (at("Tue 08:00"), at("Tue 09:00"), "closed"),
        (at("Tue 09:00"), at("Tue 10:00"), "running"),
    ]


def test_a_breached_clock_stays_breached_when_reopened() -> None:
    """And is not told again."""
    story = told(promise(resolution=1), OPEN, "Mon 11:00 resolve", "Tue 09:00 reopen", until="Wed 09:00")
    assert (story.state("resolution"), story.pings()) == ("breached", [(at("Mon 10:00"), "due")])


def test_closing_resolves_what_was_not_resolved() -> None:
    """Close and resolve differ only in what may come after."""
    assert states(OPEN, "Mon 09:30 close") == states(OPEN, "Mon 09:30 resolve")


def test_merging_cancels_everything() -> None:
    """The other ticket goes on."""
    assert set(states(OPEN, "Mon 09:30 merge").values()) == {"cancelled"}


@pytest.mark.parametrize("last", ["close", "merge"])
def test_nothing_happens_to_a_ticket_that_is_over(last: str) -> None:
    """Any later event is an error."""
    with pytest.raises(NotAllowed, match="final"):
        told(ALL, OPEN, f"Mon 10:00 {last}", "Mon 11:00 note")


@pytest.mark.parametrize("second", ["Mon 09:10 open", "Mon 08:59 note"])
def test_a_story_has_one_opening_and_goes_forward(second: str) -> None:
    """A second opening and a step back in time are errors."""
    with pytest.raises(NotAllowed):
        told(ALL, OPEN, second)


TWO = {
    Priority.NORMAL: promise(first_response=2, resolution=8),
    Priority.HIGH: promise(resolution=4, agent_work=4),
}


def test_a_metric_the_new_priority_lacks_is_cancelled() -> None:
    """The promise is withdrawn."""
    assert told(TWO, OPEN, "Mon 10:00 priority high").state("first_response") == "cancelled"


def test_a_metric_the_new_priority_gains_counts_from_the_opening_with_its_pauses() -> None:
    """One hour worked, one paused: three of four hours are left at noon."""
    lines = (OPEN, "Mon 10:00 on_hold", "Mon 11:00 resume", "Mon 11:00 priority high")
    story = told(TWO, *lines)
    assert (story.clock("agent_work").started_at, story.due("agent_work")) == (at("Mon 09:00"), at("Mon 14:00"))


def test_a_gained_clock_past_due_is_breached_by_reclassification_and_told_once() -> None:
    """Nobody was warned before there was a promise."""
    story = told(TWO, OPEN, "Mon 14:00 priority high", until="Tue 12:00", warn=["50%"])
    breach = story.clock("agent_work").breach
    assert breach is not None
    assert (breach.at, breach.cause) == (at("Mon 14:00"), Cause.RECLASSIFIED)
    assert story.pings("agent_work") == [(at("Mon 14:00"), "due")]


def test_a_first_response_that_was_given_is_not_gained() -> None:
    """Nothing is owed any more."""
    story = told(TWO, "Mon 09:00 open high", "Mon 09:30 reply", "Mon 10:00 priority normal")
    assert story.instances("first_response") == 0


def test_going_back_and_forth_revives_a_withdrawn_promise_from_the_opening() -> None:
    """The second instance is due when the first was."""
    story = told(TWO, OPEN, "Mon 09:10 priority high", "Mon 09:20 priority normal")
    assert story.due("first_response", 2) == at("Mon 11:00")


def test_a_target_that_grew_too_short_in_a_pause_is_found_when_it_ends() -> None:
    """A paused clock never breaches."""
    policies = {Priority.NORMAL: promise(resolution=8), Priority.URGENT: promise(resolution=2)}
    lines = (OPEN, "Mon 12:00 pending", "Mon 13:00 priority urgent")
    assert told(policies, *lines, until="Wed 12:00").state("resolution") == "paused"
    story = told(policies, *lines, "Wed 12:00 message", warn=["50%"])
    assert (story.state("resolution"), story.pings()) == ("breached", [(at("Wed 12:00"), "due")])


def test_a_transfer_walks_the_rest_on_the_other_calendar() -> None:
    """Three hours are used in London; five are left when New York opens at 13:00 London time."""
    story = told(promise(resolution=8), OPEN, "Mon 12:00 transfer away", until="Mon 15:00")
    assert story.due("resolution") == at("Mon 14:00", NEW_YORK.timezone)
    assert story.used("resolution") == 5 * 3_600


def test_a_transfer_starts_a_new_ownership_even_on_the_same_calendar() -> None:
    """What one team has met, the next one owes."""
    story = told(ALL, OPEN, "Mon 12:00 transfer")
    assert (story.state("ownership"), story.due("ownership", 2)) == ("met", at("Tue 12:00"))


def test_calendar_time_runs_at_night() -> None:
    """The team's hours do not matter then."""
    story = told(promise(resolution=8, hours="calendar"), "Mon 16:00 open", until="Tue 00:00")
    assert story.spans("resolution") == [(at("Mon 16:00"), at("Tue 00:00"), "running")]


def test_a_calendar_that_never_opens_is_never_due() -> None:
    """Nothing is ever due, and nothing rings."""
    story = told(promise(resolution=1), OPEN, until="Fri 12:00", warn=["50%"], calendar=Calendar())
    assert (story.due("resolution"), story.state("resolution"), story.pings()) == (None, "running", [])


def test_clocks_stand_in_order_of_start_then_metric() -> None:
    """As a reader looks for them."""
    story = told(ALL, OPEN, "Mon 10:00 reply", "Mon 10:00 message")
    assert [f"{clock.metric}{clock.instance}" for clock in story.timeline.clocks][-2:] == [
        "next_reply1",
        "periodic_update2",
    ]


def test_resolved_in_a_pause_is_met_whatever_the_new_target() -> None:
    """It never ran again, so it never ran late."""
    policies = {Priority.NORMAL: promise(resolution=8), Priority.URGENT: promise(resolution=2)}
    story = told(policies, OPEN, "Mon 12:00 pending", "Mon 13:00 priority urgent", "Wed 12:00 resolve")
    assert (story.state("resolution"), story.due("resolution"), story.pings()) == ("met", None, [])


def test_a_clock_gained_in_a_pause_is_found_late_when_that_ends() -> None:
    """Its hour was over before anybody promised it, and nobody is told while the requester is waited for."""
    policies = {Priority.NORMAL: promise(resolution=8), Priority.HIGH: promise(agent_work=1)}
    story = told(policies, OPEN, "Mon 12:00 pending", "Mon 13:00 priority high", "Mon 14:00 message")
    breach = story.clock("agent_work").breach
    assert breach is not None
    assert (breach.at, breach.cause) == (at("Mon 14:00"), Cause.RECLASSIFIED)


def test_a_ticket_transferred_while_resolved_goes_on_with_the_new_team() -> None:
    """Three hours are used; five are left when New York opens at 13:00 London time."""
    lines = (OPEN, "Mon 12:00 resolve", "Mon 13:00 transfer away", "Tue 09:00 reopen")
    story = told(promise(resolution=8, ownership=8), *lines)
    assert story.due("resolution") == at("Tue 14:00", NEW_YORK.timezone)
    assert story.instances("ownership") == 2


def test_counted_from_the_opening_pauses_stay_pauses() -> None:
    """Pending on Monday from 10:00 to 12:00; the hour resolved counts, the two hours do not."""
    policy = promise(resolution=8, reopen="from_opening")
    lines = (OPEN, "Mon 10:00 pending", "Mon 12:00 resume", "Mon 13:00 resolve", "Mon 14:00 reopen")
    assert told(policy, *lines).due("resolution") == at("Tue 11:00")


def test_paused_at_the_due_instant_it_is_due_again_when_it_resumes() -> None:
    """It was in time when the pause began, and a paused clock never breaches: no time is left, none is missed."""
    story = told(promise(resolution=2), OPEN, "Mon 11:00 pending", "Mon 15:00 resume")
    assert (story.state("resolution"), story.due("resolution")) == ("running", at("Mon 15:00"))


def test_how_a_reopened_ticket_counts_is_about_resolution_only() -> None:
    """The requester did not wait, and nobody worked, while it was resolved."""
    policy = promise(resolution=8, requester_wait=8, agent_work=8, reopen="from_opening")
    story = told(policy, OPEN, "Mon 12:00 resolve", "Mon 14:00 reopen", until="Mon 15:00")
    used = [story.used(metric) // 3_600 for metric in ("resolution", "requester_wait", "agent_work")]
    assert used == [6, 4, 4]


@pytest.mark.parametrize("later", ["reply", "transfer"])
def test_a_resolved_ticket_is_promised_nothing_new(later: str) -> None:
    """Neither another update nor another ownership, until it is reopened."""
    story = told(ALL, OPEN, "Mon 10:00 resolve", f"Mon 11:00 {later}")
    assert not [clock.metric for clock in story.timeline.clocks if clock.live]
