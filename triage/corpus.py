"""What the matcher learns of a knowledge base: phrasings, titles and lines of the bodies, as texts.

Called by `triage.match`. Questions that people asked come first; what an article says of itself is
worth less, since it tells and does not ask.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from triage.features import Floats, Ints
from triage.knowledge import Article, KnowledgeBase
from triage.model import Language
from triage.text import normalise, sentences, words

MAX_TRAINED = 2_500
"""Texts that a head is trained on: its time grows with their square, times the articles."""

FEWEST = 5
"""Texts of each article that a head must be able to keep; a base too broad for it is searched instead."""

MAX_PER_ARTICLE = 500
"""Texts of one article in a base that is searched."""

MAX_WITH_LINES = 1_500
"""Texts up to which lines of the bodies are taken in, so that an edit is in force within seconds."""

BODY_LINES = 16
BODY_WEIGHT = 0.3
"""Measured on the sample desk's tuning questions and on three sets of hurried messages: lines of the body
bring 3 points of top-1 (6 with meaning); as one long text, or at full weight, they bring less."""

_MARKUP = re.compile(r"[*_`#\[\]()>|]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text as its article has it; `asked` tells phrasings and titles from lines of a body."""

    text: str
    normal: str
    article: int
    language: Language
    weight: float = 1.0
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Corpus:
    """The texts of one knowledge base, those of an article side by side; articles are 0 to `articles` - 1.

    `against` are texts that look like their article's and are not.
    """

    sources: Sequence[Source]
    articles: int
    trained: bool
    """Whether a head can be trained on it; else it is searched."""
    against: Sequence[Source] = ()
    labels: Ints = field(init=False)
    weights: Floats = field(init=False)
    asked: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "labels", np.array([source.article for source in self.sources], np.int64))
        set_(self, "weights", np.array([source.weight for source in self.sources], np.float32))
        set_(self, "asked", np.array([source.asked for source in self.sources], np.bool_))

    def evened(self) -> Corpus:
        """With the same weight for an article in three languages as for one in a single language.

        By meaning a text speaks for its translations too; by words it does not (measured: evened weights
        gain 3 points of top-1 with meaning, and lose 4 without).
        """
        tongues: defaultdict[int, set[Language]] = defaultdict(set)
        for source in self.sources:
            tongues[source.article].add(source.language)
        even = [replace(source, weight=source.weight / len(tongues[source.article])) for source in self.sources]
        return replace(self, sources=even)

    @property
    def described(self) -> float:
        """The share of articles, 0-1, of whose body something is among the texts."""
        return len(np.unique(self.labels[~self.asked])) / self.articles

    @property
    def normals(self) -> list[str]:
        return [source.normal for source in self.sources]


def worded(kb: KnowledgeBase) -> KnowledgeBase:
    """Only the articles with a word in them."""
    return KnowledgeBase.of(article for article in kb.articles if next(_texts(article, 0), None))


def corpus_of(kb: KnowledgeBase, ids: Sequence[str], *, body: bool = True) -> Corpus:
    """`ids` gives each article its place; every article has a text (see `worded`)."""
    place = {id: index for index, id in enumerate(ids)}
    articles = sorted(kb.articles, key=lambda article: place[article.id])
    told = [_distinct(_texts(article, place[article.id])) for article in articles]
    kept = told if body else [_asked(sources) for sources in told]
    against = [source for article in articles for source in _against(article, place[article.id])]
    asked = [_asked(sources) for sources in kept]
    most = _fitting(asked, MAX_TRAINED)
    if most < min(FEWEST, max(map(len, asked))):
        return Corpus(_first(kept, MAX_PER_ARTICLE), len(ids), False, against)
    with_lines = _fitting(kept, MAX_WITH_LINES)
    sizes = [max(with_lines, min(most, len(sources))) for sources in asked]
    chosen = [source for sources, size in zip(kept, sizes, strict=True) for source in sources[:size]]
    return Corpus(chosen, len(ids), True, against)


def _asked(sources: Sequence[Source]) -> Sequence[Source]:
    """Without the lines of the body, unless there is nothing else."""
    return [source for source in sources if source.asked] or sources


def _fitting(of_article: Sequence[Sequence[Source]], most: int) -> int:
    """How many texts of each article make at most so many."""
    sizes = np.array([len(sources) for sources in of_article])
    return next((each for each in range(int(sizes.max()), 0, -1) if np.minimum(sizes, each).sum() <= most), 0)


def _first(of_article: Sequence[Sequence[Source]], each: int) -> list[Source]:
    return [source for sources in of_article for source in sources[:each]]


def _texts(article: Article, place: int) -> Iterator[Source]:
    """Phrasings, title, lines of the body: of all the most telling first."""
    for text in (*article.phrasings, article.title):
        if words(normal := normalise(text)):
            yield Source(text=text, normal=normal, article=place, language=article.language)
    for line in _lines(article.body):
        normal = normalise(line)
        if words(normal):
            yield Source(
                text=line, normal=normal, article=place, language=article.language, weight=BODY_WEIGHT, asked=False
            )


def _lines(body: str) -> list[str]:
    """The first sentences of a Markdown text."""
    return [line.strip() for line in sentences(_MARKUP.sub(" ", body[:4_000])) if len(line.strip()) > 3][:BODY_LINES]


def _against(article: Article, place: int) -> Iterator[Source]:
    for text in article.against:
        if words(normal := normalise(text)):
            yield Source(text=text, normal=normal, article=place, language=article.language)


def _distinct(sources: Iterable[Source]) -> list[Source]:
    found: dict[str, Source] = {}
    for source in sources:
        found.setdefault(source.normal, source)
    return list(found.values())
