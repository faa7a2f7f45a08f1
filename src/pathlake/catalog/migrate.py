"""Bring a database to the catalog's newest revision, once, whoever opens it at the same moment."""

from __future__ import annotations

import importlib.metadata
import re

import sqlalchemy as sa

from pathlake.catalog.database import Database
from pathlake.catalog.tables import HEAD, VERSION_TABLE
from pathlake.errors import IncompatibleVersionError

_LOCK_KEY = 0x7061_7468_6C61_6B65
"""Key of the PostgreSQL advisory lock: `pathlake` in ASCII."""


def migrate(database: Database) -> None:
    """Run the migrations that `database` lacks, all of them or none.

    Raises:
        IncompatibleVersionError: The database was written by a newer Pathlake.
        HomeError: It cannot be read or written.
    """
    with database.read() as connection:
        if stored_revision(connection) == HEAD:
            return
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        stored = stored_revision(connection)
        if stored == HEAD:
            return
        if stored is not None and (not re.fullmatch(r"\d{4}", stored) or stored > HEAD):
            raise IncompatibleVersionError(
                f"The catalog {database.place} was written by a newer Pathlake (its revision is {stored}, this "
                f"Pathlake {_version()} knows {HEAD}). Upgrade with `pip install -U 'pathlake[server]'`.",
                {"stored": stored, "known": HEAD},
            )
        upgrade(connection)


def stored_revision(connection: sa.Connection) -> str | None:
    """Return the revision a database is at, None for a fresh one."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version = sa.table(VERSION_TABLE, sa.column("version_num", sa.Text()))
    return connection.execute(sa.select(version.c.version_num)).scalar_one_or_none()


def upgrade(connection: sa.Connection) -> None:
    """Run Alembic to `HEAD` within the transaction of `connection`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "pathlake.catalog:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _version() -> str:
    try:
        return importlib.metadata.version("pathlake")
    except importlib.metadata.PackageNotFoundError:
        return "of this source tree"
