"""Clocks by their events: terms kept once, what happened to tickets, pings that wait, escalations, downtime."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
phase = "founding"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
ALWAYS = {
    "timezone": "UTC",
    "windows": [{"day": day, "opens": 0, "closes": 86_400} for day in range(7)],
    "holidays": [],
    "dated": [],
}
NEW = ("agreement", "ticket_event", "ping", "oncall_swap", "heartbeat", "downtime")
TURNS = frozenset({"start", "pause", "resume", "meet", "cancel"})
"""The events that make a clock run, pause or end."""


def _named(table: str, *plain: str, **typed: Any) -> sa.TableClause:
    columns = [sa.column(name, sa.String()) for name in plain]
    return sa.table(table, *columns, *(sa.column(name, kind) for name, kind in typed.items()))


SHARED = {"instance": sa.Integer(), "due_at": INSTANT, "next_at": INSTANT, "live": sa.Boolean()}
OLD_CLOCK = _named("clock", "ticket", "metric", "log", "hours", "fired", **SHARED)
CLOCK = _named(
    "clock",
    "ticket",
    "metric",
    "log",
    "rung",
    **SHARED,
    known_at=INSTANT,
    revision=sa.Integer(),
    paused=sa.Boolean(),
)
TICKET = _named("ticket", "id", "terms", "priority", "team", opened_at=INSTANT)
TICKET_EVENT = _named("ticket_event", "ticket", "do", "priority", "terms", "team", at=INSTANT, thanks=sa.Boolean())
AGREEMENT = _named("agreement", "key", "text")


def upgrade() -> None:
    db = op.get_bind()
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
    old = db.execute(sa.select(OLD_CLOCK)).mappings().all()
    terms = _tickets()
    op.drop_table("clock")
    _clock()
    for row in old:
        _insert_clock(dict(row), terms[row["ticket"]])
    kind = """UPDATE outbox SET guard = REPLACE(guard, '"revision":', '"kind":"clock","revision":')"""
    db.execute(sa.text(f"{kind} WHERE guard IS NOT NULL"))


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
    unknown = """UPDATE outbox SET state = 'dropped', reason = 'downgraded', notice = NULL, guard = NULL"""
    op.get_bind().execute(sa.text(f"""{unknown} WHERE notice LIKE '%"kind":"pings"%'"""))
    for table in reversed(NEW):
        op.drop_table(table)


# --- what was there ----------------------------------------------------------------------------
def _tickets() -> dict[str, Mapping[str, Any]]:
    """Terms by key, and the opening as each ticket's first event; the terms of each ticket."""
    db, found = op.get_bind(), {}
    for row in db.execute(sa.select(TICKET)).all():
        key = _kept(json.loads(row.terms), "t") if row.terms else None
        found[row.id] = json.loads(row.terms) if row.terms else {}
        db.execute(sa.update(TICKET).where(TICKET.c.id == row.id).values(terms=key))
        opened = {"ticket": row.id, "at": row.opened_at, "do": "open", "priority": row.priority, "team": row.team}
        db.execute(sa.insert(TICKET_EVENT).values(opened | {"terms": key, "thanks": False}))
    return found


def _kept(value: Mapping[str, Any], kind: str) -> str:
    db, text = op.get_bind(), json.dumps(value)
    key = f"{kind}{sha256(text.encode()).hexdigest()[:32]}"
    if db.execute(sa.select(AGREEMENT).where(AGREEMENT.c.key == key)).first() is None:
        db.execute(sa.insert(AGREEMENT).values(key=key, text=text))
    return key


def _insert_clock(row: Mapping[str, Any], terms: Mapping[str, Any]) -> None:
    """The same log, each target with the calendar it is counted in."""
    calendar = terms.get("calendar", ALWAYS) if row["hours"] == "business" else ALWAYS
    log = []
    for event in json.loads(row["log"]):
        target = event.pop("target", None)
        log.append(event if target is None else {**event, "seconds": target, "calendar": _kept(calendar, "c")})
    kinds = [event["kind"] for event in log]
    revision = 1 + kinds.count("retarget")
    clock = {name: row[name] for name in ("ticket", "metric", *SHARED)} | {
        "log": json.dumps(log),
        "known_at": datetime.fromisoformat(log[0]["at"]).astimezone(UTC),
        "rung": json.dumps(_rung(revision, json.loads(row["fired"]), terms.get("warn", ()))),
        "revision": revision,
        "paused": [kind for kind in kinds if kind in TURNS][-1] == "pause",
    }
    op.get_bind().execute(sa.insert(CLOCK).values(clock))


def _rung(revision: int, fired: Sequence[str], warn: Sequence[str]) -> list[str]:
    """What was told, or passed over, under earlier terms is not told again."""
    earlier = [f"{n}:{stage}" for n in range(1, revision) for stage in (*warn, "due")]
    return [*earlier, *(f"{revision}:{stage}" for stage in fired)]


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
