"""What in a knowledge base keeps its articles from being found: phrasings that two of them share, copies, repetition.

`deskbell kb lint` prints these findings. Time is near-linear in the phrasings: those that may be alike are
found by MinHash over character trigrams, and only they are compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.fuzz import token_set_ratio
from sklearn.feature_extraction.text import CountVectorizer

from triage.knowledge import Article, KnowledgeBase
from triage.model import Language
from triage.text import normalise, words

NEAR = 90
"""token_set_ratio (0-100) from which two phrasings count as the same question."""

SHORTER = 0.75
"""The shorter of two such phrasings has at least this share of the longer one's characters."""

CROWD = 1_000
"""Phrasings of one article, beyond which more of them only make the others harder to find."""

BANDS, ROWS = 12, 3
"""Two phrasings with share s of their trigrams in common meet with probability 1 - (1 - s^3)^12: .7 -> .99."""

NEIGHBOURS = 12
"""How many of those that meet in one band each is compared with."""

PRIME = 2_147_483_647

Confusion = tuple[str, str, str]
"""Article, the other article that answers it, and the phrasing of the first that shows it."""

Key = tuple[str, Language]
_Matrix = NDArray[np.int64]


class Kind(StrEnum):
    EMPTY = "empty"
    ALONE = "alone"
    COPY = "copy"
    UNTRANSLATED = "untranslated"
    SHARED = "shared"
    NEAR = "near"
    CONFUSED = "confused"
    REPEATED = "repeated"
    CROWDED = "crowded"
    WORDLESS = "wordless"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend. `article` is None when it concerns the whole knowledge base.

    `phrasing` is the article's, as written, and `theirs` the other article's; they are the clearest example
    of `count` such.
    """

    kind: Kind
    article: Key | None = None
    other: Key | None = None
    phrasing: str = ""
    theirs: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One phrasing: whose, as written, and normalised."""

    article: Key
    written: str
    text: str


def findings(kb: KnowledgeBase, confusions: Sequence[Confusion] = ()) -> list[Finding]:
    """All of them, by article in the order of the knowledge base.

    `confusions` are hidden phrasings that the matcher gave to another article.
    """
    asked = [
        _Asked(article=_key(article), written=phrasing, text=normalise(phrasing))
        for article in kb.articles
        for phrasing in article.phrasings
    ]
    found = [
        *_size(kb),
        *_copies(kb),
        *_untranslated(kb),
        *_shared(asked),
        *_near(asked),
        *_confused(kb, confusions),
        *_single(kb, asked),
    ]
    order = {_key(article): index for index, article in enumerate(kb.articles)}
    return sorted(found, key=lambda finding: order.get(finding.article, -1) if finding.article else -1)


def _key(article: Article) -> Key:
    return article.id, article.language


def _size(kb: KnowledgeBase) -> Iterator[Finding]:
    ids = {article.id for article in kb.articles}
    if not ids:
        yield Finding(kind=Kind.EMPTY)
    elif len(ids) == 1:
        yield Finding(kind=Kind.ALONE, article=_key(kb.articles[0]))


def _copies(kb: KnowledgeBase) -> Iterator[Finding]:
    """Articles that say the same under two ids."""
    first: dict[object, Article] = {}
    for article in kb.articles:
        content = (normalise(article.title), article.body) if article.body else frozenset(article.phrasings)
        if content:
            other = first.setdefault(content, article)
            if other.id != article.id:
                yield Finding(kind=Kind.COPY, article=_key(article), other=_key(other))


def _untranslated(kb: KnowledgeBase) -> Iterator[Finding]:
    """Articles whose translation has the same words."""
    first: dict[object, Article] = {}
    for article in kb.articles:
        if article.body or article.phrasings:
            other = first.setdefault((article.id, article.body, article.phrasings), article)
            if other is not article:
                yield Finding(kind=Kind.UNTRANSLATED, article=_key(article), other=_key(other))


# --- between articles --------------------------------------------------------------------------
def _shared(asked: Iterable[_Asked]) -> Iterator[Finding]:
    """Pairs of articles with the same phrasing, each pair once."""
    by_text: defaultdict[str, dict[str, _Asked]] = defaultdict(dict)
    for one in asked:
        if one.text:
            by_text[one.text].setdefault(one.article[0], one)
    pairs = [
        (one, first) for first, *others in (list(owners.values()) for owners in by_text.values()) for one in others
    ]
    yield from _by_pair(Kind.SHARED, pairs)


def _near(asked: Sequence[_Asked]) -> Iterator[Finding]:
    """Pairs of articles with phrasings that differ in spelling, order or a word, each pair once."""
    distinct = list({(one.article[0], one.text): one for one in asked if one.text}.values())
    left, right = _candidates(distinct)
    if not len(left):
        return
    texts = [one.text for one in distinct]
    scores = process.cpdist(
        [texts[i] for i in left], [texts[i] for i in right], scorer=token_set_ratio, score_cutoff=NEAR
    )
    best = np.argsort(-scores, kind="stable")[: int(np.count_nonzero(scores))]
    yield from _by_pair(Kind.NEAR, [(distinct[right[i]], distinct[left[i]]) for i in best])


def _by_pair(kind: Kind, pairs: Iterable[tuple[_Asked, _Asked]]) -> Iterator[Finding]:
    """One finding for each pair of articles, with its first example and how many there are."""
    kept: dict[frozenset[str], tuple[_Asked, _Asked]] = {}
    counts: Counter[frozenset[str]] = Counter()
    for one, other in pairs:
        pair = frozenset((one.article[0], other.article[0]))
        kept.setdefault(pair, (one, other))
        counts[pair] += 1
    for pair, (one, other) in kept.items():
        yield Finding(
            kind=kind,
            article=one.article,
            other=other.article,
            phrasing=one.written,
            theirs=other.written,
            count=counts[pair],
        )


def _candidates(asked: Sequence[_Asked]) -> tuple[_Matrix, _Matrix]:
    """Pairs of different articles' phrasings that probably share most trigrams: their positions, low and high."""
    none = np.empty(0, dtype=np.int64)
    owners = np.unique([one.article[0] for one in asked], return_inverse=True)[1] if asked else none
    if len(set(owners.tolist())) < 2:
        return none, none
    lengths = np.array([len(one.text) for one in asked])
    alphabetical = np.argsort(np.array([one.text for one in asked], dtype=object), kind="stable")
    pairs = [_meeting(band, alphabetical) for band in _bands([one.text for one in asked])]
    codes = np.unique(np.concatenate(pairs))
    left, right = codes // len(asked), codes % len(asked)
    shorter, longer = np.minimum(lengths[left], lengths[right]), np.maximum(lengths[left], lengths[right])
    telling = (owners[left] != owners[right]) & (shorter >= SHORTER * longer)
    telling &= np.array([asked[i].text != asked[j].text for i, j in zip(left, right, strict=True)], dtype=bool)
    return left[telling], right[telling]


def _bands(texts: Sequence[str]) -> Iterator[_Matrix]:
    """For each band a number for each text; texts that share it are probably alike."""
    counts = CountVectorizer(analyzer="char_wb", ngram_range=(2, 3), lowercase=False, binary=True).fit_transform(texts)
    random = np.random.default_rng(0)
    starts = counts.indptr[:-1].astype(np.int64)
    for _ in range(BANDS):
        band = np.zeros(len(texts), dtype=np.int64)
        for _ in range(ROWS):
            ranks = random.permutation(counts.shape[1]).astype(np.int64)
            smallest = np.minimum.reduceat(ranks[counts.indices], starts)
            band = (band * 1_000_003 + smallest) % PRIME
        yield band


def _meeting(band: _Matrix, alphabetical: _Matrix) -> _Matrix:
    """Pairs within one band as `low * size + high`: each text with the next few that follow it in the alphabet."""
    order = alphabetical[np.argsort(band[alphabetical], kind="stable")]
    found = []
    for step in range(1, NEIGHBOURS + 1):
        one, other = order[:-step], order[step:]
        same = band[one] == band[other]
        low, high = np.minimum(one, other)[same], np.maximum(one, other)[same]
        found.append(low * len(order) + high)
    return np.concatenate(found)


def _confused(kb: KnowledgeBase, confusions: Iterable[Confusion]) -> Iterator[Finding]:
    """Pairs of articles of which one gets the other's questions, with the first of them."""
    first: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for id, other, phrasing in confusions:
        first.setdefault((id, other), phrasing)
        counts[id, other] += 1
    where = {(article.id, phrasing): _key(article) for article in kb.articles for phrasing in article.phrasings}
    other_key = {article.id: _key(article) for article in reversed(kb.articles)}
    for (id, other), phrasing in first.items():
        if key := where.get((id, phrasing), other_key.get(id)):
            yield Finding(
                kind=Kind.CONFUSED, article=key, other=other_key.get(other), phrasing=phrasing, count=counts[id, other]
            )


# --- within one article ------------------------------------------------------------------------
def _single(kb: KnowledgeBase, asked: Iterable[_Asked]) -> Iterator[Finding]:
    by_article: defaultdict[Key, list[_Asked]] = defaultdict(list)
    for one in asked:
        by_article[one.article].append(one)
    for article in kb.articles:
        own = by_article[_key(article)]
        yield from _repeated(own)
        yield from _wordless(own)
        yield from _contradicted(article, own)
        if len(own) > CROWD:
            yield Finding(kind=Kind.CROWDED, article=_key(article), count=len(own))


def _repeated(own: Sequence[_Asked]) -> Iterator[Finding]:
    counts = Counter(one.text for one in own if one.text)
    if own and counts:
        text, most = counts.most_common(1)[0]
        if most > 1:
            written = next(one.written for one in own if one.text == text)
            yield Finding(kind=Kind.REPEATED, article=own[0].article, phrasing=written, count=most)


def _wordless(own: Sequence[_Asked]) -> Iterator[Finding]:
    empty = [one for one in own if not words(one.text)]
    if empty:
        yield Finding(kind=Kind.WORDLESS, article=own[0].article, phrasing=empty[0].written, count=len(empty))


def _contradicted(article: Article, own: Iterable[_Asked]) -> Iterator[Finding]:
    not_ours = {normalise(question) for question in article.against}
    for one in own:
        if one.text in not_ours:
            yield Finding(kind=Kind.CONTRADICTED, article=_key(article), phrasing=one.written)
            return
