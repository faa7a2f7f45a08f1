"""Uploading metadata: a table becomes one compressed Arrow stream, part by part, and one commit."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from pathlake.client.progress import Advance, progress_bar
from pathlake.client.source import Source
from pathlake.client.tables import Part, Table, as_table, looked_at
from pathlake.client.warnings import IgnoredColumnsWarning, warn
from pathlake.errors import (
    FieldTypeError,
    InvalidNameError,
    InvalidPathError,
    InvalidValueError,
    UsageError,
    suggestion,
)
from pathlake.types.arrow_canonical import coerce_column
from pathlake.types.arrow_types import ZONE_TYPE, arrow_type, mark_field, zone_column_name
from pathlake.types.fields import (
    AUTOMATIC_NAMES,
    RESERVED_NAMES,
    Field,
    FieldType,
    Schema,
    checked_field_name,
)
from pathlake.types.infer import infer_column
from pathlake.types.values import is_missing
from pathlake.wire import CommitAnswer

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column that is sent.

    Attributes:
        position: Where it stands in the table.
        field: What is sent: its name and type.
    """

    position: int
    field: Field

    @property
    def arrow_fields(self) -> list[pa.Field[pa.DataType]]:
        """The columns of the stream: the values, and the zones of moments."""
        name, kind, multiple = self.field.name, self.field.type, self.field.multiple
        if kind is FieldType.BLOB:
            data_type: pa.DataType = pa.list_(pa.binary()) if multiple else pa.binary()
        else:
            data_type = arrow_type(self.field)
        fields = [mark_field(name, kind, multiple, data_type=data_type)]
        if kind is FieldType.DATETIME and not multiple:
            fields.append(pa.field(zone_column_name(name), ZONE_TYPE))
        return fields


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """What is sent of a table, decided before the first row is.

    Attributes:
        table: The table.
        path_position: Where the column of paths stands.
        columns: The columns that are sent beside it.
        stored: The fields the datasource has.
    """

    table: Table
    path_position: int
    columns: tuple[PlannedColumn, ...]
    stored: Schema

    @property
    def arrow_schema(self) -> pa.Schema:
        """The schema of the stream."""
        columns = [field for column in self.columns for field in column.arrow_fields]
        return pa.schema([pa.field("path", pa.string(), nullable=False), *columns])

    def batches(self, advance: Advance) -> Iterator[pa.RecordBatch]:
        """Yield the table's parts in the form they are sent in."""
        schema = self.arrow_schema
        name = str(self.table.names[self.path_position])
        row = 0
        for part in self.table.parts():
            if not part.rows:
                continue
            paths = _paths(part.values(self.path_position), name=name, first_row=row)
            arrays: list[pa.Array[Any]] = [paths]
            for column in self.columns:
                arrays.extend(self._arrays(column, part, paths))
            row += part.rows
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            advance(completed=row)

    def _arrays(self, column: PlannedColumn, part: Part, paths: pa.Array[Any]) -> list[pa.Array[Any]]:
        planned, fields = column.field, column.arrow_fields
        stored = self.stored.get(planned.name)
        found = infer_column(planned.name, part.values(column.position), paths, known=planned)  # type: ignore[arg-type]
        if found is None:
            return [_nulls(part.rows, field.type) for field in fields]
        values, zones, given = found
        if stored is not None and (stored.type, stored.multiple) != (given.type, given.multiple):
            values = coerce_column(values, given, stored, paths)  # type: ignore[arg-type]
        elif given.type is not planned.type:
            values = coerce_column(values, given, planned, paths)  # type: ignore[arg-type]
        arrays = [values if values.type == fields[0].type else values.cast(fields[0].type)]
        if len(fields) > 1:
            arrays.append(zones if zones is not None else pa.nulls(part.rows, ZONE_TYPE))
        return arrays


def upload_table(
    source: Source,
    data: Any,
    *,
    path_column: str | int | None = None,
    message: str | None = None,
    progress: bool | None = None,
) -> CommitAnswer:
    """Upload a table as metadata, in one commit: all of it or none of it.

    Rows are sent in parts of 100,000, so memory stays flat. None, NaN, NaT and NA mean "not given": the stored value
    stays. Columns named `datapoint_id` and `dagshub_download_url` are left out, and so are those of fields that only
    scans write: silently in a frame that came from `.dataframe`, with a warning otherwise.

    Args:
        source: The datasource.
        data: A pandas or polars frame, an Arrow table, record batch, reader or dataset, or what gives an Arrow stream.
        path_column: Name or position of the column with the paths; the first one by default.
        message: What the commit says of itself.
        progress: Whether to show a bar; by default where somebody is watching.

    Returns:
        What the commit did.

    Raises:
        UsageError: There is no such path column, or a column name stands twice.
        InvalidPathError: A path is missing or no string.
        FieldTypeError: A value does not fit its field; names path, field and both types.
        InvalidValueError: No field can hold a value.
    """
    table = as_table(data)
    plan = planned_upload(source, table, path_column=path_column)
    return send(source, plan, message=message, progress=progress)


def send(source: Source, plan: UploadPlan, *, message: str | None, progress: bool | None = False) -> CommitAnswer:
    """Send what was planned, in one commit."""
    with progress_bar(f"Uploading metadata to {source.name}", total=plan.table.rows, wanted=progress) as advance:
        report = source.api.upload(
            source.id,
            lambda: ipc_chunks(plan.arrow_schema, lambda: plan.batches(advance)),
            message=message,
            repeatable=plan.table.repeatable,
        )
    schema = source.schema
    for field in report.new_fields:
        schema = schema.with_field(field)
    if report.new_fields:
        source.state = replace(source.state, schema=schema)
    return report


def planned_upload(source: Source, table: Table, *, path_column: str | int | None) -> UploadPlan:
    """Decide which columns of a table are sent, and as what."""
    names = list(table.names)
    path_position = _path_position(names, path_column)
    _check_unique(names)
    returning = "datapoint_id" in names
    stored = source.refresh().schema if returning else source.schema
    columns: list[PlannedColumn] = []
    ignored: list[str] = []
    for position, name in enumerate(names):
        if position == path_position or name in RESERVED_NAMES:
            continue
        if name in AUTOMATIC_NAMES:
            ignored.append(str(name))
            continue
        declared = table.declared(position)
        if isinstance(declared, bool):
            known = stored.get(str(name))
            declared = looked_at(table, position=position, name=str(name), path_position=path_position, stored=known)
        if declared is None:
            continue
        field = Field(checked_field_name(name), declared.type, declared.multiple)
        known = stored.get(field.name)
        if returning and known is not None and known.type is FieldType.BLOB and _is_hash(table, position, field):
            continue
        if known is not None and _fits(field, known):
            field = Field(field.name, known.type, known.multiple)
        columns.append(PlannedColumn(position, field))
    if ignored and not returning:
        warn(
            f"Columns that only scans write were left out: {', '.join(ignored)}. Rename them to upload them.",
            IgnoredColumnsWarning,
        )
    return UploadPlan(table, path_position, tuple(columns), stored)


def ipc_chunks(schema: pa.Schema, batches: Callable[[], Iterator[pa.RecordBatch]]) -> Iterator[bytes]:
    """Yield an Arrow IPC stream, compressed, a chunk for each batch."""
    pipe = _Pipe()
    with pa.ipc.new_stream(pa.PythonFile(pipe, mode="w"), schema, options=_OPTIONS) as writer:
        for batch in batches():
            writer.write_batch(batch)
            yield pipe.take()
    yield pipe.take()


class _Pipe(io.RawIOBase):
    """The file a stream is written to; `take` gives what was written since."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _path_position(names: Sequence[object], path_column: str | int | None) -> int:
    if not names:
        raise UsageError("The table has no columns; the first one must hold the paths.")
    if path_column is None:
        return 0
    if isinstance(path_column, int) and not isinstance(path_column, bool):
        if not -len(names) <= path_column < len(names):
            raise UsageError(f"There is no column {path_column}; the table has {len(names)} columns, counted from 0.")
        return path_column % len(names)
    if path_column not in names:
        known = [name for name in names if isinstance(name, str)]
        raise UsageError(
            f"The table has no column {path_column!r} to take paths from.{suggestion(str(path_column), known)} "
            f"It has: {', '.join(map(repr, names[:20]))}."
        )
    return names.index(path_column)


def _check_unique(names: Sequence[object]) -> None:
    seen: set[object] = set()
    for name in names:
        if name in seen:
            raise InvalidNameError(f"The column name {name!r} stands twice; each field needs a name of its own.")
        seen.add(name)


def _fits(given: Field, stored: Field) -> bool:
    numbers = (FieldType.INTEGER, FieldType.FLOAT)
    same = given.type is stored.type or (given.type in numbers and stored.type in numbers)
    return same and given.multiple == stored.multiple


def _is_hash(table: Table, position: int, field: Field) -> bool:
    """Tell whether a column shows a blob field's hashes, as results do, instead of bytes."""
    if field.type is FieldType.STRING:
        return True
    schema = getattr(table, "schema", None)
    return isinstance(schema, pa.Schema) and pa.types.is_string(schema.field(position).type)


def _paths(values: Any, *, name: str, first_row: int) -> pa.Array[Any]:
    """Return the paths of a part as an Arrow array of strings.

    Raises:
        InvalidPathError: One is missing or no string.
    """
    try:
        found = infer_column("path", values, range(first_row, first_row + len(values)))  # type: ignore[arg-type]
    except (FieldTypeError, InvalidValueError) as error:
        raise _bad_path(values, name=name, first_row=first_row, cause=str(error)) from error
    if found is None or found[2] != Field("path", FieldType.STRING) or found[0].null_count:
        raise _bad_path(values, name=name, first_row=first_row, cause="")
    paths: pa.Array[Any] = found[0]
    return paths


def _nulls(rows: int, data_type: Any) -> pa.Array[Any]:
    nulls: pa.Array[Any] = pa.nulls(rows, data_type)
    return nulls


def _bad_path(values: Any, *, name: str, first_row: int, cause: str) -> InvalidPathError:
    plain = values.to_pylist() if isinstance(values, pa.Array | pa.ChunkedArray) else list(values)
    for row, value in enumerate(plain, start=first_row):
        if not isinstance(value, str):
            shown = "missing" if is_missing(value) else f"{value!r}, which is no string"
            return InvalidPathError(
                f"The path column {name!r} must hold strings, but in row {row} (from 0) the path is {shown}. "
                "Choose another one with path_column=...",
                {"row": row, "column": name},
            )
    return InvalidPathError(f"The path column {name!r} cannot be read: {cause}", {"column": name})
