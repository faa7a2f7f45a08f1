"""Keeping a lake quick: rows of small commits into files, small files into larger ones.

DuckLake can also rewrite files without their deleted rows. That is left out: every snapshot stays, so nothing would be
freed, and DuckLake 1.0 then answers from old snapshots wrongly (duckdb/ducklake issue 1406; a random test of merges,
deletions and maintenance found it within seconds).

Each step keeps all writers out: when a commit to another table comes first, DuckLake tries the step again and then
writes the flushed rows twice (a random test of writers and maintenance on PostgreSQL found that too).
"""

from __future__ import annotations

import datetime as dt

from pathlake.lake.base import TableRef
from pathlake.lake.sql import LAKE, literal, schema_name, table_name
from pathlake.lake.transaction import Transactions, table_exists

MOST_FILES = 50
"""Files merged in one step, which bounds what the step holds in memory."""

KEEP_FOR_H = 24
"""Hours that replaced files stay for queries that still read them."""


def maintain(transactions: Transactions) -> None:
    """Flush inlined rows and merge small files, one table at a time; see `Lake.maintain`.

    All snapshots stay.
    """
    for table in _tables(transactions):
        for name in (table_name(table), f"{table_name(table)}_fields", f"{table_name(table)}_counter"):
            schema = literal(schema_name(table))
            which = f"'{LAKE}', table_name => {literal(name)}, schema_name => {schema}"
            with transactions.alone_in_lake() as cursor:
                if not table_exists(cursor, table):  # deleted since it was listed
                    break
                cursor.execute(f"CALL ducklake_flush_inlined_data({which})")
            which = f"'{LAKE}', {literal(name)}, schema => {schema}"
            with transactions.alone_in_lake() as cursor:
                if not table_exists(cursor, table):
                    break
                cursor.execute(f"CALL ducklake_merge_adjacent_files({which}, max_compacted_files => {MOST_FILES:d})")
    before = dt.datetime.now(dt.UTC) - dt.timedelta(hours=KEEP_FOR_H)
    with transactions.alone_in_lake() as cursor:
        cursor.execute(
            f"CALL ducklake_cleanup_old_files('{LAKE}', older_than => TIMESTAMPTZ {literal(before.isoformat())})"
        )


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
