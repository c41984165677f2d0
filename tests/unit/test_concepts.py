"""Concepts: words that mean the same to a help desk, found however they are written."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.concepts import Mention, mentions
from triage.text import is_hangul, normalise, words

LINES = [
    line
    for line in files("triage").joinpath("concepts.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
CONCEPTS = {line.partition(":")[0]: line.partition(":")[2].split("|") for line in LINES}


def named(text: str) -> set[str]:
    return {mention.concept for mention in mentions(normalise(text))}


# --- finding them --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    ["I forgot my password", "비밀번호를 잊어버렸어요", "我忘記密碼了", "FORGOT   MY\nPASSWORD!", "비번잊어버림"],
)
def test_one_concept_in_three_languages(text: str) -> None:
    """However it is inflected, spaced and written."""
    assert "password-forgotten" in named(text)


def test_the_longest_term_from_a_word_on_is_meant() -> None:
    """A Wi-Fi password is something of its own; the password in it is one, too."""
    assert named("the wifi password") == {"wifi-password", "password"}


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("two monitors", "monitor"),
        ("my licences expired", "license"),
        ("the batteries", "battery"),
        ("can't log in", "cannot-log-in"),
        ("can’t log in", "cannot-log-in"),
    ],
)
def test_english_endings_and_apostrophes_do_not_matter(text: str, concept: str) -> None:
    """The list has base forms only."""
    assert concept in named(text)


@pytest.mark.parametrize("text", ["hello", "今天天氣不錯", "점심 뭐 먹지", "", "...", "🔥", "\0"])
def test_words_that_stand_for_nothing_name_no_concept(text: str) -> None:
    """Most of what people say."""
    assert named(text) == set()


def test_a_part_of_a_latin_word_is_not_the_word() -> None:
    """There is no ERP in an enterprise."""
    assert "erp" in named("the erp is down")
    assert "erp" not in named("an enterprise card")


def test_a_mention_says_how_the_text_puts_it() -> None:
    """With the particle, and without what stands around it."""
    assert mentions("제 비번을 까먹었어요") == (Mention("password-forgotten", "비번을 까먹었어요"),)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """Whatever was typed; and what a mention quotes stands in the text."""
    normal = normalise(text)
    assert all(mention.written in normal for mention in mentions(normal))


# --- the list itself -----------------------------------------------------------------------------
def test_every_concept_is_there_once_in_three_languages() -> None:
    """Else a language would be served worse."""
    assert max(Counter(line.partition(":")[0] for line in LINES).values()) == 1
    assert [
        concept for concept, columns in CONCEPTS.items() if len(columns) != 3 or not all(map(str.strip, columns))
    ] == []


def test_every_term_finds_its_concept() -> None:
    """A term that cannot be found is a mistake in the list."""
    lost = [
        (concept, term.strip())
        for concept, columns in CONCEPTS.items()
        for term in ",".join(columns).split(",")
        if concept not in named(term)
    ]
    assert lost == []


def test_no_korean_term_is_a_single_syllable() -> None:
    """It would begin too many words."""
    terms = [term.strip() for columns in CONCEPTS.values() for term in ",".join(columns).split(",")]
    assert [term for term in terms if is_hangul(term) and len(term) < 2] == []
    assert all(words(term) for term in terms)
