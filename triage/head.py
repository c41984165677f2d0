"""Which article a text belongs to: scikit-learn's logistic regression, and how sure that is.

Texts are few and features many, so the regression learns from coordinates: the Cholesky root of the
texts' similarities, in which they lie as in the space of features. Beside the articles stands a
background, learned from one empty text of great weight: what resembles nothing belongs to it. Used
by `triage.calibrate` and `triage.match`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from triage.features import Floats, Ints

INVERSE_REGULARISATION = 30.0
STEPS = 30
"""Steps of L-BFGS, which reach the accuracy of full convergence (measured)."""

BACKGROUND = 30.0
"""The weight of the empty text: one article alone must be near to outweigh it."""


@dataclass(frozen=True, slots=True)
class Head:
    """`slopes` has the shape (coordinates, articles + 1), `offsets` (articles + 1,); the background is last."""

    articles: Ints
    slopes: Floats
    offsets: Floats

    def probabilities(self, texts: Floats) -> Floats:
        """Of each of `articles`, shape (texts, articles); the rest of one belongs to the background."""
        return np.asarray(softmax(texts @ self.slopes + self.offsets, axis=1)[:, :-1], np.float32)

    def over_similarities(self, root: Floats) -> Head:
        """The same head for texts given by their similarities to the texts that `root` was made of."""
        return Head(self.articles, solve_triangular(root, self.slopes, lower=True, trans="T"), self.offsets)


def coordinates(similarities: Floats) -> Floats:
    """For every text a vector, so that their products are the similarities; shape (texts, texts), lower."""
    return np.asarray(cholesky(similarities + 1e-4 * np.eye(len(similarities)), lower=True), np.float32)


def fit(texts: Floats, labels: Ints, weights: Floats) -> Head:
    """`texts` are coordinates; `labels` holds the article of each text, from 0; `weights` its weight in the loss."""
    regression = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=STEPS, tol=1e-5)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit(
            np.vstack([texts, np.zeros_like(texts[:1])]),
            np.append(labels, labels.max() + 1),
            sample_weight=np.append(weights, np.float32(BACKGROUND)),
        )
    slopes, offsets = regression.coef_, regression.intercept_
    if len(slopes) == 1:  # of two classes scikit-learn keeps the second only
        slopes, offsets = np.vstack([-slopes, 0 * slopes]), np.array([-offsets[0], 0])
    return Head(regression.classes_[:-1], slopes.T.astype(np.float32), offsets.astype(np.float32))


def confidence(probabilities: Floats) -> Floats:
    """How likely the best article is right, 0-1, shape (queries,).

    Combines the top probability and its distance to the runner-up. The weights are near those of a
    logistic regression on the tuning questions of four public sets; leaving one set out moved the
    first by a sixth, the second by half. Two articles that tie come out below a third.
    """
    ranked = np.sort(probabilities, axis=1)[:, ::-1].astype(np.float64)
    first = np.clip(ranked[:, 0], 1e-6, 1 - 1e-6)
    second = ranked[:, 1] if ranked.shape[1] > 1 else np.zeros(len(ranked))
    apart = np.log(np.maximum(1 - second / first, 5e-4))
    evidence = 1.15 * np.log(first / (1 - first)) + 0.45 * apart + 2.5
    return np.asarray(1 / (1 + np.exp(-evidence)), np.float32)
