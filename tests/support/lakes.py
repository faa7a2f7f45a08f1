"""Short ways to put metadata into a lake and to look at it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pyarrow as pa

from pathlake.expr import Condition, Everything, Query
from pathlake.lake import CommitInfo, CommitReport, Lake, TableRef
from pathlake.storage.base import FileBatch
from pathlake.types.columns import infer_column, zone_column_name


def info(message: str = "A change", *, kind: Literal["upload", "scan", "fields", "delete"] = "upload") -> CommitInfo:
    """Return what a test's change set says of itself."""
    return CommitInfo("ann", message, kind)


def metadata(rows: dict[str, dict[str, object]] | Sequence[tuple[str, dict[str, object]]]) -> pa.Table:
    """Return rows, each a path and its values, as the stream that `Lake.merge` takes."""
    pairs = list(rows.items()) if isinstance(rows, dict) else list(rows)
    paths = [path for path, _ in pairs]
    columns: list[Any] = [pa.array(paths, pa.string())]
    fields: list[Any] = [pa.field("path", pa.string())]
    for name in dict.fromkeys(name for _, values in pairs for name in values):
        found = infer_column(name, [values.get(name) for _, values in pairs], paths)
        if found is None:
            continue
        values, zones, field = found
        columns.append(values)
        fields.append(pa.field(name, values.type, metadata=_marks(field.type.value, multiple=field.multiple)))
        if zones is not None:
            columns.append(zones)
            fields.append(pa.field(zone_column_name(name), zones.type))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _marks(name: str, *, multiple: bool) -> dict[bytes, bytes]:
    return {b"pathlake.type": name.encode(), b"pathlake.multiple": b"1" if multiple else b"0"}


def merge(
    lake: Lake,
    table: TableRef,
    rows: pa.Table | dict[str, dict[str, object]] | Sequence[tuple[str, dict[str, object]]],
    *,
    lists: Literal["replace", "union"] = "replace",
    tags: dict[str, tuple[str, ...]] | None = None,
    message: str = "A change",
    batch_rows: int = 10_000,
) -> CommitReport:
    """Merge rows into a table in one commit."""
    data = rows if isinstance(rows, pa.Table) else metadata(rows)
    batches: Iterable[pa.RecordBatch] = data.to_batches(batch_rows)
    return lake.merge(table, batches, schema=data.schema, commit=info(message), lists=lists, tags=tags)


def fetch(lake: Lake, table: TableRef, query: Query | None = None, **options: Any) -> list[dict[str, Any]]:
    """Return the answer to a query as one dict per datapoint."""
    rows = lake.query(table, query or Query(), **options)
    return pa.Table.from_batches(list(rows), rows.arrow_schema).to_pylist()


def paths(lake: Lake, table: TableRef, condition: Condition | None = None, **options: Any) -> list[str]:
    """Return the paths of the datapoints a condition holds for, in the order of the answer."""
    query = Query(condition=condition or Everything(), select=(), **options)
    return [row["path"] for row in fetch(lake, table, query)]


def files(names: Iterable[str], *, etag: str = "1", size: int = 3) -> FileBatch:
    """Return a listing of files, all with the same etag and size."""
    listed = list(names)
    moment = int(dt.datetime(2024, 1, 2, tzinfo=dt.UTC).timestamp() * 1e6)
    return FileBatch(listed, [size] * len(listed), [moment] * len(listed), [f"{etag}-{name}" for name in listed])


def scan(lake: Lake, table: TableRef, *listings: FileBatch, media_type: str | None = "image/png") -> Any:
    """Take in whole listings in one scan, and return its counts."""
    with lake.scan(table, commit=info("Scan", kind="scan")) as taken:
        for listing in listings:
            taken.add(listing, [media_type] * len(listing))
        return taken.finish()
