"""The figures of `deskbell eval`, worked out by hand for six questions."""

from __future__ import annotations

import pytest

from bot.evaluate import Outcome, ask, auroc, best_coverage, figures, precision_of, reliability, trade_off
from triage.knowledge import Article
from triage.matching import Candidate, Labelled, Match, Verdict
from triage.model import Language

Told = tuple[Verdict, dict[str, float]]

ANSWERS: dict[str, Told] = {
    "right": (Verdict.ANSWER, {"a": 0.9, "b": 0.1}),
    "wrong": (Verdict.ANSWER, {"b": 0.8, "a": 0.2}),
    "suggested": (Verdict.SUGGEST, {"b": 0.5}),
    "lost": (Verdict.TICKET, {}),
    "out, answered": (Verdict.ANSWER, {"a": 0.6}),
    "out, suggested": (Verdict.SUGGEST, {"b": 0.5}),
}
INSIDE = {"right": "a", "wrong": "a", "suggested": "b", "lost": "c"}


class Fixed:
    """A matcher whose answers are written down."""

    def __init__(self, answers: dict[str, Told]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def match(self, text: str) -> Match:
        self.asked.append(text)
        verdict, top = self._answers[text]
        candidates = tuple(Candidate(article=Article(id=id, title=id), confidence=c) for id, c in top.items())
        return Match(verdict=verdict, language=Language.EN, top=candidates, answer=0.55)


def outcomes(*texts: str) -> list[Outcome]:
    questions = [Labelled(text=text, article=INSIDE.get(text)) for text in texts or ANSWERS]
    return list(ask(Fixed(ANSWERS), questions))


def test_figures_are_as_worked_out_by_hand() -> None:
    """r = w = 1/4 of the questions in scope, f = 1/2 of those out of scope."""
    found = figures(outcomes(), build_s=1.23456, rss_mb=100.0)
    assert (found.n, found.n_in, found.n_out) == (6, 4, 2)
    assert found.top1 == pytest.approx(2 / 4)
    assert found.recall3 == pytest.approx(3 / 4)
    assert found.answered == 3
    assert found.answer_precision == pytest.approx(0.75 / 4 / (0.75 * 2 / 4 + 0.25 / 2))
    assert found.coverage == pytest.approx(2 / 4)
    assert found.out_rejected == pytest.approx(1 / 2)
    assert found.auroc == pytest.approx(4.5 / 8)
    assert (found.build_s, found.rss_mb) == (1.235, 100.0)


def test_times_are_percentiles_in_milliseconds() -> None:
    """Five questions of 1 to 5 ms: the median is 3 ms."""
    slow = [
        Outcome(
            question=Labelled(text="x", article=None),
            decision=Verdict.TICKET,
            top=(),
            confidence=0.0,
            threshold=1.0,
            seconds=milliseconds / 1000,
        )
        for milliseconds in (5, 1, 4, 2, 3)
    ]
    found = figures(slow, build_s=0, rss_mb=None)
    assert found.p50_ms == pytest.approx(3)
    assert found.p99_ms == pytest.approx(4.96)


def test_without_questions_out_of_scope_precision_is_the_plain_share() -> None:
    """r / (r + w), and what needs both kinds of questions is undefined."""
    found = figures(outcomes("right", "wrong", "lost"), build_s=0, rss_mb=None)
    assert found.answer_precision == pytest.approx(1 / 2)
    assert found.coverage == pytest.approx(2 / 3)
    assert found.out_rejected is None
    assert found.auroc is None


def test_without_questions_in_scope_only_rejection_is_defined() -> None:
    """There is nothing that could be answered rightly."""
    found = figures(outcomes("out, answered", "out, suggested"), build_s=0, rss_mb=None)
    assert (found.top1, found.recall3, found.answer_precision, found.coverage, found.auroc) == (None,) * 5
    assert found.out_rejected == pytest.approx(1 / 2)


def test_without_any_question_every_share_and_time_is_undefined() -> None:
    """An empty file of questions is no error."""
    found = figures([], build_s=0, rss_mb=None)
    assert (found.n, found.answered) == (0, 0)
    assert (found.top1, found.auroc, found.answer_precision, found.p50_ms, found.p99_ms) == (None,) * 5


def test_precision_is_undefined_when_nothing_is_answered() -> None:
    """No answer is neither right nor wrong."""
    assert precision_of(outcomes("suggested", "out, suggested")) is None


def test_auroc_counts_ties_half() -> None:
    """One pair is ordered rightly, one wrongly, two are tied."""
    assert auroc([0.9, 0.5], [0.5]) == pytest.approx(1.5 / 2)
    assert auroc([0.5], [0.5, 0.9]) == pytest.approx(0.5 / 2)


def test_what_is_ignored_counts_as_not_answered() -> None:
    """The contract knows three decisions; the top article is told all the same."""
    matcher = Fixed({"thanks": (Verdict.IGNORE, {"a": 0.3})})
    [outcome] = ask(matcher, [Labelled(text="thanks", article=None)])
    assert outcome.as_json() == {
        "text": "thanks",
        "decision": "ticket",
        "best": "a",
        "confidence": 0.3,
        "top3": ["a"],
    }


def test_without_a_candidate_best_is_null() -> None:
    """An empty knowledge base has no top article."""
    [outcome] = outcomes("lost")
    assert (outcome.as_json()["best"], outcome.confidence) == (None, 0.0)


def test_the_first_question_finds_the_matcher_warm() -> None:
    """Warm-up texts are put first and leave no outcome."""
    matcher = Fixed(ANSWERS)
    found = list(ask(matcher, [Labelled(text="lost", article="c")], warm_up=["right"]))
    assert matcher.asked == ["right", "lost"]
    assert len(found) == 1


def test_the_trade_off_has_a_point_for_every_threshold() -> None:
    """Questions of equal confidence are answered together."""
    found = [(point.threshold, point.precision, point.coverage) for point in trade_off(outcomes())]
    expected = [
        (0.9, 1.0, 0.25),
        (0.8, 0.5, 0.5),
        (0.6, 0.1875 / 0.5, 0.5),
        (0.5, 0.375 / 0.8125, 0.75),
        (0.0, 0.375, 1.0),
    ]
    assert found == [pytest.approx(point) for point in expected]


def test_best_coverage_is_where_precision_still_holds() -> None:
    """A later point may be better than an earlier one that failed."""
    points = trade_off(outcomes())
    best = best_coverage(points, 0.45)
    assert best is not None
    assert best.coverage == pytest.approx(0.75)
    assert best_coverage(points[1:], 0.95) is None


def test_reliability_weighs_questions_like_precision() -> None:
    """At .5 lie one question in scope, right, and one out of scope: .1875 to .125."""
    bins = {bin.low: bin for bin in reliability(outcomes())}
    assert sorted(bins) == [0.0, 0.5, 0.6, 0.8, 0.9]
    assert bins[0.5].count == 2
    assert bins[0.5].right == pytest.approx(0.6)
    assert bins[0.9].right == 1.0


def test_certainty_falls_into_the_last_bin() -> None:
    """There is no bin above 1."""
    matcher = Fixed({"sure": (Verdict.ANSWER, {"a": 1.0})})
    [only] = reliability(list(ask(matcher, [Labelled(text="sure", article="a")])))
    assert (only.low, only.high) == (0.9, 1.0)
