"""How near a message is to every text of the knowledge base by what both mean. Used by `triage.match`.

An encoder may have specialists, which know one language better. What a specialist makes of two texts compares
with nothing else, so texts of its language are at home there, all others with the encoder itself. A message is
compared with the texts of its own home. Those abroad are near it by the encoder that knows all languages, and
count only where their article has no text at home: otherwise its translation speaks, and better.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from triage.corpus import Source
from triage.features import Floats, Ints
from triage.matching import Encoder
from triage.model import Language
from triage.text import is_english, language_of

FEWEST = 20
"""Texts of a language from which its middle is known."""

LATEST = 4
"""Messages whose vectors are kept: each is asked for twice where nothing at home answers it."""


class MeaningSpace:
    """Implements `triage.space.Space` for the texts of one knowledge base; each article is a number."""

    def __init__(self, sources: Sequence[Source], encoder: Encoder) -> None:
        self._texts = len(sources)
        self._specialists = frozenset(encoder.specialists)
        foreign = _in_foreign_words(sources)
        homes = [
            None if (source.article, source.language) in foreign else self._home(source.language) for source in sources
        ]
        self._at_home = {home: _places(other is home for other in homes) for home in (*self._specialists, None)}
        self._abroad = {home: _abroad(sources, homes, home) for home in self._at_home}
        common = np.unique(np.concatenate([self._at_home[None], *self._abroad.values()]))
        self._common = _Vectors(sources, common, encoder)
        self._vectors = {
            language: _Vectors(sources, self._at_home[language], specialist)
            for language, specialist in encoder.specialists.items()
        }

    def own(self) -> Floats:
        near = np.zeros((self._texts, self._texts), np.float32)
        for home, places in self._at_home.items():
            near[np.ix_(places, places)] = self._of(home).own(places)
        return near

    def similarities(self, messages: Sequence[str]) -> Floats:
        homes = [self._home_of(message) for message in messages]
        near = [
            self._near(message, self._of(home), self._at_home[home])
            for message, home in zip(messages, homes, strict=True)
        ]
        return np.stack(near)

    def abroad(self, message: str) -> Floats | None:
        places = self._abroad[self._home_of(message)]
        return self._near(message, self._common, places) if len(places) else None

    def _near(self, message: str, vectors: _Vectors, places: Ints) -> Floats:
        near = np.zeros(self._texts, np.float32)
        if len(places):
            near[places] = vectors.near(message, language_of(message), places)
        return near

    def _home_of(self, message: str) -> Language | None:
        """What only looks like English, since it is in Latin letters, is left to the encoder of all languages."""
        language = language_of(message)
        return None if language is Language.EN and not is_english(message) else self._home(language)

    def _home(self, language: Language) -> Language | None:
        return language if language in self._specialists else None

    def _of(self, home: Language | None) -> _Vectors:
        return self._common if home is None else self._vectors[home]


class _Vectors:
    """One encoder's vectors of some texts, measured from the middle of those of the same language.

    Sentence encoders put everything into a narrow cone, each language into its own part of it. What all
    articles have in common tells none apart, and seen from the middle a question in one language lies
    near its translation.
    """

    def __init__(self, sources: Sequence[Source], places: Ints, encoder: Encoder) -> None:
        chosen = [sources[place] for place in places]
        languages = [source.language for source in chosen]
        vectors = encoder.remember([source.normal for source in chosen])
        self._encode = lru_cache(LATEST)(lambda message: encoder.encode([message]))
        self._row = np.full(len(sources), -1)
        self._row[places] = np.arange(len(places))
        self._middle = vectors.mean(axis=0) if len(vectors) else np.zeros(1, np.float32)
        self._middles = {
            language: vectors[[other is language for other in languages]].mean(axis=0)
            for language, count in Counter(languages).items()
            if count >= FEWEST
        }
        self._rows = self._from_middle(vectors, languages)

    def own(self, places: Ints) -> Floats:
        rows = self._rows[self._row[places]]
        return np.asarray(rows @ rows.T, np.float32)

    def near(self, message: str, language: Language, places: Ints) -> Floats:
        (row,) = self._from_middle(self._encode(message), [language])
        return np.asarray((self._rows @ row)[self._row[places]], np.float32)

    def _from_middle(self, vectors: NDArray[np.float32], languages: Sequence[Language]) -> Floats:
        if not len(vectors):
            return vectors
        apart = vectors - np.stack([self._middles.get(language, self._middle) for language in languages])
        return np.asarray(apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6), np.float32)


def _in_foreign_words(sources: Sequence[Source]) -> frozenset[tuple[int, Language]]:
    """Articles that are called English and of whose texts most are in another language."""
    told: defaultdict[tuple[int, Language], list[bool]] = defaultdict(list)
    for source in sources:
        if source.language is Language.EN:
            told[source.article, source.language].append(is_english(source.normal))
    return frozenset(article for article, english in told.items() if 2 * sum(english) < len(english))


def _abroad(sources: Sequence[Source], homes: Sequence[Language | None], home: Language | None) -> Ints:
    """Texts of other homes whose article has none at this one."""
    settled = {source.article for source, other in zip(sources, homes, strict=True) if other is home}
    return _places(
        other is not home and source.article not in settled for source, other in zip(sources, homes, strict=True)
    )


def _places(chosen: Iterable[bool]) -> Ints:
    return np.flatnonzero(np.fromiter(chosen, np.bool_))
