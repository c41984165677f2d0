"""The lexical matcher on the sample desk's 300 labelled questions: floors a few points below what was measured."""

from __future__ import annotations

import pytest

from tests.unit.match_cases import asked_by_words, inside, outside, precision, sample, share, teams
from triage.matching import Verdict
from triage.model import Language


def test_answers_are_precise() -> None:
    """Measured 1, where the desk asks for .95."""
    assert precision(asked_by_words()) >= 0.95


def test_a_useful_share_is_answered() -> None:
    """Measured .22: words alone answer what is asked much as an article has it."""
    assert share(one.answered for one in inside(asked_by_words())) >= 0.18


@pytest.mark.parametrize("language", list(Language))
def test_some_of_every_language_is_answered(language: Language) -> None:
    """Measured .25 in English, .23 in Korean, .19 in Chinese: a desk that never answers has failed."""
    assert share(one.answered for one in inside(asked_by_words(), language)) >= 0.14


@pytest.mark.parametrize(
    ("language", "least"), [(Language.EN, 0.51), (Language.KO, 0.66), (Language.ZH_HANT, 0.71)], ids=str
)
def test_the_right_article_is_first(language: Language, least: float) -> None:
    """Measured .57, .71 and .76."""
    assert share(one.right for one in inside(asked_by_words(), language)) >= least


@pytest.mark.parametrize(
    ("language", "least"), [(Language.EN, 0.65), (Language.KO, 0.83), (Language.ZH_HANT, 0.84)], ids=str
)
def test_the_right_article_is_among_the_top_three(language: Language, least: float) -> None:
    """Measured .70, .87 and .88: what is not answered can still be suggested."""
    assert share(one.found for one in inside(asked_by_words(), language)) >= least


def test_most_answerable_questions_get_an_answer_or_suggestions() -> None:
    """Measured .64."""
    helped = [one.match.verdict in (Verdict.ANSWER, Verdict.SUGGEST) for one in inside(asked_by_words())]
    assert share(helped) >= 0.61


def test_next_to_nothing_without_an_article_is_answered() -> None:
    """Measured: none of 68."""
    assert share(one.answered for one in outside(asked_by_words())) <= 0.03


def test_most_questions_without_an_article_open_a_ticket() -> None:
    """Measured 42 of 68; the others, near misses, get suggestions."""
    assert share(one.match.verdict is Verdict.TICKET for one in outside(asked_by_words())) >= 0.55


def test_a_team_that_is_named_is_the_right_one() -> None:
    """Measured .906: the ticket goes to the right queue."""
    named = [(right, team) for right, team in teams(asked_by_words()) if team]
    assert share(right == team for right, team in named) >= 0.87


def test_a_team_is_mostly_named() -> None:
    """Measured .637: without one somebody has to route the ticket by hand."""
    assert share(team is not None for _, team in teams(asked_by_words())) >= 0.6


def test_candidates_are_ranked_and_at_most_three() -> None:
    """Confidence falls with the rank and is a share."""
    for one in asked_by_words():
        shares = [candidate.confidence for candidate in one.match.top]
        assert len(shares) <= 3
        assert shares == sorted(shares, reverse=True)
        assert all(0 <= share <= 1 for share in shares)


def test_the_verdict_follows_the_thresholds() -> None:
    """The thresholds reported are the ones in force."""
    for one in asked_by_words():
        assert one.match.best is not None
        assert one.match.suggest <= one.match.answer
        assert one.answered == (one.match.best.confidence >= one.match.answer)
        near = one.match.best.confidence >= one.match.suggest
        assert one.match.verdict is Verdict.IGNORE or (one.match.verdict is not Verdict.TICKET) == near


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("my vpn keeps droping every ten minutes", Language.EN),
        ("VPN이 자꾸 끊겨요", Language.KO),
        ("VPN 一直斷線", Language.ZH_HANT),
    ],
)
def test_the_article_comes_in_the_language_of_the_message(text: str, language: Language) -> None:
    """Translations share an id; the asker reads their own."""
    match = sample().match(text)
    assert match.best is not None
    assert (match.verdict, match.best.article.id) == (Verdict.ANSWER, "vpn-drops")
    assert match.best.article.language is language


@pytest.mark.parametrize("text", ["VPN keeps dropping", "비밀번호를 잊어버렸어요", "印表機卡紙", "zxqv", "hi", ""])
def test_every_verdict_comes_with_its_reasons(text: str) -> None:
    """No automatic act without a why, and without what would have changed it."""
    match = sample().match(text)
    assert len(match.reasons) >= 2
    assert all("{" not in reason for reason in match.reasons)
