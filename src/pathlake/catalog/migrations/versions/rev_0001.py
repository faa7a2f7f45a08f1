"""The first tables: repos, connections, datasources, scans, datasets, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_COUNTS = ("seen", "new", "changed", "returned", "unchanged", "vanished", "probed", "probe_failures", "skipped")


def _parent(table: str, column: str, parent: str, *, ondelete: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, _ID, nullable=False),
        sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=f"fk_{table}_{column}", ondelete=ondelete),
    ]


def _create(table: str, *items: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("id", _ID, sa.Identity(), nullable=False),
        *items,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sqlite_autoincrement=True,
    )


def upgrade() -> None:
    """Make the tables."""
    _create(
        "repos",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.UniqueConstraint("owner", "name", name="uq_repos_owner_name"),
    )
    _create(
        "connections",
        *_parent("connections", "repo_id", "repos", ondelete="CASCADE"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("default_revision", sa.Text()),
        sa.UniqueConstraint("repo_id", name="uq_connections_repo_id"),
    )
    _create(
        "datasources",
        *_parent("datasources", "repo_id", "repos", ondelete="RESTRICT"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text()),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.UniqueConstraint("repo_id", "name", name="uq_datasources_repo_id_name"),
    )
    _create(
        "scans",
        *_parent("scans", "datasource_id", "datasources", ondelete="CASCADE"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text()),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("started_at", _TIME),
        sa.Column("finished_at", _TIME),
        *[sa.Column(count, sa.BigInteger(), nullable=False) for count in _COUNTS],
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("force_probe", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("notes", sa.Text(), nullable=False),
    )
    active = sa.text("state IN ('queued', 'running')")
    op.create_index("ix_scans_datasource_id", "scans", ["datasource_id"])
    op.create_index(
        "uq_scans_active", "scans", ["datasource_id"], unique=True, sqlite_where=active, postgresql_where=active
    )
    _create(
        "datasets",
        *_parent("datasets", "repo_id", "repos", ondelete="RESTRICT"),
        *_parent("datasets", "datasource_id", "datasources", ondelete="CASCADE"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.UniqueConstraint("repo_id", "name", name="uq_datasets_repo_id_name"),
    )
    op.create_index("ix_datasets_datasource_id", "datasets", ["datasource_id"])
    _create(
        "tokens",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.UniqueConstraint("sha256", name="uq_tokens_sha256"),
    )


def downgrade() -> None:
    """Drop them, children first."""
    for table in ("tokens", "datasets", "scans", "datasources", "connections", "repos"):
        op.drop_table(table)
