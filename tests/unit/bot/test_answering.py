"""What `deskbell ask` answers with: the articles that the desk has in force, and nothing is stored for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from storage.engine import make_engine
from storage.sql import SqlStorage
from tests.fakes.embeddings_server import EmbeddingsServer, embeddings_server
from triage.changes import AddPhrasing, Decision
from triage.model import Language

DESK = "kb: kb/\nteams:\n  it: {name: IT, agents: [lee], lead: lee}\npeople:\n  lee: {name: Lee}\n"
VPN = ("my vpn drops", "vpn keeps disconnecting", "lost the vpn again")
BADGE = ("I lost my badge", "need a new access card", "my entry card was stolen")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a desk of one article, and no database."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk.yaml").write_text(DESK)
    (tmp_path / "kb").mkdir()
    write("vpn", VPN)
    return tmp_path


@pytest.fixture
def server() -> Iterator[EmbeddingsServer]:
    with embeddings_server() as running:
        yield running


def write(id: str, phrasings: tuple[str, ...], file: str | None = None) -> None:
    line = {"id": id, "title": id, "lang": "en", "team": "it", "audience": "company", "phrasings": phrasings}
    Path(file or f"kb/{id}.jsonl").write_text(json.dumps(line | {"body": "Text."}))


def bring(id: str, phrasings: tuple[str, ...]) -> None:
    write(id, phrasings, "more.jsonl")
    assert main(["kb", "import", "more.jsonl"]) == 0


def learn(text: str) -> None:
    """As an owner's press does it."""
    storage = SqlStorage(make_engine("sqlite:///.deskbell/deskbell.db"))
    with storage.writing() as work:
        added = AddPhrasing(article="vpn", language=Language.EN, text=text, against=False, by="lee")
        work.record(Decision(changes=(added,)), datetime(2026, 3, 9, tzinfo=UTC))
        work.commit()
    storage.close()


def ask(text: str, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["ask", text, "--json", *more]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def near(found: dict[str, Any]) -> list[str]:
    return [each["article"] for each in found["top3"]]


def test_without_a_database_the_folder_answers_and_none_is_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asking stores nothing."""
    assert near(ask("my vpn drops", capsys)) == ["vpn"]
    assert sorted(path.name for path in here.iterdir()) == ["desk.yaml", "kb"]


def test_what_was_imported_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """And the folder, though the desk was never started."""
    bring("badge", BADGE)
    assert near(ask("I lost my badge", capsys))[0] == "badge"
    assert near(ask("my vpn drops", capsys))[0] == "vpn"


def test_what_was_learned_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """A phrasing that an owner accepted stands in the reasons."""
    bring("badge", BADGE)
    learn("the tunnel to the office breaks")
    found = ask("the tunnel to the office breaks", capsys)
    assert near(found)[0] == "vpn"
    assert "the tunnel to the office breaks" in " ".join(found["reasons"])


def test_the_database_is_left_as_it_was(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edit of the folder counts at once, and is put in force by the desk alone."""
    bring("badge", BADGE)
    before = (here / ".deskbell" / "deskbell.db").read_bytes()
    write("mail", ("mail is gone", "my mailbox is empty", "outlook shows no mail"))
    assert near(ask("mail is gone", capsys))[0] == "mail"
    assert (here / ".deskbell" / "deskbell.db").read_bytes() == before


def test_an_article_that_an_import_has_is_not_taken_from_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """As the desk refuses it; the reason goes to stderr."""
    bring("vpn", BADGE)
    assert main(["ask", "I lost my badge", "--json"]) == 0
    told = capsys.readouterr()
    assert "'vpn' (en)" in told.err
    assert near(json.loads(told.out.splitlines()[-1])) == ["vpn"]


def test_a_database_of_an_older_version_is_not_touched(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder answers, and what to do is told."""
    (here / ".deskbell").mkdir()
    (here / ".deskbell" / "deskbell.db").touch()
    assert main(["ask", "my vpn drops"]) == 0
    assert "deskbell migrate" in capsys.readouterr().err


def test_a_database_that_is_none_is_exit_code_3(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No answer that the desk would not give."""
    (here / ".deskbell").mkdir()
    (here / ".deskbell" / "deskbell.db").write_bytes(b"no database" * 100)
    assert main(["ask", "my vpn drops"]) == 3
    assert capsys.readouterr().out == ""


def test_the_sample_desk_belongs_to_no_database(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a desk.yaml it answers with its own articles."""
    bring("badge", BADGE)
    (here / "desk.yaml").unlink()
    assert near(ask("my vpn drops", capsys))[0] == "vpn-drops"


@pytest.mark.usefixtures("restored_logs")
def test_the_semantic_tier_asks_the_encoder_and_keeps_nothing(
    here: Path, server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words are the default."""
    monkeypatch.setenv("DESKBELL_EMBEDDINGS_URL", server.url)
    monkeypatch.setenv("DESKBELL_EMBEDDINGS_MODEL", "small")
    bring("badge", BADGE)
    ask("my vpn drops", capsys)
    assert not server.asked
    assert near(ask("my vpn drops", capsys, "--tier", "semantic"))[0] == "vpn"
    assert server.asked
    assert not list(here.rglob("*.npz"))


@pytest.mark.usefixtures("restored_logs")
def test_no_encoder_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the setting."""
    monkeypatch.setenv("DESKBELL_ENCODER", "off")
    assert main(["ask", "my vpn drops", "--tier", "semantic"]) == 2
    assert "DESKBELL_ENCODER=off" in capsys.readouterr().err
