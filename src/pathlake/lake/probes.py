"""Media headers: which files are to be read, and keeping what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from pathlake.errors import InternalError
from pathlake.lake.base import CommitInfo, ProbeResult, ProbeTarget, TableRef
from pathlake.lake.definitions import (
    ALWAYS_SHOWN,
    ID_COLUMN,
    MISSING_COLUMN,
    PATH_COLUMN,
    PROBED_COLUMN,
    update_definition,
)
from pathlake.lake.sql import data_table
from pathlake.lake.transaction import Transactions
from pathlake.types import AUTOMATIC_FIELDS
from pathlake.types.columns import arrow_type

_PROBED_FIELDS = tuple(field for field in AUTOMATIC_FIELDS if field.name not in ALWAYS_SHOWN)

_HAS_HEADER = (
    "(starts_with(media_type, 'image/') OR starts_with(media_type, 'audio/') OR starts_with(media_type, 'video/') "
    "OR media_type = 'application/pdf')"
)


def probe_targets(transactions: Transactions, table: TableRef, *, after_id: int, limit: int) -> list[ProbeTarget]:
    """Return files whose header is to be read; see `Lake.probe_targets`."""
    with transactions.read(table) as reading:
        rows = reading.cursor.execute(
            f"SELECT {ID_COLUMN}, {PATH_COLUMN}, size, media_type, etag FROM {data_table(table)} "
            f"WHERE {ID_COLUMN} > ? AND NOT {MISSING_COLUMN} AND etag IS NOT NULL AND {_HAS_HEADER} "
            f"AND {PROBED_COLUMN} IS DISTINCT FROM etag ORDER BY {ID_COLUMN} LIMIT ?",
            [after_id, limit],
        ).fetchall()
    return [ProbeTarget(*row) for row in rows]


def save_probes(
    transactions: Transactions, table: TableRef, *, results: Sequence[ProbeResult], commit: CommitInfo
) -> None:
    """Store what headers said; see `Lake.save_probes`."""
    if not results:
        return
    latest = {result.target.datapoint_id: result for result in results}
    data = _as_table(list(latest.values()))
    with transactions.write(table) as transaction:
        settings = ", ".join(f'"{field.name}" = s."{field.name}"' for field in _PROBED_FIELDS)
        with transaction.staged("probed", data) as probed:
            stored = transaction.change(
                f"MERGE INTO {data_table(table)} AS t USING {probed} AS s ON t.{ID_COLUMN} = s.id "
                f"WHEN MATCHED AND t.etag = s.etag AND NOT t.{MISSING_COLUMN} THEN UPDATE SET {settings}, "
                f"{PROBED_COLUMN} = s.etag"
            )
        if not stored:
            transaction.abandon()
            return
        for field in _PROBED_FIELDS:
            column = transaction.definition.by_name[field.name]
            if not column.written and data.column(field.name).null_count < data.num_rows:
                seen = replace(column, written=True)
                update_definition(transaction.cursor, table, column=seen)
                transaction.definition = transaction.definition.with_columns([seen])
        transaction.commit(commit, {"probed": stored})


def reset_probes(transactions: Transactions, table: TableRef) -> None:
    """Forget which headers were read; see `Lake.reset_probes`."""
    with transactions.write(table) as transaction:
        changed = transaction.change(
            f"UPDATE {data_table(table)} SET {PROBED_COLUMN} = NULL WHERE {PROBED_COLUMN} IS NOT NULL"
        )
        if changed:
            transaction.commit(CommitInfo("", "Read all media headers again", "maintenance"), {"rows": changed})


def _as_table(results: Sequence[ProbeResult]) -> pa.Table:
    known = {field.name for field in _PROBED_FIELDS}
    for result in results:
        if not result.values.keys() <= known:
            raise InternalError(f"A header gave values for {sorted(result.values.keys() - known)}.")
    columns: dict[str, Any] = {
        "id": pa.array([result.target.datapoint_id for result in results], pa.int64()),
        "etag": pa.array([result.target.etag for result in results], pa.string()),
    }
    for field in _PROBED_FIELDS:
        columns[field.name] = pa.array([result.values.get(field.name) for result in results], arrow_type(field))
    return pa.table(columns)
