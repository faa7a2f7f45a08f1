"""Taking in a listing of files: compared with the table in SQL, piece by piece."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pathlake.errors import InternalError
from pathlake.lake.base import CommitInfo, ScanCounts, TableRef
from pathlake.lake.definitions import ID_COLUMN, MISSING_COLUMN, PATH_COLUMN
from pathlake.lake.failures import mapped
from pathlake.lake.sql import data_table
from pathlake.lake.transaction import Transactions, WriteTransaction, current_snapshot
from pathlake.storage.base import FileBatch

MOST_FILES = 100_000
"""Files written at once, at the most."""

FIRST_AFTER_S = 0.25
FLUSH_AFTER_S = 1.0
"""Seconds after which fewer are written: something is soon to be seen, and a short listing takes one commit."""

_COLUMNS: list[pa.Field[Any]] = [
    pa.field("path", pa.string()),
    pa.field("size", pa.int64()),
    pa.field("last_modified", pa.timestamp("us")),
    pa.field("media_type", pa.string()),
    pa.field("etag", pa.string()),
]
_SCHEMA = pa.schema(_COLUMNS)
_WRITTEN = f"{ID_COLUMN}, {PATH_COLUMN}, {MISSING_COLUMN}, size, last_modified, media_type, etag"


class TableScan:
    """One scan's writes; see `FileScan`.

    A piece is joined with the table once; unchanged files cost no write, and a piece without any change no commit.
    The ids of the files seen are kept in a temporary table that the database may spill to disk. As long as the table
    holds nothing but what this scan wrote, there is nothing to join with: a listing shows no path twice.
    """

    def __init__(self, transactions: Transactions, table: TableRef, *, commit: CommitInfo) -> None:
        self._transactions = transactions
        self._table = table
        self._info = commit
        self._counts = ScanCounts()
        self._pending = FileBatch()
        self._media_types: list[str | None] = []
        self._due_at = time.monotonic() + FIRST_AFTER_S
        self._alone = True
        self._own_ids = range(0)
        self._snapshot = -1
        self._cursor = transactions.database.open_cursor()
        with mapped():
            self._cursor.execute("CREATE TEMP TABLE seen_files (id BIGINT)")

    @property
    def counts(self) -> ScanCounts:
        """Counts of what is written so far."""
        return self._counts

    def add(self, batch: FileBatch, media_types: Sequence[str | None]) -> None:
        """Take in listed files; see `FileScan.add`."""
        if len(media_types) != len(batch):
            raise InternalError(f"{len(batch)} files came with {len(media_types)} media types.")
        pending = self._pending
        pending.paths += batch.paths
        pending.sizes += batch.sizes
        pending.modified_us += batch.modified_us
        pending.etags += batch.etags
        self._media_types += media_types
        if len(pending) >= MOST_FILES or (len(pending) and time.monotonic() >= self._due_at):
            self._flush()

    def finish(self) -> ScanCounts:
        """Write what is pending and mark the files that the listing did not show as missing."""
        if len(self._pending):
            self._flush()
        own = f"{ID_COLUMN} >= {self._own_ids.start} AND {ID_COLUMN} < {self._own_ids.stop}"
        unseen = f"NOT ({own}) AND {ID_COLUMN} NOT IN (SELECT id FROM seen_files)"
        gone = f"NOT {MISSING_COLUMN} AND etag IS NOT NULL AND {unseen}"
        target = data_table(self._table)
        with self._transactions.write(self._table, cursor=self._cursor) as transaction:
            if self._is_alone(transaction):
                return self._counts
            vanished = transaction.number(f"SELECT count(*) FROM {target} WHERE {gone}")
            if vanished:
                transaction.change(f"UPDATE {target} SET {MISSING_COLUMN} = true WHERE {gone}")
                transaction.commit(self._info, {"vanished": vanished})
            self._counts = replace(self._counts, vanished=self._counts.vanished + vanished)
        return self._counts

    def _flush(self) -> None:
        pending, self._pending = self._pending, FileBatch()
        media_types, self._media_types = self._media_types, []
        data = _as_table(pending, media_types)
        with self._transactions.write(self._table, cursor=self._cursor) as transaction:
            found = self._insert(transaction, data) or self._compare(transaction, data)
        self._counts = ScanCounts(
            **{name: number + getattr(found, name) for name, number in asdict(self._counts).items()}
        )
        self._due_at = time.monotonic() + FLUSH_AFTER_S

    def _is_alone(self, transaction: WriteTransaction) -> bool:
        """Tell whether the table holds no row but this scan's."""
        if self._alone and current_snapshot(transaction.cursor) != self._snapshot:
            others = f"{ID_COLUMN} < {self._own_ids.start} OR {ID_COLUMN} >= {self._own_ids.stop}"
            found = transaction.run(f"SELECT 1 FROM {data_table(self._table)} WHERE {others} LIMIT 1").fetchone()
            self._alone = found is None
        return self._alone

    def _insert(self, transaction: WriteTransaction, data: pa.Table) -> ScanCounts | None:
        """Write a piece to a table that holds no row but this scan's; None if it does, and nothing was written."""
        if not self._is_alone(transaction):
            return None
        first = transaction.free_ids(data.num_rows, spare=MOST_FILES)
        if self._own_ids and first != self._own_ids.stop:
            self._alone = False
            return None
        transaction.use_ids(data.num_rows)
        with transaction.staged("listed", data) as listed:
            transaction.change(
                f"INSERT INTO {data_table(self._table)} ({_WRITTEN}) "
                f"SELECT ? + n, path, false, size, last_modified, media_type, etag FROM {listed}",
                [first],
            )
        counts = ScanCounts(seen=data.num_rows, new=data.num_rows)
        self._snapshot = transaction.commit(self._info, {"seen": data.num_rows, "new": data.num_rows})
        self._own_ids = range(self._own_ids.start if self._own_ids else first, first + data.num_rows)
        return counts

    def _compare(self, transaction: WriteTransaction, data: pa.Table) -> ScanCounts:
        """Join a piece with the table and write what is new or has changed."""
        target = data_table(self._table)
        with transaction.staged("listed", data) as listed:
            transaction.run(
                f"CREATE OR REPLACE TEMP TABLE compared AS SELECT s.*, t.{ID_COLUMN} AS id, "
                f"CASE WHEN t.{ID_COLUMN} IS NULL OR t.etag IS NULL THEN 'new' WHEN t.{MISSING_COLUMN} THEN 'returned' "
                "WHEN t.etag <> s.etag THEN 'changed' "
                "WHEN t.media_type IS DISTINCT FROM s.media_type THEN 'retyped' ELSE 'unchanged' END AS kind "
                f"FROM {listed} s LEFT JOIN {target} t ON t.{PATH_COLUMN} = s.path"
            )
        kinds = dict(transaction.run("SELECT kind, count(*) FROM compared GROUP BY kind").fetchall())
        unknown = transaction.number("SELECT count(*) FROM compared WHERE id IS NULL") if "new" in kinds else 0
        first = 0
        if unknown:
            first = transaction.free_ids(data.num_rows)
            transaction.use_ids(data.num_rows)
            transaction.change(
                f"INSERT INTO {target} ({_WRITTEN}) "
                "SELECT ? + n, path, false, size, last_modified, media_type, etag FROM compared "
                "WHERE id IS NULL ORDER BY n",
                [first],
            )
        if data.num_rows - kinds.get("unchanged", 0) > unknown:
            transaction.change(
                f"MERGE INTO {target} AS t USING (SELECT * FROM compared WHERE id IS NOT NULL AND kind <> 'unchanged') "
                f"AS s ON t.{ID_COLUMN} = s.id WHEN MATCHED THEN UPDATE SET {MISSING_COLUMN} = false, size = s.size, "
                "last_modified = s.last_modified, media_type = s.media_type, etag = s.etag"
            )
        transaction.run("INSERT INTO seen_files SELECT coalesce(id, ? + n) FROM compared", [first])
        counts = ScanCounts(
            seen=data.num_rows,
            new=kinds.get("new", 0),
            changed=kinds.get("changed", 0),
            returned=kinds.get("returned", 0),
            unchanged=kinds.get("unchanged", 0) + kinds.get("retyped", 0),
        )
        if kinds.keys() - {"unchanged"}:
            report = {name: number for name, number in asdict(counts).items() if number}
            transaction.commit(self._info, report)
        else:
            transaction.keep()
        return counts

    def __enter__(self) -> TableScan:
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            if len(self._pending):
                self._flush()
        finally:
            self._cursor.close()


def _as_table(files: FileBatch, media_types: Sequence[str | None]) -> pa.Table:
    columns: list[Any] = [
        pa.array(files.paths, pa.string()),
        pa.array(files.sizes, pa.int64()),
        pa.array(files.modified_us, pa.int64()).cast(pa.timestamp("us")),
        pa.array(media_types, pa.string()),
        pa.array(files.etags, pa.string()),
    ]
    table = pa.Table.from_arrays(columns, schema=_SCHEMA)
    if pc.count_distinct(table.column("path")).as_py() != table.num_rows:
        # A source that changes while it is listed may show a file twice; the later look counts.
        latest = dict(zip(files.paths, range(len(files)), strict=True))
        table = table.take(pa.array(sorted(latest.values())))
    return table.append_column("n", pa.array(np.arange(table.num_rows, dtype=np.int64)))
