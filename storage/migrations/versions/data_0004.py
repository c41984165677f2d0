"""The audit, how long things are kept, and erasures under way. Only adds: the version before runs beside it."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
phase = "expand"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

# For 30 days no setting lets the audit be deleted.
SQLITE = (
    """CREATE TRIGGER audit_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END""",
    """CREATE TRIGGER audit_delete BEFORE DELETE ON audit
        WHEN NOT EXISTS (
            SELECT 1 FROM retention WHERE what = 'audit' AND days >= 30
            AND OLD.at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || days || ' days')
        )
        BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END""",
    """CREATE TRIGGER audit_replace BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END""",
)
POSTGRES = (
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND EXISTS (
                SELECT 1 FROM retention WHERE what = 'audit' AND days >= 30
                AND OLD.at < now() - make_interval(days => days)
            ) THEN RETURN OLD; END IF;
            RAISE EXCEPTION 'the audit is only added to';
        END $$""",
    """CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON audit
       FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit
       FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)


def upgrade() -> None:
    op.add_column("person", sa.Column("surrogate", sa.String(), nullable=True))
    _name_people()
    _audit()
    op.create_table(
        "retention",
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("what"),
    )
    op.create_table(
        "erasure",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("begun_at", INSTANT, nullable=False),
        sa.Column("needles", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    for statement in POSTGRES if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """The audit is lost."""
    postgres = op.get_bind().dialect.name == "postgresql"
    for name in ("audit_refuse", "audit_truncate") if postgres else ("audit_update", "audit_delete", "audit_replace"):
        op.execute(f"DROP TRIGGER {name}{' ON audit' if postgres else ''}")
    if postgres:
        op.execute("DROP FUNCTION audit_refuse()")
    for table in ("erasure", "retention", "audit"):
        op.drop_table(table)
    op.drop_column("person", "surrogate")


def _name_people() -> None:
    person = sa.table("person", sa.column("id", sa.String()), sa.column("surrogate", sa.String()))
    db = op.get_bind()
    for id in db.scalars(sa.select(person.c.id)).all():
        db.execute(sa.update(person).where(person.c.id == id).values(surrogate=uuid.uuid4().hex))


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.String(), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), nullable=True),
        sa.Column("about", sa.String(), nullable=True),
        sa.Column("platform", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_ticket", "audit", ["ticket", "id"])
    op.create_index("audit_at", "audit", ["at"])
    for name in ("who", "about"):
        where = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"audit_{name}", "audit", [name, "id"], sqlite_where=where, postgresql_where=where)
