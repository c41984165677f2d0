"""Texts as vectors: what counts as a feature, and weights that equal scikit-learn's."""

from __future__ import annotations

from collections import Counter
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from triage.features import CONCEPT_COUNT, MAX_CONCEPTS, MAX_FEATURES, Vocabulary, features, spelling
from triage.text import jamo

TEXTS = [
    "the vpn keeps dropping",
    "vpn vpn vpn is down, vpn!",
    "vpn이 자꾸 끊겨요",
    "비밀번호를 잊어버렸어요",
    "vpn 一直斷線",
    "忘記密碼了忘記密碼了",
    "don't 4711",
    "...",
]


def scikit_learn() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=features, sublinear_tf=True).fit(TEXTS)


def in_columns_of(vocabulary: Vocabulary, other: TfidfVectorizer) -> list[int]:
    """The vocabulary's columns in the order of scikit-learn's."""
    return [vocabulary._column[feature] for feature in other.get_feature_names_out()]


# --- features ------------------------------------------------------------------------------------
def test_a_latin_word_is_itself_and_its_pieces() -> None:
    """Two to five characters, with its edges marked."""
    pieces = ["<v", "vp", "pn", "n>", "<vp", "vpn", "pn>", "<vpn", "vpn>", "<vpn>"]
    assert Counter(spelling("vpn")) == Counter(["vpn", *pieces])


def test_a_korean_word_is_cut_by_its_letters() -> None:
    """Three to six jamo, so that one wrong letter leaves most pieces whole."""
    right, slip = set(spelling("비밀번호")), set(spelling("비밀번흐"))
    assert f"<{jamo('비')}" in right
    assert len(right & slip) > len(right) / 2


def test_a_chinese_run_is_every_one_to_three_characters() -> None:
    """What a word is, nobody marks."""
    assert sorted(spelling("重設密碼")) == sorted(["重", "設", "密", "碼", "重設", "設密", "密碼", "重設密", "設密碼"])


def test_neighbouring_words_are_a_feature_but_not_across_chinese() -> None:
    """Word order matters a little."""
    assert "vpn drops" in features("vpn drops")
    assert not [feature for feature in features("vpn 斷線 again") if " " in feature]


def test_what_a_text_is_about_counts_beside_its_words() -> None:
    """A word has many pieces, a concept one feature, so it counts more than once."""
    assert Counter(features("비번"))["#password"] == CONCEPT_COUNT
    assert Counter(features("비번") + features("비번"))["#password"] == 2 * CONCEPT_COUNT


def test_a_text_has_only_so_many_features() -> None:
    """Whatever was pasted."""
    assert len(features("word " * 5_000)) == MAX_FEATURES
    assert len(features("密" * 40_000)) == MAX_FEATURES
    assert len(features("vpn " * 5_000)) == MAX_FEATURES + MAX_CONCEPTS * CONCEPT_COUNT


@pytest.mark.parametrize("text", ["", "...", "🔥", "\0"])
def test_a_text_without_words_has_no_features(text: str) -> None:
    """And is near nothing."""
    columns, weights = Vocabulary(TEXTS).weighed(text)
    assert features(text) == []
    assert len(columns) == len(weights) == 0


# --- weights -------------------------------------------------------------------------------------
def test_the_texts_own_vectors_are_those_of_scikit_learn() -> None:
    """The same features, weights and lengths, from another implementation."""
    vocabulary, other = Vocabulary(TEXTS), scikit_learn()
    ours = vocabulary.rows.toarray()[:, in_columns_of(vocabulary, other)]
    np.testing.assert_allclose(ours, other.transform(TEXTS).toarray(), atol=1e-6)


@pytest.mark.parametrize("text", TEXTS)
def test_a_known_text_is_weighed_as_its_row(text: str) -> None:
    """Nothing of it is unknown, so nothing is missing from its length."""
    vocabulary = Vocabulary(TEXTS)
    columns, weights = vocabulary.weighed(text)
    row = np.zeros(vocabulary.rows.shape[1], np.float32)
    row[columns] = weights
    np.testing.assert_allclose(row, vocabulary.rows.toarray()[TEXTS.index(text)], atol=1e-6)


def test_known_features_of_a_new_text_are_weighed_in_scikit_learns_proportions() -> None:
    """Scikit-learn forgets the unknown ones, so its vector is longer, and points the same way."""
    vocabulary, other = Vocabulary(TEXTS), scikit_learn()
    columns, weights = vocabulary.weighed("vpn zebra")
    theirs = other.transform(["vpn zebra"]).toarray()[0]
    row = np.zeros(len(theirs), np.float32)
    row[columns] = weights
    ours = row[in_columns_of(vocabulary, other)]
    np.testing.assert_allclose(ours / np.linalg.norm(ours), theirs, atol=1e-6)


def test_what_is_unknown_counts_as_the_rarest() -> None:
    """Two texts with one Han character each, by hand: 密 is in one of two texts, 雨 in none."""
    vocabulary = Vocabulary(["密", "線"])
    columns, weights = vocabulary.weighed("密 雨")
    known, unknown = 1 + log(3 / 2), 1 + log(3)
    assert len(columns) == 1
    assert weights[0] == pytest.approx(known / (known**2 + unknown**2) ** 0.5)


def test_repetition_counts_by_its_logarithm() -> None:
    """By hand: 密 twice and 線 once, both in both texts."""
    row = Vocabulary(["密 密 線", "密 線"]).rows.toarray()[0]
    twice, once = 1 + log(2), 1.0
    np.testing.assert_allclose(row, np.array([twice, once]) / (twice**2 + once**2) ** 0.5, atol=1e-6)


@given(st.text(max_size=60))
def test_no_vector_is_longer_than_one(text: str) -> None:
    """A question full of unknown words is near nothing."""
    _, weights = Vocabulary(TEXTS).weighed(text)
    assert float(weights @ weights) <= 1 + 1e-5
