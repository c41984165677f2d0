"""The third migration: clocks of version 0.2 go on as they were, under the new engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, inspect, text

from storage.columns import METADATA
from storage.engine import make_engine, writing
from storage.schema import MIGRATIONS, migrate
from storage.sql import SqlStorage
from tests.contract.storages import ASKED, lease, ping, record, words
from triage.calendars import ALWAYS, Calendar, Window
from triage.changes import KeepPing, KeepPosition
from triage.clocks import Clock, ClockState, due_at
from triage.escalation import Position
from triage.model import Priority
from triage.outgoing import Direct, Guard, Pings
from triage.policy import Metric, Targets, Terms
from triage.ports import Loaded
from triage.sla import next_at, ring
from triage.timeline import Do, Event

HOUR = 3_600
WEEKDAYS = tuple(Window(day=day, opens=9 * HOUR, closes=17 * HOUR) for day in range(5))
LONDON = Calendar(timezone="Europe/London", windows=WEEKDAYS)
TERMS = Terms(
    calendar=LONDON,
    targets={Priority.NORMAL: Targets(seconds={Metric.FIRST_RESPONSE: 4 * HOUR, Metric.RESOLUTION: 8 * HOUR})},
    warn=("50%", "-30m"),
)
OLD_TERMS = {
    "calendar": {
        "timezone": "Europe/London",
        "windows": [{"day": day, "opens": 9 * HOUR, "closes": 17 * HOUR} for day in range(5)],
        "holidays": [],
    },
    "targets": {
        "normal": {
            "seconds": {"first_response": 4 * HOUR, "resolution": 8 * HOUR},
            "hours": "business",
            "pause_on_hold": False,
            "reopen": "exclude",
        }
    },
    "warn": ["50%", "-30m"],
}


def day(number: int, hour: int, minute: int = 0) -> datetime:
    """Of March 2026, whose ninth is a Monday; London is on UTC still."""
    return datetime(2026, 3, number, hour, minute, tzinfo=UTC)


def happened(*events: tuple[str, datetime, int | None]) -> str:
    return json.dumps([{"at": f"{at:%Y-%m-%dT%H:%M:%S}Z", "kind": kind, "target": to} for kind, at, to in events])


MET = {
    "ticket": "t1",
    "metric": "first_response",
    "log": happened(("start", day(9, 9), 4 * HOUR), ("meet", day(9, 10), None)),
    "state": "met",
    "due_at": day(9, 13),
    "live": False,
}
RUNNING = {
    "ticket": "t1",
    "metric": "resolution",
    "log": happened(
        ("start", day(9, 9), 8 * HOUR),
        ("pause", day(9, 10), None),
        ("resume", day(9, 11), None),
        ("retarget", day(9, 15), 16 * HOUR),
    ),
    "state": "running",
    "due_at": day(11, 10),
    "next_at": day(10, 10),
    "revision": 2,
}
"""It was warned at 14:00, under the first target."""
PAUSED = {
    "ticket": "t2",
    "metric": "resolution",
    "log": happened(("start", day(9, 9), 8 * HOUR), ("pause", day(9, 14), None)),
    "state": "paused",
    "due_at": None,
    "fired": '["50%"]',
}
BROKEN = {
    "ticket": "t3",
    "metric": "resolution",
    "log": happened(("start", day(9, 9), 2 * HOUR), ("breach", day(9, 11), None), ("retarget", day(9, 12), 5 * HOUR)),
    "hours": "calendar",
    "state": "breached",
    "due_at": day(9, 14),
    "fired": '["due"]',
    "revision": 2,
}
"""Once told, a breach is told no more, whatever is promised then."""
CLOCKS = (MET, RUNNING, PAUSED, BROKEN)
GUARD = {"ticket": "t1", "metric": "resolution", "instance": 1, "revision": 2}
OLD_CARD = {
    "number": 1,
    "subject": "VPN",
    "text": "It fails",
    "requester": {"person": "ann", "name": "Ann"},
    "team": "IT",
    "status": "open",
    "priority": "normal",
    "owner": None,
    "opened": {"at": "2026-03-09T09:00:00Z", "zone": "UTC"},
    "due": [["resolution", {"at": "2026-03-11T10:00:00Z", "zone": "UTC"}]],
    "resolved": False,
    "kind": "card",
}
OLD_SAY: dict[str, Any] = {"phrase": "error.failed", "values": {"id": "7"}, "quote": None, "choices": [], "kind": "say"}


@contextmanager
def migrating(url: str) -> Iterator[tuple[Config, Connection]]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = make_engine(url, timeouts=False)
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        yield config, connection
        connection.commit()
    engine.dispose()


def insert(connection: Connection, name: str, **row: Any) -> None:
    table = Table(name, MetaData(), autoload_with=connection)
    connection.execute(table.insert().values(row))


def old_ticket(connection: Connection, number: int, **changes: Any) -> None:
    row = {
        "id": f"t{number}",
        "number": number,
        "team": "it",
        "requester": "ann",
        "subject": "VPN",
        "language": "en",
        "priority": "normal",
        "status": "open",
        "opened_at": day(9, 9),
        "restricted": False,
        "chain": '["owner", "team"]',
        "step": 1,
        "version": 3,
        "terms": json.dumps(OLD_TERMS),
    }
    insert(connection, "ticket", **(row | changes))


def old_said(connection: Connection, key: str, notice: dict[str, Any], guard: dict[str, Any] | None) -> None:
    thread = {"channel": {"platform": "slack", "place": "T1", "id": key, "kind": "channel"}, "root": None}
    insert(
        connection,
        "outbox",
        key=key,
        state="pending",
        lane=key,
        bucket=key,
        rank=0,
        to=json.dumps({"thread": thread, "order": None, "kind": "in_thread"}),
        notice=json.dumps(notice),
        language="en",
        fallback="x",
        guard=json.dumps(guard, separators=(",", ":")) if guard else None,
        created_at=day(9, 9),
        tries=0,
    )


def at_second_schema(url: str) -> None:
    """A database as version 0.2 kept it."""
    with migrating(url) as (config, connection):
        command.upgrade(config, "0002")
        for number in (1, 2, 3):
            old_ticket(connection, number)
        old_ticket(connection, 4, terms=None)
        for clock in CLOCKS:
            usual = {"instance": 1, "hours": "business", "fired": "[]", "revision": 1, "next_at": None, "live": True}
            insert(connection, "clock", **(usual | clock))
        old_said(connection, "ping", OLD_SAY, GUARD)
        old_said(connection, "card", OLD_CARD, None)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An old database, migrated to the third schema."""
    found: str = (
        f"sqlite:///{tmp_path / 'desk.db'}" if request.param == "sqlite" else request.getfixturevalue("new_postgres")
    )
    at_second_schema(found)
    with migrating(found) as (config, _):
        command.upgrade(config, "head")
    return found


@pytest.fixture
def storage(url: str) -> Iterator[SqlStorage]:
    storage = SqlStorage(make_engine(url))
    yield storage
    storage.close()


def whole(storage: SqlStorage, ticket: str) -> Loaded:
    with storage.writing() as work:
        return work.whole(ticket)


def clock_of(storage: SqlStorage, row: dict[str, Any]) -> Clock:
    (found,) = [each for each in whole(storage, row["ticket"]).clocks if each.metric == row["metric"]]
    return found


def named(row: dict[str, Any]) -> str:
    return str(row["state"])


# --- up ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", CLOCKS, ids=named)
def test_every_clock_is_due_when_it_was(row: dict[str, Any], storage: SqlStorage) -> None:
    """The walk over its log and its calendar leads to the instant that was kept."""
    clock = clock_of(storage, row)
    assert (due_at(clock), clock.state, clock.live) == (row["due_at"], ClockState(row["state"]), row.get("live", True))
    assert (clock.known_at, clock.measure.calendar) == (day(9, 9), ALWAYS if "hours" in row else LONDON)


def test_what_is_kept_beside_a_log_follows_from_it(url: str, storage: SqlStorage) -> None:
    """Queries and guards ask the columns; decisions ask the clock."""
    with storage.reading() as reading:
        dues = reading.due_of(["t1", "t2", "t3"])
    with storage._engine.connect() as connection:
        rows = connection.execute(text("SELECT ticket, metric, revision, live, paused FROM clock")).all()
    kept = {(row.ticket, row.metric): (row.revision, bool(row.live), bool(row.paused)) for row in rows}
    clocks = {(each["ticket"], each["metric"]): clock_of(storage, each) for each in CLOCKS}
    assert kept == {key: (clock.revision, clock.live, clock.paused) for key, clock in clocks.items()}
    assert dues == {"t1": day(11, 10), "t3": day(9, 14)}


def test_a_ticket_keeps_its_terms_and_its_opening(storage: SqlStorage) -> None:
    """Its clocks can be computed from its events from now on; where it had no terms it has none."""
    opened = Event(at=day(9, 9), do=Do.OPEN, priority=Priority.NORMAL, terms=TERMS, team="it")
    first, without = whole(storage, "t1"), whole(storage, "t4")
    assert (first.terms, first.events, first.position) == (TERMS, (opened,), Position())
    assert (without.terms, [each.terms for each in without.events]) == (None, [None])
    assert first.ticket is not None
    assert first.ticket.version == 3


def test_the_next_warning_comes_when_it_would_have(storage: SqlStorage) -> None:
    """And none that was said under an earlier target comes again."""
    clock = clock_of(storage, RUNNING)
    assert next_at(clock, TERMS) == day(10, 10)
    assert ring(clock, TERMS, day(10, 9, 59)) is None
    with storage.writing() as work:
        assert work.due(day(10, 9), 9) == []
        assert [(due.clock, due.terms) for due in work.due(day(10, 10), 9)] == [(clock, TERMS)]


@pytest.mark.parametrize("row", [MET, PAUSED, BROKEN], ids=named)
def test_whatever_was_said_is_not_said_again(row: dict[str, Any], storage: SqlStorage) -> None:
    """A met clock, a paused one, and a broken promise of which everybody was told."""
    clock = clock_of(storage, row)
    assert (ring(clock, TERMS, day(20, 9)), next_at(clock, TERMS)) == (None, None)


def test_what_was_about_to_be_said_is_said(storage: SqlStorage) -> None:
    """Rows that waited for delivery are read as they were written."""
    parcels = lease(storage.outbox)
    guard = Guard(ticket="t1", metric=Metric.RESOLUTION, instance=1, revision=2)
    assert (set(parcels), parcels["ping"].outgoing.guard) == ({"ping", "card"}, guard)
    assert storage.outbox.standing(parcels["ping"]) == parcels["ping"]


# --- down and up again ---------------------------------------------------------------------------
def again(url: str, *, down: Callable[[Connection], None]) -> None:
    """Back to 0.2, which does something, and forth."""
    with migrating(url) as (config, connection):
        command.downgrade(config, "0002")
        down(connection)
    migrate(url)


def test_a_downgrade_gives_back_the_old_tables(url: str) -> None:
    """With the terms on the ticket, and none of the new tables."""

    def look(connection: Connection) -> None:
        found = inspect(connection)
        assert {"chain", "step", "terms"} <= {column["name"] for column in found.get_columns("ticket")}
        assert {"state", "fired", "hours"} <= {column["name"] for column in found.get_columns("clock")}
        assert not {"agreement", "ticket_event", "ping", "downtime"} & set(found.get_table_names())
        terms = json.loads(str(connection.scalar(text("SELECT terms FROM ticket WHERE id = 't1'"))))
        assert terms == OLD_TERMS
        assert connection.scalar(text("SELECT count(*) FROM ticket")) == 4

    again(url, down=look)


def test_tickets_come_through_there_and_back(url: str) -> None:
    """Their terms stay; their clocks and chains begin anew."""
    storage = SqlStorage(make_engine(url))
    record(storage, KeepPosition(ticket="t1", position=Position(run="r1", next_at=day(9, 9))), KeepPing(ping=ping()))
    storage.close()
    again(url, down=lambda _: None)
    storage = SqlStorage(make_engine(url))
    found = whole(storage, "t1")
    assert (found.terms, found.clocks, found.position) == (TERMS, (), Position())
    assert [each.do for each in found.events] == [Do.OPEN]
    with storage._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    storage.close()


def test_a_downgrade_drops_what_0_2_cannot_read(url: str) -> None:
    """A bundle that waits for delivery would stop all the others."""
    storage = SqlStorage(make_engine(url))
    pings = Pings(reminders=(ping().reminder,))
    record(storage, said=(words("bundle", to=Direct(person="lee"), notice=pings), words("other", ASKED)))
    storage.close()

    def look(connection: Connection) -> None:
        left = connection.scalars(text("SELECT key FROM outbox WHERE state = 'pending' ORDER BY key")).all()
        assert left == ["card", "other", "ping"]

    again(url, down=look)
