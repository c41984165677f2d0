"""Articles in the database, what is learned about them, and their revision."""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
phase = "founding"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
TABLES = ("article", "phrasing", "kb_revision", "kb_pull", "kb_case", "proposal", "kb_event")
KINDS = {"solved": "confirmed", "unsolved": "contradicted", "none": "none_of_these"}
"""Kinds of a case by the verdict that `feedback` kept; of an article that was only picked nothing follows."""


def upgrade() -> None:
    _article()
    _phrasing()
    _kb_revision()
    _kb_pull()
    _kb_case()
    _proposal()
    _kb_event()
    _feedback_as_cases()
    op.drop_table("feedback")
    op.add_column("person", sa.Column("guest", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("person", "guest")
    _feedback()
    for table in reversed(TABLES):
        op.drop_table(table)


def _article() -> None:
    op.create_table(
        "article",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("phrasings", sa.Text(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("review", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("retired_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", "language"),
    )
    op.create_index("ix_article_source", "article", ["source"])


def _phrasing() -> None:
    op.create_table(
        "phrasing",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("article", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("against", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("phrasing_article", "phrasing", ["article", "language"])


def _kb_revision() -> None:
    op.create_table(
        "kb_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _kb_pull() -> None:
    op.create_table(
        "kb_pull",
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("folder"),
    )


def _kb_case() -> None:
    op.create_table(
        "kb_case",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("article", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), nullable=True),
        sa.Column("audience", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_kb_case_at", "kb_case", ["at"])
    op.create_index("ix_kb_case_ticket", "kb_case", ["ticket"])


def _proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("article", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), nullable=True),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("offered_at", INSTANT, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("proposal_article", "proposal", ["article"])
    op.create_index("proposal_offered", "proposal", ["offered_at"])
    op.create_index("proposal_waiting", "proposal", ["team"], sqlite_where=waiting, postgresql_where=waiting)


def _kb_event() -> None:
    op.create_table(
        "kb_event",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("article", sa.String(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("kb_event_team", "kb_event", ["team", "at"])
    op.create_index("kb_event_at", "kb_event", ["at"])


def _feedback_as_cases() -> None:
    """What was said of answers before, each thing once. Who may read the article was not kept, so these
    cases have no audience: `deskbell eval --feedback` replays them, but no matcher is calibrated with them."""
    db = op.get_bind()
    feedback, cases = sa.table("feedback", *_columns(FEEDBACK)), sa.table("kb_case", *_columns(CASE))
    found: dict[str, dict[str, object]] = {}
    for row in db.execute(sa.select(feedback).order_by(feedback.c.id)):
        kind = KINDS.get(row.verdict)
        if kind and row.question:
            parts = (row.person, row.question, row.article or "", kind)
            id = sha256("\0".join(parts).encode()).hexdigest()[:20]
            case = {"id": id, "at": row.at, "text": row.question, "article": row.article, "kind": kind}
            found.setdefault(id, case | {"person": row.person, "ticket": None, "audience": ""})
    if found:
        db.execute(sa.insert(cases), list(found.values()))


FEEDBACK = ("id", "at", "person", "question", "article", "verdict")
CASE = ("id", "at", "text", "article", "kind", "person", "ticket", "audience")


def _columns(names: tuple[str, ...]) -> list[sa.ColumnClause[object]]:
    return [sa.column(name, INSTANT if name == "at" else None) for name in names]


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("article", sa.String(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
