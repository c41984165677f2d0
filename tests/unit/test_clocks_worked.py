"""The worked cases of the SLA rules, with the instants that they give."""

from __future__ import annotations

from tests.builders import LONDON
from tests.unit.sla_stories import HOUR, at, promise, told
from triage.calendars import Calendar, Window
from triage.clocks import Cause
from triage.model import Priority

EARLY_TO_LATE = Calendar(
    timezone="Europe/London", windows=tuple(Window(day=day, opens=8 * HOUR, closes=18 * HOUR) for day in range(5))
)
ALL_WEEK = Calendar(
    timezone="Europe/London", windows=tuple(Window(day=day, opens=0, closes=24 * HOUR) for day in range(7))
)
KOLKATA = Calendar(
    timezone="Asia/Kolkata",
    windows=tuple(
        Window(day=day, opens=opens * HOUR, closes=closes * HOUR)
        for day in range(5)
        for opens, closes in ((9, 13), (14, 18))
    ),
)
CHRISTMAS = Calendar(timezone="Europe/London", windows=LONDON.windows, holidays=("2026-12-25", "2026-12-28"))


def test_an_hour_from_friday_half_past_four_is_due_on_monday() -> None:
    """Half an hour is left on Friday, the other half is Monday's."""
    assert told(promise(resolution=1), "Fri- 16:30 open").due("resolution") == at("Mon 09:30")


def test_what_comes_at_the_weekend_starts_on_monday() -> None:
    """Saturday holds no working time."""
    assert told(promise(resolution=1), "Sat- 11:00 open").due("resolution") == at("Mon 10:00")


def test_a_full_day_is_due_at_closing_time() -> None:
    """A due time that falls on closing time belongs to closing time, not to the next morning."""
    assert told(promise(resolution=8), "Mon 09:00 open").due("resolution") == at("Mon 17:00")


def test_warnings_are_walked_backwards() -> None:
    """One hour before Tuesday 11:00 is 10:00; three hours before is a seam, so Monday's closing time."""
    story = told(
        promise(resolution=4), "Mon 17:00 open", until="Tue 10:30", warn=["-1h", "-3h"], calendar=EARLY_TO_LATE
    )
    assert story.due("resolution") == at("Tue 11:00")
    assert story.pings() == [(at("Mon 18:00"), "-3h"), (at("Tue 10:00"), "-1h")]


def test_a_day_of_24_hours_when_clocks_go_forward() -> None:
    """The night of 29 March has an hour less on the wall."""
    story = told(promise(resolution=24), "2026-03-28T12:00 open", calendar=ALL_WEEK)
    assert story.due("resolution") == at("2026-03-29T13:00")


def test_holidays_hold_no_working_time() -> None:
    """Thursday's last hour, then Christmas, a weekend and a day off, then Tuesday's first three."""
    story = told(promise(resolution=4), "2026-12-24T16:00 open", calendar=CHRISTMAS)
    assert story.due("resolution") == at("2026-12-29T12:00")


def test_a_pause_takes_out_only_its_working_time() -> None:
    """Pending from Monday 16:00 to Tuesday 10:00 holds two hours of work."""
    story = told(promise(resolution=8), "Mon 09:00 open", "Mon 16:00 pending", "Tue 10:00 resume")
    assert story.due("resolution") == at("Tue 11:00")


def test_a_raised_priority_keeps_the_time_used() -> None:
    """Four hours from Monday 09:00, three of which are gone."""
    policies = {Priority.NORMAL: promise(resolution=8), Priority.HIGH: promise(resolution=4)}
    story = told(policies, "Mon 09:00 open", "Mon 12:00 priority high")
    assert (story.state("resolution"), story.due("resolution")) == ("running", at("Mon 13:00"))


def test_a_priority_whose_time_is_gone_is_one_breach_by_reclassification() -> None:
    """The breach is dated when the priority was raised and only `due` is rung for it."""
    policies = {Priority.NORMAL: promise(resolution=8), Priority.URGENT: promise(resolution=2)}
    story = told(policies, "Mon 09:00 open", "Mon 12:00 priority urgent", until="Tue 12:00", warn=["50%", "-30m"])
    breach = story.clock("resolution").breach
    assert breach is not None
    assert (breach.at, breach.cause) == (at("Mon 12:00"), Cause.RECLASSIFIED)
    assert story.pings() == [(at("Mon 12:00"), "due")]


def test_a_reopened_ticket_leaves_out_the_time_it_was_resolved() -> None:
    """Three of eight hours are used; the other five run from the reopening."""
    story = told(promise(resolution=8), "Mon 09:00 open", "Mon 12:00 resolve", "Wed 12:00 reopen")
    assert (story.state("resolution"), story.due("resolution")) == ("running", at("Wed 17:00"))


def test_counted_from_the_opening_a_reopened_ticket_is_breached_at_once() -> None:
    """Due on Monday, reopened on Wednesday: the breach is Wednesday's."""
    policy = promise(resolution=8, reopen="from_opening")
    story = told(policy, "Mon 09:00 open", "Mon 12:00 resolve", "Wed 12:00 reopen", until="Wed 13:00", warn=["50%"])
    breach = story.clock("resolution").breach
    assert breach is not None
    assert (breach.at, breach.cause) == (at("Wed 12:00"), Cause.REOPENED)
    assert story.pings() == [(at("Wed 12:00"), "due")]


def test_where_only_the_first_time_counts_it_stays_met() -> None:
    """Reopening leaves the resolution clock alone."""
    policy = promise(resolution=8, reopen="first_only")
    story = told(policy, "Mon 09:00 open", "Mon 12:00 resolve", "Wed 12:00 reopen", until="Fri 12:00")
    assert (story.state("resolution"), story.clock("resolution").ended_at) == ("met", at("Mon 12:00"))


def test_a_lunch_break_holds_no_working_time() -> None:
    """An hour from 12:30 in Kolkata, with lunch from one to two."""
    story = told(promise(resolution=1), "2026-03-09T12:30 open", calendar=KOLKATA)
    assert story.due("resolution") == at("2026-03-09T14:30", "Asia/Kolkata")


ASKED = ("Mon 09:00 open", "Mon 09:30 reply", "Mon 10:00 message", "Mon 10:05 message", "Mon 10:40 message")
NEXT_REPLY = promise(first_response=1, next_reply=1)


def test_next_reply_runs_from_the_oldest_unanswered_message() -> None:
    """Later messages do not move it."""
    story = told(NEXT_REPLY, *ASKED)
    assert (story.instances("next_reply"), story.due("next_reply")) == (1, at("Mon 11:00"))


def test_notes_and_bot_answers_do_not_end_next_reply() -> None:
    """Only words of an agent to the requester do."""
    assert told(NEXT_REPLY, *ASKED, "Mon 10:50 note", "Mon 10:52 bot_reply").state("next_reply") == "running"


def test_a_public_reply_ends_next_reply_and_the_next_message_starts_another() -> None:
    """Answered at 10:55; what is asked at 10:56 is due at 11:56."""
    story = told(NEXT_REPLY, *ASKED, "Mon 10:55 reply", "Mon 10:56 message")
    assert story.clock("next_reply").ended_at == at("Mon 10:55")
    assert story.due("next_reply", 2) == at("Mon 11:56")


def test_mere_thanks_start_no_next_reply() -> None:
    """Nobody owes an answer to a thank-you."""
    assert told(NEXT_REPLY, *ASKED, "Mon 10:55 reply", "Mon 10:56 message thanks").instances("next_reply") == 1


def test_a_clock_resumes_at_the_instant_of_the_requesters_message() -> None:
    """Not when an agent notices an hour later."""
    lines = ("Mon 09:00 open", "Mon 10:00 pending", "Mon 12:00 message", "Mon 13:00 resume")
    assert told(promise(resolution=4), *lines).due("resolution") == at("Mon 15:00")
