"""What a sync makes of the articles, and how learned phrasings lie over them; shared by both storages.

Pure: `storage.library` and `storage.memory_library` read, ask here, and write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeGuard

from triage.errors import AlreadyHeld
from triage.knowledge import Article
from triage.model import Language
from triage.ports import Replaced

Key = tuple[str, Language]

LEARNED = "learned"
"""The source of articles that were accepted from proposals; any other may take them over, since `kb export`
writes them into a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """An article as a source gave it; not in force once it is retired."""

    article: Article
    source: str
    changed_at: datetime
    retired_at: datetime | None = None

    @property
    def key(self) -> Key:
        return self.article.id, self.article.language


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A way to ask that was learned; `against` says that this article is not meant by it."""

    article: str
    language: Language
    text: str
    against: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What one source gives: `keep` are ids that stay as they are, without `retire` everything does."""

    source: str
    articles: Sequence[Article]
    at: datetime
    keep: Collection[str] = ()
    retire: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The rows to write, and what to tell of them."""

    rows: tuple[Shelved, ...]
    replaced: Replaced


def plan(sync: Sync, held: Mapping[Key, Shelved]) -> Plan:
    """What to write so that the source's articles are these.

    `held` are all articles of this source and whatever else bears the key of one that it gives, retired
    ones too. What another source has word for word stays that source's. Raises AlreadyHeld.
    """
    cleaned = (_clean(article) for article in sync.articles)
    given = {
        (article.id, article.language): article for article in cleaned if not _is_there(sync.source, article, held)
    }
    _refuse(sync.source, given, held)
    after = [_shelved(sync, article, held.get(key)) for key, article in given.items()]
    added = [row for row in after if not _in_force(held.get(row.key))]
    changed = [row for row in after if _in_force(before := held.get(row.key)) and row.article != before.article]
    gone = [_retired(sync, before) for key, before in held.items() if key not in given and _goes(sync, before)]
    replaced = Replaced(added=_ids(added), changed=_ids(changed), retired=_ids(gone))
    return Plan(rows=(*added, *changed, *gone), replaced=replaced)


def laid(article: Article, learned: Sequence[Learned]) -> Article:
    """The article with what was learned over it, oldest first: of a text, the last word counts."""
    phrasings, against = dict.fromkeys(article.phrasings), dict.fromkeys(article.against)
    for each in learned:
        ours, other = (against, phrasings) if each.against else (phrasings, against)
        other.pop(each.text, None)
        ours[each.text] = None
    return replace(article, phrasings=tuple(phrasings), against=tuple(against)) if learned else article


def in_force(shelved: Iterable[Shelved], learned: Iterable[Learned]) -> tuple[Article, ...]:
    """Every article in force, by id and language, with its learned phrasings."""
    over: dict[Key, list[Learned]] = {}
    for each in learned:
        over.setdefault((each.article, each.language), []).append(each)
    kept = [laid(each.article, over.get(each.key, ())) for each in shelved if each.retired_at is None]
    return tuple(sorted(kept, key=lambda article: (article.id, article.language)))


def _refuse(source: str, given: Mapping[Key, Article], held: Mapping[Key, Shelved]) -> None:
    others = {
        (id, str(language)): held[id, language].source
        for id, language in given
        if (id, language) in held and _is_anothers(source, held[id, language])
    }
    if others:
        raise AlreadyHeld(source, others)


def _is_anothers(source: str, shelved: Shelved) -> bool:
    return shelved.source not in (source, LEARNED) and shelved.retired_at is None


def _is_there(source: str, article: Article, held: Mapping[Key, Shelved]) -> bool:
    """Whether another source has put the same in force, as when an export is imported again."""
    before = held.get((article.id, article.language))
    return before is not None and _is_anothers(source, before) and _numbered(article, before) == before.article


def _in_force(before: Shelved | None) -> TypeGuard[Shelved]:
    return before is not None and before.retired_at is None


def _shelved(sync: Sync, article: Article, before: Shelved | None) -> Shelved:
    return Shelved(article=_numbered(article, before), source=sync.source, changed_at=sync.at)


def _numbered(article: Article, before: Shelved | None) -> Article:
    if before is None:
        return article
    version = before.article.version
    same = replace(article, version=version) == before.article
    return replace(article, version=max(article.version, version if same else version + 1))


def _goes(sync: Sync, before: Shelved) -> bool:
    ours = before.source == sync.source and before.retired_at is None
    return ours and sync.retire and before.article.id not in sync.keep


def _retired(sync: Sync, before: Shelved) -> Shelved:
    return replace(before, retired_at=sync.at)


def _ids(rows: Iterable[Shelved]) -> tuple[str, ...]:
    return tuple(sorted({row.article.id for row in rows}))


def _clean(article: Article) -> Article:
    """Without what no database takes: NUL, and halves of characters."""
    return replace(
        article,
        title=_text(article.title),
        body=_text(article.body),
        phrasings=tuple(map(_text, article.phrasings)),
        against=tuple(map(_text, article.against)),
        tags=tuple(map(_text, article.tags)),
    )


def _text(text: str) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()
