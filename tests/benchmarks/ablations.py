"""The matcher with one part of its design left out at a time: what does each part buy? `make bench ABLATE=1`.

A design is further options of `triage.match.build_matcher`, by the name under which the table shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from triage.features import features, spelling
from triage.match import Design
from triage.text import is_han, is_hangul, jamo, words

WHOLE = "whole"


def words_alone(text: str) -> list[str]:
    """What a tokenizer of words would see: Chinese is one word from one mark to the next."""
    found = words(text)
    return [*found, *(" ".join(pair) for pair in pairwise(found))]


def without_jamo(text: str) -> list[str]:
    """Korean by its syllables."""
    parts = {part for word in words(text) if is_hangul(word) for part in _in_letters(word)}
    return [feature for feature in features(text) if feature not in parts]


def without_han(text: str) -> list[str]:
    """Chinese by its runs between two marks."""
    kept = [feature for feature in features(text) if not is_han(feature)]
    return [*kept, *(word for word in words(text) if is_han(word))]


def _in_letters(word: str) -> list[str]:
    edged = f"<{jamo(word)}>"
    return [edged[start : start + size] for size in range(3, 7) for start in range(len(edged) - size + 1)]


DESIGNS: dict[str, Mapping[str, Any]] = {
    WHOLE: {},
    "words only": {"design": Design(analyze=words_alone)},
    "without jamo": {"design": Design(analyze=without_jamo)},
    "without Han pieces": {"design": Design(analyze=without_han)},
    "without concepts": {"design": Design(analyze=spelling)},
    "without repair": {"design": Design(repair=False)},
    "without windows": {"design": Design(windows=False)},
    "without bodies": {"design": Design(body=False)},
    "without folds": {"design": Design(folds=False)},
}
