"""Run by Alembic for every migration command, on the connection that `storage.schema` opened."""

from __future__ import annotations

from alembic import context

from storage import rows, rows_data, rows_knowledge  # noqa: F401 - they fill METADATA
from storage.columns import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
