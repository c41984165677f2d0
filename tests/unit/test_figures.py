"""What became of a promise, as agents are judged by it."""

from __future__ import annotations

from tests.unit.sla_stories import at, promise, told
from triage.figures import Downtime, Outcome, lost, outcome
from triage.model import Priority

FIRST = promise(first_response=1)


def down(since: str, until: str) -> Downtime:
    return Downtime(since=at(since), until=at(until))


def test_a_promise_kept_in_time_is_met() -> None:
    """Answered after 30 of 60 minutes."""
    story = told(FIRST, "Mon 09:00 open", "Mon 09:30 reply")
    assert outcome(story.clock("first_response"), story.until) is Outcome.MET


def test_a_promise_kept_too_late_is_missed() -> None:
    """Answered after 70 of 60 minutes."""
    story = told(FIRST, "Mon 09:00 open", "Mon 10:10 reply")
    assert outcome(story.clock("first_response"), story.until) is Outcome.MISSED


def test_a_promise_that_may_still_be_kept_is_open() -> None:
    """Nobody answered yet, and there is time."""
    story = told(FIRST, "Mon 09:00 open", until="Mon 09:30")
    assert outcome(story.clock("first_response"), story.until) is Outcome.OPEN


def test_a_promise_nobody_kept_is_missed_once_its_time_is_over() -> None:
    """The sweep need not have seen it."""
    story = told(FIRST, "Mon 09:00 open", until="Mon 10:01")
    assert outcome(story.clock("first_response"), story.until) is Outcome.MISSED


def test_a_promise_taken_back_is_cancelled() -> None:
    """Resolved before the first answer was due."""
    story = told(FIRST, "Mon 09:00 open", "Mon 09:10 resolve")
    assert outcome(story.clock("first_response"), story.until) is Outcome.CANCELLED


def test_no_agent_is_blamed_for_a_change_of_priority() -> None:
    """Raised at noon to two hours, which were over at eleven."""
    targets = {Priority.NORMAL: promise(resolution=8), Priority.URGENT: promise(resolution=2)}
    story = told(targets, "Mon 09:00 open normal", "Mon 12:00 priority urgent", "Mon 13:00 resolve")
    assert outcome(story.clock("resolution"), story.until) is Outcome.EXCUSED


def test_lateness_no_longer_than_the_downtime_is_excused() -> None:
    """Ten minutes late, and nobody could be warned for twenty."""
    story = told(FIRST, "Mon 09:00 open", "Mon 10:10 reply")
    assert outcome(story.clock("first_response"), story.until, [down("Mon 09:40", "Mon 10:00")]) is Outcome.EXCUSED


def test_lateness_longer_than_the_downtime_is_missed() -> None:
    """Ten minutes late, and the desk was down for nine."""
    story = told(FIRST, "Mon 09:00 open", "Mon 10:10 reply")
    assert outcome(story.clock("first_response"), story.until, [down("Mon 09:40", "Mon 09:49")]) is Outcome.MISSED


def test_downtime_at_night_costs_no_promise_anything() -> None:
    """Down from closing time to opening time: no second of working time was lost."""
    story = told(FIRST, "Mon 16:30 open", "Tue 09:40 reply")
    assert lost(story.clock("first_response"), story.until, [down("Mon 17:00", "Tue 09:00")]) == 0


def test_downtime_in_a_pause_costs_nothing() -> None:
    """The clock stood still from 10:00 to 11:00; half an hour of the downtime lies in that."""
    story = told(promise(resolution=8), "Mon 09:00 open", "Mon 10:00 pending", "Mon 11:00 message", "Mon 12:00 resolve")
    assert lost(story.clock("resolution"), story.until, [down("Mon 10:30", "Mon 11:15")]) == 15 * 60
