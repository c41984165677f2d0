"""Whatever is typed and whatever a knowledge base holds: a decision, never an exception, and bounded work."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.match_cases import BADGE, DESK, LEAVE, VPN, best, matcher, sample, text_matcher
from triage.corpus import MAX_PER_ARTICLE, MAX_TRAINED
from triage.features import CONCEPT_COUNT, MAX_CONCEPTS, MAX_FEATURES, features
from triage.knowledge import Article
from triage.match import MAX_PARTS, MAX_WINDOWS
from triage.matching import Verdict
from triage.model import Language
from triage.questions import questions
from triage.repair import MAX_WORDS
from triage.text import MAX_TEXT, normalise, sentences, words

RANDOM = random.Random(7)
LINES = "2026-03-09T09:00:00Z ERROR vpnd[42]: tunnel 10.0.0.1 closed by peer (code=0x1f)\n"
LONG = {
    "log": LINES * 500,
    "letters": "".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz", k=40_000)),
    "misspelt words": " ".join("".join(RANDOM.choices("aeioulnrst", k=8)) for _ in range(4_500)),
    "han": "".join(RANDOM.choices("密碼斷線印表機電腦螢幕帳號鎖定", k=40_000)),
    "hangul": "".join(chr(RANDOM.randrange(0xAC00, 0xD7A4)) for _ in range(40_000)),
    "one word": "vpn " * 10_000,
    "one letter": "a" * 40_000,
    "questions": "".join(f"Why is the vpn {number} so slow? " for number in range(1_100)),
    "list": "".join(f"{number % 99 + 1}. vpn {number}\n" for number in range(3_000)),
    "also": "also, " * 6_600,
    "quotes": "> vpn\n" * 6_000,
    "line ends": "\n" * 40_000,
    "blanks": " " * 40_000,
    "question marks": "?" * 40_000,
    "full-width question marks": "？" * 40_000,
    "emoji": "🔥" * 40_000,
    "colons": ":a" * 20_000,
    "expanding": "\ufdfa" * 40_000,
    "combining": "e" + "\u0301" * 40_000,
    "code": "```" * 13_000,
}
ODD = {
    "empty": "",
    "blank": " \n\t ",
    "emoji": "😱🔥👩‍👩‍👧",
    "mixed scripts": "VPN이 一直 disconnecting 안돼요 密碼 пароль كلمة ラーメン",
    "right to left": "\u202evpn sdrop\u202c \u200fהמחשב שלי",
    "zero width": "v\u200bp\u200bn d\u200dr\u2060o\ufeffp\u00ads",
    "only zero width": "\u200b\u200d\ufeff",
    "lone surrogate": "vpn \ud800 drops \udfff",
    "only a lone surrogate": "\ud83d",
    "NUL": "vpn\0drops\0",
    "only NUL": "\0",
    "lone jamo": "ㅠㅠㅠ ㅋㅋㅋ",
    "digits": "1234567890",
    "private use": "\ue000\uf8ff",
    "unassigned": "\U000e0fff",
}


# --- messages ------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", [*LONG.values(), *ODD.values()], ids=[*LONG, *ODD])
def test_odd_messages_get_a_decision(text: str) -> None:
    """With its reasons, on a small desk and on the sample."""
    for known in (matcher(*DESK), sample()):
        match = known.match(text)
        assert match.verdict in Verdict
        assert len(match.reasons) >= 2


@pytest.mark.parametrize(
    "text", [ODD[name] for name in ("empty", "blank", "emoji", "only NUL", "unassigned", "lone jamo")]
)
def test_what_says_nothing_gets_no_article(text: str) -> None:
    """Neither an answer nor a suggestion."""
    assert sample().match(text).verdict in (Verdict.TICKET, Verdict.IGNORE)


@pytest.mark.parametrize("name", ["zero width", "lone surrogate", "NUL"])
def test_invisible_characters_do_not_hide_the_words(name: str) -> None:
    """Text copied from a web page is full of them."""
    assert best(sample().match(ODD[name])) == "vpn-drops"


def test_the_question_at_the_end_of_a_log_is_seen() -> None:
    """People paste first and ask last."""
    assert "lost my badge" in normalise(LONG["log"] + "\nI lost my badge")


@pytest.mark.parametrize("text", LONG.values(), ids=list(LONG))
def test_work_is_bounded(text: str) -> None:
    """Letters, features, windows and parts of forty thousand characters."""
    known = sample()
    normal = normalise(text)
    assert len(normal) <= MAX_TEXT
    assert len(features(normal)) <= MAX_FEATURES + MAX_CONCEPTS * CONCEPT_COUNT
    assert len(list(known._windows(normal))) <= 1 + MAX_WINDOWS
    assert len(known._repair.repairs(normal)) <= MAX_WORDS
    assert sum(map(len, questions(text))) <= 2 * MAX_TEXT
    match = known.match(text)
    assert len(match.parts) <= 2 * MAX_PARTS
    assert len(match.reasons) <= 7 + MAX_WORDS


def test_every_fold_of_a_text_is_within_its_limit() -> None:
    """Words and sentences are cut from what was cut before."""
    normal = normalise(LONG["misspelt words"])
    assert sum(map(len, words(normal))) <= MAX_TEXT
    assert sum(map(len, sentences(LONG["questions"][:MAX_TEXT]))) <= MAX_TEXT


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(codec=None), max_size=300))
def test_no_text_makes_the_matcher_fail(text: str) -> None:
    """Whatever is typed, surrogates among it, there is a verdict."""
    assert sample().match(text).verdict in Verdict


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.sampled_from(
            ["vpn", "비밀번호", "密碼", "?", "？", "\n", "1.", "- ", "also,", "그리고", "還有", "> ", ". ", "。", "hi"]
        ),
        max_size=40,
    )
)
def test_no_layout_makes_the_matcher_fail(pieces: list[str]) -> None:
    """Lists, quotes, questions and greetings in any order: every part has words and a verdict."""
    for part in sample().match(" ".join(pieces)).parts:
        assert part.verdict in Verdict
        assert part.text.strip()


# --- knowledge bases -----------------------------------------------------------------------------
def test_an_empty_knowledge_base_opens_tickets() -> None:
    """No article, no candidate, but a reason; small talk is still small talk."""
    match = matcher().match("vpn is down")
    assert (match.verdict, match.top, match.team) == (Verdict.TICKET, (), None)
    assert match.reasons == ("There is no article to answer with.",)
    assert matcher().match("thanks!").verdict is Verdict.IGNORE


@pytest.mark.parametrize(
    "blank",
    [
        Article(id="blank", title="..."),
        Article(id="blank", title="", body="---", phrasings=("🔥", "", " ", "\0", "\u200b")),
        Article(id="blank", title="https://example.com/"),
    ],
)
def test_an_article_without_a_word_counts_as_none(blank: Article) -> None:
    """What cannot be matched stands in nobody's way."""
    assert matcher(blank).match("vpn is down").top == ()
    assert matcher(*DESK, blank).match("vpn is down").top == matcher(*DESK).match("vpn is down").top


def test_a_single_article_is_not_the_answer_to_everything() -> None:
    """With nothing to compare with, the background keeps strangers out."""
    only = matcher(VPN)
    assert only.match("what's for lunch today").verdict is Verdict.TICKET
    assert only.match("the vpn keeps disconnecting").verdict is Verdict.ANSWER


def test_identical_articles_are_suggested_not_answered() -> None:
    """Between two equal articles only the asker can choose."""
    match = matcher(*DESK, replace(VPN, id="vpn-2")).match("the vpn keeps disconnecting")
    assert match.verdict is Verdict.SUGGEST
    assert {candidate.article.id for candidate in match.top[:2]} == {"vpn", "vpn-2"}


def test_an_article_that_is_the_same_in_two_languages_is_one_article() -> None:
    """Untranslated copies neither tie with themselves nor fill the suggestions."""
    copies = [replace(article, language=Language.KO) for article in DESK]
    match = matcher(*DESK, *copies).match("the vpn keeps disconnecting")
    assert (match.verdict, best(match)) == (Verdict.ANSWER, "vpn")
    assert len({candidate.article.id for candidate in match.top}) == len(match.top) == 3


def test_three_thousand_phrasings_of_one_article_are_trained_on_in_part() -> None:
    """One owner's zeal costs no more than the limit, and the others keep their words."""
    said = tuple(f"the vpn {number} keeps disconnecting from site {number % 70}" for number in range(3_000))
    known = text_matcher(replace(VPN, phrasings=said), BADGE, LEAVE)
    assert known.corpus.trained
    assert len(known.corpus.sources) <= MAX_TRAINED
    assert best(known.match("the vpn keeps disconnecting")) == "vpn"
    assert best(known.match("I lost my badge")) == "badge"


def test_three_thousand_articles_are_searched() -> None:
    """A base too broad to train a head on still answers its own phrasings, and only those."""
    known = text_matcher(*(crowd(number) for number in range(3_000)))
    assert not known.corpus.trained
    assert len(known.corpus.sources) <= 3_000 * MAX_PER_ARTICLE
    match = known.match("gadget 1234 makes noise")
    assert (match.verdict, best(match)) == (Verdict.ANSWER, "gadget-1234")
    assert known.match("where is lunch").verdict is Verdict.TICKET


def crowd(number: int) -> Article:
    said = ("is broken", "makes noise", "cannot be opened", "needs a refund", "is too hot")
    return Article(
        id=f"gadget-{number}", title=f"Gadget {number}", phrasings=tuple(f"gadget {number} {verb}" for verb in said)
    )


TEXTS = st.text(max_size=20) | st.sampled_from(["vpn", "the vpn is down", "비밀번호", "密碼", "", "...", "\0"])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.builds(
            Article,
            id=st.sampled_from("abcde"),
            title=TEXTS,
            body=TEXTS,
            phrasings=st.lists(TEXTS, max_size=4).map(tuple),
            against=st.lists(TEXTS, max_size=2).map(tuple),
            language=st.sampled_from(Language),
            team=st.sampled_from(["", "it", "hr"]),
        ),
        max_size=6,
    ),
    TEXTS,
)
def test_any_articles_make_a_matcher(articles: list[Article], text: str) -> None:
    """Empty, equal or odd phrasings never stop a desk from starting."""
    match = matcher(*articles).match(text)
    assert match.verdict in Verdict
    assert all(candidate.article in articles for candidate in match.top)
