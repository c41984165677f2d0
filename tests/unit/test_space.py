"""How near texts are by words, and what words and meaning make together."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from tests.unit.match_cases import FakeEncoder, hashed_words
from tests.unit.test_meaning import sources
from triage.features import features
from triage.meaning import MeaningSpace
from triage.space import FREQUENT, MEANING_SHARE, Blend, Space, WordSpace

TEXTS = [
    "the vpn keeps dropping",
    "the vpn is down",
    "i lost my badge",
    "비밀번호를 잊어버렸어요",
    "忘記密碼",
    "vpn 斷線",
]


def meaning() -> MeaningSpace:
    return MeaningSpace(sources(TEXTS, list(range(len(TEXTS)))), FakeEncoder(hashed_words))


def spaces() -> list[Space]:
    word = WordSpace(TEXTS)
    return [word, meaning(), Blend(word, meaning())]


def test_words_are_compared_by_the_cosine_of_tf_idf() -> None:
    """As scikit-learn's vectorizer has it, for texts whose every feature is known."""
    rows = TfidfVectorizer(analyzer=features, sublinear_tf=True).fit_transform(TEXTS).toarray()
    space = WordSpace(TEXTS)
    np.testing.assert_allclose(space.own(), rows @ rows.T, atol=1e-5)
    np.testing.assert_allclose(space.similarities(TEXTS), rows @ rows.T, atol=1e-5)


@pytest.mark.parametrize("place", range(3), ids=["words", "meaning", "both"])
def test_similarities_make_a_space(place: int) -> None:
    """Symmetric, positive semidefinite, each text as near to itself as can be."""
    own = spaces()[place].own()
    np.testing.assert_allclose(own, own.T, atol=1e-6)
    np.testing.assert_allclose(np.diag(own), 1, atol=1e-4)
    assert np.linalg.eigvalsh(own).min() > -1e-4


@pytest.mark.parametrize("place", range(3), ids=["words", "meaning", "both"])
def test_a_text_as_a_message_is_as_near_as_it_is_by_itself(place: int) -> None:
    """Training and matching speak of the same similarities."""
    space = spaces()[place]
    np.testing.assert_allclose(space.similarities(TEXTS), space.own(), atol=1e-5)


@pytest.mark.parametrize("place", range(3), ids=["words", "meaning", "both"])
def test_messages_do_not_influence_one_another(place: int) -> None:
    """Asked together or one by one."""
    space = spaces()[place]
    together = space.similarities(["vpn down", "", "密碼"])
    assert together.shape == (3, len(TEXTS))
    np.testing.assert_allclose(together[:1], space.similarities(["vpn down"]), atol=1e-6)


def test_a_message_without_a_known_feature_is_near_nothing() -> None:
    """Not undefined."""
    assert not WordSpace(TEXTS).similarities(["", "ジ", "🔥"]).any()


def test_a_blend_is_weighed() -> None:
    """By hand, of its two parts."""
    word, other = WordSpace(TEXTS), meaning()
    blended = (1 - MEANING_SHARE) * word.own() + MEANING_SHARE * other.own()
    np.testing.assert_allclose(Blend(word, other).own(), blended, atol=1e-6)


@pytest.mark.parametrize("fewest", FREQUENT)
def test_a_large_base_leaves_out_what_nearly_every_text_has(fewest: int) -> None:
    """A word of all texts tells none apart."""
    texts = [f"gadget {number}" for number in range(fewest + 1)]
    near = WordSpace(texts).similarities(["gadget", "gadget 471"])
    assert not near[0].any()
    assert near[1].argmax() == 471


def test_a_base_of_a_few_hundred_texts_leaves_out_nothing() -> None:
    """There even such a word tells that a message is about any of them."""
    assert WordSpace([f"gadget {number}" for number in range(300)]).similarities(["gadget"]).all()
