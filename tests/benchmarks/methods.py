"""What Deskbell's matching is measured against: ready-made search, each behind one small protocol.

`tests.benchmarks.worker` builds one of `METHODS` in a process of its own. All of them search the same
documents, an article's phrasings and its title; an article's score is that of its best document.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from adapters.encoders.engines import E5Small
from triage.knowledge import Article
from triage.matching import Candidate, Match, Verdict
from triage.model import Language

NEAREST = 50
"""Documents that are looked at, enough for three articles with many phrasings each."""

TOP = 3
Ranked = list[tuple[str, float]]
"""At most TOP article ids with their scores, best first."""


class Method(Protocol):
    """Made first, which imports what it needs, then built, which is timed."""

    def build(self, articles: Sequence[Article]) -> None: ...

    def rank(self, text: str) -> Ranked: ...


class Ranking:
    """A method in the place of a matcher; it answers from `threshold` up, and its score is its confidence."""

    def __init__(self, method: Method, articles: Iterable[Article], threshold: float = float("inf")) -> None:
        self._method = method
        self._articles = {article.id: article for article in articles}
        self._threshold = threshold

    def match(self, text: str) -> Match:
        top = tuple(Candidate(article=self._articles[id], confidence=score) for id, score in self._method.rank(text))
        sure = bool(top) and top[0].confidence >= self._threshold
        verdict = Verdict.ANSWER if sure else Verdict.SUGGEST if top else Verdict.TICKET
        return Match(verdict=verdict, language=Language.EN, top=top, answer=self._threshold)


class Documents:
    """The texts that are searched, and the id of the article each belongs to."""

    def __init__(self, articles: Iterable[Article]) -> None:
        pairs = [(text, a.id) for a in articles for text in (*a.phrasings, a.title) if text.strip()]
        self.texts = [text for text, _ in pairs]
        self.ids = [id for _, id in pairs]

    def ranked(self, nearest: Iterable[tuple[int, float]]) -> Ranked:
        """The articles of documents that come best first."""
        found: dict[str, float] = {}
        for place, score in nearest:
            found.setdefault(self.ids[place], score)
            if len(found) == TOP:
                break
        return list(found.items())


class Rapidfuzz:
    """`process.extractOne` with token_set_ratio; `extract` takes as long and gives the runners-up."""

    def __init__(self) -> None:
        from rapidfuzz import fuzz, process, utils

        self._extract, self._scorer, self._clean = process.extract, fuzz.token_set_ratio, utils.default_process

    def build(self, articles: Sequence[Article]) -> None:
        self._documents = Documents(articles)
        self._choices = [self._clean(text) for text in self._documents.texts]

    def rank(self, text: str) -> Ranked:
        found = self._extract(self._clean(text), self._choices, scorer=self._scorer, limit=NEAREST)
        return self._documents.ranked((place, score) for _, score, place in found)


class Bm25s:
    """Default tokens."""

    def __init__(self) -> None:
        import bm25s

        self._index = bm25s.BM25()
        self._tokenize = bm25s.tokenize

    def build(self, articles: Sequence[Article]) -> None:
        self._documents = Documents(articles)
        self._index.index(self._tokenize(self._documents.texts, show_progress=False), show_progress=False)

    def rank(self, text: str) -> Ranked:
        wanted = self._tokenize([text], show_progress=False)
        nearest = min(NEAREST, len(self._documents.texts))
        places, scores = self._index.retrieve(wanted, k=nearest, show_progress=False)
        pairs = zip(places[0].tolist(), scores[0].tolist(), strict=True)
        return self._documents.ranked((place, score) for place, score in pairs if score > 0)


class Tantivy:
    """An index in memory, default tokens, any of the words."""

    def __init__(self) -> None:
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_text_field("text", stored=False)
        schema.add_unsigned_field("place", stored=True)
        self._index = tantivy.Index(schema.build())
        self._document = tantivy.Document

    def build(self, articles: Sequence[Article]) -> None:
        self._documents = Documents(articles)
        writer = self._index.writer(heap_size=50_000_000, num_threads=1)
        for place, text in enumerate(self._documents.texts):
            writer.add_document(self._document(text=text, place=place))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def rank(self, text: str) -> Ranked:
        words = " ".join(re.findall(r"\w+", text.lower()))
        if not words:
            return []
        hits = self._searcher.search(self._index.parse_query(words, ["text"]), NEAREST).hits
        return self._documents.ranked((self._searcher.doc(address)["place"][0], score) for score, address in hits)


class Fts5:
    """SQLite's full-text index over trigrams, any of the question's."""

    def build(self, articles: Sequence[Article]) -> None:
        self._documents = Documents(articles)
        self._database = sqlite3.connect(":memory:")
        self._database.execute("CREATE VIRTUAL TABLE documents USING fts5(text, tokenize='trigram')")
        rows = enumerate(self._documents.texts)
        self._database.executemany("INSERT INTO documents(rowid, text) VALUES (?, ?)", rows)

    def rank(self, text: str) -> Ranked:
        wanted = " OR ".join(islice((f'"{part}"' for part in dict.fromkeys(_trigrams(text))), 250))
        if not wanted:
            return []
        query = "SELECT rowid, -rank FROM documents WHERE documents MATCH ? ORDER BY rank LIMIT ?"
        return self._documents.ranked(self._database.execute(query, (wanted, NEAREST)))


class TfIdf:
    """scikit-learn's TF-IDF over words and characters, the highest cosine."""

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        word = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True, dtype=np.float32)
        char = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32)
        self._features = (word, char)

    def build(self, articles: Sequence[Article]) -> None:
        self._documents = Documents(articles)
        self._by_feature = [each.fit_transform(self._documents.texts).T.tocsr() for each in self._features]

    def rank(self, text: str) -> Ranked:
        found = [v.transform([text]) @ each for v, each in zip(self._features, self._by_feature, strict=True)]
        cosines: Any = (found[0] + found[1]).toarray()[0] / 2
        places = np.argsort(-cosines, kind="stable")[:NEAREST].tolist()
        return self._documents.ranked((place, float(cosines[place])) for place in places if cosines[place] > 0)


class Regression:
    """scikit-learn's logistic regression over the articles, on words and pieces of words."""

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_union

        word = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True)
        self._features = make_union(word, TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True))
        self._head = LogisticRegression(C=10, max_iter=200)

    def build(self, articles: Sequence[Article]) -> None:
        documents = Documents(articles)
        self._head.fit(
            self._with_meaning(self._features.fit_transform(documents.texts), documents.texts), documents.ids
        )

    def rank(self, text: str) -> Ranked:
        (likely,) = self._head.predict_proba(self._with_meaning(self._features.transform([text]), [text]))
        return [(str(self._head.classes_[place]), float(likely[place])) for place in np.argsort(-likely)[:TOP]]

    def _with_meaning(self, rows: Any, texts: Sequence[str]) -> Any:
        return rows


class RegressionE5(Regression):
    """The same with the vectors of e5-small beside them, each half of the length."""

    def _with_meaning(self, rows: Any, texts: Sequence[str]) -> Any:
        from scipy.sparse import hstack

        return hstack([rows / np.sqrt(2), np.stack([_e5(text) for text in texts])]).tocsr()


@cache
def _e5(text: str) -> NDArray[np.float32]:
    (row,) = _e5_engine().encode([text])
    return np.asarray(row)


@cache
def _e5_engine() -> E5Small:
    return E5Small()


METHODS: dict[str, Callable[[], Method]] = {
    "rapidfuzz token_set_ratio": Rapidfuzz,
    "bm25s": Bm25s,
    "tantivy": Tantivy,
    "SQLite FTS5 trigram": Fts5,
    "TF-IDF cosine, word + char": TfIdf,
    "logistic regression, word + char": Regression,
    "logistic regression, word + char + e5": RegressionE5,
}


def _trigrams(text: str) -> Iterator[str]:
    clean = " ".join(text.lower().replace('"', " ").replace("\0", " ").split())
    for start in range(len(clean) - 2):
        yield clean[start : start + 3]
