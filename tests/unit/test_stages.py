"""When pings ring: ahead of due, at due, once a revision, never while paused."""

from __future__ import annotations

import pytest

from tests.unit.sla_stories import at, promise, told
from triage.model import Priority
from triage.stages import seconds_of

OPEN = "Mon 09:00 open"
EIGHT = promise(resolution=8)


def test_each_stage_rings_once_and_then_due() -> None:
    """Half of eight hours, an hour before due, due."""
    story = told(EIGHT, OPEN, until="Fri 12:00", warn=["50%", "-1h"])
    assert story.pings() == [(at("Mon 13:00"), "50%"), (at("Mon 16:00"), "-1h"), (at("Mon 17:00"), "due")]


def test_stages_before_the_start_are_skipped() -> None:
    """Nobody can be warned of an hour nine hours ahead when there are eight."""
    assert told(EIGHT, OPEN, until="Mon 16:00", warn=["-9h", "-8h"]).pings() == []


def test_a_paused_clock_does_not_ring() -> None:
    """What would have come at 13:00 comes after as much work as it was away."""
    story = told(EIGHT, OPEN, "Mon 12:00 pending", "Tue 12:00 resume", until="Tue 13:00", warn=["50%"])
    assert story.pings() == [(at("Tue 13:00"), "50%")]


def test_what_fell_into_the_pause_rings_when_it_ends() -> None:
    """Paused at the very instant of the stage, resumed before anyone is in."""
    story = told(EIGHT, OPEN, "Mon 13:00 pending", "Tue 07:00 resume", until="Tue 09:00", warn=["50%"])
    assert story.pings() == [(at("Tue 07:00"), "50%")]


def test_a_stage_that_rang_does_not_ring_again_after_a_pause() -> None:
    """Once a revision."""
    story = told(EIGHT, OPEN, "Mon 14:00 pending", "Mon 15:00 resume", until="Mon 16:00", warn=["50%"])
    assert story.pings() == [(at("Mon 13:00"), "50%")]


def test_a_new_target_rings_the_stages_it_has_passed() -> None:
    """Three of four hours are gone when the priority is raised."""
    policies = {Priority.NORMAL: EIGHT, Priority.HIGH: promise(resolution=4)}
    story = told(policies, OPEN, "Mon 12:00 priority high", until="Mon 12:45", warn=["50%", "-30m"])
    assert story.pings() == [(at("Mon 12:00"), "50%"), (at("Mon 12:30"), "-30m")]


def test_what_ends_the_clock_at_the_instant_of_a_stage_comes_first() -> None:
    """Nobody is told that a promise kept at the last second is broken."""
    assert told(EIGHT, OPEN, "Mon 17:00 resolve", until="Tue 12:00").pings() == []


def test_a_resolved_ticket_does_not_ring() -> None:
    """Nor does what was cancelled."""
    assert told(EIGHT, OPEN, "Mon 12:00 resolve", until="Fri 12:00", warn=["50%"]).pings() == []


def test_pings_go_to_the_owner_once_there_is_one() -> None:
    """A transfer gives the owner up."""
    lines = (OPEN, "Mon 12:00 assign", "Mon 14:00 transfer")
    story = told(EIGHT, *lines, until="Mon 17:00", warn=["-6h", "50%"])
    assert [ping.to for ping in story.all_pings()] == ["team", "owner", "team"]


def test_a_new_calendar_rings_a_passed_stage_once_more() -> None:
    """The other team has not heard of it."""
    story = told(EIGHT, OPEN, "Mon 14:00 transfer away", until="Mon 14:30", warn=["50%"])
    assert story.pings() == [(at("Mon 13:00"), "50%"), (at("Mon 14:00"), "50%")]


def test_reopening_rings_a_passed_stage_once_more() -> None:
    """A reopened ticket is a new revision."""
    story = told(EIGHT, OPEN, "Mon 14:00 resolve", "Wed 10:00 reopen", until="Wed 11:00", warn=["50%"])
    assert story.pings() == [(at("Mon 13:00"), "50%"), (at("Wed 10:00"), "50%")]


@pytest.mark.parametrize(
    ("text", "seconds"), [("1d2h30m15s", 95_415), ("90m", 5_400), ("1d", 86_400), ("8h", 28_800), ("5s", 5)]
)
def test_durations(text: str, seconds: int) -> None:
    """A day is 24 hours."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "10", "h", "1h30", "1w", "-5m", "1.5h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """By a sentence that shows one."""
    with pytest.raises(ValueError, match="is not a duration"):
        seconds_of(text)
