"""The lake on DuckLake: metadata tables as Parquet files under a catalog in a file or PostgreSQL."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Sequence
from typing import Literal

import pyarrow as pa

from pathlake.expr import Query
from pathlake.lake import fields, history, maintenance, merge, probes, rows, tables
from pathlake.lake.base import (
    CommitInfo,
    CommitRecord,
    CommitReport,
    Lake,
    ProbeResult,
    ProbeTarget,
    TableRef,
)
from pathlake.lake.connection import Database
from pathlake.lake.filescan import TableScan
from pathlake.lake.locks import LakeWideLock, PostgresLock, WriteLocks
from pathlake.lake.remembered import Remembered
from pathlake.lake.settings import LakeSettings
from pathlake.lake.transaction import Transactions
from pathlake.types import Field, Schema


def open_lake(settings: LakeSettings) -> Lake:
    """Open the lake that `settings` name; an empty place becomes a lake.

    Args:
        settings: Where the lake is kept and what it may use.

    Returns:
        The lake. With a catalog in a file no other process may have it open.

    Raises:
        ConfigurationError: A setting cannot be used.
        IncompatibleVersionError: The lake was written by a newer version.
        MissingExtraError: An extension of DuckDB is not installed.

    Example:
        >>> lake = open_lake(LakeSettings("duckdb:////data/lake.ducklake", "/data/files"))
    """
    return DuckLake(settings)


class DuckLake:
    """A lake on DuckLake; see `Lake` for what each method does."""

    def __init__(self, settings: LakeSettings) -> None:
        self._database = Database(settings)
        self._locks: WriteLocks = LakeWideLock() if self._database.exclusive else PostgresLock(settings.postgres_url)
        self._transactions = Transactions(self._database, self._locks, Remembered(exclusive=self._database.exclusive))
        try:
            tables.check_format(self._database)
        except BaseException:
            self._database.close()
            raise

    def create_table(self, table: TableRef, *, commit: CommitInfo) -> None:
        tables.create_table(self._transactions, table, commit=commit)

    def drop_table(self, table: TableRef) -> None:
        tables.drop_table(self._transactions, table)

    def schema(self, table: TableRef, *, snapshot: int | None = None) -> Schema:
        with self._transactions.read(table, snapshot=snapshot) as reading:
            return reading.definition.schema

    def snapshot_at(self, moment: dt.datetime | None = None) -> int:
        with self._database.cursor() as cursor:
            return history.snapshot_at(cursor, moment)

    def merge(
        self,
        table: TableRef,
        batches: Iterable[pa.RecordBatch],
        *,
        schema: pa.Schema,
        commit: CommitInfo,
        lists: Literal["replace", "union"] = "replace",
        tags: dict[str, tuple[str, ...]] | None = None,
    ) -> CommitReport:
        return merge.merge(
            self._transactions, table, batches=batches, schema=schema, commit=commit, lists=lists, tags=tags or {}
        )

    def put_fields(self, table: TableRef, fields_: Sequence[Field], *, commit: CommitInfo) -> CommitReport:
        return fields.put_fields(self._transactions, table, fields=fields_, commit=commit)

    def delete_values(self, table: TableRef, values: Sequence[tuple[int, str]], *, commit: CommitInfo) -> CommitReport:
        return fields.delete_values(self._transactions, table, values=values, commit=commit)

    def delete_datapoints(self, table: TableRef, datapoint_ids: Sequence[int], *, commit: CommitInfo) -> CommitReport:
        return fields.delete_datapoints(self._transactions, table, datapoint_ids=datapoint_ids, commit=commit)

    def query(
        self, table: TableRef, query: Query, *, snapshot: int | None = None, offset: int = 0
    ) -> rows.StreamedRows:
        at = self._snapshot_of(query, snapshot)
        return rows.run_query(self._transactions, table, query=query, snapshot=at, offset=offset)

    def count(self, table: TableRef, query: Query, *, snapshot: int | None = None) -> int:
        at = self._snapshot_of(query, snapshot)
        return rows.count_rows(self._transactions, table, query=query, snapshot=at)

    def _snapshot_of(self, query: Query, snapshot: int | None) -> int | None:
        if snapshot is not None or query.as_of is None:
            return snapshot
        return self.snapshot_at(query.as_of)

    def paths_of(self, table: TableRef, datapoint_ids: Sequence[int]) -> dict[int, str]:
        return tables.paths_of(self._transactions, table, datapoint_ids=datapoint_ids)

    def has_datapoint(self, table: TableRef, path: str) -> bool:
        return tables.has_datapoint(self._transactions, table, path=path)

    def history(self, table: TableRef, *, limit: int = 100) -> list[CommitRecord]:
        with self._database.cursor() as cursor:
            return history.history(cursor, table, limit=limit)

    def datapoint_history(
        self, table: TableRef, paths: Sequence[str], *, fields: Sequence[str] | None = None
    ) -> dict[str, list[dt.datetime]]:
        return history.datapoint_history(self._transactions, table, paths=paths, fields=fields)

    def scan(self, table: TableRef, *, commit: CommitInfo) -> TableScan:
        return TableScan(self._transactions, table, commit=commit)

    def probe_targets(self, table: TableRef, *, after_id: int = -1, limit: int = 10_000) -> list[ProbeTarget]:
        return probes.probe_targets(self._transactions, table, after_id=after_id, limit=limit)

    def save_probes(self, table: TableRef, results: Sequence[ProbeResult], *, commit: CommitInfo) -> None:
        probes.save_probes(self._transactions, table, results=results, commit=commit)

    def reset_probes(self, table: TableRef) -> None:
        probes.reset_probes(self._transactions, table)

    def blob_hashes(self, table: TableRef, hashes: Sequence[str]) -> set[str]:
        return tables.blob_hashes(self._transactions, table, hashes=hashes)

    def small_files(self) -> int:
        return maintenance.small_files(self._database)

    def maintain(self, *, stop: threading.Event | None = None) -> None:
        maintenance.maintain(self._transactions, stop=stop)

    def close(self) -> None:
        self._database.close()
        self._locks.close()
