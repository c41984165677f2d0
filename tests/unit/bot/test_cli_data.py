"""`export` and `erase` on the command line: what is printed, where, and with which exit code."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from storage.engine import make_engine
from storage.schema import migrate
from storage.sql import SqlStorage
from tests.contract.erased_desk import KEY, MARK, USER, fill
from tests.contract.storages import keep_clock, open_ticket, record
from triage.changes import Assign

DESK = f"""\
kb: kb/
people:
  {KEY}: {{name: Dana, slack: {USER}, email: dana@example.com}}
places: {{slack: [T1]}}
teams: {{it: {{agents: [{KEY}]}}}}
"""


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStorage]:
    """The database of the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".deskbell").mkdir()
    url = "sqlite:///.deskbell/deskbell.db"
    migrate(url)
    storage = SqlStorage(make_engine(url))
    yield storage
    storage.close()


def exported(*options: str) -> list[dict[str, Any]]:
    assert main(["export", *options, "out.jsonl"]) == 0
    return [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_ticket_is_exported_with_all_that_hangs_on_it(storage: SqlStorage) -> None:
    """History, events, clocks and audit in one line; readable by its owner only."""
    open_ticket(storage)
    keep_clock(storage)
    record(storage, Assign(ticket="t1", owner="lee"))
    Path("out.jsonl").touch(mode=0o644)
    ticket, *_ = exported()
    assert (ticket["kind"], ticket["number"], ticket["opened_at"]) == ("ticket", 1, "2026-03-06T09:00:00Z")
    assert [entry["text"] for entry in ticket["history"]] == ["Request 1"]
    assert [clock["metric"] for clock in ticket["clocks"]] == ["first_response"]
    assert [line["what"] for line in ticket["audit"]] == ["audit.opened", "audit.entry.message", "audit.assigned"]
    assert stat.S_IMODE(Path("out.jsonl").stat().st_mode) == 0o600


def test_an_export_is_audited(storage: SqlStorage) -> None:
    """Whoever hands out what people wrote leaves a line."""
    exported()
    assert [line.what for line in storage.audit()] == ["audit.exported"]


def test_only_tickets_since_a_day(storage: SqlStorage) -> None:
    """By when they were opened."""
    open_ticket(storage)
    assert exported("--since", "2026-03-06")[0]["kind"] == "ticket"
    assert "ticket" not in [line["kind"] for line in exported("--since", "2026-03-07")]


def test_of_a_person_everything_is_exported_that_erasing_would_touch(storage: SqlStorage) -> None:
    """So that it is complete for the same reason; and what others only did is left out."""
    fill(storage)
    open_ticket(storage, 7)
    found = exported("--person", USER)
    assert [line["number"] for line in found if line["kind"] == "ticket"] == [1]
    tables = {line["table"] for line in found if line["kind"] == "row"}
    assert {"person", "account", "conversation", "outbox", "kb_case", "proposal", "phrasing", "web_post"} <= tables
    assert "audit.opened" in [line["what"] for line in found if line["kind"] == "audit"]
    assert "Request 7" not in json.dumps(found)
    assert storage.audit()[-1].what == "audit.exported_person"


def test_nobody_is_exported_as_nothing(storage: SqlStorage, capsys: pytest.CaptureFixture[str]) -> None:
    """And that is said."""
    assert exported("--person", "nobody") == []
    assert "Nothing is kept" in capsys.readouterr().err


@pytest.mark.parametrize("person", [KEY, "Dana@example.com", USER])
def test_a_person_is_erased_by_any_of_their_names(
    storage: SqlStorage, person: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the answer says what is out of reach, desk.yaml among it."""
    Path("desk.yaml").write_text(DESK)
    Path("kb").mkdir()
    fill(storage)
    assert main(["erase", person]) == 0
    said = capsys.readouterr()
    assert "entry: " in said.out
    for word in ("#1", "theirs to answer: #2", "Slack", "backups", "log files", "git", "desk.yaml names them"):
        assert word in said.err
    assert MARK not in json.dumps(exported()).casefold()
    assert main(["erase", person]) == 0


@pytest.mark.parametrize("command", [["erase", " "], ["export", "--person", "", "out.jsonl"]])
def test_a_blank_is_nobody(command: list[str]) -> None:
    """Wrong usage, not somebody of whom nothing is kept."""
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2


def test_a_rehearsal_erases_nothing(storage: SqlStorage) -> None:
    """`--dry-run` counts."""
    fill(storage)
    assert main(["erase", KEY, "--dry-run"]) == 0
    assert MARK in json.dumps(exported())


def test_without_a_database_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 3, and no empty database is left behind."""
    monkeypatch.chdir(tmp_path)
    assert main(["erase", "x"]) == main(["export", "out.jsonl"]) == 3
    assert list(tmp_path.iterdir()) == []
