"""What the matcher learns of a knowledge base, and how much of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.match_cases import BADGE, DESK, VPN
from triage.corpus import (
    BODY_LINES,
    BODY_WEIGHT,
    MAX_PER_ARTICLE,
    MAX_TRAINED,
    MAX_WITH_LINES,
    Corpus,
    corpus_of,
    worded,
)
from triage.knowledge import Article, KnowledgeBase
from triage.model import Language


def corpus(*articles: Article, body: bool = True) -> Corpus:
    return corpus_of(KnowledgeBase.of(articles), sorted({article.id for article in articles}), body=body)


def texts(found: Corpus) -> list[str]:
    return [source.text for source in found.sources]


def test_phrasings_come_first_then_the_title_then_the_body() -> None:
    """Of what does not fit, the least telling is left out."""
    article = replace(VPN, phrasings=("it drops",), title="VPN", body="# Restart it\n\nThen **call** us.")
    found = corpus(article)
    assert texts(found) == ["it drops", "VPN", "Restart it", "Then  call  us."]
    assert list(found.asked) == [True, True, False, False]
    assert list(found.weights) == pytest.approx([1, 1, BODY_WEIGHT, BODY_WEIGHT])


def test_only_the_first_lines_of_a_body_are_read() -> None:
    """An article's beginning says what it is about."""
    body = "\n".join(f"line number {number}" for number in range(100))
    assert sum(not asked for asked in corpus(replace(VPN, body=body)).asked) == BODY_LINES


def test_the_same_text_counts_once_an_article() -> None:
    """However it is cased and spaced, and whether it is a phrasing, the title or a line of the body."""
    article = Article(id="a", title="VPN drops", body="VPN DROPS", phrasings=("vpn  DROPS", "vpn drops 🔥"))
    assert texts(corpus(article)) == ["vpn  DROPS"]


def test_the_texts_of_an_article_stand_side_by_side() -> None:
    """Also of its translations, wherever they stand in the knowledge base."""
    korean = replace(VPN, language=Language.KO, title="VPN 끊김", phrasings=())
    found = corpus(VPN, *DESK[1:], korean)
    assert list(found.labels) == sorted(found.labels)
    assert found.articles == 3
    assert {source.language for source in found.sources if source.article == 2} == {Language.EN, Language.KO}


def test_an_untranslated_copy_keeps_its_texts_and_its_language() -> None:
    """It is a version like any other, which `evened` weighs by half."""
    found = corpus(VPN, replace(VPN, language=Language.KO))
    assert texts(found) == [*texts(corpus(VPN))] * 2
    assert set(found.evened().weights) == {0.5}


def test_without_bodies_a_page_that_has_nothing_else_keeps_its_lines() -> None:
    """Leaving a part out leaves no article out."""
    page = Article(id="page", title="", body="Bicycles may be parked.")
    assert texts(corpus(replace(VPN, id="z", phrasings=(), body="Restart it."), page, body=False)) == [
        "Bicycles may be parked.",
        "VPN drops",
    ]


def test_an_article_describes_itself_by_its_body() -> None:
    """Half of the articles do here; without bodies none."""
    told = Article(id="a", title="A", body="Restart the client.", phrasings=("vpn drops",))
    plain = Article(id="b", title="B", phrasings=("badge lost",))
    assert corpus(told, plain).described == 0.5
    assert corpus(told, plain, body=False).described == 0


def test_what_an_article_is_not_about_stands_apart() -> None:
    """It is no text of the article."""
    found = corpus(replace(VPN, against=("vpn invoice", "...")), BADGE)
    assert [(source.text, source.article) for source in found.against] == [("vpn invoice", 1)]
    assert "vpn invoice" not in texts(found)


def test_only_articles_with_a_word_are_kept() -> None:
    """A body counts, punctuation does not."""
    blank, page = Article(id="blank", title="…", body="--"), Article(id="page", title="", body="Bicycles")
    assert worded(KnowledgeBase.of([blank, page, VPN])).articles == (page, VPN)


def test_evened_weights_are_shared_by_the_languages() -> None:
    """Three translations weigh as much as an article in one language."""
    korean = replace(VPN, language=Language.KO, title="VPN 끊김", phrasings=())
    found = corpus(VPN, korean, BADGE).evened()
    assert {source.weight for source in found.sources if source.article == 0} == {1.0}
    assert {source.weight for source in found.sources if source.article == 1} == {0.5}


def crowd(articles: int, phrasings: int, lines: int = 0) -> Corpus:
    body = "\n".join(f"line {line}" for line in range(lines))
    return corpus(
        *(
            Article(
                id=f"{article:05}",
                title="",
                body=body,
                phrasings=tuple(f"gadget {article} {n}" for n in range(phrasings)),
            )
            for article in range(articles)
        )
    )


@pytest.mark.parametrize(
    ("articles", "phrasings", "trained"),
    [
        (1, 5, True),
        (100, 10, True),
        (400, 10, True),
        (500, 5, True),
        (501, 5, False),
        (900, 2, True),
        (1_250, 2, True),
        (1_251, 2, False),
    ],
)
def test_a_base_is_trained_on_while_every_article_keeps_five_texts(
    articles: int, phrasings: int, trained: bool
) -> None:
    """Or all it has; a broader one is searched."""
    found = crowd(articles, phrasings)
    assert found.trained is trained
    if trained:
        assert len(found.sources) <= MAX_TRAINED


def test_what_does_not_fit_is_left_out_of_the_largest_articles_first() -> None:
    """No article loses its last phrasings to another's thousands."""
    large = Article(id="large", title="", phrasings=tuple(f"gadget {number}" for number in range(9_000)))
    found = corpus(large, *DESK)
    assert set(texts(found)) >= {text for article in DESK for text in article.phrasings}
    assert MAX_TRAINED - 4 <= len(found.sources) <= MAX_TRAINED


def test_a_searched_article_has_only_so_many_texts() -> None:
    """A base of a hundred thousand phrasings of one article is searched in those."""
    large = Article(id="large", title="", phrasings=tuple(f"gadget {number}" for number in range(1_000)))
    others = [Article(id=f"{n}", title="", phrasings=tuple(f"thing {n} {m}" for m in range(5))) for n in range(600)]
    found = corpus(large, *others)
    assert not found.trained
    assert len(found.sources) == 600 * 5 + MAX_PER_ARTICLE


def test_lines_of_bodies_are_taken_in_while_there_is_room() -> None:
    """Phrasings are worth more than what an article says of itself."""
    assert not all(crowd(100, 10, lines=8).asked)
    assert len(crowd(100, 10, lines=8).sources) <= MAX_WITH_LINES
    assert all(crowd(150, 10, lines=8).asked)
