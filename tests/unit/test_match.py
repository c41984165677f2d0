"""Which article answers a message: on the sample desk's questions, and on odd knowledge bases."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kb import read_folder
from triage.knowledge import Article, KnowledgeBase
from triage.match import build_matcher
from triage.matching import Match, Matcher, Verdict
from triage.model import Language
from triage.phrases import say

ROOT = Path(__file__).parents[2]
QUESTIONS = ROOT / "tests" / "data" / "questions.jsonl"

VPN = Article(
    id="vpn",
    title="VPN drops",
    phrasings=("the vpn keeps disconnecting", "vpn connection is unstable", "I lose the vpn every few minutes"),
    team="it",
)
BADGE = Article(
    id="badge",
    title="Lost badge",
    phrasings=("I lost my badge", "need a new access card", "my entry card was stolen"),
    team="facilities",
)
LEAVE = Article(
    id="leave",
    title="Annual leave",
    phrasings=("how do I book holiday", "request days off", "where do I enter annual leave"),
    team="hr",
)


def matcher(*articles: Article, precision: float = 0.95) -> Matcher:
    return build_matcher(KnowledgeBase.of(articles), precision=precision, say=say)


@cache
def sample() -> Matcher:
    articles, _ = read_folder(ROOT / "bot" / "sample" / "kb")
    employee = articles.for_audience(frozenset({"public", "company"}))
    return build_matcher(employee, precision=0.95, say=say)


@cache
def asked() -> tuple[tuple[str | None, str, Match], ...]:
    """The wanted article, the language and the match of every labelled question."""
    lines = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    return tuple((line["article"], line["lang"], sample().match(line["text"])) for line in lines)


def best(match: Match) -> str:
    assert match.best is not None
    return match.best.article.id


def test_answers_on_the_sample_desk_are_precise() -> None:
    """Of the questions answered, nearly all got the article that a person would have sent."""
    answered = [(wanted, match) for wanted, _, match in asked() if match.verdict is Verdict.ANSWER]
    assert sum(best(match) == wanted for wanted, match in answered) >= 0.93 * len(answered)


@pytest.mark.parametrize("language", list(Language))
def test_a_useful_share_of_questions_is_answered(language: Language) -> None:
    """A desk that never answers has failed, in any language."""
    inside = [match for wanted, lang, match in asked() if wanted and lang == language]
    assert sum(match.verdict is Verdict.ANSWER for match in inside) >= 0.3 * len(inside)


@pytest.mark.parametrize("language", list(Language))
def test_the_right_article_is_among_the_top_three(language: Language) -> None:
    """What is not answered can still be suggested."""
    inside = [(wanted, match) for wanted, lang, match in asked() if wanted and lang == language]
    found = sum(wanted in [candidate.article.id for candidate in match.top] for wanted, match in inside)
    assert found >= 0.9 * len(inside)


def test_most_questions_without_an_article_open_a_ticket() -> None:
    """Suggestions beside the point are noise."""
    outside = [match for wanted, _, match in asked() if wanted is None]
    assert sum(match.verdict is Verdict.TICKET for match in outside) >= 0.6 * len(outside)


def test_the_team_is_that_of_the_right_article() -> None:
    """Where a team is named at all, the ticket goes to the right queue."""
    articles, _ = read_folder(ROOT / "bot" / "sample" / "kb")
    team = {article.id: article.team for article in articles.articles}
    routed = [(team[wanted], match.team) for wanted, _, match in asked() if wanted and match.team]
    assert sum(wanted == found for wanted, found in routed) >= 0.93 * len(routed)
    assert len(routed) >= 0.75 * sum(wanted is not None for wanted, _, _ in asked())


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
    assert (match.verdict, best(match)) == (Verdict.ANSWER, "vpn-drops")
    assert match.best is not None
    assert match.best.article.language is language


def test_the_sentence_that_asks_is_found_in_a_long_message() -> None:
    """How it came about does not drown what is asked."""
    match = sample().match(
        "Hi all, hope you had a nice weekend. I have been travelling for client meetings since Tuesday. "
        "The quarter is closing and things are hectic. My account is locked after too many tries. Thanks a lot!"
    )
    assert best(match) == "account-locked"


def test_a_misspelt_word_is_read_as_the_known_one_and_said_so() -> None:
    """The reasons name the repair, so that a wrong one can be seen."""
    reasons = sample().match("my vpn keeps droping").reasons
    assert "“droping” was read as “dropping”." in reasons


@pytest.mark.parametrize("text", ["VPN keeps dropping", "비밀번호를 잊어버렸어요", "印表機卡紙", "zxqv", "hi", ""])
def test_every_verdict_comes_with_its_reasons(text: str) -> None:
    """No automatic act without a why, and without what would have changed it."""
    match = sample().match(text)
    assert len(match.reasons) >= 2
    assert all("{" not in reason for reason in match.reasons)


def test_small_talk_is_ignored() -> None:
    """A greeting gets no article and no ticket."""
    assert sample().match("hi there").verdict is Verdict.IGNORE


def test_candidates_are_ranked_and_at_most_three() -> None:
    """Confidence falls with the rank and is a share."""
    for _, _, match in asked():
        shares = [candidate.confidence for candidate in match.top]
        assert len(shares) <= 3
        assert shares == sorted(shares, reverse=True)
        assert all(0 <= share <= 1 for share in shares)


def test_the_verdict_follows_the_thresholds() -> None:
    """The thresholds reported are the ones in force."""
    for _, _, match in asked():
        assert match.best is not None
        assert match.suggest <= match.answer
        assert (match.verdict is Verdict.ANSWER) == (match.best.confidence >= match.answer)


def test_the_same_knowledge_base_gives_the_same_match() -> None:
    """Nothing depends on chance or on an earlier question."""
    first, second = matcher(VPN, BADGE, LEAVE), matcher(VPN, BADGE, LEAVE)
    second.match("something else")
    assert first.match("vpn is lost") == second.match("vpn is lost")


def test_higher_precision_never_answers_more() -> None:
    """A stricter desk has a threshold at least as high."""
    strict = matcher(VPN, BADGE, LEAVE, precision=0.99).match("vpn")
    lax = matcher(VPN, BADGE, LEAVE, precision=0.8).match("vpn")
    assert strict.answer >= lax.answer


def test_a_small_desk_answers_its_own_phrasings() -> None:
    """Three articles are enough to be useful."""
    match = matcher(VPN, BADGE, LEAVE).match("I lost my badge")
    assert (match.verdict, best(match), match.team) == (Verdict.ANSWER, "badge", "facilities")


def test_an_empty_knowledge_base_opens_tickets() -> None:
    """No article, no candidate, but a reason."""
    match = matcher().match("vpn is down")
    assert (match.verdict, match.top, match.team) == (Verdict.TICKET, (), None)
    assert match.reasons


def test_an_article_without_words_counts_as_none() -> None:
    """A title of dots cannot be matched."""
    assert matcher(Article(id="blank", title="...")).match("vpn is down").top == ()


def test_a_single_article_is_not_the_answer_to_everything() -> None:
    """With nothing to compare with, the background keeps strangers out."""
    only = matcher(VPN)
    assert only.match("what's for lunch today").verdict is Verdict.TICKET
    assert only.match("the vpn keeps disconnecting").verdict is Verdict.ANSWER


def test_identical_articles_are_suggested_not_answered() -> None:
    """Between two equal articles only the asker can choose."""
    twin = Article(id="vpn-2", title=VPN.title, phrasings=VPN.phrasings, team="it")
    match = matcher(VPN, twin, BADGE, LEAVE).match("the vpn keeps disconnecting")
    assert match.verdict is Verdict.SUGGEST
    assert {candidate.article.id for candidate in match.top[:2]} == {"vpn", "vpn-2"}


def test_a_knowledge_base_of_titles_alone_works() -> None:
    """One phrasing an article leaves nothing to calibrate on; the usual thresholds hold."""
    titles = [Article(id=article.id, title=article.title) for article in (VPN, BADGE, LEAVE)]
    assert best(matcher(*titles).match("lost badge")) == "badge"


def test_an_article_without_phrasings_is_found_by_its_body() -> None:
    """Imported pages often have nothing but a body."""
    page = Article(
        id="page", title="Notice 12", body="Bicycles may be parked in the basement.\nShowers are on floor 1."
    )
    assert best(matcher(VPN, BADGE, page).match("where can I park my bicycle")) == "page"


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_makes_the_matcher_fail(text: str) -> None:
    """Whatever is typed, there is a verdict."""
    assert sample().match(text).verdict in Verdict


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.text(max_size=12), st.lists(st.text(max_size=20), max_size=4)), max_size=6))
def test_any_articles_make_a_matcher(entries: list[tuple[str, list[str]]]) -> None:
    """Empty, equal or odd phrasings never stop a desk from starting."""
    articles = [Article(id=title or "x", title=title, phrasings=tuple(asked)) for title, asked in entries]
    assert matcher(*articles).match("the vpn is down").verdict in Verdict


def test_a_pasted_log_is_matched() -> None:
    """Forty thousand characters are no more than a long message."""
    assert sample().match("Traceback: error in vpn client. " * 1_250).top
