"""The time line of a clock, as `why 42` tells it."""

from __future__ import annotations

import pytest

from tests.builders import LONDON
from tests.unit.sla_stories import HOUR, Told, at, promise, told
from tests.unit.test_clocks_worked import ALL_WEEK, CHRISTMAS, EARLY_TO_LATE, KOLKATA
from triage.calendars import Calendar, Window
from triage.clockpieces import waits
from triage.clockstory import ClockStory, story
from triage.model import Language, Priority

EIGHT = promise(resolution=8)
ENGLAND = Calendar(timezone="Europe/London", windows=LONDON.windows, holidays=("GB-ENG",))
NIGHTS = Calendar(
    timezone="Europe/London", windows=tuple(Window(day=day, opens=22 * HOUR, closes=30 * HOUR) for day in range(5))
)


def why(
    told_: Told, now: str, *, metric: str = "resolution", zone: str = "Europe/London", language: Language = Language.EN
) -> ClockStory:
    waited = waits(told_.timeline.events)
    return story(told_.clock(metric), at(now), zone=zone, language=language, waited=waited)


# --- the worked cases ----------------------------------------------------------------------------
def test_an_hour_over_the_weekend() -> None:
    """Half an hour on Friday, two days of nobody, half an hour to go on Monday."""
    found = why(told(promise(first_response=1), "Fri- 16:30 open"), "Sat- 12:00", metric="first_response")
    assert found.headline == ("First answer: due Mon 9 Mar 09:30, running (1 h of working time, from Fri 6 Mar 16:30)")
    assert found.because == "1 h of working time from Fri 6 Mar 16:30: 30 min on Fri 6 Mar, 30 min on Mon 9 Mar."
    assert found.lines == (
        "Fri 6 Mar 16:30 – 17:00: running, 30 min counted",
        "Fri 6 Mar 17:00 – Mon 9 Mar 09:00: outside working hours",
        "Mon 9 Mar 09:00 – 09:30: 30 min to go",
    )
    assert found.zones is None


def test_now_parts_what_is_counted_from_what_is_to_go() -> None:
    """Ten of Monday's thirty minutes have passed."""
    found = why(told(promise(resolution=1), "Fri- 16:30 open"), "Mon 09:10")
    assert found.lines[-2:] == (
        "Mon 9 Mar 09:00 – now: running, 10 min counted",
        "Mon 9 Mar 09:10 – 09:30: 20 min to go",
    )


def test_holidays_are_named() -> None:
    """From Christmas Eve to Tuesday, in one line with both bank holidays and no word on the weekend."""
    found = why(told(promise(resolution=4), "2026-12-24T16:00 open", calendar=ENGLAND), "2026-12-29T10:00")
    assert found.lines[1] == (
        "Thu 24 Dec 17:00 – Tue 29 Dec 09:00: outside working hours"
        " (closed: Fri 25 Dec Christmas Day, Mon 28 Dec Boxing Day (observed))"
    )
    assert found.because is not None
    assert found.because.endswith("1 h on Thu 24 Dec, 3 h on Tue 29 Dec.")


def test_own_holidays_stand_without_a_name() -> None:
    """desk.yaml does not say what they are."""
    found = why(told(promise(resolution=4), "2026-12-24T16:00 open", calendar=CHRISTMAS), "2026-12-24T16:00")
    assert found.lines[1].endswith("(closed: Fri 25 Dec, Mon 28 Dec)")


def test_a_pause_says_what_it_waited_for() -> None:
    """Seven hours on Monday, then the requester's turn until Tuesday at ten, then the last hour."""
    found = why(told(EIGHT, "Mon 09:00 open", "Mon 16:00 pending", "Tue 10:00 resume"), "Tue 10:30")
    assert found.lines == (
        "Mon 9 Mar 09:00 – 16:00: running, 7 h counted",
        "Mon 9 Mar 16:00 – Tue 10 Mar 10:00: paused, waiting for the requester",
        "Tue 10 Mar 10:00 – now: running, 30 min counted",
        "Tue 10 Mar 10:30 – 11:00: 30 min to go",
    )


def test_in_a_pause_there_is_no_due_time() -> None:
    """What is used and what is left is said instead."""
    found = why(told(EIGHT, "Mon 09:00 open", "Mon 16:00 pending"), "Tue 10:00")
    assert found.headline.startswith("Solution: paused, waiting for the requester (8 h of working time")
    assert found.because == "7 h used, 1 h left; it is due again as soon as it goes on."
    assert found.lines[-1] == "Mon 9 Mar 16:00 – now: paused, waiting for the requester"


def test_a_pause_whose_reason_changes_is_two() -> None:
    """First the requester, then a third party; without the ticket's past nobody knows which."""
    past = told(promise(agent_work=8), "Mon 09:00 open", "Mon 10:00 pending", "Mon 11:00 on_hold")
    known = why(past, "Mon 12:00", metric="agent_work")
    assert known.lines[1:] == (
        "Mon 9 Mar 10:00 – 11:00: paused, waiting for the requester",
        "Mon 9 Mar 11:00 – now: paused, on hold",
    )
    assert "paused, on hold" in known.headline
    unknown = story(past.clock("agent_work"), at("Mon 12:00"), zone="Europe/London", language=Language.EN)
    assert unknown.lines[1:] == ("Mon 9 Mar 10:00 – now: paused",)


def test_a_raised_priority_that_was_missed_at_once_is_explained() -> None:
    """Three hours were used when the target became two."""
    policies = {Priority.NORMAL: EIGHT, Priority.URGENT: promise(resolution=2)}
    found = why(told(policies, "Mon 09:00 open", "Mon 12:00 priority urgent"), "Mon 13:00")
    assert found.headline.startswith("Solution: missed by a change of priority on Mon 9 Mar 12:00, 2 h over by now")
    assert found.because == (
        "When the priority changed on Mon 9 Mar 12:00, 3 h had been used:"
        " nothing was left of the new target, 2 h of working time."
    )
    assert found.lines == (
        "Mon 9 Mar 09:00 – 12:00: running, 3 h counted",
        "Mon 9 Mar 12:00: the target is now 2 h of working time",
        "Mon 9 Mar 12:00 – now: 1 h over",
    )


def test_a_promise_that_came_with_a_priority_says_since_when() -> None:
    """Counted from the opening, promised from noon."""
    policies = {Priority.NORMAL: promise(first_response=1), Priority.HIGH: promise(first_response=1, resolution=8)}
    found = why(told(policies, "Mon 09:00 open", "Mon 12:00 priority high"), "Mon 13:00")
    assert "Mon 9 Mar 12:00: promised since this change of priority" in found.lines


def test_a_reopened_ticket_leaves_the_resolved_time_out() -> None:
    """Three hours on Monday, five on Wednesday."""
    past = told(EIGHT, "Mon 09:00 open", "Mon 12:00 resolve", "Wed 12:00 reopen")
    found = why(past, "Wed 12:00")
    assert found.lines[1] == "Mon 9 Mar 12:00 – Wed 11 Mar 12:00: resolved"
    assert found.because is not None
    assert found.because.endswith("3 h on Mon 9 Mar, 5 h on Wed 11 Mar.")


def test_a_transfer_brings_other_hours() -> None:
    """New York opens at one in the afternoon in the week after its clocks changed."""
    found = why(told(EIGHT, "Mon 09:00 open", "Mon 12:00 transfer away"), "Mon 12:30")
    assert found.lines[1:] == (
        "Mon 9 Mar 12:00: other working hours from here on",
        "Mon 9 Mar 12:00 – 13:00: outside working hours",
        "Mon 9 Mar 13:00 – 18:00: 5 h to go",
    )
    assert found.zones == "These are the hours in London; the team works by those of New York."


def test_a_lunch_break_is_out_of_hours() -> None:
    """Half an hour before it, half an hour after it, all on one day."""
    past = told(promise(resolution=1), "Mon 12:30 open", calendar=KOLKATA)
    found = story(past.clock("resolution"), past.until, zone="Asia/Kolkata", language=Language.EN)
    assert found.lines == (
        "Mon 9 Mar 12:30 – 13:00: 30 min to go",
        "Mon 9 Mar 13:00 – 14:00: outside working hours",
        "Mon 9 Mar 14:00 – 14:30: 30 min to go",
    )
    assert (found.because, found.zones) == (None, None)


def test_the_hours_are_the_readers() -> None:
    """Half past twelve in Kolkata is seven in the morning in London."""
    past = told(promise(resolution=1), "Mon 12:30 open", calendar=KOLKATA)
    found = story(past.clock("resolution"), past.until, zone="Europe/London", language=Language.EN)
    assert found.lines[0] == "Mon 9 Mar 07:00 – 07:30: 30 min to go"
    assert found.zones == "These are the hours in London; the team works by those of Kolkata."


def test_a_night_shift_is_one_line_over_midnight() -> None:
    """From ten to six; what is used of it falls on two dates."""
    found = why(told(promise(resolution=6), "Mon 23:00 open", calendar=NIGHTS), "Mon 23:30")
    assert found.lines[-1] == "Mon 9 Mar 23:30 – Tue 10 Mar 05:00: 5 h 30 min to go"
    assert found.because == "6 h of working time from Mon 9 Mar 23:00: 1 h on Mon 9 Mar, 5 h on Tue 10 Mar."


def test_the_night_when_clocks_go_forward_has_an_hour_less() -> None:
    """Noon to one o'clock is 24 hours."""
    found = why(told(promise(resolution=24), "2026-03-28T12:00 open", calendar=ALL_WEEK), "2026-03-28T12:00")
    assert found.lines == ("Sat 28 Mar 12:00 – Sun 29 Mar 13:00: 24 h to go",)
    assert found.because is not None
    assert found.because.endswith("12 h on Sat 28 Mar, 12 h on Sun 29 Mar.")


def test_half_minutes_still_add_up() -> None:
    """A ticket opened at 30 seconds past is told in minutes that make up the hour."""
    found = why(told(promise(resolution=1), "2026-03-06T16:30:40 open"), "Mon 09:00")
    assert found.because is not None
    assert found.because.endswith("29 min on Fri 6 Mar, 31 min on Mon 9 Mar.")


# --- how it ended --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lines", "headline"),
    [
        (["Mon 09:45 reply"], "First answer: met on Mon 9 Mar 09:45, was due Mon 9 Mar 10:00"),
        (["Mon 10:45 reply"], "First answer: missed, was due Mon 9 Mar 10:00, ended Mon 9 Mar 10:45, 45 min over"),
        ([], "First answer: missed, was due Mon 9 Mar 10:00, 2 h over by now"),
        (["Mon 09:45 resolve"], "First answer: cancelled on Mon 9 Mar 09:45"),
    ],
)
def test_the_headline_says_how_it_ended(lines: list[str], headline: str) -> None:
    """Met, missed by how much, or given up."""
    found = why(told(promise(first_response=1), "Mon 09:00 open", *lines), "Mon 12:00", metric="first_response")
    assert found.headline.startswith(f"{headline} (")


def test_what_was_solved_in_a_pause_was_never_due() -> None:
    """There was no due time when it ended."""
    found = why(told(EIGHT, "Mon 09:00 open", "Mon 10:00 pending", "Mon 11:00 resolve"), "Mon 12:00")
    assert found.headline.startswith("Solution: met on Mon 9 Mar 11:00 (8 h")


def test_the_time_after_the_due_time_is_told_apart() -> None:
    """An hour that counted, and three quarters of one too many."""
    found = why(told(promise(resolution=1), "Mon 09:00 open", "Mon 10:45 resolve"), "Mon 12:00")
    assert found.lines == (
        "Mon 9 Mar 09:00 – 10:00: running, 1 h counted",
        "Mon 9 Mar 10:00 – 10:45: 45 min over",
    )


def test_hours_that_never_reach_the_target_are_said_to_be_too_few() -> None:
    """A team without working hours."""
    empty = Calendar(timezone="Europe/London", windows=LONDON.windows[:0])
    found = why(told(EIGHT, "Mon 09:00 open", calendar=empty), "Mon 12:00")
    assert found.headline.startswith("Solution: no due time, there are too few working hours")
    assert found.lines == ("Mon 9 Mar 09:00 – now: outside working hours",)


def test_a_clock_that_ended_as_it_began_has_nothing_to_draw() -> None:
    """Answered in the very second."""
    found = why(
        told(promise(first_response=1), "Mon 09:00 open", "Mon 09:00 reply"), "Mon 12:00", metric="first_response"
    )
    assert (found.lines, found.bar, found.legend) == ((), "", "")


# --- long ones -----------------------------------------------------------------------------------
def test_days_that_look_alike_are_one_line() -> None:
    """Monday to Wednesday went by whole; Thursday is cut by now, Friday is to come."""
    found = why(told(promise(resolution=40), "Mon 09:00 open"), "Thu 12:00")
    assert found.lines == (
        "Mon 9 – Wed 11 Mar, working hours only: 24 h counted",
        "Thu 12 Mar 09:00 – now: running, 3 h counted",
        "Thu 12 Mar 12:00 – 17:00: 5 h to go",
        "Thu 12 Mar 17:00 – Fri 13 Mar 09:00: outside working hours",
        "Fri 13 Mar 09:00 – 17:00: 8 h to go",
    )
    assert found.because == (
        "40 h of working time from Mon 9 Mar 09:00: 8 h on Mon 9 Mar, 24 h on Tue 10 – Thu 12 Mar, 8 h on Fri 13 Mar."
    )


def test_a_day_begun_late_is_told_by_itself() -> None:
    """It has not the hours of the days after it."""
    found = why(told(promise(resolution=27), "Mon 15:00 open", calendar=EARLY_TO_LATE), "Mon 15:00")
    assert found.lines == (
        "Mon 9 Mar 15:00 – 18:00: 3 h to go",
        "Tue 10 – Wed 11 Mar, working hours only: 20 h to go",
        "Thu 12 Mar 08:00 – 12:00: 4 h to go",
    )


def test_holidays_among_like_days_are_named_with_them() -> None:
    """No more than three by name; the rest is counted."""
    past = told(promise(resolution=600), "2026-12-18T11:00 open", calendar=ENGLAND)
    found = why(past, "2026-12-18T11:00")
    assert "Fri 1 Jan New Year's Day, 2 more)" in found.lines[1]


def test_the_middle_of_a_long_story_is_summed_up() -> None:
    """Twelve lines at most, and no time is lost."""
    turns = [
        f"2026-03-09T{hour:02}:{minute} {do}"
        for hour in range(9, 17)
        for minute, do in (("00", "resume"), ("30", "pending"))
    ]
    found = why(told(EIGHT, "Mon 09:00 open", *turns), "Mon 17:00")
    assert len(found.lines) == 12
    assert found.lines[6] == "… 5 more steps, Mon 9 Mar: 1 h 30 min counted"


def test_a_story_of_ten_years_is_short_and_quick() -> None:
    """Two thousand working days are one line and a bar of 24 signs."""
    found = why(told(promise(resolution=16_000), "Mon 09:00 open", calendar=ENGLAND), "Mon 09:00")
    assert len(found.lines) <= 5
    assert len(found.bar) == 24


# --- the drawing ---------------------------------------------------------------------------------
def test_every_piece_is_seen_in_the_drawing() -> None:
    """Half an hour beside a weekend still has its sign."""
    found = why(told(promise(resolution=1), "Fri- 16:30 open"), "Sat- 12:00")
    assert found.bar == "▓" + "░" * 22 + "▒"
    assert found.legend == "▓ counted  ░ outside working hours  ▒ to go"


def test_the_drawing_follows_the_wall_clock_until_due() -> None:
    """7 hours counted, 18 paused, one to go."""
    found = why(told(EIGHT, "Mon 09:00 open", "Mon 16:00 pending", "Tue 10:00 resume"), "Tue 10:30")
    assert found.bar == "▓" * 7 + "·" * 15 + "▓" + "▒"
    assert found.legend == "▓ counted  · paused  ▒ to go"


def test_a_missed_clock_is_drawn_until_its_due_time() -> None:
    """What came after is told in the lines."""
    found = why(told(promise(resolution=1), "Mon 09:00 open"), "Mon 12:00")
    assert (found.bar, found.legend) == ("▓" * 24, "▓ counted")


def test_weeks_of_working_days_are_drawn_as_worked() -> None:
    """There are more nights than signs: only weekends are left to be seen."""
    past = told(promise(resolution=120), "Mon 09:00 open")
    found = why(past, "Mon 09:00")
    assert found.bar == "▒▒▒▒▒▒" + "░░░▒▒▒▒▒▒" * 2


# --- languages -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            Language.EN,
            (
                "First answer: due Mon 9 Mar 09:30, running (1 h of working time, from Fri 6 Mar 16:30)",
                "1 h of working time from Fri 6 Mar 16:30: 30 min on Fri 6 Mar, 30 min on Mon 9 Mar.",
                "▓░░░░░░░░░░░░░░░░░░░░░▓▒  ▓ counted  ░ outside working hours  ▒ to go",
                "Fri 6 Mar 16:30 – 17:00: running, 30 min counted",
                "Fri 6 Mar 17:00 – Mon 9 Mar 09:00: outside working hours",
                "Mon 9 Mar 09:00 – now: running, 10 min counted",
                "Mon 9 Mar 09:10 – 09:30: 20 min to go",
            ),
        ),
        (
            Language.KO,
            (
                "첫 답변: 기한 3월 9일(월) 09:30, 진행 중 (3월 6일(금) 16:30부터 근무 시간 1시간)",
                "3월 6일(금) 16:30부터 근무 시간 1시간: 3월 6일(금) 30분, 3월 9일(월) 30분.",
                "▓░░░░░░░░░░░░░░░░░░░░░▓▒  ▓ 계산됨  ░ 근무 시간 외  ▒ 남음",
                "3월 6일(금) 16:30 – 17:00: 진행, 30분 계산",
                "3월 6일(금) 17:00 – 3월 9일(월) 09:00: 근무 시간 외",
                "3월 9일(월) 09:00 – 지금: 진행, 10분 계산",
                "3월 9일(월) 09:10 – 09:30: 앞으로 20분",
            ),
        ),
        (
            Language.ZH_HANT,
            (
                "首次回覆：期限 3月9日（週一）09:30，計時中（自 3月6日（週五）16:30 起，工作時間 1 小時）",
                "自 3月6日（週五）16:30 起，工作時間 1 小時：3月6日（週五）30 分、3月9日（週一）30 分。",
                "▓░░░░░░░░░░░░░░░░░░░░░▓▒  ▓ 已計時  ░ 非工作時間  ▒ 尚餘",
                "3月6日（週五）16:30 – 17:00：計時 30 分",
                "3月6日（週五）17:00 – 3月9日（週一）09:00：非工作時間",
                "3月9日（週一）09:00 – 現在：計時 10 分",
                "3月9日（週一）09:10 – 09:30：還有 20 分",
            ),
        ),
    ],
)
def test_a_story_reads_well_in_every_language(language: Language, sentences: tuple[str, ...]) -> None:
    """All of it, one sentence a line."""
    past = told(promise(first_response=1), "Fri- 16:30 open")
    assert why(past, "Mon 09:10", metric="first_response", language=language).sentences == sentences


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    "lines",
    [
        ["Mon 12:00 priority urgent"],
        ["Mon 12:00 priority urgent", "Mon 13:00 resolve"],
        ["Mon 12:00 pending"],
        ["Mon 12:00 on_hold"],
        ["Mon 12:00 resolve", "Tue 12:00 reopen"],
        ["Mon 12:00 resolve", "Tue 12:00 reopen", "Tue 13:00 resolve"],
        ["Mon 12:00 resolve"],
        ["Mon 12:00 merge"],
        ["Mon 12:00 transfer away"],
        ["Wed 12:00 resolve"],
    ],
)
def test_every_state_can_be_told_in_every_language(lines: list[str], language: Language) -> None:
    """No placeholder is left and no phrase is missing."""
    terms = {
        Priority.NORMAL: promise(resolution=8, pause_on_hold=True, reopen="from_opening"),
        Priority.URGENT: promise(resolution=2),
    }
    found = why(told(terms, "Mon 09:00 open", *lines), "Thu 12:00", language=language)
    assert found.lines
    assert not any("{" in sentence for sentence in found.sentences)
