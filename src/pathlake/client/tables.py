"""Tables of any make as parts of rows: pandas, polars, Arrow, and whatever gives an Arrow stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.types as pat

from pathlake.errors import FieldTypeError, UsageError
from pathlake.types.arrow_canonical import path_at
from pathlake.types.arrow_types import element_type, field_of
from pathlake.types.fields import Field, FieldType
from pathlake.types.infer import infer_column
from pathlake.types.values import is_missing

PART_ROWS = 100_000
"""Rows handled at a time: enough to make per-part costs vanish, few enough to keep memory flat."""


class Part(Protocol):
    """Some consecutive rows of a table."""

    @property
    def rows(self) -> int:
        """How many."""
        ...

    def values(self, position: int) -> Any:
        """Return the values of the column at a position, in a form that `infer_column` takes."""
        ...


@runtime_checkable
class Table(Protocol):
    """A table that can be read part by part."""

    @property
    def names(self) -> Sequence[object]:
        """Names of the columns, in order; whatever the table has as names."""
        ...

    @property
    def rows(self) -> int | None:
        """How many rows there are; None where that is not known beforehand."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether it can be read twice."""
        ...

    def parts(self) -> Iterator[Part]:
        """Read it."""
        ...

    def declared(self, position: int) -> Field | bool | None:
        """Say what a column holds without reading it.

        Returns:
            The field; None where it has no value at all; False where its values must be looked at.

        Raises:
            InvalidValueError: No field can hold what it holds.
        """
        ...


def as_table(data: Any) -> Table:
    """Return what people give as a table.

    Raises:
        UsageError: It is no table.
    """
    if isinstance(data, Table):
        return data
    library = type(data).__module__.partition(".")[0]
    if library == "pandas" and type(data).__name__ == "DataFrame":
        return PandasTable(data)
    if library == "polars" and type(data).__name__ == "DataFrame":
        return PolarsTable(data)
    if library == "polars" and type(data).__name__ == "LazyFrame":
        raise UsageError("A polars LazyFrame has no rows yet; give its collect().")
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    if isinstance(data, pa.Table):
        return ArrowTable(data.schema, data)
    if isinstance(data, pa.RecordBatchReader):
        return ArrowTable(data.schema, data)
    if hasattr(data, "to_reader"):  # a DuckDB relation, a pyarrow scanner
        reader = data.to_reader()
        return ArrowTable(reader.schema, reader)
    if hasattr(data, "scanner"):  # a pyarrow dataset
        reader = data.scanner(batch_size=PART_ROWS).to_reader()
        return ArrowTable(reader.schema, reader)
    if hasattr(data, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(data)
        return ArrowTable(reader.schema, reader)
    raise UsageError(
        f"Metadata is uploaded from a pandas or polars DataFrame or an Arrow table, not from {type(data).__name__}. "
        "For a file use upload_metadata_from_file(), for single datapoints metadata_context()."
    )


@dataclass(frozen=True, slots=True)
class PandasPart:
    """Rows of a pandas frame; its index plays no role."""

    frame: Any

    @property
    def rows(self) -> int:
        return len(self.frame)

    def values(self, position: int) -> Any:
        return self.frame.iloc[:, position]


@dataclass(frozen=True, slots=True)
class PandasTable:
    """A pandas frame."""

    frame: Any

    @property
    def names(self) -> Sequence[object]:
        return list(self.frame.columns)

    @property
    def rows(self) -> int:
        return len(self.frame)

    @property
    def repeatable(self) -> bool:
        return True

    def parts(self) -> Iterator[PandasPart]:
        for start in range(0, len(self.frame), PART_ROWS):
            yield PandasPart(self.frame.iloc[start : start + PART_ROWS])

    def declared(self, position: int) -> Field | bool | None:
        series = self.frame.iloc[:, position]
        if series.isna().all():
            return None
        if series.dtype == object:
            return False
        try:
            kind = pa.array(series.iloc[:0], from_pandas=True).type
        except (pa.ArrowException, TypeError, ValueError):
            return False
        # Categories of mixed objects, and of an empty frame's, show only in their values.
        return False if pat.is_null(kind) or pat.is_dictionary(kind) else _declared(str(series.name), kind)


@dataclass(frozen=True, slots=True)
class PolarsPart:
    """Rows of a polars frame."""

    frame: Any

    @property
    def rows(self) -> int:
        return int(self.frame.height)

    def values(self, position: int) -> Any:
        return self.frame.to_series(position)


@dataclass(frozen=True, slots=True)
class PolarsTable:
    """A polars frame."""

    frame: Any

    @property
    def names(self) -> Sequence[object]:
        return list(self.frame.columns)

    @property
    def rows(self) -> int:
        return int(self.frame.height)

    @property
    def repeatable(self) -> bool:
        return True

    def parts(self) -> Iterator[PolarsPart]:
        for part in self.frame.iter_slices(PART_ROWS):
            yield PolarsPart(part)

    def declared(self, position: int) -> Field | bool | None:
        series = self.frame.to_series(position)
        if series.null_count() == len(series):
            return None
        if str(series.dtype) == "Object":
            return False
        return _declared(series.name, series.head(0).to_arrow().type)


@dataclass(frozen=True, slots=True)
class ArrowPart:
    """Rows of an Arrow table."""

    batch: pa.RecordBatch

    @property
    def rows(self) -> int:
        return self.batch.num_rows

    def values(self, position: int) -> Any:
        return self.batch.column(position)


@dataclass(frozen=True, slots=True)
class ArrowTable:
    """An Arrow table, or a reader that gives its batches once."""

    schema: pa.Schema
    data: pa.Table | pa.RecordBatchReader

    @property
    def names(self) -> Sequence[object]:
        return list(self.schema.names)

    @property
    def rows(self) -> int | None:
        return self.data.num_rows if isinstance(self.data, pa.Table) else None

    @property
    def repeatable(self) -> bool:
        return isinstance(self.data, pa.Table)

    def parts(self) -> Iterator[ArrowPart]:
        if isinstance(self.data, pa.Table):
            for batch in self.data.to_batches(max_chunksize=PART_ROWS):
                yield ArrowPart(batch)
            return
        for batch in self.data:
            for start in range(0, batch.num_rows, PART_ROWS):
                yield ArrowPart(batch.slice(start, PART_ROWS))

    def declared(self, position: int) -> Field | bool | None:
        found = self.schema.field(position)
        if isinstance(self.data, pa.Table) and self.data.column(position).null_count == self.data.num_rows:
            return None
        element = element_type(found.type)
        if pat.is_null(found.type) or (element is not None and pat.is_null(element)):
            return None
        return field_of(found)


def _declared(name: str, kind: pa.DataType) -> Field | bool | None:
    element = element_type(kind)
    if pat.is_null(kind) or (element is not None and pat.is_null(element)):
        return None
    return field_of(pa.field(name, kind))


def looked_at(
    table: Table, *, position: int, name: str, path_position: int, stored: Field | None = None
) -> Field | None:
    """Return what a column holds by looking at all its values.

    Args:
        table: The table.
        position: Where the column stands.
        name: Its name.
        path_position: Where the column of paths stands, for messages.
        stored: The field it is for, where the datasource has it: says which of mixed values are the wrong ones.

    Raises:
        FieldTypeError: They mix types; names path, field and both types.
        InvalidValueError: No field can hold one of them.
    """
    found: Field | None = None
    for part in table.parts():
        values, paths = part.values(position), part.values(path_position)
        column = infer_column(name, values, paths, known=found or stored)
        if column is not None:
            found = _joined(found, column[2], values=values, paths=paths)
    return found


def _joined(known: Field | None, found: Field, *, values: Any, paths: Any) -> Field:
    """Return the field that holds what both hold: ints among floats are floats."""
    if known is None or known == found:
        return found
    if known.multiple == found.multiple and {known.type, found.type} == {FieldType.INTEGER, FieldType.FLOAT}:
        return known if known.type is FieldType.FLOAT else found
    row = next(index for index, value in enumerate(values) if not is_missing(value))
    path = path_at(paths, row)
    raise FieldTypeError(
        f"{path!r}: the value of field {found.name!r} is {found.type_name}, but the values before it are "
        f"{known.type_name}. All values of a field must be of one type.",
        {"path": path, "field": found.name, "given": found.type_name, "stored": known.type_name},
    )
