"""The files of `deskbell eval`: what is read, and how a broken line is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.evaluation_files import read_kb, read_questions, read_replayed
from triage.matching import Labelled
from triage.model import Language


def written(folder: Path, *lines: object) -> Path:
    file = folder / "file.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    file.write_text("\n".join(texts), encoding="utf-8")
    return file


def test_an_article_needs_only_an_id(tmp_path: Path) -> None:
    """Title, body and phrasings may be left out; keys nobody knows are left alone."""
    articles, problems = read_kb(written(tmp_path, {"id": "vpn", "colour": "blue"}))
    assert problems == []
    assert (articles[0].id, articles[0].title, articles[0].phrasings) == ("vpn", "", ())


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-TW", "zh-HK", "zh-hant"])
def test_aliases_of_languages_are_known(tmp_path: Path, lang: str) -> None:
    """Taiwan's and Hong Kong's tags mean Traditional Chinese."""
    articles, _ = read_kb(written(tmp_path, {"id": "a", "lang": lang}))
    assert articles[0].language is Language.ZH_HANT


def test_a_missing_language_is_told_from_the_text(tmp_path: Path) -> None:
    """Korean phrasings make a Korean article."""
    articles, _ = read_kb(written(tmp_path, {"id": "a", "phrasings": ["비밀번호를 잊어버렸어요"]}))
    assert articles[0].language is Language.KO


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "a", "lang": "de"}', 'lang: "de" is none of en, ko, zh-Hant'),
        ('{"title": "a"}', "id: is missing"),
        ('{"id": 3}', "id: input should be a valid string"),
        ('{"id": "a", "phrasings": ["x", 3]}', "phrasings.1: input should be a valid string"),
        ('{"id": "a"', "is not JSON: EOF while parsing an object at character"),
        ("[]", "is not a JSON object"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    """`file:line: message`, blank lines counted."""
    file = written(tmp_path, {"id": "sound"}, "", line)
    _, [problem] = read_kb(file)
    assert str(problem).startswith(f"{file}:3: {message}")


def test_an_id_is_taken_once_a_language(tmp_path: Path) -> None:
    """Translations share an id; a second article in the same language does not."""
    lines = [{"id": "a", "lang": "en"}, {"id": "a", "lang": "ko"}, {"id": "a", "lang": "en"}]
    _, [problem] = read_kb(written(tmp_path, *lines))
    assert problem.line == 3
    assert "already the id of line 1" in problem.message


def test_questions_keep_their_order_and_null(tmp_path: Path) -> None:
    """Null means that nothing answers it; a line separator inside a text ends no line."""
    lines = [{"text": "one\u2028two", "article": None}, {"text": "", "article": "a"}]
    questions, problems = read_questions(written(tmp_path, *lines))
    assert problems == []
    assert questions == (Labelled(text="one\u2028two", article=None), Labelled(text="", article="a"))


def test_a_question_without_a_label_is_refused(tmp_path: Path) -> None:
    """Forgetting `article` is not the same as null."""
    _, [problem] = read_questions(written(tmp_path, {"text": "x"}))
    assert problem.message == "article: is missing"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """In the same form as a broken line."""
    _, [problem] = read_questions(tmp_path / "none.jsonl")
    assert str(problem).startswith(f"{tmp_path / 'none.jsonl'}:1: cannot be read")


def test_what_an_earlier_replay_found_is_read_by_id(tmp_path: Path) -> None:
    """Only the id and whether it was right matter."""
    found, problems = read_replayed(written(tmp_path, {"id": "c1", "right": True, "text": "x"}))
    assert (found, problems) == ({"c1": True}, [])
