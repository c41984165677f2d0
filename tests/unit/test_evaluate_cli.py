"""`deskbell eval` from outside: files in, one JSON object out, and the exit codes."""

from __future__ import annotations

import argparse
import json
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cli_eval import add
from bot.settings import SettingsError
from storage.engine import make_engine, writing
from storage.learning import learn
from storage.schema import migrate
from storage.sql import SqlStorage
from triage.changes import KeepCase
from triage.knowledge import Article
from triage.learning import CaseKind, case

AT = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
ARTICLES = {
    "vpn": ["my vpn drops", "vpn keeps disconnecting", "lost the vpn again", "vpn unstable from home"],
    "badge": ["I lost my badge", "need a new access card", "badge stolen", "replace my badge"],
    "leave": ["how do I book holiday", "request days off", "enter annual leave", "take a week of vacation"],
}
QUESTIONS: list[dict[str, str | None]] = [
    {"text": "the vpn drops again", "article": "vpn"},
    {"text": "badge was stolen", "article": "badge"},
    {"text": "who won the football", "article": None},
]
KEYS = (
    *("n", "n_in", "n_out", "top1", "recall3", "answered", "answer_precision", "coverage", "out_rejected", "auroc"),
    *("p50_ms", "p99_ms", "build_s", "rss_mb"),
)


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser(prog="deskbell")
    add(parser.add_subparsers(required=True))
    options = parser.parse_args(["eval", *map(str, arguments)])
    code: int = options.run(options)
    return code


def lines(file: Path, *objects: object) -> Path:
    file.write_text("".join(json.dumps(each) + "\n" for each in objects), encoding="utf-8")
    return file


@pytest.fixture
def given(tmp_path: Path) -> tuple[str | Path, ...]:
    """A knowledge base of three articles and three questions."""
    kb = lines(tmp_path / "kb.jsonl", *({"id": id, "phrasings": texts} for id, texts in ARTICLES.items()))
    return ("--kb", kb, "--queries", lines(tmp_path / "queries.jsonl", *QUESTIONS))


def test_json_is_one_object_with_the_figures_of_the_contract(
    given: tuple[str | Path, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else stands on stdout."""
    assert run(*given, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert tuple(printed) == KEYS
    assert (printed["n"], printed["n_in"], printed["n_out"], printed["top1"]) == (3, 2, 1, 1.0)


def test_out_has_a_line_for_each_question_in_order(given: tuple[str | Path, ...], tmp_path: Path) -> None:
    """The decision, the top article and its confidence."""
    run(*given, "--out", tmp_path / "out.jsonl")
    told = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [each["text"] for each in told] == [each["text"] for each in QUESTIONS]
    assert [each["best"] for each in told][:2] == ["vpn", "badge"]
    assert set(told[0]) == {"text", "decision", "best", "confidence", "top3"}


def test_people_get_a_table(given: tuple[str | Path, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """A line a figure."""
    run(*given)
    assert "3  (2 in scope, 1 out of scope)" in capsys.readouterr().out


def test_the_plot_is_a_wide_png(given: tuple[str | Path, ...], tmp_path: Path) -> None:
    """Legible at the width of a page."""
    run(*given, "--plot", tmp_path / "plot.png")
    content = (tmp_path / "plot.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (1600, 800)


def test_an_empty_knowledge_base_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No candidate: `best` is null, and no figure fails."""
    queries = lines(tmp_path / "queries.jsonl", *QUESTIONS)
    run("--kb", lines(tmp_path / "kb.jsonl"), "--queries", queries, "--out", tmp_path / "out", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert (printed["top1"], printed["answered"], printed["answer_precision"]) == (0.0, 0, None)
    assert json.loads((tmp_path / "out").read_text().splitlines()[0])["best"] is None


def test_broken_lines_are_all_named(given: tuple[str | Path, ...], tmp_path: Path) -> None:
    """Wrong input: every line of every file, and nothing is computed."""
    bad = lines(tmp_path / "bad.jsonl", {"text": "x"}, {"text": 3, "article": None})
    with pytest.raises(SettingsError) as stopped:
        run(*given, "--tune", bad)
    assert [sentence.partition(": ")[0] for sentence in stopped.value.sentences] == [f"{bad}:1", f"{bad}:2"]


def test_an_article_the_kb_lacks_is_warned_of(
    given: tuple[str | Path, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A label with a typing error would otherwise look like a bad matcher."""
    queries = lines(tmp_path / "more.jsonl", {"text": "x", "article": "vpm"})
    assert run(*given[:2], "--queries", queries) == 0
    assert "'vpm'" in capsys.readouterr().err


def test_an_article_of_a_tuning_question_that_the_kb_lacks_is_warned_of(
    given: tuple[str | Path, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is answered to it counts as wrong, and would make the threshold too high unseen."""
    tuning = lines(tmp_path / "tune.jsonl", {"text": "vpn", "article": "gone"}, {"text": "badge", "article": "badge"})
    assert run(*given, "--tune", tuning, "--json") == 0
    assert f"{tuning}: warning: no article of the KB has the id 'gone'" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_known_before_the_work(given: tuple[str | Path, ...]) -> None:
    """The path is named."""
    with pytest.raises(SettingsError, match="no/such/file"):
        run(*given, "--out", "no/such/file")


def test_without_files_the_way_out_is_told() -> None:
    """Wrong usage."""
    with pytest.raises(SettingsError, match="--kb and --queries"):
        run()


@pytest.mark.parametrize("value", ["95", "0", "much"])
def test_precision_is_a_share(given: tuple[str | Path, ...], value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is exit code 2, and an example is given."""
    with pytest.raises(SystemExit) as stopped:
        run(*given, "--precision", value)
    assert stopped.value.code == 2
    assert "such as 0.95" in capsys.readouterr().err


def keep(folder: Path, text: str, article: str) -> None:
    """A desk with the three articles, and one answer that somebody confirmed."""
    url = f"sqlite:///{folder / 'deskbell.db'}"
    migrate(url)
    engine = make_engine(url)
    storage = SqlStorage(engine)
    articles = [Article(id=id, title=id, phrasings=tuple(texts)) for id, texts in ARTICLES.items()]
    storage.library.replace("folder", articles, AT)
    with writing(engine) as connection:
        confirmed = case(at=AT, text=text, article=article, kind=CaseKind.CONFIRMED, person="ann")
        learn(connection, KeepCase(case=confirmed), AT)
        connection.commit()
    storage.close()


def test_feedback_that_still_holds_is_exit_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The confirmed article is still found."""
    keep(tmp_path, "my vpn drops", "vpn")
    assert run("--feedback", "--data", tmp_path, "--config", tmp_path / "desk.yaml") == 0
    assert "1 cases, 1 right now" in capsys.readouterr().out


def test_feedback_that_is_broken_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The confirmed article is not found any more; the case is printed."""
    keep(tmp_path, "my vpn drops", "printer")
    assert run("--feedback", "--data", tmp_path, "--config", tmp_path / "desk.yaml") == 1
    assert "BROKEN: 'my vpn drops': wanted printer" in capsys.readouterr().out
