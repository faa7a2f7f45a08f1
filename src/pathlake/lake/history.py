"""What happened to a table, and when."""

from __future__ import annotations

import bisect
import datetime as dt
import json
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from pathlake.errors import CommitNotFoundError
from pathlake.lake.base import CommitRecord, TableRef
from pathlake.lake.definitions import ID_COLUMN, PATH_COLUMN
from pathlake.lake.sql import LAKE, at_snapshot, data_table, schema_name, table_name
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

    Reads every version of these rows from DuckLake's change feed. Deletions are looked for in old snapshots instead,
    because the feed of DuckLake on DuckDB 1.5.2 sometimes tells an earlier commit for them.
    """
    found: dict[str, list[dt.datetime]] = {path: [] for path in paths}
    with transactions.read(table) as reading:
        cursor = reading.cursor
        columns = [reading.definition.resolve(name) for name in dict.fromkeys(fields or ())]
        values = [name for column in columns for name in (column.quoted, column.quoted_zone) if name]
        row = f"struct_pack({', '.join(f'v{n} := {name}' for n, name in enumerate(values))})" if values else "0"
        cursor.register("chosen", pa.table({"p": pa.array(list(found), pa.string())}))
        versions = cursor.execute(
            f"SELECT path, id, snapshot_id, epoch_us(s.snapshot_time), changed FROM ("
            f"SELECT *, {'value IS DISTINCT FROM lag(value) OVER w' if values else 'true'} "
            "OR id IS DISTINCT FROM lag(id) OVER w AS changed FROM ("
            f"SELECT {PATH_COLUMN} AS path, {ID_COLUMN} AS id, snapshot_id, last({row}) AS value "
            f"FROM {every_version(reading)} WHERE {PATH_COLUMN} IN (SELECT p FROM chosen) GROUP BY ALL) "
            f"WINDOW w AS (PARTITION BY path ORDER BY snapshot_id)) JOIN {LAKE}.snapshots() AS s USING (snapshot_id) "
            "ORDER BY path, snapshot_id"
        ).fetchall()
        for (path, datapoint, snapshot, micros, changed), following in zip(
            versions, [*versions[1:], None], strict=True
        ):
            if changed:
                found[path].append(_moment(micros))
            if following is None or following[:2] != (path, datapoint):
                again = following[2] if following is not None and following[0] == path else None
                if (deleted := _deletion(reading, datapoint, since=snapshot, again=again)) is not None:
                    found[path].append(deleted)
    return found


def _deletion(reading: ReadTransaction, datapoint: int, *, since: int, again: int | None) -> dt.datetime | None:
    """Return when a datapoint was deleted that was there at snapshot `since`, or None if it still is.

    Args:
        reading: The table.
        datapoint: Its id.
        since: A snapshot at which it was there.
        again: A later snapshot at which its path had another datapoint; None if there is none.
    """

    def is_there(snapshot: int) -> bool:
        at = at_snapshot(None if snapshot == reading.snapshot and reading.at is None else snapshot)
        statement = f"SELECT 1 FROM {data_table(reading.table)}{at} WHERE {ID_COLUMN} = ?"
        return reading.cursor.execute(statement, [datapoint]).fetchone() is not None

    if again is None and is_there(reading.snapshot):
        return None
    commits = reading.cursor.execute(
        f"SELECT snapshot_id, epoch_us(snapshot_time) FROM {LAKE}.snapshots() WHERE snapshot_id > ? "
        "AND snapshot_id <= ? AND starts_with(commit_extra_info, ?) ORDER BY snapshot_id",
        [since, reading.snapshot if again is None else again, mark_of(reading.table)],
    ).fetchall()
    index = bisect.bisect_left(commits, 1, key=lambda commit: int(not is_there(commit[0])))
    return _moment(commits[index][1]) if index < len(commits) else None


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
