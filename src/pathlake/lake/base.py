"""The lake seam: metadata tables, their schema and their history.

A lake holds one table per datasource. Columns of a result are `datapoint_id` (int64), `path` (string), then one per
selected field in Arrow's canonical types (`pathlake.types.columns`): INTEGER int64, FLOAT float64, BOOLEAN bool, STRING
string, BLOB string (64 hex digits), DATETIME timestamp[us, UTC], lists of these for `multiple` fields. A DATETIME field
that is not `multiple` is followed by a companion column (int16 minutes east of UTC; see `columns.zone_column_name`).
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pyarrow as pa

from pathlake.expr import Query
from pathlake.storage.base import FileBatch
from pathlake.types import Field, Schema

CommitKind = Literal["upload", "scan", "fields", "delete", "create", "maintenance"]


@dataclass(frozen=True, slots=True)
class TableRef:
    """Names a datasource's table: one schema per repo, one table per datasource."""

    repo_id: int
    datasource_id: int


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What a change set says of itself."""

    author: str
    message: str
    kind: CommitKind
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommitReport:
    """What a change set did.

    Attributes:
        snapshot: Id of the snapshot it made; the one before it when nothing changed.
        rows: Rows given.
        new_datapoints: Datapoints that came into being.
        updated_datapoints: Datapoints that were there and got values.
        new_fields: Fields that came into being.
    """

    snapshot: int
    rows: int = 0
    new_datapoints: int = 0
    updated_datapoints: int = 0
    new_fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """One entry of a table's history, newest first in listings."""

    snapshot: int
    at: dt.datetime
    author: str
    message: str
    kind: str
    extra: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ScanCounts:
    """What a scan did to the table."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    returned: int = 0
    unchanged: int = 0
    vanished: int = 0


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """A file whose media header has not been read since its content changed."""

    datapoint_id: int
    path: str
    size: int
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Values for automatic fields read from a media header; `values` is empty where there was nothing to read."""

    target: ProbeTarget
    values: dict[str, Any]


class Rows(Protocol):
    """The answer to a query, streamed from one snapshot."""

    @property
    def arrow_schema(self) -> pa.Schema:
        """`datapoint_id`, `path`, then the columns of `fields` and their zone companions."""
        ...

    @property
    def fields(self) -> tuple[tuple[str, Field], ...]:
        """Column name in the result and the field it shows, in order."""
        ...

    @property
    def snapshot(self) -> int:
        """Id of the snapshot the rows are read from."""
        ...

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...

    def close(self) -> None:
        """Stop the query and free what it holds. Safe to call twice."""
        ...


class FileScan(Protocol):
    """One scan's writes: a listing compared with the table, batch by batch.

    Used as a context manager; leaving it without `finish` keeps what was added and marks nothing missing.
    """

    def add(self, batch: FileBatch, media_types: Sequence[str | None]) -> None:
        """Take in listed files; they become visible to queries within about a second or 100,000 files."""
        ...

    def finish(self) -> ScanCounts:
        """Write what is pending and mark the files that the listing did not show as missing."""
        ...

    @property
    def counts(self) -> ScanCounts:
        """Counts so far."""
        ...

    def __enter__(self) -> FileScan: ...

    def __exit__(self, *exc: object) -> None: ...


class Lake(Protocol):
    """Metadata tables with schema and history. Safe to use from many threads; writes are serialised."""

    def create_table(self, table: TableRef, *, commit: CommitInfo) -> None:
        """Make the table of a datasource, with the automatic fields' columns and no rows."""
        ...

    def drop_table(self, table: TableRef) -> None:
        """Remove the table, its definitions and its history from view. Nothing happens if there is none."""
        ...

    def schema(self, table: TableRef, *, snapshot: int | None = None) -> Schema:
        """Return the fields: those people made, and the automatic ones that have a value somewhere or always do."""
        ...

    def snapshot_at(self, moment: dt.datetime | None = None) -> int:
        """Return the id of the newest snapshot, or of the newest one not after `moment`.

        Raises:
            CommitNotFoundError: `moment` lies before the first snapshot.
        """
        ...

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
        """Give values to datapoints, in one commit: all of it or none of it.

        `schema` has a `path` column (string), any order, and one column per field in canonical types (BLOB columns
        already hold hashes and are marked so by `columns.mark_field`). Null means "not given". Unknown paths make
        datapoints, unknown fields are created. The same path twice: the last given value of each field wins.
        `lists` says whether a given list takes the place of the stored one or is joined to it without doubles.

        Raises:
            FieldTypeError: A value does not fit its field; names path, field and both types.
            AutomaticFieldError, InvalidNameError, InvalidPathError: As they say.
        """
        ...

    def put_fields(self, table: TableRef, fields: Sequence[Field], *, commit: CommitInfo) -> CommitReport:
        """Create fields, or set tags and description of those that are there; a type never changes."""
        ...

    def delete_values(self, table: TableRef, values: Sequence[tuple[int, str]], *, commit: CommitInfo) -> CommitReport:
        """Remove stored values, each given as (datapoint_id, field name)."""
        ...

    def delete_datapoints(self, table: TableRef, datapoint_ids: Sequence[int], *, commit: CommitInfo) -> CommitReport:
        """Remove datapoints with all their metadata; ids that are not there are an error."""
        ...

    def query(self, table: TableRef, query: Query, *, snapshot: int | None = None, offset: int = 0) -> Rows:
        """Run a query; its condition is bound against the table's schema first.

        Args:
            table: Which datasource.
            query: What is asked.
            snapshot: Snapshot to read from, for stable paging; None means `query.as_of`, else the newest.
            offset: Datapoints to pass over from the start, before `query.limit` counts.
        """
        ...

    def count(self, table: TableRef, query: Query, *, snapshot: int | None = None) -> int:
        """Return how many datapoints a query gives."""
        ...

    def paths_of(self, table: TableRef, datapoint_ids: Sequence[int]) -> dict[int, str]:
        """Return path by id for those of `datapoint_ids` that exist."""
        ...

    def has_datapoint(self, table: TableRef, path: str) -> bool:
        """Tell whether there is a datapoint at `path`."""
        ...

    def history(self, table: TableRef, *, limit: int = 100) -> list[CommitRecord]:
        """Return the commits of a table, newest first."""
        ...

    def datapoint_history(
        self, table: TableRef, paths: Sequence[str], *, fields: Sequence[str] | None = None
    ) -> dict[str, list[dt.datetime]]:
        """Return, for each path, when it (or one of `fields`) changed, oldest first."""
        ...

    def scan(self, table: TableRef, *, commit: CommitInfo) -> FileScan:
        """Begin to take in a listing of the datasource's files."""
        ...

    def probe_targets(self, table: TableRef, *, after_id: int = -1, limit: int = 10_000) -> list[ProbeTarget]:
        """Return files with a media type whose header is to be read, by id; `after_id` pages on."""
        ...

    def save_probes(self, table: TableRef, results: Sequence[ProbeResult], *, commit: CommitInfo) -> None:
        """Store what headers said, and that they were read; results for changed or vanished files are dropped."""
        ...

    def reset_probes(self, table: TableRef) -> None:
        """Forget which headers were read, so that all are read again."""
        ...

    def blob_hashes(self, table: TableRef, hashes: Sequence[str]) -> set[str]:
        """Return those of `hashes` that some BLOB value of the table has."""
        ...

    def small_files(self) -> int:
        """Return how many small files there are now; `maintain` makes few of many."""
        ...

    def maintain(self, *, stop: threading.Event | None = None) -> None:
        """Merge small files and drop what no snapshot needs; bounded in memory.

        Args:
            stop: Ends it before the next table once it is set.
        """
        ...

    def close(self) -> None:
        """End all queries and free everything."""
        ...
