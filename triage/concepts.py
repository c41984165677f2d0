"""Words that mean the same to a help desk: what a message and an article share without sharing a word.

People write "can't get in" where the article says "locked out", and 비번 where it says password. The
terms stand in `concepts.txt`, a few hundred concepts in English, Korean and Traditional Chinese; a
company's own articles have no part in it. Used by `triage.features`, which counts concepts like
words, by `triage.reasons`, which names them, and by `triage.repair`, which takes their words for spelt right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from triage.text import is_han, is_hangul, normalise, spans, words


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept, and how the text puts it."""

    concept: str
    written: str


@dataclass(frozen=True, slots=True)
class _Node:
    """Where a term's units lead; `concepts` are those of a term that ends here."""

    following: dict[str, _Node] = field(default_factory=dict)
    concepts: list[str] = field(default_factory=list)


@lru_cache(maxsize=4_096)
def mentions(text: str) -> tuple[Mention, ...]:
    """Of normalised text, in order; from each word on the longest term that is there."""
    keys, places = _units(text)
    known = _terms()
    found: list[Mention] = []
    for first, key in enumerate(keys):
        if key in known.following or is_hangul(key):
            end, concepts = _longest(known, keys, first)
            found += [Mention(concept, text[places[first][0] : places[end - 1][1]]) for concept in concepts]
    return tuple(found)


def _longest(node: _Node, keys: Sequence[str], at: int) -> tuple[int, Sequence[str]]:
    """Where the longest term ends that goes on from `node` with the key at `at`, and its concepts."""
    best: tuple[int, Sequence[str]] = (at, node.concepts)
    if at == len(keys):
        return best
    key = keys[at]
    for size in range(len(key), 0, -1) if is_hangul(key) else (len(key),):
        if (following := node.following.get(key[:size])) is not None:
            end, concepts = _longest(following, keys, at + 1)
            if concepts and (end > best[0] or not best[1]):
                best = end, concepts
    return best


def _units(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """What terms are compared by, and where it stands: stems of Latin words, Korean words, Chinese characters."""
    keys: list[str] = []
    places: list[tuple[int, int]] = []
    for start, end in spans(text):
        word = text[start:end]
        if is_han(word):
            keys += word
            places += ((at, at + 1) for at in range(start, end))
        else:
            keys.append(word if is_hangul(word) else _stem(word))
            places.append((start, end))
    return keys, places


@lru_cache(maxsize=4_096)
def _stem(word: str) -> str:
    """An English word without its ending: monitors, expired and expires become monitor and expir."""
    word = word.replace("'", "").replace("’", "")
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > 2 and not word.endswith("ss"):
            word = word.removesuffix(ending)
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


@lru_cache(maxsize=1)
def latin_words() -> frozenset[str]:
    """The words in Latin letters that terms consist of: whoever writes one did not mistype another."""
    found = (words(normalise(term)) for _, term in _listed())
    return frozenset(word for term in found for word in term if not is_han(word) and not is_hangul(word))


@lru_cache(maxsize=1)
def _terms() -> _Node:
    """All terms, by their units. A Korean term is known with its blanks and without."""
    root = _Node()
    for concept, term in _listed():
        _add(root, term, concept)
        if is_hangul(term):
            _add(root, term.replace(" ", ""), concept)
    return root


def _listed() -> Iterator[tuple[str, str]]:
    """Each concept with each of its terms, as the file has them."""
    for line in files("triage").joinpath("concepts.txt").read_text("utf-8").splitlines():
        concept, _, terms = line.partition(":")
        for term in terms.replace("|", ",").split(",") if line and line[0] != "#" else ():
            yield concept, term.strip()


def _add(root: _Node, term: str, concept: str) -> None:
    node = root
    for key in _units(term)[0]:
        node = node.following.setdefault(key, _Node())
    if term and concept not in node.concepts:
        node.concepts.append(concept)
