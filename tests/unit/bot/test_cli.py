"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import is_zipfile

import pytest

from bot.cli import main

DESK = """\
kb: kb/
teams:
  it: {name: IT, agents: [lee], lead: lee}
people:
  lee: {name: Lee}
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound desk.yaml with one article, in the working directory, where no database is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb").mkdir()
    phrasings = "".join(f"  - {text}\n" for text in ("my vpn drops", "vpn keeps disconnecting", "lost the vpn again"))
    head = f"id: vpn\nlang: en\ntitle: VPN drops\nteam: it\naudience: company\nphrasings:\n{phrasings}"
    (tmp_path / "kb" / "vpn.md").write_text(f"---\n{head}---\nRestart it.\n")
    file = tmp_path / "desk.yaml"
    file.write_text(DESK)
    return file


def test_ask_prints_one_json_object(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`ask --json` prints the decision and nothing else on stdout."""
    assert main(["ask", "my vpn drops", "--json", "--config", str(desk)]) == 0
    assert json.loads(capsys.readouterr().out)["article"] == "vpn"


@pytest.mark.parametrize(("given", "language"), [("ko", "ko"), ("zh-Hant", "zh-Hant"), ("zh-TW", "zh-Hant")])
def test_ask_speaks_the_language_that_is_named(
    desk: Path, given: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where people call Traditional Chinese by their place."""
    assert main(["ask", "my vpn drops", "--lang", given, "--json", "--config", str(desk)]) == 0
    assert json.loads(capsys.readouterr().out)["lang"] == language


def test_ask_names_the_languages_that_there_are(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another one is wrong usage."""
    with pytest.raises(SystemExit) as stopped:
        main(["ask", "my vpn drops", "--lang", "fr", "--config", str(desk)])
    assert stopped.value.code == 2
    assert "en, ko, zh-Hant" in capsys.readouterr().err


def test_ask_names_an_unknown_team(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong team is wrong usage, and the right ones are named."""
    assert main(["ask", "x", "--team", "nope", "--config", str(desk)]) == 2
    assert "teams: it" in capsys.readouterr().err


def test_check_is_silent_on_stdout_when_all_is_sound(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sound desk: exit 0, nothing to act on."""
    assert main(["check", "--config", str(desk)]) == 0
    assert capsys.readouterr().out == ""


def test_check_prints_file_and_line(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error is one line, `file:line: message`, and exit code 1."""
    desk.write_text(DESK.replace("lead: lee", "lead: lea"))
    assert main(["check", "--config", str(desk)]) == 1
    assert capsys.readouterr().out.startswith(f"{desk}:3: ")


def test_serve_does_not_start_on_a_broken_desk(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same lines on stderr, and exit code 2."""
    desk.write_text("teams: 3\n")
    assert main(["serve", "--config", str(desk)]) == 2
    assert f"{desk}:1: " in capsys.readouterr().err


def test_serve_without_a_desk_says_how_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No desk.yaml: exit code 2 and the way out."""
    assert main(["serve", "--config", str(tmp_path / "none.yaml")]) == 2
    assert "deskbell init" in capsys.readouterr().err


def test_the_demo_refuses_the_open_network(capsys: pytest.CaptureFixture[str]) -> None:
    """Anyone can be anyone there, so it binds loopback only."""
    assert main(["demo", "--host", "0.0.0.0"]) == 2
    assert "this machine only" in capsys.readouterr().err


def test_init_writes_a_desk_that_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `init` writes has no errors, and a second `init` overwrites nothing."""
    assert main(["init", str(tmp_path / "new")]) == 0
    (tmp_path / "new" / "desk.yaml").write_text(DESK)
    assert main(["init", str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / "desk.yaml").read_text() == DESK


def test_migrate_makes_the_database_and_does_nothing_the_second_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first run applies, the second has nothing to do."""
    assert main(["migrate", "--data", str(tmp_path)]) == 0
    assert main(["migrate", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "The database is up to date."


def test_an_unreachable_database_is_exit_code_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens there: one sentence, no stack trace."""
    monkeypatch.setenv("DESKBELL_DATABASE_URL", "postgresql://desk:pw@127.0.0.1:9/desk")
    assert main(["migrate", "--data", str(tmp_path)]) == 3
    told = capsys.readouterr().err
    assert "database" in told.lower()
    assert "Traceback" not in told


def test_doctor_tells_what_is_off_and_what_to_set(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is configured but the desk: no failure, and the next steps are named."""
    main(["migrate", "--config", str(desk), "--data", str(desk.parent)])
    assert main(["doctor", "--config", str(desk), "--data", str(desk.parent)]) == 0
    told = capsys.readouterr().out
    assert "set SLACK_BOT_TOKEN" in told
    assert "up to date" in told


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    """argparse's own code for a command that does not exist."""
    with pytest.raises(SystemExit) as stopped:
        main(["dance"])
    assert stopped.value.code == 2


def test_a_database_nobody_knows_is_wrong_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A MySQL address: exit code 2, the variable, and what is possible."""
    monkeypatch.setenv("DESKBELL_DATABASE_URL", "mysql://desk@db/desk")
    assert main(["migrate"]) == 2
    assert "DESKBELL_DATABASE_URL must begin with" in capsys.readouterr().err


def test_a_desk_that_was_named_is_not_replaced_by_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DESKBELL_CONFIG with a slip in it: exit code 2, not somebody else's answers."""
    monkeypatch.setenv("DESKBELL_CONFIG", str(tmp_path / "none.yaml"))
    assert main(["ask", "my vpn drops", "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_a_data_folder_that_cannot_be_made_is_wrong_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands in its place: one sentence, exit code 2."""
    (tmp_path / "file").touch()
    assert main(["migrate", "--data", str(tmp_path / "file")]) == 2
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_teams_package_writes_the_app_to_upload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its path is the result; without an id or an address the variables are named."""
    out = tmp_path / "app.zip"
    assert main(["teams", "package", "--out", str(out)]) == 2
    assert "MicrosoftAppId" in capsys.readouterr().err
    monkeypatch.setenv("MicrosoftAppId", "00000000-0000-4000-8000-000000000001")
    monkeypatch.setenv("DESKBELL_PUBLIC_URL", "https://desk.example.com")
    assert main(["teams", "package", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert is_zipfile(out)


def test_serve_says_which_platforms_are_off_and_why_and_an_address_in_use_is_exit_code_3(desk: Path) -> None:
    """A process of its own, whose port somebody else has: it names what to set, and does not hang."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ["serve", "--config", str(desk), "--data", str(desk.parent), "--port", port]
        program = f"import sys; from bot.cli import main; sys.exit(main({arguments!r}))"
        found = subprocess.run(
            [sys.executable, "-c", program], env={"PATH": ""}, capture_output=True, text=True, timeout=60, check=False
        )
    assert "Slack is off: set SLACK_BOT_TOKEN" in found.stderr
    assert "Teams is off: set MicrosoftAppId" in found.stderr
    assert (found.returncode, found.stdout) == (3, "")


def test_what_a_terminal_cannot_show_is_escaped(desk: Path) -> None:
    """Hangul where there are Latin letters only, and bytes that are no text: an answer, in JSON too."""
    ask: list[str | Path] = [Path(sys.executable).with_name("deskbell"), "ask", "--json", "--config", desk]
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1:strict"}
    asked = subprocess.run([*ask, "VPN이 끊겨요? \udcff?"], capture_output=True, env=latin, check=True)
    assert json.loads(asked.stdout)["lang"] == "ko"


def test_a_reader_that_has_seen_enough_is_no_error(desk: Path) -> None:
    """`deskbell ask … | head -1` ends quietly."""
    ask: list[str | Path] = [Path(sys.executable).with_name("deskbell"), "ask", "my vpn drops", "--config", desk]
    with subprocess.Popen(ask, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        asking.stdout.close()
        assert asking.wait(60) == 0
        assert asking.stderr is not None
        assert b"Traceback" not in asking.stderr.read()


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, for bug reports."""
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"deskbell {version('deskbell')}\n"


def test_options_are_read_without_what_the_commands_need() -> None:
    """Matching and the database take seconds to load: `--help` and `sla explain` do not wait for them."""
    loaded = "import sys, bot.cli; print(*{'sklearn', 'scipy', 'numpy', 'sqlalchemy', 'aiohttp'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
