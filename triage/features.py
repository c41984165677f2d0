"""Texts as vectors over words and pieces of words, the same for English, Korean and Chinese.

Two families of features, each tf-idf weighed and of unit length: words (with pairs of neighbours,
and pairs of Han characters, which is what a Chinese word mostly is) and pieces (character 2-5-grams,
jamo 3-6-grams, single and triple Han characters). Features unknown to the knowledge base count in
the length, so that a question full of unknown words is near nothing. Used by `triage.match`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from triage.text import is_han, is_hangul, jamo, words

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

WORD_SHARE = 0.35
"""Share of the word family in the squared length of a vector; the pieces have the rest."""

_LATIN_SIZES = range(2, 6)
_JAMO_SIZES = range(3, 7)


@dataclass(frozen=True, slots=True)
class Vector:
    """`known` is the share of the pieces' squared tf-idf mass that the knowledge base has, 0-1."""

    columns: Ints
    weights: Floats
    known: float


class Space:
    """The vector space spanned by the texts of one knowledge base; `rows` are those texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        bags = [_bag(text) for text in texts]
        self._families = tuple(_Family([bag[i] for bag in bags]) for i in (0, 1))
        self._offset = len(self._families[0].columns)
        self.rows = self._matrix([self._vector(bag) for bag in bags])
        self._postings = self.rows.T.tocsr()

    def vector(self, text: str) -> Vector:
        return self._vector(_bag(text))

    def similarities(self, vector: Vector) -> Floats:
        """The cosine of a vector with every row, shape (rows,)."""
        postings = self._postings
        starts = postings.indptr[vector.columns].astype(np.int64)
        sizes = postings.indptr[vector.columns + 1] - starts
        places = np.arange(sizes.sum()) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        shared = postings.data[places] * np.repeat(vector.weights, sizes)
        return np.bincount(postings.indices[places], shared, self.rows.shape[0]).astype(np.float32)

    def kernel(self) -> Floats:
        """The cosine of every row with every row, shape (rows, rows)."""
        return np.asarray((self.rows @ self.rows.T).toarray(), np.float32)

    def known_shares(self, rows: Ints, others: Ints) -> Floats:
        """What `Vector.known` would be for `rows` if the knowledge base were `others` only."""
        pieces = self.rows[:, self._offset :]
        present = np.asarray(pieces[others].getnnz(axis=0) > 0, np.float32)
        shares = pieces[rows].power(2) @ present / (1 - WORD_SHARE)
        return np.asarray(shares, np.float32)

    def _vector(self, bag: tuple[Counter[str], Counter[str]]) -> Vector:
        word_columns, word_weights, _ = self._families[0].weigh(bag[0])
        columns, weights, known = self._families[1].weigh(bag[1])
        return Vector(
            np.concatenate([word_columns, columns + self._offset]),
            np.concatenate([word_weights * WORD_SHARE**0.5, weights * (1 - WORD_SHARE) ** 0.5]).astype(np.float32),
            known,
        )

    def _matrix(self, vectors: Sequence[Vector]) -> csr_matrix:
        ends = np.cumsum([0, *(len(vector.columns) for vector in vectors)])
        columns = np.concatenate([np.zeros(0, np.int64), *(vector.columns for vector in vectors)])
        weights = np.concatenate([np.zeros(0, np.float32), *(vector.weights for vector in vectors)])
        width = max(1, self._offset + len(self._families[1].columns))
        return csr_matrix((weights, columns, ends), shape=(len(vectors), width))


class _Family:
    """The columns and inverse document frequencies of one family of features."""

    def __init__(self, counts: Sequence[Counter[str]]) -> None:
        frequencies = Counter(feature for count in counts for feature in count)
        self.columns = {feature: column for column, feature in enumerate(frequencies)}
        seen = np.fromiter(frequencies.values(), np.float64, len(frequencies))
        self._idf = np.log((1 + len(counts)) / (1 + seen)) + 1
        self._unknown_idf = float(np.log(1 + len(counts)) + 1)

    def weigh(self, count: Counter[str]) -> tuple[Ints, Floats, float]:
        """Columns and unit-length weights of the known features, and their share of the squared mass."""
        known = [(self.columns[feature], times) for feature, times in count.items() if feature in self.columns]
        columns = np.array([column for column, _ in known], np.int64)
        weights = (1 + np.log(np.array([times for _, times in known], np.float64))) * self._idf[columns]
        unknown = np.array([times for feature, times in count.items() if feature not in self.columns], np.float64)
        known_mass = float(weights @ weights)
        mass = known_mass + float(np.sum(((1 + np.log(unknown)) * self._unknown_idf) ** 2))
        if not mass:
            return columns, weights.astype(np.float32), 0.0
        return columns, (weights / mass**0.5).astype(np.float32), known_mass / mass


def _bag(text: str) -> tuple[Counter[str], Counter[str]]:
    """The counts of words and of pieces in normalised text."""
    whole: list[str] = []
    pieces: list[str] = []
    before = ""
    for word in words(text):
        if is_han(word):
            whole += _grams(word, 2)
            pieces += [*word, *_grams(word, 3)]
            before = ""
            continue
        whole.append(word)
        if before:
            whole.append(f"{before} {word}")
        before = word
        edged = f"<{jamo(word)}>"
        for size in _JAMO_SIZES if is_hangul(word) else _LATIN_SIZES:
            pieces += _grams(edged, size)
    return Counter(whole), Counter(pieces)


def _grams(run: str, size: int) -> list[str]:
    return [run[start : start + size] for start in range(len(run) - size + 1)]
