"""Keeping a lake quick: small files into larger ones.

DuckLake can also rewrite files without their deleted rows. That is left out: every snapshot stays, so nothing would be
freed, and DuckLake 1.0 then answers from old snapshots wrongly (duckdb/ducklake issue 1406; a random test of merges,
deletions and maintenance found it within seconds).

Each step keeps all writers out: DuckLake tries a step again when a commit to another table comes first, and that second
try has been seen to write rows twice.
"""

from __future__ import annotations

import datetime as dt

from pathlake.lake.base import TableRef
from pathlake.lake.connection import Database
from pathlake.lake.sql import LAKE, literal, schema_name, table_name
from pathlake.lake.transaction import Transactions, table_exists

SMALL_ROWS = 1_000
"""A file of fewer rows is small."""

MOST_FILES = 50
"""Files merged in one step, which bounds what the step holds in memory."""

KEEP_FOR_H = 24
"""Hours that replaced files stay for queries that still read them."""


def maintain(transactions: Transactions) -> None:
    """Merge small files, one table at a time; see `Lake.maintain`.

    All snapshots stay.
    """
    for table in _tables(transactions):
        for name in (table_name(table), f"{table_name(table)}_fields", f"{table_name(table)}_counter"):
            which = f"'{LAKE}', {literal(name)}, schema => {literal(schema_name(table))}"
            with transactions.alone_in_lake() as cursor:
                if not table_exists(cursor, table):  # deleted since it was listed
                    break
                cursor.execute(f"CALL ducklake_merge_adjacent_files({which}, max_compacted_files => {MOST_FILES:d})")
    before = dt.datetime.now(dt.UTC) - dt.timedelta(hours=KEEP_FOR_H)
    with transactions.alone_in_lake() as cursor:
        cursor.execute(
            f"CALL ducklake_cleanup_old_files('{LAKE}', older_than => TIMESTAMPTZ {literal(before.isoformat())})"
        )


def small_files(database: Database) -> int:
    """Return how many small files there are now; see `Lake.small_files`."""
    with database.cursor() as cursor:
        row = cursor.execute(
            f"SELECT count(*) FROM {database.metadata}.ducklake_data_file "
            "WHERE end_snapshot IS NULL AND record_count < ?",
            [SMALL_ROWS],
        ).fetchone()
    assert row is not None
    return int(row[0])


def _tables(transactions: Transactions) -> list[TableRef]:
    metadata = transactions.database.metadata
    with transactions.database.cursor() as cursor:
        rows = cursor.execute(
            f"SELECT s.schema_name, t.table_name FROM {metadata}.ducklake_table AS t "
            f"JOIN {metadata}.ducklake_schema AS s USING (schema_id) "
            "WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL "
            "AND regexp_full_match(s.schema_name, 'repo_[0-9]+') AND regexp_full_match(t.table_name, 'ds_[0-9]+')"
        ).fetchall()
    return [TableRef(int(schema.removeprefix("repo_")), int(name.removeprefix("ds_"))) for schema, name in rows]
