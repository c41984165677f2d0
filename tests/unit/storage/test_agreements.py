"""Terms and calendars are written once, and read once for the life of a process."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from storage.sql import SqlStorage
from tests.contract.storages import SEOUL, TERMS, Bench, clock, keep_clock, load, open_ticket, record, started
from tests.unit.storage.test_sql import statements
from triage.changes import KeepTerms
from triage.policy import Metric


def engine_of(bench: Bench) -> Engine:
    assert bench.engine is not None
    return bench.engine


def kept(bench: Bench) -> list[str]:
    """Kinds of what is kept: `t` terms, `c` calendars."""
    with engine_of(bench).connect() as connection:
        return sorted(str(key)[0] for key in connection.scalars(text("SELECT key FROM agreement")))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_says_the_same_is_kept_once(kind: str, request: pytest.FixtureRequest) -> None:
    """However many tickets, clocks and processes use it."""
    bench: Bench = request.getfixturevalue(f"{kind}_bench")
    for number, storage in enumerate((bench.storage, bench.storage, SqlStorage(engine_of(bench))), start=1):
        open_ticket(storage, number)
        record(storage, KeepTerms(ticket=f"t{number}", terms=replace(TERMS)))
        for metric in (Metric.RESOLUTION, Metric.OWNERSHIP):
            keep_clock(storage, number, clock(metric=metric, log=(started(calendar=replace(SEOUL)),)))
    assert kept(bench) == ["c", "t"]


def test_a_process_reads_them_once(sqlite_bench: Bench) -> None:
    """A turn about the second of two alike tickets asks for neither terms nor calendars."""
    for number in (1, 2):
        open_ticket(sqlite_bench.storage, number)
        record(sqlite_bench.storage, KeepTerms(ticket=f"t{number}", terms=TERMS))
        keep_clock(sqlite_bench.storage, number, clock(log=(started(calendar=SEOUL),)))
    storage = SqlStorage(engine_of(sqlite_bench))
    asked = []
    for number in (1, 2):
        with statements(engine_of(sqlite_bench)) as seen:
            assert load(storage, number=number).terms == TERMS
        asked.append(sum("agreement" in statement for statement in seen))
    assert asked == [2, 0]
