"""Audience first: what a person may not read changes nothing that they get to see."""

from __future__ import annotations

from functools import cache

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.match_cases import DESK, FakeEncoder, hashed_words
from triage.knowledge import Article, KnowledgeBase
from triage.match import build_matcher
from triage.matching import Match, Matcher
from triage.model import Language
from triage.phrases import say

OUTSIDER = frozenset({"public", "company"})

QUESTIONS = (
    "I lost my badge",
    "the vpn keeps droping",
    "who gets a severence package",
    "VPN 一直斷線",
    "비밀번호 초기화",
    "1. how do I book holiday\n2. severance pay",
    "hi",
    "",
)

TEXTS = st.sampled_from(
    [
        "severance package",
        "the vpn keeps disconnecting",
        "I lost my badge",
        "비밀번호 초기화",
        "資遣費",
        "dropping",
        "",
        "…",
    ]
) | st.text(max_size=15)

SECRET = st.builds(
    Article,
    id=st.sampled_from(["secret", "vpn", "badge", "aaa"]),
    title=TEXTS,
    body=TEXTS,
    phrasings=st.lists(TEXTS, max_size=5).map(tuple),
    against=st.lists(TEXTS, max_size=2).map(tuple),
    language=st.sampled_from(Language),
    team=st.sampled_from(["", "it", "legal"]),
    audience=st.sampled_from(["team:hr", "team:it", "", "Public"]),
)


def made(kb: KnowledgeBase, *, semantic: bool) -> Matcher:
    readable = kb.for_audience(OUTSIDER)
    lexical = build_matcher(readable, precision=0.95, say=say)
    if not semantic:
        return lexical
    return build_matcher(readable, precision=0.95, say=say, encoder=FakeEncoder(hashed_words), lexical=lexical)


@cache
def before(semantic: bool) -> list[bytes]:
    return seen(made(KnowledgeBase.of(DESK), semantic=semantic))


def seen(matcher: Matcher) -> list[bytes]:
    """Every byte of every match."""
    matches: list[Match] = [matcher.match(question) for question in QUESTIONS]
    return [repr(match).encode("utf-8", "backslashreplace") for match in matches]


def after(secrets: list[Article], *, semantic: bool) -> list[bytes]:
    first, *others = DESK
    return seen(made(KnowledgeBase.of([first, *secrets, *others]), semantic=semantic))


@settings(deadline=None, max_examples=25)
@given(st.lists(SECRET, max_size=4))
@example(
    [Article(id="secret", title="Severance package", phrasings=("who gets a severance package",), audience="team:hr")]
)
def test_an_outsiders_match_by_words_does_not_change(secrets: list[Article]) -> None:
    """Not the ranking, not a repair, not a threshold, not a reason."""
    assert after(secrets, semantic=False) == before(False)


@settings(deadline=None, max_examples=15)
@given(st.lists(SECRET, max_size=4))
def test_an_outsiders_match_by_meaning_does_not_change(secrets: list[Article]) -> None:
    """Nor through the middle from which an encoder's vectors are measured."""
    assert after(secrets, semantic=True) == before(True)


def test_an_insider_does_get_the_article() -> None:
    """The article is masked, not lost."""
    secret = Article(id="secret", title="Severance", phrasings=("who gets a severance package",), audience="team:hr")
    kb = KnowledgeBase.of([*DESK, secret]).for_audience(OUTSIDER | {"team:hr"})
    match = build_matcher(kb, precision=0.95, say=say).match("who gets a severence package")
    assert match.best is not None
    assert match.best.article.id == "secret"
