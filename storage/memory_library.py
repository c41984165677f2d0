"""The articles in memory. Made by `storage.memory.MemoryStorage`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from storage.memory_tables import Tables
from storage.sources import Sync, in_force, plan
from triage.auditing import IMPORTED, Act, By, Why
from triage.knowledge import Article
from triage.ports import Replaced

KB = "kb"


class MemoryLibrary:
    """Implements `triage.ports.Library`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def revision(self) -> int:
        with self._tables.held():
            return self._tables.revisions.get(KB, 0)

    def articles(self) -> tuple[int, tuple[Article, ...]]:
        with self._tables.held():
            articles = in_force(self._tables.articles.values(), self._tables.phrasings.values())
            return self._tables.revisions.get(KB, 0), articles

    def replace(
        self,
        source: str,
        articles: Sequence[Article],
        at: datetime,
        *,
        keep: Collection[str] = (),
        retire: bool = True,
    ) -> Replaced:
        sync = Sync(source=source, articles=articles, at=at, keep=keep, retire=retire)
        with self._tables.transaction():
            replaced = write_articles(self._tables, sync)
            if replaced:
                self._tables.note([Act(what=IMPORTED)], By(why=Why.ADMIN), at)
            self._tables.commit()
        return replaced


def write_articles(tables: Tables, sync: Sync) -> Replaced:
    """Inside a transaction: put the source's articles in force. Raises AlreadyHeld."""
    found = plan(sync, tables.articles)
    for row in found.rows:
        tables.put(tables.articles, row.key, row)
    if found.rows:
        revise(tables)
    return found.replaced


def revise(tables: Tables) -> None:
    """Inside a transaction: tell every process that articles or learned phrasings changed."""
    tables.put(tables.revisions, KB, tables.revisions.get(KB, 0) + 1)
