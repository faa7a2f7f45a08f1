"""Alembic's entry: migrate through the connection that `pathlake.catalog.migrate` holds open and locked."""

from __future__ import annotations

from alembic import context

from pathlake.catalog.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite alters a table by writing a new one.
    render_as_batch=True,
)
context.run_migrations()
