"""Which article a text belongs to, and how sure that is. Used by `triage.calibrate` and `triage.match`.

Two ways, one interface. `Trained` is scikit-learn's logistic regression. Texts are few and features
many, so it learns from coordinates: the Cholesky root of the texts' similarities, in which they lie
as in the space of features. Beside the articles stands a background, learned from one empty text of
great weight: what resembles nothing belongs to it. `Nearest` needs no training and serves
knowledge bases too large for it: an article is as near as its nearest text.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from triage.features import Floats, Ints

INVERSE_REGULARISATION = 30.0
SCALE, STEPS = 5.0, 12
"""What coordinates are multiplied with, which changes no solution but how soon L-BFGS is there: an article's offset and
its slopes are then about as steep. Measured on five knowledge bases by words and by meaning: 12 steps end within 0.0003
of the least loss; at a scale of 1, 22 steps within 0.014."""

BACKGROUND = 30.0
"""The weight of the empty text: one article alone must be near to outweigh it."""

NEAR = 20.0
FAR = 0.35
"""`Nearest`: how sharply similarity decides, and the similarity of the background."""


class Head(Protocol):
    def probabilities(self, similarities: Floats) -> Floats:
        """Of each article for messages given by their similarity to each text, shape (messages, articles).

        The rest of one belongs to the background.
        """
        ...


@dataclass(frozen=True, slots=True)
class Trained:
    """`slopes` has the shape (texts, articles + 1), `offsets` (articles + 1,); the background is last.

    `articles` are those it was trained on.
    """

    articles: Ints
    slopes: Floats
    offsets: Floats

    def probabilities(self, similarities: Floats) -> Floats:
        scores = similarities @ self.slopes + self.offsets
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised[:, :-1] / raised.sum(axis=1, keepdims=True), np.float32)

    def over_similarities(self, root: Floats) -> Trained:
        """The same head for texts given by their similarities to the texts that `root` was made of."""
        return Trained(self.articles, solve_triangular(root, self.slopes, lower=True, trans="T"), self.offsets)


class Nearest:
    """`labels` holds the article of each text, rising from 0 without a gap."""

    def __init__(self, labels: Ints) -> None:
        self._first = np.flatnonzero(np.diff(labels, prepend=-1))

    def probabilities(self, similarities: Floats) -> Floats:
        near = np.maximum.reduceat(similarities, self._first, axis=1)
        raised = np.exp(NEAR * (near - FAR))
        return np.asarray(raised / (1 + raised.sum(axis=1, keepdims=True)), np.float32)


def coordinates(similarities: Floats) -> Floats:
    """For every text a vector, so that their products are the similarities; shape (texts, texts), lower."""
    return np.asarray(cholesky(similarities + 1e-4 * np.eye(len(similarities)), lower=True), np.float32)


def fit(texts: Floats, labels: Ints, weights: Floats) -> Trained:
    """`texts` are coordinates; `labels` holds the article of each text, from 0; `weights` its weight in the loss."""
    regression = LogisticRegression(C=INVERSE_REGULARISATION / SCALE**2, max_iter=STEPS, tol=1e-5)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # one text an article is enough
        regression.fit(
            np.vstack([texts * np.float32(SCALE), np.zeros_like(texts[:1])]),
            np.append(labels, labels.max() + 1),
            sample_weight=np.append(weights, np.float32(BACKGROUND)),
        )
    slopes, offsets = regression.coef_, regression.intercept_
    if len(slopes) == 1:  # of two classes scikit-learn keeps the second only
        slopes, offsets = np.vstack([-slopes, 0 * slopes]), np.array([-offsets[0], 0])
    return Trained(regression.classes_[:-1], (SCALE * slopes.T).astype(np.float32), offsets.astype(np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How the confidence is made of the top probability and its distance to the runner-up."""

    top: float
    apart: float
    offset: float

    def confidence(self, probabilities: Floats) -> Floats:
        """How likely the best article is right, 0-1, shape (messages,)."""
        best = np.partition(probabilities, -min(2, probabilities.shape[1]), axis=1)[:, -2:].astype(np.float64)
        first = np.clip(best[:, -1], 1e-6, 1 - 1e-6)
        second = best[:, 0] if best.shape[1] > 1 else np.zeros(len(best))
        apart = np.log(np.maximum(1 - second / first, 5e-4))
        evidence = self.top * np.log(first / (1 - first)) + self.apart * apart + self.offset
        return np.asarray(1 / (1 + np.exp(-evidence)), np.float32)
