"""Thresholds from the knowledge base alone, by folds over its own phrasings. Used by `triage.match`.

A fold hides some phrasings of most articles (questions that have an answer) and some articles whole
(questions that have none), fits the rest, and looks at what comes out. Both are harder than real
questions: editors write phrasings to differ from one another, and hidden articles have near sisters.
A small base says little about itself, too. So what the folds ask for is drawn towards the threshold
that other knowledge bases needed, and never beyond what lets a fair share of the hidden phrasings
through: a desk that never answers is no help. Labelled questions, where there are any, decide in their
place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import rankdata

from triage.corpus import Corpus
from triage.features import Floats, Ints
from triage.head import Nearest, coordinates, fit

Bools = NDArray[np.bool_]
Confidence = Callable[[Floats], Floats]

FOLDS = 5
LARGE = 1_000
"""Texts from which two of the folds are enough to learn from; more would take most of the time of an edit."""

SAMPLED = 300
"""Texts of a large base that are looked at."""

OUT_OF_SCOPE = 0.25
"""The share of questions that nothing in the knowledge base answers."""

FEWEST_RIGHT = 5
"""Right answers that an estimate of precision must rest on."""

LEAST = 0.35
"""No answer below this confidence, whatever the folds say: two articles that tie stay below it."""

MOST = 0.98
"""Folds that ask for more than this have seen nothing precise, which is no estimate."""

USUAL = 0.82
TRUSTED = 0.8
ENOUGH = 150
"""The threshold that other knowledge bases needed for a precision of 0.95, and how much of the way (in logits)
to what this one's folds ask for is gone: TRUSTED of it, half of that when they hid only ENOUGH phrasings.
Chosen with the range of `share_let_through` on the tuning questions named in docs/matching.md."""

LABELLED_ENOUGH = 60
"""Labelled questions that weigh as much as the knowledge base's own estimate."""

WORTHWHILE = 0.25
"""Below this confidence suggestions waste the asker's time: on the sample desk's questions 0.2 would suggest
to 25 % of what is out of scope instead of 17 %, for 95 % of the rest instead of 90 %."""

SURELY_SUGGESTED = 0.34
SUGGESTED = 0.75
"""Share of the hidden phrasings that reach the threshold of a suggestion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came out for questions whose answer is known; `inside` are those that have one.

    `text` is the place of each hidden text in its corpus, `said` the article that came out for it.
    """

    confidence: Floats
    right: Bools
    inside: Bools
    text: Ints
    said: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Confidence from which an article is answered, and from which articles are suggested."""

    answer: float
    suggest: float


def calibrate(
    hidden: Seen, precision: float, *, most: float, more: float = 0.0, labelled: Seen | None = None
) -> Thresholds:
    """The thresholds for the precision asked for, 0-1. Deterministic.

    `most` is the largest share of hidden phrasings that is answered against the folds' will; `more` is added to
    that share where articles say more of themselves than their phrasings do.
    """
    reached = np.sort(hidden.confidence[hidden.inside])
    answer = usual_threshold(precision)
    if len(reached):
        strict = np.clip(threshold(hidden, precision), LEAST, MOST)
        answer = _between(answer, strict, TRUSTED * len(reached) / (len(reached) + ENOUGH))
        through = share_let_through(hidden, precision, most) + more
        answer = max(LEAST, min(answer, float(np.quantile(reached, max(0.0, 1 - through)))))
    if labelled is not None and labelled.inside.any():
        trust = len(labelled.inside) / (len(labelled.inside) + LABELLED_ENOUGH)
        found = float(np.clip(threshold(labelled, precision), LEAST, MOST))
        if found <= labelled.confidence.min():  # all of it was precise, which speaks for no higher threshold
            found = min(found, answer)
        answer = _between(answer, found, trust)
    suggest = (
        float(np.clip(np.quantile(reached, 1 - SUGGESTED), WORTHWHILE, SURELY_SUGGESTED)) if len(reached) else 0.25
    )
    return Thresholds(answer=answer, suggest=min(answer, suggest))


def usual_threshold(precision: float) -> float:
    """The threshold that other knowledge bases needed for this precision."""
    return float(expit(logit(USUAL) + logit(np.clip(precision, 0.5, 0.995)) - logit(0.95)))


def share_let_through(hidden: Seen, precision: float, most: float) -> float:
    """The share of hidden phrasings that are answered, however strict the folds would be: from a quarter to `most`.

    The more, the better hidden phrasings were told from hidden articles.
    """
    apart = _auroc(hidden.confidence[hidden.inside], hidden.confidence[~hidden.inside])
    return float(np.clip(0.25 + 4 * (apart - 0.74), 0.25, most) + np.clip(3 * (0.95 - precision), -0.15, 0.35))


def _auroc(above: Floats, below: Floats) -> float:
    """The chance that one of `above` exceeds one of `below`; a half when either is empty."""
    if not len(above) or not len(below):
        return 0.5
    ranks = rankdata(np.concatenate([above, below]))[: len(above)]
    return float((ranks.sum() - len(above) * (len(above) + 1) / 2) / (len(above) * len(below)))


def _between(start: float, end: float, share: float) -> float:
    """Two confidences, and how much of the way from one to the other to go, in logits."""
    return float(expit(share * logit(end) + (1 - share) * logit(start)))


def hide(corpus: Corpus, similarities: Floats, confidence: Confidence) -> Seen:
    """What comes out for every hidden text, each from a head that was fitted without it.

    `similarities` are those of each text with each.
    """
    return _joined([_fold(corpus, similarities, confidence, *split) for split in _splits(corpus)])


def hide_from_nearest(corpus: Corpus, similarities: Callable[[Sequence[str]], Floats], confidence: Confidence) -> Seen:
    """The same for a base that is searched: each of a sample without itself, and without its article."""
    chosen = np.random.default_rng(0).permutation(np.flatnonzero(corpus.asked))[:SAMPLED]
    return _joined([_left_out(corpus, similarities, confidence, int(text)) for text in chosen])


def nothing_seen() -> Seen:
    return _joined([])


def threshold(seen: Seen, precision: float) -> float:
    """The lowest confidence from which answers are as precise as asked; 1 when there is none."""
    order = np.argsort(-seen.confidence, kind="stable")
    right, inside = seen.right[order], seen.inside[order]
    inside_count, outside_count = max(1, int(inside.sum())), max(1, int((~inside).sum()))
    rightly = np.cumsum(right & inside) * (1 - OUT_OF_SCOPE) / inside_count
    wrongly = np.cumsum(~right & inside) * (1 - OUT_OF_SCOPE) / inside_count
    needlessly = np.cumsum(~inside) * OUT_OF_SCOPE / outside_count
    precise = rightly >= precision * (rightly + wrongly + needlessly)
    enough = np.flatnonzero(precise & (np.cumsum(right & inside) >= FEWEST_RIGHT))
    return float(seen.confidence[order][enough[-1]]) if len(enough) else 1.0


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


def _fold(
    corpus: Corpus, similarities: Floats, confidence: Confidence, kept: Ints, inside: Ints, outside: Ints
) -> Seen:
    hidden = np.concatenate([inside, outside])
    root = coordinates(similarities[np.ix_(kept, kept)])
    head = fit(root, corpus.labels[kept], corpus.weights[kept]).over_similarities(root)
    probabilities = head.probabilities(similarities[np.ix_(hidden, kept)])
    said = head.articles[probabilities.argmax(axis=1)]
    return Seen(
        confidence=confidence(probabilities),
        right=said == corpus.labels[hidden],
        inside=np.arange(len(hidden)) < len(inside),
        text=hidden,
        said=said,
    )


def _left_out(
    corpus: Corpus, similarities: Callable[[Sequence[str]], Floats], confidence: Confidence, text: int
) -> Seen:
    """One text twice: hidden alone, and with its whole article."""
    near = np.repeat(similarities([corpus.sources[text].normal]), 2, axis=0)
    near[0, text] = -1
    near[1, corpus.labels == corpus.labels[text]] = -1
    probabilities = Nearest(corpus.labels).probabilities(near)
    said = probabilities.argmax(axis=1)
    return Seen(
        confidence=confidence(probabilities),
        right=said == corpus.labels[text],
        inside=np.array([True, False]),
        text=np.array([text, text]),
        said=said,
    )


def _joined(parts: Sequence[Seen]) -> Seen:
    return Seen(
        confidence=np.concatenate([np.zeros(0, np.float32), *(part.confidence for part in parts)]),
        right=np.concatenate([np.zeros(0, np.bool_), *(part.right for part in parts)]),
        inside=np.concatenate([np.zeros(0, np.bool_), *(part.inside for part in parts)]),
        text=np.concatenate([np.zeros(0, np.int64), *(part.text for part in parts)]),
        said=np.concatenate([np.zeros(0, np.int64), *(part.said for part in parts)]),
    )
