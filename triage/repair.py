"""Misspelt words, read as the word of the knowledge base that they are nearly equal to.

Korean is compared by its letters (jamo), so that one wrong letter is one edit. Chinese is left
alone: its typos are other words. Used by `triage.match` with one audience's vocabulary only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from triage.text import is_han, is_hangul, jamo, words

MAX_WORDS = 40
"""Unknown words of one message that are looked up, so that a pasted log costs no more."""

_LATIN = (4, 8)
_HANGUL = (6, 12)
"""Letters from which a word may have one edit, and two."""


class Repair:
    """`texts` are normalised; their words are the vocabulary."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._known = frozenset(word for text in texts for word in words(text) if not is_han(word))
        self._by_length: defaultdict[tuple[bool, int], dict[str, str]] = defaultdict(dict)
        for word in sorted(self._known):
            if word.isalpha():
                letters = jamo(word)
                self._by_length[is_hangul(word), len(letters)][word] = letters

    def repairs(self, text: str) -> dict[str, str]:
        """The misspelt words of normalised text, each with the one it is read as."""
        unknown = [word for word in dict.fromkeys(words(text)) if self._is_suspect(word)]
        found = {word: self._nearest(word) for word in unknown[:MAX_WORDS]}
        return {written: meant for written, meant in found.items() if meant is not None}

    def _is_suspect(self, word: str) -> bool:
        return word.isalpha() and not is_han(word) and word not in self._known

    def _nearest(self, word: str) -> str | None:
        """The known word within one edit (two in a long word) that begins alike; None when there is none."""
        letters = jamo(word)
        one, two = _HANGUL if is_hangul(word) else _LATIN
        edits = (len(letters) >= one) + (len(letters) >= two)
        near: list[tuple[float, str]] = []
        for length in range(len(letters) - edits, len(letters) + edits + 1) if edits else ():
            choices = self._by_length.get((is_hangul(word), length), {})
            best = process.extractOne(letters, choices, scorer=OSA.distance, score_cutoff=edits)
            if best and best[0][0] == letters[0]:
                near.append((best[1], best[2]))
        return min(near)[1] if near else None
