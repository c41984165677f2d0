"""Migrations that do not exist yet, planted beside those that do. Used where older and newer versions meet."""

from __future__ import annotations

import shutil
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from storage.schema import CONTRACT, MIGRATIONS

EXPANDED, CONTRACTED = "9001", f"{CONTRACT}9001"

EXPAND = '''"""Planted: what an ordinary release adds."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
phase = "expand"


def upgrade():
    op.add_column("ticket", sa.Column("colour", sa.String(), nullable=True))
    op.add_column("outbox", sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
    op.create_table("shelf", sa.Column("id", sa.String(), primary_key=True))
    op.create_index("ix_ticket_colour", "ticket", ["colour"])
'''
CONTRACTING = '''"""Planted: what nobody uses any more goes."""

from alembic import op

revision = "{revision}"
down_revision = None
phase = "contract"


def upgrade():
    op.drop_table("erasure")
'''


def planted(folder: Path, *, contract: bool = False) -> Path:
    """A copy of the migrations in `folder`, with one more that expands, and one that contracts if asked for."""
    copy = folder / "migrations"
    shutil.copytree(MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    plant(copy, contract=contract)
    return copy


def plant(migrations: Path, *, contract: bool = False) -> None:
    versions = migrations / "versions"
    expand = EXPAND.format(revision=EXPANDED, before=newest_expand(migrations))
    (versions / f"planted_{EXPANDED}.py").write_text(expand, encoding="utf-8")
    if contract:
        contracting = CONTRACTING.format(revision=CONTRACTED)
        (versions / f"planted_{CONTRACTED}.py").write_text(contracting, encoding="utf-8")


def scripts(migrations: Path = MIGRATIONS) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def newest_expand(migrations: Path = MIGRATIONS) -> str:
    return next(head for head in scripts(migrations).get_heads() if not head.startswith(CONTRACT))
