"""Texts as vectors over words and pieces of words, the same for English, Korean and Chinese.

A text's features are its words, pairs of neighbours, and pieces: character 2-5-grams, jamo
3-6-grams, one to three Han characters, which is what a Chinese word mostly is. They are weighed by
tf-idf. What the knowledge base never had counts as the rarest of all in a text's length, so that a
question full of unknown words is near nothing: scikit-learn's vectorizer drops it instead, and takes
longer for one text than all the rest of a match. Used by `triage.space`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from triage.text import is_han, is_hangul, jamo, words

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MAX_FEATURES = 3_000
"""Features of one text that are counted, so that a pasted log costs no more than a long message."""

_LATIN_SIZES = range(2, 6)
_JAMO_SIZES = range(3, 7)


class Vocabulary:
    """The features of one knowledge base's texts, and how rare each is.

    The weight of a feature is (1 + ln occurrences) (1 + ln((1 + texts) / (1 + texts with it))), that
    of scikit-learn's TfidfTransformer with sublinear_tf.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        seen: Counter[str] = Counter()
        for text in texts:
            seen.update(set(_counted(text)))
        self._column = {feature: column for column, feature in enumerate(seen)}
        counts = np.fromiter(seen.values(), np.float64, len(seen))
        self._rarity = (1 + np.log((1 + len(texts)) / (1 + counts))).astype(np.float32).tolist()
        self._unknown = 1 + log(1 + len(texts))

    def weighed(self, text: str) -> tuple[array[int], array[float]]:
        """The columns of a text's known features and their weights: at most of length one, shorter for the unknown."""
        columns, weights, squares = array("i"), array("d"), 0.0
        for feature, count in _counted(text).items():
            weight = 1 + log(count) if count > 1 else 1.0
            column = self._column.get(feature)
            weight *= self._unknown if column is None else self._rarity[column]
            squares += weight * weight
            if column is not None:
                columns.append(column)
                weights.append(weight)
        length = sqrt(squares) or 1.0
        return columns, array("d", [weight / length for weight in weights])

    def rows(self, texts: Iterable[str]) -> csr_matrix:
        """One row a text, shape (texts, features)."""
        starts, columns, values = array("q", [0]), array("i"), array("f")
        for text in texts:
            found, weights = self.weighed(text)
            columns.extend(found)
            values.extend(array("f", weights))
            starts.append(len(columns))
        shape = (len(starts) - 1, len(self._column))
        arrays = np.frombuffer(values, np.float32), np.frombuffer(columns, np.int32), np.frombuffer(starts, np.int64)
        return csr_matrix(arrays, shape)


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
        if len(found) > MAX_FEATURES:
            break
    return found[:MAX_FEATURES]


def _counted(text: str) -> Counter[str]:
    return Counter(features(text))


def _grams(run: str, size: int) -> list[str]:
    return [run[start : start + size] for start in range(len(run) - size + 1)]
