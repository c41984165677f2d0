"""Fills a database with as many tickets as wanted: copies, made inside the database, of those the product opened.

A copy has an id, a number, an owner and message ids of its own; all the rest is as the product wrote it, and
`check` reads some copies back through the product. Called by `tests.benchmarks.sweeps`.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import cycle, islice
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    cast,
    func,
    select,
    text,
    type_coerce,
)
from sqlmodel.sql.sqltypes import AutoString

from storage.codec import Stored
from storage.engine import is_postgres
from storage.rows import (
    accounts,
    agreements,
    clocks,
    conversations,
    entries,
    outbox,
    people,
    pings,
    posts,
    ticket_events,
    tickets,
)
from storage.sql import SqlStorage
from tests.benchmarks.office import Group, Office, Seed

SHARED = (agreements, people, accounts)
PER_TICKET = (tickets, conversations, entries, ticket_events, clocks, pings, outbox, posts)
"""The inbox is left out: it is purged, and nothing that time sets off looks at it."""

IN_ORDER = (entries, ticket_events)
"""Tables in which the order of a ticket's rows says something."""

SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Copy:
    """What stands in a copy instead of what stands in its seed; columns of the table `copied`."""

    seed: str
    id: str
    token: str
    number: int
    agent: str
    seed_token: str
    seed_number: str
    seed_agent: str

    def renamed(self, seed: str) -> str:
        """What is said of the seed, said of the copy. The id comes last: any digits may stand in it."""
        said = seed.replace(self.seed_number, str(self.number)).replace(self.seed_token, self.token)
        return said.replace(self.seed_agent, self.agent).replace(self.seed, self.id)


def _copied() -> Table:
    names = [name for name in Copy.__dataclass_fields__ if name != "number"]
    columns = (Column(name, Text) for name in names)
    return Table("copied", MetaData(), *columns, Column("number", Integer), prefixes=["TEMPORARY"])


COPIED = _copied()


def fill(engine: Engine, office: Office, seeds: Sequence[Seed], sizes: Mapping[Group, int]) -> None:
    """So many tickets of each group, into a migrated database without rows."""
    copies = list(_copies(seeds, sizes, office.policy.teams["it"].agents))
    with engine.connect() as db:
        for table in SHARED:
            _carry(office.engine, table, db, table)
        _keep(db, copies)
        for table in PER_TICKET:
            seeded = _seeded(table)
            seeded.create(db)
            _carry(office.engine, table, db, seeded)
            _multiply(db, table, seeded, seeds)
        db.commit()
        for table in (COPIED, *map(_seeded, PER_TICKET)):
            table.drop(db, checkfirst=False)
        db.commit()
    _settle(engine)
    check(engine, office, copies)


def check(engine: Engine, office: Office, copies: Sequence[Copy]) -> None:
    """Raises AssertionError where a copy, read by the product, is not its seed under another name."""
    storage = SqlStorage(engine)
    for copy in copies[:: max(1, len(copies) // SAMPLE)]:
        seen, expected = _read(storage, copy.id), copy.renamed(_read(office.storage, copy.seed))
        assert seen == expected, f"ticket {copy.number} is not what the product would have written"


def _read(storage: SqlStorage, ticket: str) -> str:
    with storage.writing() as work:
        found, history = work.whole(ticket), work.look().history(ticket, 100)
    return repr((replace(found, people=dict(sorted(found.people.items()))), history))


# --- which copies ------------------------------------------------------------------------------
def _copies(seeds: Sequence[Seed], sizes: Mapping[Group, int], agents: Sequence[str]) -> Iterator[Copy]:
    """In any order: what is due together does not stand together. Each group goes to all agents alike."""
    chance = random.Random(len(seeds))
    wanted = [each for group, size in sizes.items() for each in _of(group, size, seeds, agents)]
    chance.shuffle(wanted)
    for number, (seed, agent) in enumerate(wanted, 1):
        yield Copy(
            seed=seed.id,
            id=uuid.UUID(int=chance.getrandbits(128), version=4).hex,
            token=f"17{number:08d}",
            number=number,
            agent=_mark(agent),
            seed_token=seed.token,
            seed_number=str(seed.number),
            seed_agent=_mark(seed.agent),
        )


def _of(group: Group, size: int, seeds: Sequence[Seed], agents: Sequence[str]) -> Iterator[tuple[Seed, str]]:
    mine = cycle([seed for seed in seeds if seed.group == group])
    return zip(islice(mine, size), cycle(agents), strict=False)


def _mark(agent: str) -> str:
    """What stands both in the id and in the name."""
    return agent[1:]


# --- in the database ---------------------------------------------------------------------------
def _keep(db: Connection, copies: Sequence[Copy]) -> None:
    COPIED.create(db)
    names = ", ".join(Copy.__dataclass_fields__)
    raw = db.connection.cursor()
    if is_postgres(db):
        with raw.copy(f"COPY copied ({names}) FROM STDIN") as into:
            for copy in copies:
                into.write_row(astuple(copy))
        db.execute(text("ANALYZE copied"))
        db.execute(text("SET work_mem = '512MB'"))
    else:
        marks = ", ".join("?" * len(Copy.__dataclass_fields__))
        raw.executemany(f"INSERT INTO copied ({names}) VALUES ({marks})", [astuple(copy) for copy in copies])


def _seeded(table: Table) -> Table:
    """A temporary table with the same columns."""
    columns = (Column(column.name, column.type) for column in table.columns)
    seeded = Table(f"seed_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])
    Index(f"seed_{table.name}_of", _ticket(seeded))
    return seeded


def _ticket(table: Table) -> Column[Any]:
    return table.c.id if table.name.endswith(tickets.name) else table.c.ticket


def _carry(source: Engine, table: Table, db: Connection, into: Table) -> None:
    with source.connect() as rows:
        found = [dict(row) for row in rows.execute(select(table)).mappings()]
    if found:
        db.execute(into.insert(), found)


def _multiply(db: Connection, table: Table, seeded: Table, seeds: Sequence[Seed]) -> None:
    wanted = [column for column in seeded.columns if column.name != "id" or table is tickets]
    joined = COPIED.join(seeded, _ticket(seeded) == COPIED.c.seed)
    rows = select(*(_renamed(db, column, seeds) for column in wanted)).select_from(joined)
    if is_postgres(db) and table in IN_ORDER:
        rows = rows.order_by(COPIED.c.number, seeded.c.id)
    db.execute(table.insert().from_select([column.name for column in wanted], rows, include_defaults=False))


def _renamed(db: Connection, column: Column[Any], seeds: Sequence[Seed]) -> ColumnElement[Any]:
    """`Copy.renamed`, in SQL; what no seed says there is not looked for."""
    if column.name == "number":
        return COPIED.c.number
    if not isinstance(column.type, Stored | AutoString | String):
        return column
    said: ColumnElement[Any] = type_coerce(column, Text)
    texts = " ".join(db.scalars(select(said).where(said.is_not(None))))
    number = cast(COPIED.c.number, Text)
    for marks, old, new in (
        ([str(seed.number) for seed in seeds], COPIED.c.seed_number, number),
        ([seed.token for seed in seeds], COPIED.c.seed_token, COPIED.c.token),
        ([_mark(seed.agent) for seed in seeds], COPIED.c.seed_agent, COPIED.c.agent),
        ([seed.id for seed in seeds], COPIED.c.seed, COPIED.c.id),
    ):
        if any(mark in texts for mark in marks):
            said = func.replace(said, old, new)
    return said


def _settle(engine: Engine) -> None:
    """What the database would have done by itself by then."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("VACUUM ANALYZE"))
            db.execute(text("CHECKPOINT"))
    else:
        with engine.connect() as db:
            db.execute(text("SELECT 1"))
            db.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
