"""How near a message is to every text of the knowledge base: by its words, or by its words and its meaning.

`triage.match` asks for similarities and never sees the vectors behind them. A space is fixed once it
is made, and safe to use from any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix

from triage.features import Analyze, Floats, Vocabulary, features

MEANING_SHARE = 2 / 3
"""The share of meaning in a blend."""


FREQUENT = {1_000: 0.3, 10_000: 0.02}
"""From so many texts on, the share of them from which a feature counts as frequent.

Of 1,500 English texts it is features in more than 0.3 of them that take half of the time; without them top-1 stayed
within 0.002 on eight sets of tuning questions, by words and with meaning.
"""


class Space(Protocol):
    """Spanned by the texts of one knowledge base."""

    def own(self) -> Floats:
        """The similarity of each text with each, shape (texts, texts), symmetric and positive semidefinite."""
        ...

    def similarities(self, messages: Sequence[str]) -> Floats:
        """Of normalised messages with each text, -1 to 1, shape (messages, texts)."""
        ...

    def abroad(self, message: str) -> Floats | None:
        """What is to be added for texts that `similarities` cannot compare with it; None where there are none."""
        ...


class WordSpace:
    """The cosine of tf-idf vectors, from an index of the texts by feature.

    Of a large knowledge base what nearly every text has is left out: it takes most of the time and
    tells texts apart the least.
    """

    def __init__(self, texts: Sequence[str], analyze: Analyze = features) -> None:
        self._vocabulary = Vocabulary(texts, analyze)
        self._texts = len(texts)
        index = csr_matrix(self._vocabulary.rows.T)
        if (share := _frequent(len(texts))) < 1:
            index = _without_frequent(index, int(share * len(texts)))
        self._starts, self._members, self._weights = index.indptr, index.indices, index.data

    def own(self) -> Floats:
        shape = (len(self._starts) - 1, self._texts)
        index = csr_matrix((self._weights, self._members, self._starts), shape)
        return np.asarray((index.T @ index).toarray(), np.float32)

    def similarities(self, messages: Sequence[str]) -> Floats:
        return np.stack([self._near(message) for message in messages])

    def abroad(self, message: str) -> Floats | None:
        return None

    def _near(self, message: str) -> Floats:
        """The products of one message, summed over the texts that share a feature with it."""
        columns, weights = self._vocabulary.weighed(message)
        starts = self._starts[columns]
        sizes = self._starts[columns + 1] - starts
        ends = np.cumsum(sizes)
        places = np.arange(sizes.sum()) + np.repeat(starts - ends + sizes, sizes)
        products = self._weights[places] * np.repeat(weights, sizes)
        return np.bincount(self._members[places], products, self._texts).astype(np.float32)


class Blend:
    """Both, weighed."""

    def __init__(self, word: Space, meaning: Space) -> None:
        self._word = word
        self._meaning = meaning

    def own(self) -> Floats:
        return _blend(self._word.own(), self._meaning.own())

    def similarities(self, messages: Sequence[str]) -> Floats:
        return _blend(self._word.similarities(messages), self._meaning.similarities(messages))

    def abroad(self, message: str) -> Floats | None:
        near = self._meaning.abroad(message)
        return None if near is None else MEANING_SHARE * near


def _frequent(texts: int) -> float:
    return min((share for fewest, share in FREQUENT.items() if texts > fewest), default=1.0)


def _without_frequent(index: csr_matrix, most: int) -> csr_matrix:
    """`index` has the shape (features, texts)."""
    sizes = np.diff(index.indptr)
    kept = np.repeat(sizes <= most, sizes)
    starts = np.concatenate([[0], np.cumsum(np.where(sizes <= most, sizes, 0))])
    return csr_matrix((index.data[kept], index.indices[kept], starts), index.shape)


def _blend(word: Floats, meaning: Floats) -> Floats:
    return (1 - MEANING_SHARE) * word + MEANING_SHARE * meaning
