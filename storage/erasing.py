"""Erasing a person from the database while desks run on it. Called by `deskbell erase`.

What is to be found is kept first, in one transaction in which the person loses name and accounts; then every
row of every table is read, and those that hold something of the person are replaced, a few in a transaction,
until a pass finds nothing. Whatever stops it, the same command goes on; when it is done nothing says who it was.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    String,
    TableClause,
    and_,
    column,
    delete,
    or_,
    select,
    table,
    update,
)
from sqlalchemy import text as sql

from storage.auditing import keep
from storage.codec import Paged, Stored, Worded
from storage.columns import METADATA
from storage.engine import insert_new, is_postgres, reading, writing
from storage.library import revise
from storage.needles import Needles
from storage.rows import accounts, conversations, entries, people, references, tickets
from storage.rows_data import erasures
from storage.rows_knowledge import cases, proposals
from storage.scrubbing import ERASED as TOKEN
from storage.scrubbing import Row, Scrubber
from triage.auditing import ERASED, Act, By, Why
from triage.errors import Unavailable
from triage.model import ENDED

Result = TypeVar("Result")

AT_ONCE = 50
"""Rows in one transaction, short enough for turns to wait."""
PASSES = 10
TRIES = 8
"""Of a transaction that found the database busy each time, for a second and a half on SQLite."""
LEFT_OUT = frozenset({"audit", "erasure", "retention", "alembic_version"})
"""They hold nothing of anybody but surrogates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """How somebody was named: what desk.yaml says of them goes beside what the database knows."""

    person: str
    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many rows of each table were replaced or deleted, and numbers of tickets that are open still: those
    they asked for, and those they had taken."""

    rows: Mapping[str, int] = field(default_factory=dict)
    open_tickets: tuple[int, ...] = ()
    owned_tickets: tuple[int, ...] = ()
    found: bool = True


def find_needles(db: Connection, named: Named, new_id: Callable[[], str]) -> Needles | None:
    """What is kept under these names, None when nothing is."""
    given = {named.person, *named.ids}
    given |= _also_called(db, given)
    theirs = or_(accounts.c.user.in_(given), accounts.c.key.in_(given))
    whose = select(accounts.c.person).where(theirs)
    known = db.execute(select(people).where(or_(people.c.id.in_(given), people.c.id.in_(whose)))).all()
    if not known and not _is_mentioned(db, given):
        return None
    own = [row.id for row in known] or [named.person]
    ids: dict[str, str] = {}
    for row in known:
        ids[row.id] = row.surrogate or new_id()
    ids.setdefault(own[0], new_id())
    for row in db.execute(select(accounts).where(or_(accounts.c.person.in_(own), theirs))):
        for id in (row.user, row.direct.id if row.direct else None):
            if id is not None:
                ids.setdefault(id, new_id())
    for id in (named.ids | _also_called(db, ids.keys())) - ids.keys():
        ids[id] = new_id()
    opened = db.execute(select(tickets.c.number, tickets.c.id).where(tickets.c.requester.in_(own))).all()
    names = {row.name for row in known} | named.names
    return Needles(
        ids=ids,
        names=tuple(sorted(names - {"", TOKEN})),
        texts=tuple(sorted(_texts(db, own, [row.id for row in opened]) - {"", TOKEN})),
        tickets={row.number: row.id for row in opened},
        conversations=tuple(db.scalars(select(conversations.c.key).where(conversations.c.requester.in_(own)))),
    )


def _also_called(db: Connection, users: Collection[str]) -> set[str]:
    """Teams has two ids for a person: the references of its adapter hold both, side by side."""
    found: set[str] = set()
    for text in db.scalars(select(references.c.reference)):
        with suppress(ValueError, AttributeError):
            known = json.loads(text)
            pair = {known.get("user"), known.get("user_object")} - {"", None}
            found |= pair if not pair.isdisjoint(users) else set()
    return found


def _is_mentioned(db: Connection, ids: Collection[str]) -> bool:
    owned = select(tickets.c.id).where(or_(tickets.c.requester.in_(ids), tickets.c.owner.in_(ids)))
    wrote = select(entries.c.id).where(entries.c.author.in_(ids))
    return any(db.execute(query.limit(1)).first() for query in (owned, wrote))


def _texts(db: Connection, own: Collection[str], opened: Collection[str]) -> set[str]:
    """All that they wrote, in tickets and before there was one; of an agent, what they answered and noted."""
    said = entries.c.author.in_(own) & (entries.c.kind != "event")
    found = [
        *db.scalars(select(entries.c.text).where(said)),
        *db.scalars(select(tickets.c.subject).where(tickets.c.requester.in_(own))),
        *db.scalars(select(conversations.c.question).where(conversations.c.requester.in_(own))),
        *db.scalars(select(cases.c.text).where(cases.c.ticket.in_(opened))),
        *db.scalars(select(proposals.c.text).where(proposals.c.ticket.in_(opened))),
    ]
    return set(found)


class Erasing:
    """`new_id` gives what takes the place of ids."""

    def __init__(self, engine: Engine, new_id: Callable[[], str]) -> None:
        self._engine = engine
        self._new_id = new_id

    def erase(self, named: Named, at: datetime, *, dry: bool = False) -> Erased:
        """All of it; twice is harmless. Raises Unavailable, and then the same call goes on with it."""
        begun = self._begun(named)
        with reading(self._engine) as db:
            fresh = find_needles(db, named, self._new_id)
            needles = _joined(begun, fresh)
            if needles is None:
                return Erased(found=False)
            left = Erased(
                open_tickets=_not_ended(db, tickets.c.id.in_(needles.tickets.values())),
                owned_tickets=_not_ended(db, tickets.c.owner.in_({*needles.ids, *needles.ids.values()})),
            )
        if dry:
            return replace(left, rows=self._pass(needles, dry=True))
        counted = _insisting(lambda: self._begin(needles, at)) + self._until_nothing(needles)
        _insisting(lambda: self._end(needles))
        self._overwrite()
        return replace(left, rows=counted)

    def _begun(self, named: Named) -> Needles | None:
        """What an erasure of this person that was stopped looks for."""
        given = {named.person, *named.ids, *named.names}
        with reading(self._engine) as db:
            kept = db.scalars(select(erasures.c.needles)).all()
        return next((each for each in kept if given & {*each.ids, *each.ids.values(), *each.names}), None)

    def _begin(self, needles: Needles, at: datetime) -> Counter[str]:
        """Keep what is looked for; from here on nobody can be told by these names any more."""
        key, own = _key(needles), list(needles.ids)
        with writing(self._engine) as db:
            if insert_new(db, erasures, {"person": key, "begun_at": at, "needles": needles}, "person"):
                keep(db, [Act(what=ERASED, about=id) for id in _known(db, own)], By(why=Why.ADMIN), at)
            else:
                db.execute(update(erasures).where(erasures.c.person == key).values(needles=needles))
            gone = db.execute(delete(accounts).where(accounts.c.person.in_(own))).rowcount
            blank = {"name": TOKEN, "account": None, "timezone": None}
            for id in _known(db, own):
                db.execute(update(people).where(people.c.id == id).values(blank | {"id": needles.ids[id]}))
            db.commit()
        return Counter({"account": gone} if gone else {})

    def _end(self, needles: Needles) -> None:
        with writing(self._engine) as db:
            db.execute(delete(erasures).where(erasures.c.person == _key(needles)))
            db.commit()

    def _until_nothing(self, needles: Needles) -> Counter[str]:
        """A turn under way may write what it read before; so once more, until there is nothing."""
        counted: Counter[str] = Counter()
        for _ in range(PASSES):
            found = self._pass(needles)
            if not found:
                return counted
            counted += found
        raise Unavailable("others keep writing what is to be erased; run the same command again")

    def _pass(self, needles: Needles, *, dry: bool = False) -> Counter[str]:
        scrubber, counted = Scrubber(needles), Counter[str]()
        with reading(self._engine) as db:
            be_patient(db)
            for name in tables_with_people():
                found = (row for row in rows_of(db, name) if scrubber.row(name, row) != row)
                while some := list(islice(found, AT_ONCE)):
                    replace = partial(self._replace, name, some, scrubber)
                    counted[name] += len(some) if dry else _insisting(replace)
        return +counted

    def _replace(self, name: str, found: Collection[Row], scrubber: Scrubber) -> int:
        raw, done = raw_table(name), 0
        keys = [each.name for each in METADATA.tables[name].primary_key]
        with writing(self._engine) as db:
            if name == "conversation":
                _lock(db, [row["key"] for row in found])
            for row in found:
                here = and_(*(raw.c[key] == row[key] for key in keys))
                now = db.execute(select(raw).where(here).with_for_update()).mappings().first()
                before = dict(now) if now else None
                after = scrubber.row(name, before) if before else None
                if before is None or after == before:
                    continue
                done += 1
                if after is None:
                    db.execute(raw.delete().where(here))
                else:
                    changed = {key: value for key, value in after.items() if value != before[key]}
                    db.execute(raw.update().where(here).values(changed | _raised(name, after)))
            if done and name in ("article", "phrasing"):
                revise(db)
            db.commit()
        return done

    def _overwrite(self) -> None:
        """On SQLite: what the log still holds goes into the file, so that the log can be emptied."""
        if self._engine.dialect.name == "sqlite":
            with suppress(Unavailable), self._engine.connect().execution_options(immediate=True) as db:
                db.rollback()
                db.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _not_ended(db: Connection, which: ColumnElement[bool]) -> tuple[int, ...]:
    """The numbers of those of these tickets that are open still."""
    found = select(tickets.c.number).where(which, tickets.c.status.not_in(ENDED))
    return tuple(db.scalars(found.order_by(tickets.c.number)))


def _insisting(write: Callable[[], Result]) -> Result:
    """The result of `write`, tried again where busy turns kept it out: SQLite keeps no queue of those who wait."""
    for _ in range(TRIES - 1):
        with suppress(Unavailable):
            return write()
    return write()


def rows_of(db: Connection, name: str) -> Iterator[Row]:
    """All rows of a table as the database holds them."""
    query = select(raw_table(name)).execution_options(yield_per=500)
    return (dict(row) for row in db.execute(query).mappings())


def raw_table(name: str) -> TableClause:
    """The table without our types: JSON is text."""
    found = METADATA.tables[name].c
    return table(name, *(column(each.name, _raw_type(each.type)) for each in found))


def _raw_type(kind: Any) -> Any:
    return String() if isinstance(kind, Stored | Paged | Worded | String) else kind


def tables_with_people() -> list[str]:
    """Tables in which something of a person may stand."""
    return [each.name for each in METADATA.sorted_tables if each.name not in LEFT_OUT]


def _known(db: Connection, ids: Collection[str]) -> list[str]:
    return list(db.scalars(select(people.c.id).where(people.c.id.in_(ids))))


def _key(needles: Needles) -> str:
    return next(iter(needles.ids.values()))


def _joined(one: Needles | None, other: Needles | None) -> Needles | None:
    if one is None or other is None:
        return one or other
    return replace(
        one,
        ids={**one.ids, **{id: token for id, token in other.ids.items() if id not in one.ids.values()}, **one.ids},
        names=tuple({*one.names, *other.names}),
        texts=tuple({*one.texts, *other.texts}),
        tickets={**one.tickets, **other.tickets},
        conversations=tuple({*one.conversations, *other.conversations}),
    )


def _raised(name: str, after: Row) -> Row:
    """A ticket that a turn has just read must be read again."""
    return {"version": after["version"] + 1} if name == "ticket" else {}


def _lock(db: Connection, keys: Collection[str]) -> None:
    """On PostgreSQL, wait for turns of these threads."""
    if is_postgres(db):
        for key in sorted(keys):
            db.execute(
                sql("INSERT INTO thread_lock VALUES (:key, now()) ON CONFLICT (key) DO UPDATE SET at = now()"),
                {"key": key},
            )


def be_patient(db: Connection) -> None:
    """Reading everything takes longer than a turn may."""
    if is_postgres(db):
        db.execute(sql("SELECT set_config('statement_timeout', '60s', true)"))
