"""A desk is backed up at work, its machine is lost, and another one goes on from the copy."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli import main
from storage.backup import back_up
from tests.fakes.slack_server import FakeSlack
from tests.scenario.desk import settle
from tests.scenario.stages import SlackStage, slack_process, slack_stage
from triage.model import EntryKind, Status


async def test_a_desk_on_the_copy_goes_on_where_the_first_one_was(tmp_path: Path) -> None:
    """Tickets, their history, the card and the thread are known: Lee presses the old button, Dana is told."""
    copy = tmp_path / "copy.db"
    async with slack_stage(tmp_path) as stage:
        assert isinstance(stage, SlackStage)
        await stage.ask("coffee grinder sparks")
        await stage.says("it smells, too")
        writing = asyncio.create_task(_chatter(stage))
        await asyncio.to_thread(back_up, stage.world.url, copy)
        await writing
        slack, world = stage.slack, replace(stage.world, url=f"sqlite:///{copy}")
        async with slack_process(slack, world) as desk:
            again = SlackStage(slack, world, desk)
            again.thread = stage.thread
            with desk.storage.reading() as reading:
                first = reading.numbered(1)
                assert first is not None
                history = [entry.text for entry in reading.history(first.id, 10) if entry.kind is EntryKind.MESSAGE]
            assert history == ["coffee grinder sparks", "it smells, too"]
            await _press_first(slack, again)
            with desk.storage.reading() as reading:
                taken = reading.ticket(first.id)
            assert taken is not None
            assert taken.status is Status.OPEN
            assert "Lee" in again.dana_sees()[-1]


def test_backup_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 with the copy's size; 2 when it would overwrite; 3 when there is no database."""
    copy = tmp_path / "copy.db"
    assert main(["--data", str(tmp_path), "backup", str(copy)]) == 3
    assert main(["--data", str(tmp_path), "migrate"]) == 0
    assert main(["--data", str(tmp_path), "backup", str(copy)]) == 0
    assert "checked" in capsys.readouterr().out
    assert main(["--data", str(tmp_path), "backup", str(copy)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["--data", str(tmp_path), "backup", str(copy), "--force"]) == 0


def test_backup_of_postgres_names_the_command_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and stdout is nothing but the command, without the password."""
    monkeypatch.setenv("DESKBELL_DATABASE_URL", "postgresql://desk:hunter2@db/desk")
    assert main(["backup", "desk.dump"]) == 2
    said = capsys.readouterr()
    assert said.out == "pg_dump --format=custom --file=desk.dump --dbname=postgresql://desk@db/desk\n"
    assert "hunter2" not in said.err


async def _chatter(stage: SlackStage) -> None:
    for number in range(10):
        await stage.slack.say("UDANA", "CHELP", f"gnome {number} in the server room")
        await settle(stage.desk)


async def _press_first(slack: FakeSlack, stage: SlackStage) -> None:
    cards = [post for post in slack.messages("CTRIAGE") if "blocks" in post and "thread_ts" not in post]
    await slack.deliver(slack.press("ULEE", cards[0], "Claim", channel="CTRIAGE"))
    await settle(stage.desk)
