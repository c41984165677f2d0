"""Texts as vectors over words and pieces of words, the same for English, Korean and Chinese.

A text's features are its words, pairs of neighbours, and pieces: character 2-5-grams, jamo
3-6-grams, one to three Han characters, which is what a Chinese word mostly is. They are hashed and
tf-idf weighed by scikit-learn. A hash that the knowledge base never had is the rarest of all and
counts in the length, so that a question full of unknown words is near nothing. Used by
`triage.match` and `triage.calibrate`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from triage.text import is_han, is_hangul, jamo, words

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

COLUMNS = 2**18
"""Hashes: of a thousand phrasings' size, one unknown feature in eight is taken for a known one, at no
measurable cost in accuracy."""

_LATIN_SIZES = range(2, 6)
_JAMO_SIZES = range(3, 7)


class Space:
    """The vector space spanned by the texts of one knowledge base; `rows` are those texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._hashing = HashingVectorizer(
            analyzer=features, n_features=COLUMNS, alternate_sign=False, norm=None, dtype=np.float32
        )
        self._weighing = TfidfTransformer(sublinear_tf=True).fit(self._hashing.transform(texts))
        self.rows = self.vectors(texts)
        self._postings = self.rows.T.tocsr()

    def vectors(self, texts: Sequence[str]) -> csr_matrix:
        """One row of unit length a text; of length 0 when it has no feature."""
        return csr_matrix(self._weighing.transform(self._hashing.transform(texts), copy=False))

    def similarities(self, vectors: csr_matrix) -> Floats:
        """The cosine of every vector with every row, shape (vectors, rows)."""
        return np.asarray((vectors @ self._postings).toarray(), np.float32)


def features(text: str) -> list[str]:
    """The features of normalised text, each as often as it occurs."""
    found: list[str] = []
    before = ""
    for word in words(text):
        if is_han(word):
            found += [gram for size in (1, 2, 3) for gram in _grams(word, size)]
            before = ""
            continue
        found += [word, f"{before} {word}"] if before else [word]
        before = word
        sizes = _JAMO_SIZES if is_hangul(word) else _LATIN_SIZES
        edged = f"<{jamo(word)}>"
        found += [piece for size in sizes for piece in _grams(edged, size)]
    return found


def _grams(run: str, size: int) -> list[str]:
    return [run[start : start + size] for start in range(len(run) - size + 1)]
