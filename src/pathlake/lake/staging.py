"""Metadata on its way in: checked, brought to the types of their fields, and cut into pieces of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pathlake.errors import AutomaticFieldError, InvalidNameError, InvalidPathError, InvalidValueError, UsageError
from pathlake.lake.definitions import Column
from pathlake.types import (
    AUTOMATIC_NAMES,
    MAX_PATH_BYTES,
    Field,
    FieldType,
    checked_field_name,
    checked_path,
    path_problem,
)
from pathlake.types.columns import ZONE_TYPE, coerce_column, field_of, zone_column_name

CHUNK_ROWS = 250_000
"""Rows of one MERGE: measured as the quickest that keeps memory flat (100,000 to 500,000 differ little)."""

CHUNK_BYTES = 256 << 20

# What can be wrong with a path, seen for a whole column at once; `path_problem` decides for those found.
_SUSPICIOUS = r"(?s)^$|^/|^\.|/\.|//|/$|\x00"


@dataclass(frozen=True, slots=True)
class GivenColumn:
    """A column of incoming metadata: where it is in the stream, and the field it is for."""

    index: int
    zone_index: int | None
    field: Field


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a stream hold what."""

    path_index: int
    columns: tuple[GivenColumn, ...]

    @classmethod
    def of(cls, schema: pa.Schema) -> Layout:
        """Read the layout of a stream.

        Raises:
            UsageError: There is no path column, or a column twice.
            AutomaticFieldError, InvalidNameError: A column is for no field that people may write.
            InvalidValueError: A column's type can be no field's.
        """
        names = schema.names
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise InvalidNameError(f"The column {name!r} is there twice; each field can be given once.")
            seen.add(name)
        if "path" not in seen:
            raise UsageError("There is no column 'path' that says which datapoints the values are for.")
        zones = {zone_column_name(name): name for name in names}
        columns = []
        for index, name in enumerate(names):
            if name == "path" or (name in zones and zones[name] in seen):
                continue
            if name in AUTOMATIC_NAMES:
                raise AutomaticFieldError(
                    f"The field {name!r} is read from the files by scans and cannot be written; choose another name.",
                    {"field": name},
                )
            checked_field_name(name)
            if pa.types.is_null(schema.field(index).type):
                continue  # a column without any value gives nothing
            zone = schema.get_field_index(zone_column_name(name))
            columns.append(GivenColumn(index, zone if zone >= 0 else None, field_of(schema.field(index))))
        return cls(schema.get_field_index("path"), tuple(columns))


def pieces(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, rows: int = CHUNK_ROWS, max_bytes: int = CHUNK_BYTES
) -> Iterator[pa.Table]:
    """Cut a stream of batches anew into tables of up to `rows` rows and about `max_bytes` bytes."""
    held: list[pa.RecordBatch] = []
    held_rows = held_bytes = 0
    for batch in batches:
        offset = 0
        while offset < batch.num_rows:
            part = batch.slice(offset, rows - held_rows)
            size = part.nbytes
            if held_bytes + size > max_bytes and part.num_rows > 1:
                fitting = max(1, part.num_rows * max(0, max_bytes - held_bytes) // size)
                part = part.slice(0, fitting)
                size = part.nbytes
            held.append(part)
            held_rows += part.num_rows
            held_bytes += size
            offset += part.num_rows
            if held_rows >= rows or held_bytes >= max_bytes:
                yield pa.Table.from_batches(held, schema)
                held, held_rows, held_bytes = [], 0, 0
    if held:
        yield pa.Table.from_batches(held, schema)


def checked_paths(values: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """Return a column of paths as one array of strings if all of them can be datapoint paths.

    Raises:
        InvalidPathError: Names the first that cannot.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        raise InvalidPathError(f"The column 'path' must hold strings, not {values.type}.")
    try:
        paths = values.cast(pa.string()).combine_chunks()
        paths.validate(full=True)
    except pa.ArrowInvalid:
        raise InvalidPathError("A path is not valid unicode.") from None
    if isinstance(paths, pa.ChunkedArray):
        paths = pa.concat_arrays(paths.chunks)
    if paths.null_count:
        row = int(pc.index(paths.is_null(), True).as_py())
        raise InvalidPathError(f"A row has no path (the {row + 1}. of its batch).")
    strings: Any = paths
    longest = pc.max(pc.binary_length(strings)).as_py() or 0
    if longest > MAX_PATH_BYTES or pc.any(suspicious := pc.match_substring_regex(paths, _SUSPICIOUS)).as_py():
        found = paths if longest > MAX_PATH_BYTES else paths.filter(suspicious)
        for path in found.to_pylist():
            if path is not None and path_problem(path):
                checked_path(path)
    return paths


def without_values(table: pa.Table, column: GivenColumn) -> bool:
    """Tell whether a column gives nothing in this piece."""
    return table.column(column.index).null_count == table.num_rows


def prepared(
    table: pa.Table, paths: pa.Array[Any], *, columns: Sequence[tuple[GivenColumn, Column]], first_id: int
) -> pa.Table:
    """Return a piece as it is merged: `p` (path), `id`, `c0`, `z0`, `c1` ... in the types of their fields.

    Raises:
        FieldTypeError: A value does not fit its field.
        InvalidValueError: A value that no field can hold.
    """
    arrays: list[Any] = [paths, pa.array(np.arange(first_id, first_id + len(paths), dtype=np.int64))]
    names = ["p", "id"]
    for number, (given, column) in enumerate(columns):
        values = table.column(given.index)
        canonical = coerce_column(values, given.field, column.field, paths)  # type: ignore[arg-type]
        if column.field.type is FieldType.BLOB:
            _check_hashes(canonical, column.field, paths)
        if column.field.type is FieldType.DATETIME:
            stored = pa.timestamp("us")
            canonical = canonical.cast(pa.list_(stored) if column.field.multiple else stored)
        arrays.append(canonical)
        names.append(f"c{number}")
        if column.zone is not None:
            arrays.append(_zones(table, given, canonical))
            names.append(f"z{number}")
    return pa.Table.from_arrays(arrays, names=names)


def _zones(table: pa.Table, given: GivenColumn, values: pa.Array[Any]) -> pa.Array[Any]:
    if given.zone_index is None:
        zones: Any = pa.repeat(pa.scalar(0, ZONE_TYPE), len(values))
    else:
        zones = table.column(given.zone_index).cast(ZONE_TYPE).combine_chunks()
        zones = pc.fill_null(zones, pa.scalar(0, ZONE_TYPE))
    found: pa.Array[Any] = pc.if_else(values.is_valid(), zones, pa.scalar(None, ZONE_TYPE))
    return found


def _check_hashes(values: Any, field: Field, paths: pa.Array[Any]) -> None:
    flat = values.flatten() if field.multiple else values
    if not pa.types.is_string(flat.type) or not pc.all(pc.match_substring_regex(flat, "^[0-9a-f]{64}$")).as_py():
        where = f" (among paths like {paths[0].as_py()!r})" if len(paths) else ""
        raise InvalidValueError(f"The column for BLOB field {field.name!r} holds something that is no hash{where}.")


_DEDUPED: dict[Literal["replace", "union"], str] = {
    "replace": "last({c} ORDER BY id) FILTER ({c} IS NOT NULL)",
    "union": "flatten(list({c} ORDER BY id) FILTER ({c} IS NOT NULL))",
}


def deduplication(
    columns: Sequence[tuple[GivenColumn, Column]], *, source: str, lists: Literal["replace", "union"]
) -> str:
    """Return the query that leaves one row per path, with the last given value of each field."""
    parts = ["p", "max(id) AS id"]
    for number, (_, column) in enumerate(columns):
        form = _DEDUPED[lists if column.field.multiple else "replace"]
        parts.append(f"{form.format(c=f'c{number}')} AS c{number}")
        if column.zone is not None:
            parts.append(f"last(z{number} ORDER BY id) FILTER (c{number} IS NOT NULL) AS z{number}")
    return f"SELECT {', '.join(parts)} FROM {source} GROUP BY p"


def has_duplicates(paths: pa.Array[Any]) -> bool:
    """Tell whether a path is there twice."""
    return bool(pc.count_distinct(paths).as_py() != len(paths))
