"""Clocks by their events: terms kept once, what happened to tickets, pings that wait, escalations, downtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
ALWAYS = {
    "timezone": "UTC",
    "windows": [{"day": day, "opens": 0, "closes": 86_400} for day in range(7)],
    "holidays": [],
    "dated": [],
}
NEW = ("agreement", "ticket_event", "ping", "oncall_swap", "heartbeat", "downtime")


def upgrade() -> None:
    _agreement()
    _ticket_event()
    _ping()
    _downtime()
    op.add_column("ticket", sa.Column("position", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("ticket", sa.Column("step_at", INSTANT, nullable=True))
    where = sa.text("step_at IS NOT NULL")
    op.create_index("ticket_step_at", "ticket", ["step_at"], sqlite_where=where, postgresql_where=where)
    op.drop_column("ticket", "chain")
    op.drop_column("ticket", "step")
    old = op.get_bind().execute(sa.text("SELECT * FROM clock")).mappings().all()
    calendars = _tickets()
    op.drop_table("clock")
    _clock()
    for row in old:
        _insert_clock(dict(row), calendars.get(row["ticket"], ALWAYS))


def downgrade() -> None:
    """The events and what waits are lost; clocks begin anew with the next change of each ticket."""
    op.drop_table("clock")
    _old_clock()
    op.drop_index("ticket_step_at", "ticket")
    op.drop_column("ticket", "step_at")
    op.drop_column("ticket", "position")
    op.add_column("ticket", sa.Column("step", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("ticket", sa.Column("chain", sa.Text(), nullable=False, server_default='["owner", "lead", "team"]'))
    terms = sa.text("UPDATE ticket SET terms = (SELECT text FROM agreement WHERE agreement.key = ticket.terms)")
    op.get_bind().execute(terms)
    for table in reversed(NEW):
        op.drop_table(table)


# --- what was there ----------------------------------------------------------------------------
def _tickets() -> dict[str, Mapping[str, Any]]:
    """Terms by key, and the opening as each ticket's first event; the calendar of each ticket."""
    db, calendars = op.get_bind(), {}
    for row in db.execute(sa.text("SELECT id, terms, opened_at, priority, team FROM ticket")).mappings().all():
        terms = json.loads(row["terms"]) if row["terms"] else {}
        key = _kept(terms, "t")
        calendars[row["id"]] = terms.get("calendar", ALWAYS)
        db.execute(sa.text("UPDATE ticket SET terms = :key WHERE id = :id"), {"key": key, "id": row["id"]})
        event = (
            "INSERT INTO ticket_event (ticket, at, do, priority, terms, thanks, team) "
            "VALUES (:id, :opened_at, 'open', :priority, :key, :thanks, :team)"
        )
        said = {name: row[name] for name in ("id", "opened_at", "priority", "team")}
        db.execute(sa.text(event), {**said, "key": key, "thanks": False})
    return calendars


def _kept(value: Mapping[str, Any], kind: str) -> str:
    db, text = op.get_bind(), json.dumps(value)
    key = f"{kind}{sha256(text.encode()).hexdigest()[:32]}"
    if db.execute(sa.text("SELECT 1 FROM agreement WHERE key = :key"), {"key": key}).first() is None:
        db.execute(sa.text("INSERT INTO agreement (key, text) VALUES (:key, :text)"), {"key": key, "text": text})
    return key


def _insert_clock(row: Mapping[str, Any], calendar: Mapping[str, Any]) -> None:
    """The same log, each target with the calendar it is counted in."""
    key = _kept(calendar if row["hours"] == "business" else ALWAYS, "c")
    log = []
    for event in json.loads(row["log"]):
        target = event.pop("target", None)
        log.append(event if target is None else {**event, "seconds": target, "calendar": key})
    kinds = [event["kind"] for event in log]
    turns = [kind for kind in kinds if kind in ("start", "resume", "pause", "meet", "cancel")]
    revision = 1 + kinds.count("retarget")
    columns = ("ticket", "metric", "instance", "due_at", "next_at", "live")
    values = {name: row[name] for name in columns} | {
        "log": json.dumps(log),
        "known_at": _instant(log[0]["at"]),
        "rung": json.dumps([f"{revision}:{stage}" for stage in json.loads(row["fired"])]),
        "revision": revision,
        "paused": turns[-1] == "pause",
    }
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    op.get_bind().execute(sa.text(f"INSERT INTO clock ({names}) VALUES ({marks})"), values)  # noqa: S608 - own names


def _instant(text: str) -> str:
    """As SQLite keeps instants; PostgreSQL reads it as UTC, too."""
    return text.replace("T", " ").removesuffix("Z").partition("+")[0]


# --- tables ------------------------------------------------------------------------------------
def _agreement() -> None:
    op.create_table(
        "agreement",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def _ticket_event() -> None:
    op.create_table(
        "ticket_event",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("ticket", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("do", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=True),
        sa.Column("terms", sa.String(), nullable=True),
        sa.Column("thanks", sa.Boolean(), nullable=False),
        sa.Column("team", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ticket_event_ticket", "ticket_event", ["ticket", "id"])
    op.create_index("ix_ticket_event_at", "ticket_event", ["at"])


def _ping() -> None:
    op.create_table(
        "ping",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("reminder", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("said_at", INSTANT, nullable=True),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("capped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    where = sa.text("said_at IS NULL")
    op.create_index("ping_waiting", "ping", ["person"], sqlite_where=where, postgresql_where=where)
    op.create_index("ping_said", "ping", ["person", "said_at"])
    op.create_table(
        "oncall_swap",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_oncall_swap_until", "oncall_swap", ["until"])


def _downtime() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "downtime",
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("since"),
    )


def _clock() -> None:
    _create_clock(
        sa.Column("known_at", INSTANT, nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        log=sa.String(),
    )


def _old_clock() -> None:
    _create_clock(
        sa.Column("hours", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("fired", sa.Text(), nullable=False),
        log=sa.Text(),
    )


def _create_clock(*further: sa.Column[Any], log: sa.types.TypeEngine[str]) -> None:
    op.create_table(
        "clock",
        sa.Column("ticket", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("log", log, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        *further,
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"]),
        sa.PrimaryKeyConstraint("ticket", "metric", "instance"),
    )
    where = sa.text("next_at IS NOT NULL")
    op.create_index("clock_next_at", "clock", ["next_at"], sqlite_where=where, postgresql_where=where)
