"""Misspelt words, read as the word of the knowledge base that they are nearly equal to.

Korean is compared by its letters (jamo), so that one wrong letter is one edit, and a known word with
another particle is no slip. Chinese is left alone: its typos are other words. So are Latin words that mean something
themselves: who writes "bullying" or "good" did not mean "building" or "goods". Used by `triage.match` with one
audience's vocabulary only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA, Prefix

from triage.concepts import latin_words
from triage.text import is_everyday, is_han, is_hangul, jamo, syllables, words

MAX_WORDS = 40
"""Unknown words of one message that are looked up, so that a pasted log costs no more."""

MAX_LETTERS = 24
"""Letters of a word that is looked up: what is longer was not typed."""

MAX_PARTICLE = 3
"""Syllables of the longest."""

CHOICES = 8
"""Known words as near as the nearest that are looked at more closely."""

_LATIN = (4, 8)
_HANGUL = (6, 12)
"""Letters from which a word may have one edit, and two."""

_PARTICLES = {
    "a consonant": "은 이 을 과 으로 이랑 이나 이요 이에요 으로는",
    "a vowel": "는 가 를 와 나 랑 예요",
    "either": """
    도 만 의 에 엔 께 로 요 꺼 들 인 에서 에선 에게 한테 께서 까지 부터 처럼 보다 마다 밖에 조차 인데 에는 에도
    에서는 에서도 에게는 한테는 로는 까지는 부터는 들은 들이 들을 들도 입니다
    """,
}
"""What Korean appends to a noun, by what the noun ends in."""

_AFTER_CONSONANT = frozenset((_PARTICLES["a consonant"] + _PARTICLES["either"]).split())
_AFTER_VOWEL = frozenset((_PARTICLES["a vowel"] + _PARTICLES["either"]).split())

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = frozenset(
    (a, b)
    for upper, lower in ((0, 0), (0, 1), (1, 1), (1, 2), (2, 2))
    for i, a in enumerate(_ROWS[upper])
    for j, b in enumerate(_ROWS[lower])
    if a != b and (abs(i - j) == 1 if upper == lower else i - j in (0, 1))
)
"""Keys that lie side by side, or one above the other, on a Latin keyboard."""

_BESIDE = {
    key: frozenset(b if a == key else a for a, b in _NEIGHBOURS if key in (a, b)) for row in _ROWS for key in row
}


class Repair:
    """`texts` are normalised; their words are the vocabulary."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._known = Counter(word for text in texts for word in words(text) if not is_han(word))
        self._spelt: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        """Words in letters, by their number and the first of them."""
        self._beginnings = {word[:size] for word in self._known if is_hangul(word) for size in range(2, len(word) + 1)}
        self._stems = {stem for word in self._known if is_hangul(word) for stem in (word, *_stems(word))}
        """Korean words, with and without the particle that the vocabulary has them with."""
        for word in sorted(self._known):
            if word.isalpha():
                letters = jamo(word)
                self._spelt[len(letters), letters[0]].append(letters)

    def repairs(self, text: str) -> dict[str, str]:
        """The misspelt words of normalised text, each with the one it is read as."""
        unknown = [word for word in dict.fromkeys(words(text)) if self._is_suspect(word)]
        found = {word: self._nearest(word) for word in unknown[:MAX_WORDS]}
        return {written: meant for written, meant in found.items() if meant is not None}

    def _is_suspect(self, word: str) -> bool:
        read = len(word) <= MAX_LETTERS and word.isalpha() and not is_han(word) and word not in self._known
        return read and not (self._is_form(word) if is_hangul(word) else is_everyday(word) or word in latin_words())

    def _is_form(self, word: str) -> bool:
        """Whether a Korean word is a known one with another particle, or none."""
        return any(stem in self._stems for stem in (word, *_stems(word)))

    def _nearest(self, word: str) -> str | None:
        """The known word within one edit (two in a long word) that was most likely meant; None when there is none."""
        letters = jamo(word)
        one, two = _HANGUL if is_hangul(word) else _LATIN
        edits = (len(letters) >= one) + (len(letters) >= two)
        if not edits:
            return self._swapped(letters)
        near: list[tuple[float, int, str]] = []
        for first in {letters[0], letters[1], *_BESIDE.get(letters[0], ())}:
            for length in range(len(letters) - edits, len(letters) + edits + 1):
                choices = self._spelt.get((length, first))
                for meant, distance, _ in process.extract(
                    letters, choices or (), scorer=OSA.distance, score_cutoff=edits, limit=CHOICES
                ):
                    slip, known = _slip(letters, meant, distance), syllables(meant)
                    if slip < edits and not self._is_inflected(word, known):
                        near.append((slip, -self._known[known], known))
        return min(near)[2] if near else None

    def _swapped(self, letters: str) -> str | None:
        """Of a word of three letters: the known one with the last two the other way round (`vnp` is `vpn`)."""
        other = letters[0] + letters[:0:-1]
        return other if len(letters) == 3 and other in self._known and not is_hangul(letters) else None

    def _is_inflected(self, word: str, known: str) -> bool:
        """Whether a Korean word goes on like another known one where it parts from this one.

        잊어버렸어요 is a form of 잊어버렸을 (forgot), not a slip of 잃어버렸어요 (lost).
        """
        return word[: max(2, Prefix.similarity(word, known) + 1)] in self._beginnings


def _stems(word: str) -> Iterator[str]:
    """A Korean word without each particle that it may end in: 회의실을 is 회의실."""
    for size in range(1, min(MAX_PARTICLE, len(word) - 1) + 1):
        stem, particle = word[:-size], word[-size:]
        if particle in (_AFTER_CONSONANT if _is_closed(stem[-1]) else _AFTER_VOWEL):
            yield stem


def _is_closed(syllable: str) -> bool:
    """Whether a Hangul syllable ends in a consonant."""
    return len(jamo(syllable)) == 3


def _slip(written: str, meant: str, distance: float) -> float:
    """How unlikely these edits are: 0.8 for one by a finger that slipped, more where the first letter differs."""
    slipped = sum(_by_finger(a, b) for a, b in zip(written, meant, strict=False)) if len(written) == len(meant) else 0
    likely = slipped or sorted(written) == sorted(meant)
    return distance - (0.2 if likely else 0.1) + (written[0] != meant[0]) * (0.15 if likely and distance == 1 else 1)


def _by_finger(a: str, b: str) -> bool:
    return (a, b) in _NEIGHBOURS or (b, a) in _NEIGHBOURS
