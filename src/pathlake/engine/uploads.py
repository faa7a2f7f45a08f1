"""An uploaded Arrow stream as the lake takes it: canonical types, and hashes in the place of blobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa
import pyarrow.types as pat

from pathlake.engine.blobs import Blobs
from pathlake.errors import InvalidPathError, InvalidValueError, UsageError
from pathlake.types import Field, FieldType, checked_field_name
from pathlake.types.columns import (
    ZONE_TYPE,
    arrow_type,
    coerce_column,
    column_from_arrow,
    field_of,
    mark_field,
    zone_column_name,
)

_ZONE_PREFIX = zone_column_name("")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the upload and the field it fills."""

    index: int
    field: Field
    zone_index: int | None


def canonical_stream(reader: pa.RecordBatchReader, blobs: Blobs) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the schema and the batches that `Lake.merge` takes, made as they are asked for.

    Raises:
        UsageError: There is no `path` column, or two columns of one name.
        InvalidPathError: The `path` column holds no strings.
        InvalidNameError: A column's name can be no field's.
        InvalidValueError: No field can hold what a column holds.
    """
    given = reader.schema
    path_index = _path_index(given)
    columns = _columns(given, path_index)
    fields: list[Any] = [pa.field("path", pa.string())]
    for column in columns:
        fields.append(mark_field(column.field.name, column.field.type, column.field.multiple))
        if _has_zone(column.field):
            fields.append(pa.field(zone_column_name(column.field.name), ZONE_TYPE))
    schema = pa.schema(fields)
    return schema, _batches(reader, blobs, path_index=path_index, columns=columns, schema=schema)


def _path_index(given: pa.Schema) -> int:
    names = Counter(given.names)
    doubles = [name for name, times in names.items() if times > 1]
    if doubles:
        raise UsageError(f"Two columns are called {doubles[0]!r}; each field can be given once.", {"field": doubles[0]})
    if "path" not in names:
        shown = ", ".join(repr(name) for name in given.names[:10])
        raise UsageError(f"There is no column 'path' that says which datapoint a row is for; there are {shown}.")
    index = given.get_field_index("path")
    kind = given.field(index).type
    if pat.is_dictionary(kind):
        kind = kind.value_type
    if not (pat.is_string(kind) or pat.is_large_string(kind) or pat.is_string_view(kind)):
        raise InvalidPathError(f"The column 'path' must hold strings, not {kind}.")
    return index


def _columns(given: pa.Schema, path_index: int) -> list[_Column]:
    columns: list[_Column] = []
    for index, name in enumerate(given.names):
        # A column without a type holds nothing, so it gives nothing.
        if index == path_index or name.startswith(_ZONE_PREFIX) or pat.is_null(given.field(index).type):
            continue
        found = field_of(given.field(index))
        field = Field(checked_field_name(name), found.type, found.multiple)
        zone = given.get_field_index(zone_column_name(name)) if _has_zone(field) else -1
        columns.append(_Column(index, field, zone if zone >= 0 else None))
    return columns


def _batches(
    reader: pa.RecordBatchReader, blobs: Blobs, *, path_index: int, columns: list[_Column], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        paths = batch.column(path_index)
        if not pat.is_string(paths.type):
            paths = paths.cast(pa.string())
        arrays: list[Any] = [paths]
        for column in columns:
            arrays.extend(_arrays(batch, column, paths=cast("Any", paths), blobs=blobs))
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _arrays(batch: pa.RecordBatch, column: _Column, *, paths: Any, blobs: Blobs) -> Iterator[Any]:
    """Yield the canonical array of a column, and that of its zones where it has some."""
    array = batch.column(column.index)
    field = column.field
    if field.type is FieldType.BLOB:
        yield _hashes(array, field, paths=paths, blobs=blobs)
        return
    yield coerce_column(array, field, field, paths)
    if _has_zone(field):
        if column.zone_index is not None:
            yield batch.column(column.zone_index).cast(ZONE_TYPE)
        else:
            found = column_from_arrow(field.name, array, paths)
            zones = found[1] if found is not None else None
            yield zones if zones is not None else pa.nulls(len(array), ZONE_TYPE)


def _hashes(array: Any, field: Field, *, paths: Any, blobs: Blobs) -> pa.Array[Any]:
    """Store the contents of a BLOB column and return their hashes."""
    found = column_from_arrow(field.name, array, paths)
    if found is None:
        return cast("pa.Array[Any]", pa.array([None] * len(array), arrow_type(field)))
    canonical, _, kind = found
    if kind.type is not FieldType.BLOB or kind.multiple != field.multiple:
        raise InvalidValueError(
            f"The column {field.name!r} is marked as {field.type_name} but holds {kind.type_name}; give the bytes.",
            {"field": field.name},
        )
    if not field.multiple:
        return _stored(canonical, blobs)
    content = cast("pa.ListArray[Any]", canonical)
    return pa.ListArray.from_arrays(
        content.offsets, _stored(content.values, blobs), mask=content.is_null() if content.null_count else None
    )


def _stored(contents: Any, blobs: Blobs) -> pa.Array[Any]:
    present = contents.is_valid().to_pylist()
    hashes = iter(blobs.put_many(memoryview(one.as_buffer()) for one in contents if one.is_valid))
    return pa.array([next(hashes) if there else None for there in present], pa.string())


def _has_zone(field: Field) -> bool:
    return field.type is FieldType.DATETIME and not field.multiple
