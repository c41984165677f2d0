"""Which article a text belongs to: the heads against scikit-learn and against what is worked out by hand."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import LogisticRegression

from triage.features import Floats
from triage.head import BACKGROUND, FAR, INVERSE_REGULARISATION, NEAR, Nearest, Trust, coordinates, fit
from triage.space import WordSpace

TEXTS = ["the vpn drops", "vpn is unstable", "lost my badge", "badge was stolen", "book a holiday", "days off"]
LABELS = np.array([0, 0, 1, 1, 2, 2])
WEIGHTS = np.array([1, 0.3, 1, 1, 1, 0.5], np.float32)
MESSAGES = ["my vpn drops", "holiday", "zebra", ""]


def scikit_learns(root: Floats, asked: Floats, labels: np.ndarray) -> Floats:
    """Probabilities of a logistic regression in the coordinates, with an empty text for the background; at its end."""
    regression = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=1_000, tol=1e-8)
    regression.fit(
        np.vstack([root, np.zeros((1, root.shape[1]))]),
        [*labels, labels.max() + 1],
        sample_weight=[*WEIGHTS[: len(labels)], BACKGROUND],
    )
    return np.asarray(regression.predict_proba(asked)[:, :-1])


def test_coordinates_have_the_similarities_as_products() -> None:
    """Within the little that makes the root exist."""
    own = WordSpace(TEXTS).own()
    root = coordinates(own)
    np.testing.assert_allclose(root @ root.T, own, atol=2e-4)


def test_coordinates_exist_for_equal_texts() -> None:
    """Whose similarities have no inverse."""
    assert np.isfinite(coordinates(WordSpace(["vpn"] * 5).own())).all()


def test_a_trained_head_has_the_probabilities_of_scikit_learn() -> None:
    """In coordinates."""
    root = coordinates(WordSpace(TEXTS).own())
    found = fit(root, LABELS, WEIGHTS).probabilities(root)
    np.testing.assert_allclose(found, scikit_learns(root, root, LABELS), atol=1e-3)


def test_a_head_of_one_article_has_the_probabilities_of_scikit_learn() -> None:
    """Two classes, the article and the background, of which scikit-learn keeps one."""
    root = coordinates(WordSpace(TEXTS[:2]).own())
    found = fit(root, LABELS[:2], WEIGHTS[:2]).probabilities(root)
    assert found.shape == (2, 1)
    np.testing.assert_allclose(found, scikit_learns(root, root, LABELS[:2]), atol=1e-3)


def test_a_head_over_similarities_says_the_same() -> None:
    """A message is given by its similarities alone; its coordinates are solved for here."""
    space = WordSpace(TEXTS)
    root = coordinates(space.own())
    near = space.similarities(MESSAGES)
    asked = np.linalg.solve(root.astype(np.float64), near.T).T
    found = fit(root, LABELS, WEIGHTS).over_similarities(root).probabilities(near)
    np.testing.assert_allclose(found, scikit_learns(root, asked, LABELS), atol=1e-3)
    assert found[0].argmax() == 0
    assert found[1].argmax() == 2


def test_what_is_near_nothing_belongs_to_the_background() -> None:
    """Its articles share less than half."""
    space = WordSpace(TEXTS)
    root = coordinates(space.own())
    found = fit(root, LABELS, WEIGHTS).over_similarities(root).probabilities(space.similarities(["zebra", ""]))
    assert (found.sum(axis=1) < 0.5).all()


def test_the_articles_of_a_head_are_those_it_was_trained_on() -> None:
    """A fold hides some; the places of the others keep their numbers."""
    root = coordinates(WordSpace(TEXTS).own())
    head = fit(root[2:], np.array([1, 1, 7, 7]), WEIGHTS[2:])
    assert list(head.articles) == [1, 7]
    assert head.probabilities(root).shape == (6, 2)


def test_scores_of_any_size_make_probabilities() -> None:
    """Nothing overflows."""
    root = coordinates(WordSpace(TEXTS).own())
    found = fit(root, LABELS, WEIGHTS).probabilities(root * 1e6)
    assert np.isfinite(found).all()
    assert (found.sum(axis=1) <= 1 + 1e-5).all()


def test_the_nearest_text_speaks_for_its_article() -> None:
    """By hand: two texts of the first article, one of the second."""
    near = np.array([[0.2, 0.5, 0.4]], np.float32)
    first, second = exp(NEAR * (0.5 - FAR)), exp(NEAR * (0.4 - FAR))
    expected = [[first / (1 + first + second), second / (1 + first + second)]]
    np.testing.assert_allclose(Nearest(np.array([0, 0, 1])).probabilities(near), expected, rtol=1e-5)


def test_confidence_is_made_of_the_top_and_its_distance() -> None:
    """By hand: logit of the first, logarithm of how far the second is behind."""
    trust = Trust(top=1.2, apart=0.3, offset=2.0)
    evidence = 1.2 * log(0.6 / 0.4) + 0.3 * log(1 - 0.3 / 0.6) + 2.0
    found = trust.confidence(np.array([[0.3, 0.6, 0.05]]))
    assert found == pytest.approx([1 / (1 + exp(-evidence))], abs=1e-6)


def test_a_tie_is_less_sure_than_a_lead() -> None:
    """With the same top probability."""
    trust = Trust(top=1.2, apart=0.3, offset=2.0)
    tie, lead, alone = (float(trust.confidence(np.array([row]))[0]) for row in ([0.4, 0.4], [0.4, 0.1], [0.4]))
    assert tie < lead <= alone


@given(arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.floats(0, 1, width=32)))
def test_confidence_is_a_share(probabilities: Floats) -> None:
    """Also of nothing, of certainty, and of one article."""
    found = Trust(top=1.2, apart=0.3, offset=2.6).confidence(probabilities)
    assert found.shape == (len(probabilities),)
    assert ((found >= 0) & (found <= 1)).all()
