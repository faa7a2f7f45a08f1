"""Keeping a lake quick: small files into larger ones.

DuckLake can also rewrite files without their deleted rows. That is left out: every snapshot stays, so nothing would be
freed, and DuckLake 1.0 then answers from old snapshots wrongly (duckdb/ducklake issue 1406; a random test of merges,
deletions and maintenance found it within seconds).

Each step keeps all writers out.
"""

from __future__ import annotations

import datetime as dt
import threading

from pathlake.lake.connection import Database
from pathlake.lake.sql import LAKE, literal
from pathlake.lake.transaction import Transactions, has_table

SMALL_ROWS = 20_000
"""A file of fewer rows is small."""

MOST_FILES = 50
"""Files merged in one step, which bounds what the step holds in memory."""

KEEP_FOR_H = 24
"""Hours that replaced files stay for queries that still read them."""


def maintain(transactions: Transactions, *, stop: threading.Event | None) -> None:
    """Merge small files, one table at a time; see `Lake.maintain`.

    All snapshots stay.
    """
    for schema, name in _tables_of_small_files(transactions.database):
        if stop is not None and stop.is_set():
            return
        which = f"'{LAKE}', {literal(name)}, schema => {literal(schema)}"
        with transactions.alone() as cursor:
            if has_table(cursor, f"{LAKE}.{schema}.{name}"):  # or it was deleted since it was listed
                cursor.execute(f"CALL ducklake_merge_adjacent_files({which}, max_compacted_files => {MOST_FILES:d})")
    before = dt.datetime.now(dt.UTC) - dt.timedelta(hours=KEEP_FOR_H)
    with transactions.alone() as cursor:
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


def _tables_of_small_files(database: Database) -> list[tuple[str, str]]:
    """Return schema and name of each table that has several small files."""
    with database.cursor() as cursor:
        return cursor.execute(
            f"SELECT s.schema_name, t.table_name FROM {database.metadata}.ducklake_data_file AS f "
            f"JOIN {database.metadata}.ducklake_table AS t USING (table_id) "
            f"JOIN {database.metadata}.ducklake_schema AS s USING (schema_id) "
            "WHERE f.end_snapshot IS NULL AND f.record_count < ? "
            "AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL "
            "AND regexp_full_match(s.schema_name, 'repo_[0-9]+') "
            "GROUP BY ALL HAVING count(DISTINCT f.data_file_id) > 1 ORDER BY ALL",
            [SMALL_ROWS],
        ).fetchall()
