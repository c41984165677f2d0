"""Texts as vectors over words and pieces of words, the same for English, Korean and Chinese.

A text's features are its words, pairs of neighbours, and pieces: character 2-5-grams, jamo
3-6-grams, one to three Han characters, which is what a Chinese word mostly is; and the concepts that
its words stand for. They are weighed by tf-idf. What the knowledge base never had counts as the
rarest of all in a text's length, so that a question full of unknown words is near nothing:
scikit-learn's vectorizer drops it instead, and takes longer for one text than all the rest of a
match. Used by `triage.space`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import repeat
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from triage.concepts import mentions
from triage.text import is_han, is_hangul, jamo, words

Floats = NDArray[np.float32]
Analyze = Callable[[str], list[str]]
"""The features of normalised text, each as often as it occurs."""

Ints = NDArray[np.int64]

MAX_FEATURES = 2_000
"""Features of one text that are counted, so that a pasted log costs no more than a long message."""

MAX_CONCEPTS = 100
"""Concepts of one text that are counted."""

CONCEPT_COUNT = 2
"""How often a concept counts where a word counts once: a word's pieces are many, a concept has none."""

_LATIN_SIZES = range(2, 6)
_JAMO_SIZES = range(3, 7)


def features(text: str) -> list[str]:
    """The features of normalised text, each as often as it occurs: how it is spelt, and what it is about."""
    about = [f"#{mention.concept}" for mention in mentions(text)]
    return [*spelling(text), *about[:MAX_CONCEPTS] * CONCEPT_COUNT]


def spelling(text: str) -> list[str]:
    """The features of normalised text without its concepts: words, pairs of them, and pieces."""
    found: list[str] = []
    before = ""
    for word in words(text):
        found += _pieces(word)
        if is_han(word):
            before = ""
            continue
        if before:
            found.append(f"{before} {word}")
        before = word
        if len(found) > MAX_FEATURES:
            break
    return found[:MAX_FEATURES]


@lru_cache(maxsize=4_096)
def _pieces(word: str) -> tuple[str, ...]:
    """A word and its parts; of a Chinese run every one to three characters."""
    if is_han(word):
        return tuple(gram for size in (1, 2, 3) for gram in _grams(word, size))
    sizes = _JAMO_SIZES if is_hangul(word) else _LATIN_SIZES
    edged = f"<{jamo(word)}>"
    return (word, *(piece for size in sizes for piece in _grams(edged, size)))


def _grams(run: str, size: int) -> list[str]:
    return [run[start : start + size] for start in range(len(run) - size + 1)]


class Vocabulary:
    """The features of one knowledge base's texts, and how rare each is; `rows` are the texts' own vectors.

    The weight of a feature is (1 + ln occurrences) (1 + ln((1 + texts) / (1 + texts with it))), that
    of scikit-learn's TfidfTransformer with sublinear_tf.
    """

    def __init__(self, texts: Iterable[str], analyze: Analyze = features) -> None:
        self._analyze = analyze
        self._column: dict[str, int] = {}
        starts, columns, counts = array("q", [0]), array("i"), array("f")
        for text in texts:
            for feature, count in Counter(analyze(text)).items():
                columns.append(self._column.setdefault(feature, len(self._column)))
                counts.append(count)
            starts.append(len(columns))
        texts_with = np.bincount(np.frombuffer(columns, np.int32), minlength=len(self._column))
        rarity = (1 + np.log(len(starts) / (1 + texts_with))).astype(np.float32)
        self.rows = _rows(np.frombuffer(starts, np.int64), np.frombuffer(columns, np.int32), counts, rarity)
        self._rarity = np.append(rarity, np.float32(1 + log(len(starts))))  # the last is that of what is unknown

    def weighed(self, text: str) -> tuple[NDArray[np.int32], Floats]:
        """The columns of a text's known features and their weights: at most of length one, shorter for the unknown."""
        counted = Counter(self._analyze(text))
        columns = np.fromiter(map(self._column.get, counted, repeat(-1)), np.int32, len(counted))
        weights = (1 + np.log(np.fromiter(counted.values(), np.float32, len(counted)))) * self._rarity[columns]
        weights /= np.sqrt(weights @ weights) or 1
        known = columns >= 0
        return columns[known], weights[known]


def _rows(starts: Ints, columns: NDArray[np.int32], counts: array[float], rarity: Floats) -> csr_matrix:
    """The texts' own vectors, of length one, shape (texts, features)."""
    weights = (1 + np.log(np.frombuffer(counts, np.float32))) * rarity[columns]
    sums = np.concatenate([[0], np.cumsum(weights.astype(np.float64) ** 2)])
    lengths = np.sqrt(np.maximum(np.diff(sums[starts]), 1e-12))
    weights /= np.repeat(lengths, np.diff(starts)).astype(np.float32)
    return csr_matrix((weights, columns, starts), (len(starts) - 1, len(rarity)))
