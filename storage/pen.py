"""A write transaction's connection that keeps back what is only written, until somebody reads or it ends.

Rows for one table then go in one round trip, of one turn as of the several that share a transaction.
Made by `storage.unit_of_work`, one for each transaction; what is read through it sees all that was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg
from sqlalchemy import Connection, CursorResult, Dialect, Executable, Insert, ScalarResult

from storage.rows import accounts, conversations, people, tickets

FIRST = (people, accounts, conversations, tickets)
"""Tables that others refer to, in the order in which they do."""


class Pen:
    """As much of a `Connection` as a transaction needs. `beside` is for what depends on nothing kept back."""

    def __init__(self, connection: Connection) -> None:
        self.beside = connection
        self._kept: dict[Insert, list[dict[str, Any]]] = {}

    @property
    def dialect(self) -> Dialect:
        return self.beside.dialect

    def execute(self, statement: Executable, parameters: Any = None, **options: Any) -> CursorResult[Any]:
        self.flush()
        return self.beside.execute(statement, parameters, **options)

    def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        self.flush()
        return self.beside.scalar(statement, parameters)

    def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        self.flush()
        return self.beside.scalars(statement, parameters)

    def keep_back(self, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
        """Rows for one and the same statement go together, in their order."""
        self._kept.setdefault(statement, []).extend(rows)

    def flush(self) -> None:
        """All is kept until all of it is written, so that nothing can be committed without it."""
        if self._kept:
            with self._in_one_go():
                for statement in sorted(self._kept, key=_rank):
                    self.beside.execute(statement.inline(), self._kept[statement])
            self._kept.clear()

    def _in_one_go(self) -> AbstractContextManager[object]:
        """PostgreSQL gets the next statement without having answered the last: one round trip for all of them.

        What is wrong with one of them may be raised at the end, by the driver itself: `storage.engine` knows both.
        """
        driver = self.beside.connection.driver_connection
        return driver.pipeline() if isinstance(driver, psycopg.Connection) and len(self._kept) > 1 else nullcontext()

    def commit(self) -> None:
        self.flush()
        self.beside.commit()


Db = Connection | Pen


def write(db: Db, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows with the same columns: later with a pen, now without."""
    if not rows:
        return
    if isinstance(db, Pen):
        db.keep_back(statement, rows)
    else:
        db.execute(statement, rows)


def _rank(statement: Insert) -> int:
    return FIRST.index(statement.table) if statement.table in FIRST else len(FIRST)
