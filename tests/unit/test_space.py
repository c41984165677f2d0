"""How near texts are by words, by meaning and by both."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from tests.unit.match_cases import FakeEncoder, hashed_words, random_vector
from triage.features import features
from triage.model import Language
from triage.space import FEWEST, LARGE, MEANING_SHARE, Blend, MeaningSpace, Space, WordSpace
from triage.text import language_of

TEXTS = [
    "the vpn keeps dropping",
    "the vpn is down",
    "i lost my badge",
    "비밀번호를 잊어버렸어요",
    "忘記密碼",
    "vpn 斷線",
]


def meaning(texts: list[str], encoder: FakeEncoder | None = None) -> MeaningSpace:
    return MeaningSpace(texts, [language_of(text) for text in texts], encoder or FakeEncoder(hashed_words))


def spaces() -> list[Space]:
    word = WordSpace(TEXTS)
    return [word, meaning(TEXTS), Blend(word, meaning(TEXTS))]


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
    word, other = WordSpace(TEXTS), meaning(TEXTS)
    blended = (1 - MEANING_SHARE) * word.own() + MEANING_SHARE * other.own()
    np.testing.assert_allclose(Blend(word, other).own(), blended, atol=1e-6)


def test_meaning_is_seen_from_the_middle_of_a_language() -> None:
    """An encoder that adds the same to everything English and the same to everything Korean adds nothing."""
    cone = {Language.EN: random_vector("en") * 30, Language.KO: random_vector("ko") * 30}
    english = [f"question number {number}" for number in range(FEWEST)]
    korean = [f"질문 번호 {number}" for number in range(FEWEST)]
    numbers = FakeEncoder(lambda text: cone[language_of(text)] + random_vector(text.split()[-1]))
    own = meaning([*english, *korean], numbers).own()
    same = [own[place, FEWEST + place] for place in range(FEWEST)]
    others = own[:FEWEST, FEWEST:][~np.eye(FEWEST, dtype=bool)]
    assert min(same) > 0.9
    assert others.max() < min(same)


def test_a_language_with_few_texts_is_seen_from_the_middle_of_all() -> None:
    """Three Korean texts have no middle of their own."""
    texts = [f"question number {number}" for number in range(FEWEST)] + ["비밀번호"]
    vectors = FakeEncoder(hashed_words).encode(texts)
    apart = vectors[-1] - vectors.mean(axis=0)
    english = vectors[:-1] - vectors[:-1].mean(axis=0)
    expected = english @ apart / (np.linalg.norm(english, axis=1) * np.linalg.norm(apart))
    np.testing.assert_allclose(meaning(texts).own()[-1, :-1], expected, atol=1e-5)


def test_equal_vectors_are_near_nothing() -> None:
    """What an encoder cannot tell apart is no reason to divide by zero."""
    assert not meaning(TEXTS, FakeEncoder(lambda text: np.ones(4, np.float32))).own().any()


def test_a_large_base_leaves_out_what_nearly_every_text_has() -> None:
    """A word of all texts tells none apart."""
    texts = [f"gadget {number}" for number in range(LARGE + 1)]
    near = WordSpace(texts).similarities(["gadget", "gadget 4711"])
    assert not near[0].any()
    assert near[1].argmax() == 4711
