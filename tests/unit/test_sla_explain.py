"""`deskbell sla explain` from outside: a scenario file in, every clock out, and what is refused."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from bot.cli_sla import add

HEAD = """\
calendar: {timezone: Europe/London, hours: {mon-fri: ["09:00-17:00"]}, holidays: ["2026-12-25", GB-ENG]}
calendars: {us: {timezone: America/New_York, hours: {mon-fri: ["09:00-17:00"]}}}
policies: {high: {first_response: 1h, next_reply: 1h, resolution: 8h, hours: business, reopen: exclude}}
warn: ["50%", "-30m"]
"""
STORY = """\
events:
  - {at: "2026-03-06T16:30", do: open, priority: high}
  - {at: "2026-03-06T16:45", do: pending}
  - {at: "2026-03-09T09:15", do: message}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "story.yaml"


def run(file: Path, text: str, *options: str) -> int:
    file.write_text(text, encoding="utf-8")
    parser = argparse.ArgumentParser(prog="deskbell")
    add(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["sla", "explain", str(file), *options])
    code: int = arguments.run(arguments)
    return code


def explained(file: Path, capsys: pytest.CaptureFixture[str], text: str) -> dict[str, Any]:
    assert run(file, text, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def events(*lines: str) -> str:
    return HEAD + "events:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


OPEN = "at: 2026-03-09T09:00, do: open, priority: high"


def test_json_shows_every_clock_with_its_spans(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, order and form of the contract, nothing else."""
    found = explained(file, capsys, HEAD + STORY)
    assert list(found) == ["clocks", "pings"]
    assert found["clocks"] == [
        {
            "metric": "first_response",
            "instance": 1,
            "started_at": "2026-03-06T16:30:00Z",
            "due_at": "2026-03-09T09:30:00Z",
            "state": "running",
            "ended_at": None,
            "elapsed_s": 2_700,
            "spans": [
                {"from": "2026-03-06T16:30:00Z", "to": "2026-03-06T17:00:00Z", "state": "running"},
                {"from": "2026-03-06T17:00:00Z", "to": "2026-03-09T09:00:00Z", "state": "closed"},
                {"from": "2026-03-09T09:00:00Z", "to": "2026-03-09T09:15:00Z", "state": "running"},
            ],
        },
        {
            "metric": "resolution",
            "instance": 1,
            "started_at": "2026-03-06T16:30:00Z",
            "due_at": "2026-03-09T17:00:00Z",
            "state": "running",
            "ended_at": None,
            "elapsed_s": 900,
            "spans": [
                {"from": "2026-03-06T16:30:00Z", "to": "2026-03-06T16:45:00Z", "state": "running"},
                {"from": "2026-03-06T16:45:00Z", "to": "2026-03-09T09:15:00Z", "state": "paused"},
            ],
        },
    ]


def test_json_shows_every_ping(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of an hour and thirty minutes before its end are one instant and two stages."""
    found = explained(file, capsys, HEAD + STORY + 'until: "2026-03-09T09:30"\n')
    about = {"metric": "first_response", "instance": 1, "to": "team"}
    assert found["pings"] == [
        {"at": "2026-03-06T17:00:00Z", "stage": "50%"} | about,
        {"at": "2026-03-06T17:00:00Z", "stage": "-30m"} | about,
        {"at": "2026-03-09T09:30:00Z", "stage": "due"} | about,
    ]


def test_a_clock_overdue_at_the_end_is_breached_and_has_not_ended(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the due instant it is still in time, a second later it is not."""
    late = explained(file, capsys, HEAD + STORY + "until: 2026-03-09T09:30:01\n")["clocks"][0]
    assert (late["state"], late["ended_at"]) == ("breached", None)
    in_time = explained(file, capsys, HEAD + STORY + "until: 2026-03-09T09:30:00\n")["clocks"][0]
    assert in_time["state"] == "running"


def test_a_paused_clock_has_no_due_time(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`due_at` is null while paused."""
    clocks = explained(file, capsys, events(OPEN, "at: 2026-03-09T10:00, do: pending"))["clocks"]
    assert [(clock["state"], clock["due_at"]) for clock in clocks] == [
        ("running", "2026-03-09T10:00:00Z"),
        ("paused", None),
    ]


def test_a_calendar_without_hours_never_makes_anything_due(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`due_at` is null when it cannot be reached."""
    text = events(OPEN).replace('{mon-fri: ["09:00-17:00"]}, holidays', "{}, holidays") + "until: 2026-04-09T09:00\n"
    clock = explained(file, capsys, text)["clocks"][0]
    assert (clock["state"], clock["due_at"], clock["elapsed_s"]) == ("running", None, 0)


def test_offsets_and_local_times_may_stand_side_by_side(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """10:30 in Berlin is half past nine in London."""
    text = events(OPEN, 'at: "2026-03-09T10:30+01:00", do: reply', "at: 2026-03-09T09:30:00Z, do: resolve")
    assert [clock["ended_at"] for clock in explained(file, capsys, text)["clocks"]] == ["2026-03-09T09:30:00Z"] * 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [("2026-03-29T01:30", "2026-03-29T01:30:00Z"), ("2026-10-25T01:30", "2026-10-25T00:30:00Z")],
    ids=["gap: forward", "overlap: the first"],
)
def test_local_times_that_are_missing_or_double(
    file: Path, capsys: pytest.CaptureFixture[str], written: str, meant: str
) -> None:
    """01:30 is 02:30 on the night when clocks go forward, and summer's 01:30 when they go back."""
    clocks = explained(file, capsys, events(f"at: {written}, do: open, priority: high"))["clocks"]
    assert clocks[0]["started_at"] == meant


def test_a_transfer_goes_to_a_calendar_by_name(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three hours in London, the other five from 13:00 London time on, when New York opens."""
    text = events(OPEN, "at: 2026-03-09T12:00, do: transfer, calendar: us")
    assert explained(file, capsys, text)["clocks"][1]["due_at"] == "2026-03-09T18:00:00Z"


def test_pings_go_to_the_owner_once_assigned(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`to` is `owner` or `team`."""
    text = events(OPEN, "at: 2026-03-09T09:40, do: assign, to: kim") + "until: 2026-03-09T10:00\n"
    assert [ping["to"] for ping in explained(file, capsys, text)["pings"]] == ["team", "team", "owner"]


def test_a_priority_without_a_policy_has_no_clocks(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is promised, so nothing is printed."""
    assert explained(file, capsys, events("at: 2026-03-09T09:00, do: open, priority: low")) == {
        "clocks": [],
        "pings": [],
    }


def test_people_get_a_table_and_where_the_time_went(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the calendar's own time."""
    assert run(file, HEAD + STORY + "until: 2026-07-01T12:00\n") == 0
    out = capsys.readouterr().out
    assert "Seen at Wed 2026-07-01 12:00 (Europe/London)" in out
    assert "resolution #1      Fri 2026-03-06 16:30  Mon 2026-03-09 17:00  breached" in out
    assert "running to Fri 2026-03-06 16:45, paused to Mon 2026-03-09 09:15, running to" in out
    assert "Mon 2026-03-09 09:30  first_response #1  due" in out


REFUSED = [
    (events(OPEN, "at: 2026-03-09T10:00, do: reopne"), 7, "unknown event 'reopne': did you mean 'reopen'?"),
    (events(OPEN, "at: 2026-03-09T08:59, do: note"), 7, "put the events in order of time"),
    (events("at: 2026-03-09T09:00, do: note"), 6, "the first event is 'open'"),
    (events(OPEN, OPEN), 7, "open already"),
    (events(OPEN, "at: 2026-03-09T10:00, do: close", "at: 2026-03-09T11:00, do: note"), 8, "final"),
    (events("at: 2026-03-09T09:00, do: open"), 6, "'open' needs 'priority'"),
    (events(OPEN, "at: 2026-03-09T10:00, do: note, thanks: true"), 7, "'thanks' does not go with 'note'"),
    (events(OPEN, "at: 2026-03-09T10:00, do: transfer, calendar: uk"), 7, "there is no calendar 'uk'"),
    (events("at: yesterday, do: open, priority: high"), 6, "is not an instant"),
    (events("at: 2026-03-09T09:00:00.5, do: open, priority: high"), 6, "part of a second"),
    (events("at: 9999-12-31T09:00, do: open, priority: high"), 6, "out of range"),
    (events("at: 2026-03-09T09:00, do: open, priority: huge"), 6, "must be"),
    (events(OPEN) + "until: 2026-03-09T08:00\n", 7, "earlier than the last event"),
    (events(OPEN).replace("next_reply", "next_replay"), 3, "did you mean 'next_reply'?"),
    (events(OPEN).replace("8h", "8 hours"), 3, "is not a duration"),
    (events(OPEN).replace("resolution: 8h", "resolution: 0h"), 3, "more than 0"),
    (events(OPEN).replace("Europe/London", "Europe/Londn"), 1, "did you mean 'Europe/London'?"),
    (events(OPEN).replace("GB-ENG", "GB-EGN"), 1, "not a region of GB"),
    (events(OPEN).replace('"-30m"', '"30m"'), 4, "not a warning stage"),
    (HEAD, 1, "events: is missing"),
    (HEAD + "events: []\n", 5, "at least one"),
    ("", 1, "is empty"),
    ("events: [", 1, "not valid YAML"),
]


@pytest.mark.parametrize(("text", "line", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_is_wrong_is_said_with_its_line(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, message: str
) -> None:
    """Exit 2, nothing on stdout, `file:line: message` on stderr."""
    assert run(file, text) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{file}:{line}: ")
    assert message in said.err


def test_a_file_that_is_not_there(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said in one line."""
    parser = argparse.ArgumentParser(prog="deskbell")
    add(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["sla", "explain", str(file)])
    assert arguments.run(arguments) == 2
    assert "cannot be read" in capsys.readouterr().err
