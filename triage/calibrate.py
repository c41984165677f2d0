"""Thresholds from the knowledge base alone, by folds over its own phrasings. Used by `triage.match`.

A fold hides some phrasings of most articles (questions that have an answer) and some articles whole
(questions that have none), fits the rest, and looks at what comes out. Both are harder than real
questions: editors write phrasings to differ from one another, and hidden articles have near sisters.
So the threshold that folds ask for may refuse everything; it is capped at the confidence that a
fixed share of the hidden phrasings reach. The cap trades precision for answers: at a target of 0.95,
tuning questions gave 0.94-0.98 where articles are distinct, and 0.81-0.91 where sisters are told
apart by one word or questions are far from any phrasing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.features import Floats, Ints
from triage.head import confidence, fit

Bools = NDArray[np.bool_]

FOLDS = 5
LARGE = 1_500
"""Texts from which two of the folds are enough to learn from."""

OUT_OF_SCOPE = 0.25
"""The share of questions that nothing in the knowledge base answers."""

ENOUGH = 20
"""Hidden phrasings that weigh as much as the threshold usual elsewhere."""

FEWEST_RIGHT = 5
"""Right answers that an estimate of precision must rest on."""

LEAST = 0.35
"""No answer below this confidence, whatever the folds say: two articles that tie stay below it."""

WORTHWHILE = 0.25
"""Below this confidence suggestions waste the asker's time: on the sample desk's questions 0.2 would suggest
to 25 % of what is out of scope instead of 17 %, for 95 % of the rest instead of 90 %."""

MOST = 0.3
"""From this confidence articles are always suggested."""

SUGGESTED = 0.75
"""Share of the hidden phrasings that reach the threshold of a suggestion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The texts that a matcher learns from.

    `coordinates` has a row each; `labels` holds the article of each, 0 to `articles` - 1; `weights` its
    weight in the loss; `asked` tells the phrasings and titles from the lines of a body.
    """

    coordinates: Floats
    labels: Ints
    weights: Floats
    asked: Bools
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """What came out for the hidden texts; `inside` were those whose article was not hidden."""

    confidence: Floats
    right: Bools
    inside: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Confidence from which an article is answered, and from which articles are suggested."""

    answer: float
    suggest: float


def calibrate(corpus: Corpus, precision: float) -> Thresholds:
    """The thresholds for the precision asked for, 0-1. Deterministic."""
    usual = Thresholds(answer=float(np.clip(0.75 + 4 * (precision - 0.95), 0.4, 0.9)), suggest=0.2)
    hidden = hide(corpus)
    reached = np.sort(hidden.confidence[hidden.inside])
    if not len(reached):
        return usual
    strict = _threshold(hidden, precision)
    answer = min(strict, float(np.quantile(reached, 1 - answered_share(precision))))
    suggest = float(np.clip(np.quantile(reached, 1 - SUGGESTED), WORTHWHILE, MOST))
    trust = len(reached) / (len(reached) + ENOUGH)
    answer = max(LEAST, trust * answer + (1 - trust) * usual.answer)
    return Thresholds(answer=answer, suggest=min(answer, trust * suggest + (1 - trust) * usual.suggest))


def answered_share(precision: float) -> float:
    """The share of hidden phrasings that are answered, however strict the folds would be."""
    return float(np.clip(0.25 + 3 * (0.95 - precision), 0.1, 0.6))


def hide(corpus: Corpus) -> Hidden:
    """Confidence for every hidden text, each from a head that was fitted without it."""
    parts = [_fold(corpus, kept, inside, outside) for kept, inside, outside in _splits(corpus)]
    return Hidden(
        confidence=np.concatenate([np.zeros(0, np.float32), *(part.confidence for part in parts)]),
        right=np.concatenate([np.zeros(0, np.bool_), *(part.right for part in parts)]),
        inside=np.concatenate([np.zeros(0, np.bool_), *(part.inside for part in parts)]),
    )


def _splits(corpus: Corpus) -> Iterator[tuple[Ints, Ints, Ints]]:
    """For each fold the texts kept, those hidden from a kept article, and those of hidden articles."""
    random = np.random.default_rng(0)
    group = random.permutation(corpus.articles) % FOLDS
    turn = np.zeros(len(corpus.labels), np.int64)
    for article in range(corpus.articles):
        own = np.flatnonzero(corpus.labels == article)
        turn[own] = (random.permutation(len(own)) + random.integers(FOLDS)) % FOLDS
    for fold in range(FOLDS if len(turn) < LARGE else 2):
        gone = group[corpus.labels] == fold
        kept = ~gone & ((turn != fold) | ~corpus.asked)
        left = np.isin(corpus.labels, corpus.labels[kept])
        if len(np.unique(corpus.labels[kept])) > 1:
            yield (
                np.flatnonzero(kept),
                np.flatnonzero(~gone & ~kept & left),
                np.flatnonzero(gone & corpus.asked),
            )


def _fold(corpus: Corpus, kept: Ints, inside: Ints, outside: Ints) -> Hidden:
    hidden = np.concatenate([inside, outside])
    head = fit(corpus.coordinates[kept], corpus.labels[kept], corpus.weights[kept])
    probabilities = head.probabilities(corpus.coordinates[hidden])
    return Hidden(
        confidence=confidence(probabilities),
        right=head.articles[probabilities.argmax(axis=1)] == corpus.labels[hidden],
        inside=np.arange(len(hidden)) < len(inside),
    )


def _threshold(hidden: Hidden, precision: float) -> float:
    """The lowest confidence from which answers are as precise as asked; 1 when there is none."""
    order = np.argsort(-hidden.confidence, kind="stable")
    right, inside = hidden.right[order], hidden.inside[order]
    inside_count, outside_count = max(1, int(inside.sum())), max(1, int((~inside).sum()))
    rightly = np.cumsum(right & inside) * (1 - OUT_OF_SCOPE) / inside_count
    wrongly = np.cumsum(~right & inside) * (1 - OUT_OF_SCOPE) / inside_count
    needlessly = np.cumsum(~inside) * OUT_OF_SCOPE / outside_count
    precise = rightly >= precision * (rightly + wrongly + needlessly)
    enough = np.flatnonzero(precise & (np.cumsum(right & inside) >= FEWEST_RIGHT))
    return float(hidden.confidence[order][enough[-1]]) if len(enough) else 1.0
