"""What is asked again and again reads a small index, however large the tables grow."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Float, Select, false, literal, text

from storage.clocking import due_query, people_query, steps_query
from storage.outbox import free_query
from tests.contract.storages import AT, Bench

KINDS = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


def plan(connection: Connection, query: Select[Any]) -> str:
    """How the database would go about it. PostgreSQL reads and sorts a table this small whole, unless told not to."""
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF)"
    if connection.dialect.name == "postgresql":
        for way in ("seqscan", "bitmapscan", "sort"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {compiled}"))


def planned(kind: str, request: pytest.FixtureRequest, query: Select[Any]) -> str:
    bench: Bench = request.getfixturevalue(f"{kind}_bench")
    assert bench.engine is not None
    with bench.engine.connect() as connection:
        return plan(connection, query)


@KINDS
def test_due_clocks_are_an_index_range(kind: str, request: pytest.FixtureRequest) -> None:
    """The sweep never looks at clocks whose time has not come."""
    steps = planned(kind, request, due_query(AT, 10))
    if kind == "sqlite":
        assert "SEARCH clock USING INDEX clock_next_at (next_at<?)" in steps
        assert "SCAN" not in steps
    else:
        assert "Index Scan using clock_next_at on clock" in steps
        assert "Index Cond: (next_at <=" in steps
        assert "Sort" not in steps


@KINDS
def test_due_steps_are_an_index_range(kind: str, request: pytest.FixtureRequest) -> None:
    """Nor at tickets whose escalation rests."""
    steps = planned(kind, request, steps_query(AT, 10))
    if kind == "sqlite":
        assert "SEARCH ticket USING INDEX ticket_step_at (step_at<?)" in steps
        assert "SCAN" not in steps
    else:
        assert "Index Scan using ticket_step_at on ticket" in steps
        assert "Index Cond: (step_at <=" in steps
        assert "Sort" not in steps


@KINDS
def test_waiting_pings_are_a_partial_index(kind: str, request: pytest.FixtureRequest) -> None:
    """Nor at pings that were said: the index holds none of them."""
    steps = planned(kind, request, people_query(AT, 10))
    expected = "SCAN ping USING INDEX ping_waiting" if kind == "sqlite" else "Index Scan using ping_waiting on ping"
    assert expected in steps


def test_a_lease_reads_pending_rows_only(sqlite_bench: Bench) -> None:
    """However many rows were ever sent, delivery walks the small index of those that wait."""
    assert sqlite_bench.engine is not None
    with sqlite_bench.engine.connect() as connection:
        steps = plan(connection, free_query(literal(0.0, Float), 10, false()))
    assert "SCAN outbox USING INDEX outbox_rank" in steps
    assert "INDEX outbox_lane (lane=? AND rowid<?)" in steps or "INDEX outbox_lane (lane=? AND id<?)" in steps
