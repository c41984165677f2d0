"""The semantic matcher on the sample desk's 300 labelled questions: floors a few points below what was measured.

Encoding the sample desk takes one to three minutes, once for all tests of this module.
"""

from __future__ import annotations

from functools import cache

import pytest

from adapters.encoders import bundled
from adapters.encoders.bundled import BundledEncoder
from tests.unit.match_cases import (
    EMPLOYEE,
    Asked,
    asked_by_words,
    inside,
    outside,
    precision,
    put,
    sample,
    sample_articles,
    share,
    teams,
    text_matcher,
)
from triage.matching import Verdict
from triage.model import Language

pytestmark = [
    pytest.mark.skipif(bundled.missing() is not None, reason="the extra [semantic] is not installed"),
    pytest.mark.skipif(bundled.lacking() is not None, reason="the floors are those of all encoders"),
    pytest.mark.timeout(900),
]


@cache
def asked() -> tuple[Asked, ...]:
    articles = sample_articles().for_audience(EMPLOYEE).articles
    return put(text_matcher(*articles, encoder=BundledEncoder(), lexical=sample()))


def test_answers_are_precise() -> None:
    """Measured .953, of which the desk asks .95."""
    assert precision(asked()) >= 0.93


@pytest.mark.parametrize(
    ("language", "least"), [(Language.EN, 0.36), (Language.KO, 0.38), (Language.ZH_HANT, 0.47)], ids=str
)
def test_a_useful_share_is_answered(language: Language, least: float) -> None:
    """Measured .42, .47 and .55."""
    assert share(one.answered for one in inside(asked(), language)) >= least


@pytest.mark.parametrize(
    ("language", "least"), [(Language.EN, 0.72), (Language.KO, 0.75), (Language.ZH_HANT, 0.87)], ids=str
)
def test_the_right_article_is_first(language: Language, least: float) -> None:
    """Measured .78, .79 and .91."""
    assert share(one.right for one in inside(asked(), language)) >= least


@pytest.mark.parametrize(
    ("language", "least"), [(Language.EN, 0.90), (Language.KO, 0.88), (Language.ZH_HANT, 0.93)], ids=str
)
def test_the_right_article_is_among_the_top_three(language: Language, least: float) -> None:
    """Measured .95, .92 and .97."""
    assert share(one.found for one in inside(asked(), language)) >= least


def test_most_answerable_questions_get_an_answer_or_suggestions() -> None:
    """Measured .71."""
    helped = [one.match.verdict in (Verdict.ANSWER, Verdict.SUGGEST) for one in inside(asked())]
    assert share(helped) >= 0.67


def test_next_to_nothing_without_an_article_is_answered() -> None:
    """Measured: three of 68."""
    assert share(one.answered for one in outside(asked())) <= 0.08


def test_most_questions_without_an_article_open_a_ticket() -> None:
    """Measured 41 of 68; the others, near misses, get suggestions."""
    assert share(one.match.verdict is Verdict.TICKET for one in outside(asked())) >= 0.52


def test_a_team_that_is_named_is_the_right_one() -> None:
    """Measured .98: the ticket goes to the right queue."""
    named = [(right, team) for right, team in teams(asked()) if team]
    assert share(right == team for right, team in named) >= 0.95


def test_a_team_is_mostly_named() -> None:
    """Measured .88."""
    assert share(team is not None for _, team in teams(asked())) >= 0.84


@pytest.mark.parametrize("language", list(Language))
def test_meaning_never_ranks_worse_than_words(language: Language) -> None:
    """In no language does the encoder cost a right article; measured 9 points better and more."""
    by_meaning, by_words = inside(asked(), language), inside(asked_by_words(), language)
    assert share(one.right for one in by_meaning) >= share(one.right for one in by_words)
    assert share(one.found for one in by_meaning) >= share(one.found for one in by_words)


@pytest.mark.parametrize("language", list(Language))
def test_meaning_never_answers_less_rightly_than_words(language: Language) -> None:
    """More right answers in every language; measured 15 to 28 points more."""
    by_meaning, by_words = inside(asked(), language), inside(asked_by_words(), language)
    assert share(one.answered and one.right for one in by_meaning) >= share(
        one.answered and one.right for one in by_words
    )
