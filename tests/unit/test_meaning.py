"""How near texts are by meaning: from the middle of a language, and with encoders that know one language better."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.match_cases import FakeEncoder, hashed_words, random_vector
from triage.corpus import Source
from triage.meaning import FEWEST, MeaningSpace
from triage.model import Language
from triage.text import language_of

TEXTS = ["the vpn keeps dropping", "the vpn is down", "i lost my badge", "비밀번호를 잊어버렸어요", "忘記密碼"]
ARTICLES = [0, 0, 1, 2, 2]


def sources(texts: list[str], articles: list[int]) -> list[Source]:
    """Each text as an article has it."""
    return [
        Source(text=text, normal=text, article=article, language=language_of(text))
        for text, article in zip(texts, articles, strict=True)
    ]


def meaning(
    texts: list[str] = TEXTS, encoder: FakeEncoder | None = None, articles: list[int] | None = None
) -> MeaningSpace:
    return MeaningSpace(sources(texts, articles or ARTICLES[: len(texts)]), encoder or FakeEncoder(hashed_words))


def with_english() -> tuple[FakeEncoder, FakeEncoder]:
    """An encoder of all languages and its specialist for English."""
    all_, english = FakeEncoder(hashed_words), FakeEncoder(lambda text: random_vector(f"english {text}"), "english")
    all_.specialists = {Language.EN: english}
    return all_, english


def test_meaning_is_seen_from_the_middle_of_a_language() -> None:
    """An encoder that adds the same to everything English and the same to everything Korean adds nothing."""
    cone = {Language.EN: random_vector("en") * 30, Language.KO: random_vector("ko") * 30}
    texts = [f"question number {n}" for n in range(FEWEST)] + [f"질문 번호 {n}" for n in range(FEWEST)]
    numbers = FakeEncoder(lambda text: cone[language_of(text)] + random_vector(text.split()[-1]))
    own = meaning(texts, numbers, list(range(FEWEST)) * 2).own()
    same = [own[place, FEWEST + place] for place in range(FEWEST)]
    others = own[:FEWEST, FEWEST:][~np.eye(FEWEST, dtype=bool)]
    assert min(same) > 0.9
    assert others.max() < min(same)


def test_a_language_with_few_texts_is_seen_from_the_middle_of_all() -> None:
    """One Korean text has no middle of its own."""
    texts = [f"question number {number}" for number in range(FEWEST)] + ["비밀번호"]
    vectors = FakeEncoder(hashed_words).encode(texts)
    apart = vectors[-1] - vectors.mean(axis=0)
    english = vectors[:-1] - vectors[:-1].mean(axis=0)
    expected = english @ apart / (np.linalg.norm(english, axis=1) * np.linalg.norm(apart))
    own = meaning(texts, articles=list(range(len(texts)))).own()
    np.testing.assert_allclose(own[-1, :-1], expected, atol=1e-5)


def test_equal_vectors_are_near_nothing() -> None:
    """What an encoder cannot tell apart is no reason to divide by zero."""
    assert not meaning(encoder=FakeEncoder(lambda text: np.ones(4, np.float32))).own().any()


def test_texts_of_a_specialists_language_are_compared_by_the_specialist() -> None:
    """As it alone would compare them, and with no text of another language."""
    encoder, english = with_english()
    own = meaning(encoder=encoder).own()
    np.testing.assert_allclose(own[:3, :3], meaning(TEXTS[:3], english).own(), atol=1e-6)
    assert not own[:3, 3:].any()


@pytest.mark.parametrize("special", [False, True], ids=["one encoder", "with a specialist"])
def test_similarities_make_a_space(special: bool) -> None:
    """Symmetric, positive semidefinite, each text as near to itself as can be."""
    own = meaning(encoder=with_english()[0] if special else None).own()
    np.testing.assert_allclose(own, own.T, atol=1e-6)
    np.testing.assert_allclose(np.diag(own), 1, atol=1e-4)
    assert np.linalg.eigvalsh(own).min() > -1e-4


def test_a_text_as_a_message_is_as_near_at_home_as_it_is_by_itself() -> None:
    """Training and matching speak of the same similarities."""
    space = meaning(encoder=with_english()[0])
    near, own = space.similarities(TEXTS), space.own()
    np.testing.assert_allclose(near[:3, :3], own[:3, :3], atol=1e-5)
    np.testing.assert_allclose(near[3:, 3:], own[3:, 3:], atol=1e-5)


def test_an_article_that_is_not_at_home_is_found_abroad() -> None:
    """By the encoder of all languages, as it alone would have it."""
    space = meaning(encoder=with_english()[0])
    plain = meaning(encoder=FakeEncoder(hashed_words)).similarities(["비밀번호"])[0]
    near, abroad = space.similarities(["비밀번호"])[0], space.abroad("비밀번호")
    assert abroad is not None
    np.testing.assert_allclose(near + abroad, plain, atol=1e-6)
    assert not near[:3].any()


@pytest.mark.parametrize("message", ["wo ist der drucker", "je ne trouve pas mon badge", "где мой пропуск"])
def test_other_languages_are_not_read_as_english(message: str) -> None:
    """They are in no home of their own, and find articles by the encoder of all languages."""
    encoder, english = with_english()
    space = meaning(encoder=encoder)
    english.read.clear()
    assert not space.similarities([message])[0, :3].any()
    assert space.abroad(message) is not None
    assert english.read == []


def test_an_article_in_another_language_that_is_called_english_is_not_read_as_english() -> None:
    """The default of an article is English, whatever it is written in."""
    encoder, english = with_english()
    texts = ["wo ist der drucker", "mein drucker druckt nicht", "printer", "the vpn is down"]
    MeaningSpace(sources(texts, [0, 0, 0, 1]), encoder)
    assert english.read == ["the vpn is down"]


def test_a_message_is_encoded_once() -> None:
    """Also where it is compared at home, then abroad."""
    encoder, _ = with_english()
    space = meaning(encoder=encoder)
    encoder.read.clear()
    space.similarities(["비밀번호"])
    space.abroad("비밀번호")
    assert encoder.read == ["비밀번호"]


def test_an_encoder_without_specialists_leaves_nothing_abroad() -> None:
    """All texts are at home with it."""
    assert meaning().abroad("비밀번호") is None


def test_a_translation_at_home_speaks_for_its_article() -> None:
    """The English text of an article that has a Korean one is near no Korean message."""
    encoder, _ = with_english()
    texts = ["i forgot my password", "비밀번호를 잊어버렸어요", "the vpn is down"]
    space, message = meaning(texts, encoder, [0, 0, 1]), "the vpn 비밀번호를 잊어버렸어요"
    near, abroad = space.similarities([message])[0], space.abroad(message)
    assert abroad is not None
    assert list(near != 0) == [False, True, False]
    assert list(abroad != 0) == [False, False, True]


def test_an_english_question_asks_the_specialist_alone() -> None:
    """Where every article has an English text, nothing else is waited for."""
    encoder, english = with_english()
    space = meaning(["i forgot my password", "비밀번호를 잊어버렸어요", "the vpn is down"], encoder, [0, 0, 1])
    encoder.read.clear()
    english.read.clear()
    assert space.abroad("forgot password") is None
    space.similarities(["forgot password"])
    assert (encoder.read, english.read) == ([], ["forgot password"])


def test_messages_do_not_influence_one_another() -> None:
    """Asked together or one by one."""
    space = meaning(encoder=with_english()[0])
    together = space.similarities(["vpn down", "", "密碼"])
    assert together.shape == (3, len(TEXTS))
    np.testing.assert_allclose(together[:1], space.similarities(["vpn down"]), atol=1e-6)
