"""What happened to a table, and when."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from pathlake.errors import CommitNotFoundError
from pathlake.lake.base import CommitRecord, TableRef
from pathlake.lake.definitions import PATH_COLUMN
from pathlake.lake.sql import LAKE, schema_name, table_name
from pathlake.lake.transaction import ReadTransaction, Transactions, current_snapshot, mark_of

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def snapshot_at(cursor: duckdb.DuckDBPyConnection, moment: dt.datetime | None) -> int:
    """Return the newest snapshot, or the newest not after `moment`; see `Lake.snapshot_at`."""
    if moment is None:
        return current_snapshot(cursor)
    row = cursor.execute(
        f"SELECT max(snapshot_id) FROM {LAKE}.snapshots() WHERE epoch_us(snapshot_time) <= ?", [_micros(moment)]
    ).fetchone()
    if row is None or row[0] is None:
        raise CommitNotFoundError(f"There was no metadata yet at {moment.isoformat()}.", {"moment": moment.isoformat()})
    return int(row[0])


def history(cursor: duckdb.DuckDBPyConnection, table: TableRef, *, limit: int) -> list[CommitRecord]:
    """Return the commits of a table, newest first; see `Lake.history`."""
    rows = cursor.execute(
        "SELECT snapshot_id, epoch_us(snapshot_time), author, commit_message, commit_extra_info "
        f"FROM {LAKE}.snapshots() WHERE starts_with(commit_extra_info, ?) ORDER BY snapshot_id DESC LIMIT ?",
        [mark_of(table), limit],
    ).fetchall()
    records = []
    for snapshot, micros, author, message, facts in rows:
        extra = json.loads(facts)
        extra.pop("table")
        records.append(CommitRecord(snapshot, _moment(micros), author or "", message or "", extra.pop("kind"), extra))
    return records


def datapoint_history(
    transactions: Transactions, table: TableRef, *, paths: Sequence[str], fields: Sequence[str] | None
) -> dict[str, list[dt.datetime]]:
    """Return, for each path, when it changed; see `Lake.datapoint_history`.

    Reads DuckLake's change feed for these paths only: what a commit took away and what it put in its place.
    """
    found: dict[str, list[dt.datetime]] = {path: [] for path in paths}
    with transactions.read(table) as reading:
        cursor = reading.cursor
        columns = [reading.definition.resolve(name) for name in dict.fromkeys(fields or ())]
        values = [name for column in columns for name in (column.quoted, column.quoted_zone) if name]
        row = f"struct_pack({', '.join(f'v{n} := {name}' for n, name in enumerate(values))})" if values else "0"
        cursor.register("chosen", pa.table({"p": pa.array(list(found), pa.string())}))
        since = cursor.execute(
            f"SELECT min(snapshot_id) FROM {LAKE}.snapshots() WHERE starts_with(commit_extra_info, ?)",
            [mark_of(table)],
        ).fetchone()
        if since is None or since[0] is None:
            return found
        # A value that was put and a value that was taken away differ, or one of them is not there.
        rows = cursor.execute(
            f"SELECT {PATH_COLUMN}, epoch_us(s.snapshot_time) FROM ("
            f"SELECT snapshot_id, {PATH_COLUMN}, "
            f"first({row}) FILTER (change_type IN ('delete', 'update_preimage')) AS old, "
            f"first({row}) FILTER (change_type IN ('insert', 'update_postimage')) AS new, "
            "bool_or(change_type IN ('delete', 'update_preimage')) AS had, "
            "bool_or(change_type IN ('insert', 'update_postimage')) AS has "
            f"FROM ducklake_table_changes('{LAKE}', '{schema_name(table)}', '{table_name(table)}', "
            f"{int(since[0]):d}, {reading.snapshot:d}) WHERE {PATH_COLUMN} IN (SELECT p FROM chosen) "
            f"GROUP BY snapshot_id, {PATH_COLUMN}) AS c JOIN {LAKE}.snapshots() AS s USING (snapshot_id) "
            f"WHERE {'(had AND has AND old IS DISTINCT FROM new) OR had <> has' if values else 'true'} "
            "ORDER BY snapshot_id"
        ).fetchall()
    for path, micros in rows:
        found[path].append(_moment(micros))
    return found


def every_version(reading: ReadTransaction) -> str:
    """Return the table function that gives every version of every row up to a snapshot."""
    table = reading.table
    return (
        f"ducklake_table_insertions('{LAKE}', '{schema_name(table)}', '{table_name(table)}', 0, {reading.snapshot:d})"
    )


def _micros(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def _moment(micros: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=micros)
