"""What a ticket's card says about a clock, in half a line."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.builders import LONDON
from tests.unit.sla_stories import Told, at, promise, told
from triage.calendars import Calendar
from triage.clockstate import in_words, note
from triage.model import Language, Priority, Status
from triage.outgoing import At, ClockNote
from triage.phrases import moment, say

EIGHT = promise(resolution=8)


def noted(story: Told, now: str, status: Status = Status.OPEN, metric: str = "resolution") -> ClockNote:
    return note(story.clock(metric), status, at(now), zone="Europe/London")


def words(found: ClockNote, language: Language = Language.EN) -> str:
    said = {
        name: moment(value.at, value.zone, language) if isinstance(value, At) else value
        for name, value in in_words(found, language).items()
    }
    return say(found.phrase, language, said)


def instant(found: ClockNote, name: str) -> datetime:
    return found.instants[name].at


def test_a_running_clock_says_when_it_is_due_and_what_is_left() -> None:
    """Eight hours from nine are due at five; at half past two there are two and a half left."""
    found = noted(told(EIGHT, "Mon 09:00 open"), "Mon 14:30")
    assert instant(found, "due") == at("Mon 17:00")
    assert words(found) == "due Monday 9 March, 17:00 (London) · 2 h 30 min of working time left"


def test_its_instants_stay_instants() -> None:
    """A platform shows them at each reader's own hours."""
    found = noted(told(EIGHT, "Mon 09:00 open"), "Mon 14:30")
    assert in_words(found, Language.KO)["due"] == At(at=at("Mon 17:00"), zone="Europe/London")


def test_around_the_clock_a_day_is_24_hours() -> None:
    """Three days of calendar time, less an hour; nothing is said of working time."""
    story = told(promise(resolution=72, hours="calendar"), "Mon 09:00 open")
    assert words(noted(story, "Mon 10:00")) == "due Thursday 12 March, 09:00 (London) · 2 d 23 h left"


def test_out_of_hours_is_told_with_the_next_opening() -> None:
    """Nobody is in, which is another thing than a pause."""
    found = noted(told(promise(resolution=1), "Fri- 16:30 open"), "Sat- 12:00")
    assert (instant(found, "opens"), instant(found, "due")) == (at("Mon 09:00"), at("Mon 09:30"))
    assert words(found).startswith("outside working hours until Monday 9 March, 09:00 (London) · 30 min left")


def test_at_closing_time_with_nothing_left_it_is_due_not_closed() -> None:
    """A due time on closing time belongs to closing time."""
    assert words(noted(told(EIGHT, "Mon 09:00 open"), "Mon 17:00")).endswith("0 min of working time left")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status.PENDING, "paused: waiting for the requester, 1 h left"),
        (Status.ON_HOLD, "paused: on hold, 1 h left"),
    ],
)
def test_a_pause_says_what_it_waits_for(status: Status, text: str) -> None:
    """The ticket's status says which of the two; the night in between takes nothing."""
    story = told(promise(resolution=8, pause_on_hold=True), "Mon 09:00 open", f"Mon 16:00 {status}")
    found = noted(story, "Tue 10:00", status)
    assert (words(found), dict(found.instants)) == (text, {})


def test_a_clock_that_only_the_requester_can_stop_says_so() -> None:
    """Whatever the ticket's status has become meanwhile."""
    story = told(
        promise(first_response=1, next_reply=4),
        *("Mon 09:00 open", "Mon 09:10 reply", "Mon 10:00 message", "Mon 11:00 pending"),
    )
    assert noted(story, "Mon 12:00", Status.OPEN, "next_reply").phrase == "state.pending"


def test_a_missed_clock_says_by_how_much() -> None:
    """Due Tuesday at eleven, told at a quarter to twelve: paused time is not counted, nor is the night."""
    story = told(EIGHT, "Mon 09:00 open", "Mon 16:00 pending", "Tue 10:00 resume")
    found = noted(story, "Tue 11:45")
    assert instant(found, "at") == at("Tue 11:00")
    assert words(found) == "missed on Tuesday 10 March, 11:00 (London), 45 min over"


def test_one_second_late_is_missed_and_in_time_is_met() -> None:
    """Met if and only if it ended by its due time."""
    met = told(promise(first_response=1), "Mon 09:00 open", "Mon 10:00 reply")
    late = told(promise(first_response=1), "Mon 09:00 open", "2026-03-09T10:00:01 reply")
    assert words(noted(met, "Wed 09:00", metric="first_response")) == "met on Monday 9 March, 10:00 (London)"
    assert words(noted(late, "Wed 09:00", metric="first_response")).endswith(", 1 s over")


def test_a_breach_by_reclassification_is_told_as_one() -> None:
    """Nobody was too slow: the target changed under them."""
    story = told(
        {Priority.NORMAL: EIGHT, Priority.URGENT: promise(resolution=2)}, "Mon 09:00 open", "Mon 12:00 priority urgent"
    )
    found = noted(story, "Mon 12:00")
    assert (found.phrase, instant(found, "at")) == ("state.reclassification", at("Mon 12:00"))
    assert words(found).endswith(", 1 h over")


def test_a_reopened_ticket_that_counts_from_the_opening_is_late_at_once() -> None:
    """It says when that came out."""
    story = told(
        promise(resolution=8, reopen="from_opening"), "Mon 09:00 open", "Mon 12:00 resolve", "Wed 12:00 reopen"
    )
    assert words(noted(story, "Wed 12:00")).startswith("missed when it was reopened on Wednesday 11 March, 12:00")


def test_a_cancelled_clock_is_no_longer_counted() -> None:
    """A merged ticket's promises are another ticket's now."""
    assert words(noted(told(EIGHT, "Mon 09:00 open", "Mon 10:00 merge"), "Tue 09:00")) == "no longer counted"


def test_hours_that_never_reach_the_target_have_no_due_time() -> None:
    """A team without working hours."""
    empty = Calendar(timezone="Europe/London", windows=LONDON.windows[:0])
    assert noted(told(EIGHT, "Mon 09:00 open", calendar=empty), "Tue 09:00").phrase == "state.unreachable"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (Language.EN, "due Monday 9 March, 17:00 (London) · 2 h 30 min of working time left"),
        (Language.KO, "기한 3월 9일 월요일 17:00 (London) · 근무 시간 2시간 30분 남음"),
        (Language.ZH_HANT, "期限 3月9日 週一 17:00（London） · 工作時間還剩 2 小時 30 分"),
    ],
)
def test_one_value_reads_well_in_every_language(language: Language, text: str) -> None:
    """It is put into words only when the card is laid out."""
    assert words(noted(told(EIGHT, "Mon 09:00 open"), "Mon 14:30"), language) == text
