"""The articles on SQL, shared by all processes: synced whole by source, read whole by revision.

`bot.syncing` and `deskbell kb import` write here, `bot.knowing` follows the revision. `storage.learning`
uses `write_articles` and `revise` inside its own transactions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, text, update

from storage.auditing import keep as keep_audit
from storage.bell import Topic
from storage.codec import build, build_all, values
from storage.engine import insert_into, is_postgres, reading, upsert, upsert_all, writing
from storage.pen import Db
from storage.rows_knowledge import articles as shelf
from storage.rows_knowledge import kb_pulls, kb_revision, phrasings
from storage.sources import Key, Learned, Plan, Shelved, Sync, in_force, plan
from triage.auditing import IMPORTED, Act, By, Why
from triage.knowledge import Article
from triage.ports import Replaced

THE_ROW = 1
FEW = 100
"""Articles that a query may name one by one."""
PATIENCE = text("SELECT set_config('statement_timeout', '60s', true), set_config('lock_timeout', '60s', true)")
"""Articles are read and written as a whole, outside of any turn."""


def silence(*_: Topic) -> None:
    """Nobody is told."""


class SqlLibrary:
    """Implements `triage.ports.Library`; `ring` is told of new articles.

    Every method raises Unavailable when the database cannot be reached.
    """

    def __init__(self, engine: Engine, ring: Callable[..., None] = silence) -> None:
        self._engine = engine
        self._ring = ring
        one_view = engine.dialect.name == "postgresql"
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ") if one_view else engine

    def revision(self) -> int:
        with reading(self._engine) as db:
            return _revision(db)

    def articles(self) -> tuple[int, tuple[Article, ...]]:
        with self._snapshot() as db:
            revision = _revision(db)
            rows = db.execute(select(shelf).where(shelf.c.retired_at.is_(None))).all()
            learned = _learned(db)
        return revision, in_force(map(_shelved, rows), learned)

    def replace(
        self,
        source: str,
        articles: Sequence[Article],
        at: datetime,
        *,
        keep: Collection[str] = (),
        retire: bool = True,
    ) -> Replaced:
        """Compares before it takes the write lock, so that a sync without changes keeps nobody waiting."""
        sync = Sync(source=source, articles=articles, at=at, keep=keep, retire=retire)
        with self._snapshot() as db:
            seen, found = _revision(db), plan(sync, _held(db, sync))
        if not found.rows:
            return found.replaced
        with writing(self._engine) as db:
            _be_patient(db)
            if _locked(db) != seen:
                found = plan(sync, _held(db, sync))
            _write(db, found)
            keep_audit(db, [Act(what=IMPORTED)], By(why=Why.ADMIN), at)
            db.commit()
        self._ring(Topic.ARTICLES)
        return found.replaced

    def rehearse(self, source: str, articles: Sequence[Article], at: datetime, *, retire: bool = True) -> Replaced:
        """What `replace` would change. Raises AlreadyHeld like it."""
        sync = Sync(source=source, articles=articles, at=at, retire=retire)
        with self._snapshot() as db:
            return plan(sync, _held(db, sync)).replaced

    def foresee(
        self, source: str, articles: Sequence[Article], at: datetime, *, retire: bool = True
    ) -> tuple[Article, ...]:
        """What would be in force after `replace`. Raises AlreadyHeld like it."""
        sync = Sync(source=source, articles=articles, at=at, retire=retire)
        with self._snapshot() as db:
            held = {each.key: each for each in map(_shelved, db.execute(select(shelf)).all())}
            learned = _learned(db)
        after = {**held, **{row.key: row for row in plan(sync, held).rows}}
        return in_force(after.values(), learned)

    def pulled(self, folder: str, at: datetime, problem: str | None) -> None:
        """Keep how the last pull of a git checkout ended."""
        with writing(self._engine) as db:
            upsert(db, kb_pulls, {"folder": folder, "at": at, "problem": problem}, "folder")
            db.commit()

    def pulls(self) -> Mapping[str, tuple[datetime, str | None]]:
        """When each folder was last pulled, and why that failed if it did."""
        with reading(self._engine) as db:
            rows = db.execute(select(kb_pulls).order_by(kb_pulls.c.folder)).all()
        return {row.folder: (row.at, row.problem) for row in rows}

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """All reads see one moment."""
        with reading(self._snapshots) as db:
            _be_patient(db)
            yield db


def write_articles(db: Db, sync: Sync) -> Replaced:
    """Inside a write transaction: put the source's articles in force. Raises AlreadyHeld."""
    _locked(db)
    found = plan(sync, _held(db, sync))
    _write(db, found)
    return found.replaced


def revise(db: Db) -> None:
    """Inside a write transaction: tell every process that articles or learned phrasings changed."""
    _locked(db)
    db.execute(update(kb_revision).values(revision=kb_revision.c.revision + 1))


def _write(db: Db, found: Plan) -> None:
    if found.rows:
        upsert_all(db, shelf, [_row(row) for row in found.rows], "id", "language")
        revise(db)


def _revision(db: Db) -> int:
    return db.scalar(select(kb_revision.c.revision)) or 0


def _locked(db: Db) -> int:
    """The revision, which no other transaction raises before this one ends."""
    row = insert_into(db.dialect.name, kb_revision).values(id=THE_ROW, revision=0)
    kept = row.on_conflict_do_update(index_elements=["id"], set_={"revision": kb_revision.c.revision})
    db.execute(kept)
    return _revision(db)


def _held(db: Db, sync: Sync) -> Mapping[Key, Shelved]:
    """All articles, retired ones too; for a few that come without retiring others, only those of their ids."""
    ids = {article.id for article in sync.articles}
    query = select(shelf) if sync.retire or len(ids) > FEW else select(shelf).where(shelf.c.id.in_(sorted(ids)))
    found = map(_shelved, db.execute(query).all())
    return {each.key: each for each in found}


def _learned(db: Db) -> Sequence[Learned]:
    return build_all(Learned, db.execute(select(phrasings).order_by(phrasings.c.id)).all())


def _shelved(row: Row[*tuple[Any, ...]]) -> Shelved:
    article = build(Article, row)
    return Shelved(article=article, source=row.source, changed_at=row.changed_at, retired_at=row.retired_at)


def _row(shelved: Shelved) -> dict[str, Any]:
    about = {"source": shelved.source, "changed_at": shelved.changed_at, "retired_at": shelved.retired_at}
    return values(shelved.article) | about


def _be_patient(db: Db) -> None:
    if is_postgres(db):
        db.execute(PATIENCE)
