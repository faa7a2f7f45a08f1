"""The catalog's tables. A change here needs a migration beside it, and `HEAD` raised to that migration."""

from __future__ import annotations

import datetime as dt
import json

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

HEAD = "0001"
"""Revision of the newest migration. Revisions are four digits, so that newer ones compare as greater."""

VERSION_TABLE = "pathlake_catalog_version"
"""Where Alembic keeps the revision; not its default name, because a PostgreSQL database may be shared."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits on both: SQLite's INTEGER has them, and only a column of that very name may be AUTOINCREMENT."""


class UtcTime(sa.types.TypeDecorator[dt.datetime]):
    """An aware time, in UTC when read, on databases that keep a zone and on SQLite, which does not."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, _dialect: Dialect) -> dt.datetime | None:
        """Convert to UTC; a time without a zone is refused rather than guessed."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"a catalog time needs a zone, got the naive {value!r}")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, _dialect: Dialect) -> dt.datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Lines(sa.types.TypeDecorator[tuple[str, ...]]):
    """A tuple of strings as JSON text; escaped to ASCII, so that undecodable file names survive."""

    impl = sa.Text()
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, _dialect: Dialect) -> str | None:
        """Write the JSON text."""
        return None if value is None else json.dumps(list(value), ensure_ascii=True)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> tuple[str, ...] | None:
        """Read the JSON text."""
        return None if value is None else tuple(json.loads(value))


def _id() -> sa.Column[int]:
    return sa.Column("id", BigId, sa.Identity(), primary_key=True)


def _parent(column: str, target: str, *, ondelete: str) -> sa.Column[int]:
    return sa.Column(column, BigId, sa.ForeignKey(target, ondelete=ondelete), nullable=False)


repos = sa.Table(
    "repos",
    metadata,
    _id(),
    sa.Column("owner", sa.Text(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("description", sa.Text(), nullable=False),
    sa.Column("created_at", UtcTime(), nullable=False),
    sa.UniqueConstraint("owner", "name"),
    sqlite_autoincrement=True,
)

connections = sa.Table(
    "connections",
    metadata,
    _id(),
    _parent("repo_id", "repos.id", ondelete="CASCADE"),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("url", sa.Text(), nullable=False),
    sa.Column("default_revision", sa.Text()),
    sa.UniqueConstraint("repo_id"),
    sqlite_autoincrement=True,
)

datasources = sa.Table(
    "datasources",
    metadata,
    _id(),
    _parent("repo_id", "repos.id", ondelete="RESTRICT"),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("root", sa.Text(), nullable=False),
    sa.Column("revision", sa.Text()),
    sa.Column("connected", sa.Boolean(), nullable=False),
    sa.Column("created_by", sa.Text(), nullable=False),
    sa.Column("created_at", UtcTime(), nullable=False),
    sa.UniqueConstraint("repo_id", "name"),
    sqlite_autoincrement=True,
)

scans = sa.Table(
    "scans",
    metadata,
    _id(),
    _parent("datasource_id", "datasources.id", ondelete="CASCADE"),
    sa.Column("state", sa.Text(), nullable=False),
    sa.Column("revision", sa.Text()),
    sa.Column("created_at", UtcTime(), nullable=False),
    sa.Column("started_at", UtcTime()),
    sa.Column("finished_at", UtcTime()),
    *[
        sa.Column(count, sa.BigInteger(), nullable=False)
        for count in (
            "seen",
            "new",
            "changed",
            "returned",
            "unchanged",
            "vanished",
            "probed",
            "probe_failures",
            "skipped",
        )
    ],
    sa.Column("stage", sa.Text(), nullable=False),
    sa.Column("force_probe", sa.Boolean(), nullable=False),
    sa.Column("error", sa.Text()),
    sa.Column("notes", Lines(), nullable=False),
    sqlite_autoincrement=True,
)

ACTIVE = scans.c.state.in_([sa.literal_column("'queued'"), sa.literal_column("'running'")])
"""A scan that waits or runs. Literals, because the index below is made of them."""

sa.Index("ix_scans_datasource_id", scans.c.datasource_id)
sa.Index(
    "uq_scans_active",
    scans.c.datasource_id,
    unique=True,  # at most one active scan of a datasource, whoever asks at the same moment
    sqlite_where=ACTIVE,
    postgresql_where=ACTIVE,
)

datasets = sa.Table(
    "datasets",
    metadata,
    _id(),
    _parent("repo_id", "repos.id", ondelete="RESTRICT"),
    _parent("datasource_id", "datasources.id", ondelete="CASCADE"),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("query", sa.Text(), nullable=False),
    sa.Column("created_by", sa.Text(), nullable=False),
    sa.Column("created_at", UtcTime(), nullable=False),
    sa.UniqueConstraint("repo_id", "name"),
    sa.Index("ix_datasets_datasource_id", "datasource_id"),
    sqlite_autoincrement=True,
)

tokens = sa.Table(
    "tokens",
    metadata,
    _id(),
    sa.Column("login", sa.Text(), nullable=False),
    sa.Column("label", sa.Text(), nullable=False),
    sa.Column("sha256", sa.Text(), nullable=False),
    sa.Column("created_at", UtcTime(), nullable=False),
    sa.UniqueConstraint("sha256"),
    sqlite_autoincrement=True,
)
