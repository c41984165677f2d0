"""The knowledge base as values: articles in several languages, seen by an audience."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from triage.model import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One entry in one language; entries that share an `id` are translations of one another.

    `audience` is `public`, `company` or `team:ID`. `body` is Markdown. `against` are questions that
    look like this article's and are not.
    """

    id: str
    title: str
    body: str = ""
    phrasings: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    language: Language = Language.EN
    team: str = ""
    audience: str = "company"
    tags: tuple[str, ...] = ()
    owner: str | None = None
    review: date | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    articles: tuple[Article, ...] = ()
    _by_id: Mapping[str, tuple[Article, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, articles: Iterable[Article]) -> KnowledgeBase:
        kept = tuple(articles)
        by_id: dict[str, tuple[Article, ...]] = {}
        for article in kept:
            by_id[article.id] = (*by_id.get(article.id, ()), article)
        return cls(kept, MappingProxyType(by_id))

    def for_audience(self, audience: frozenset[str]) -> KnowledgeBase:
        """Only what these audiences may read; nothing else may influence an answer."""
        return KnowledgeBase.of(a for a in self.articles if a.audience in audience)

    def article(self, id: str, language: Language) -> Article | None:
        """The article in this language, else in English, else in whatever language there is."""
        versions = self._by_id.get(id, ())
        for wanted in (language, Language.EN):
            for article in versions:
                if article.language is wanted:
                    return article
        return versions[0] if versions else None
