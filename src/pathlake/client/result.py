"""The answer to a query: an Arrow table with views on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload

import pyarrow as pa

from pathlake.client.datapoint import Datapoint
from pathlake.client.state import ScanInfo
from pathlake.errors import DatapointNotFoundError, FieldNotFoundError, MissingExtraError, UsageError, suggestion
from pathlake.types import Field, FieldType
from pathlake.types.arrow_types import mark_field, zone_column_name
from pathlake.wire import ResultInfo

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from pathlake.client.source import Source

_ITERATION_ROWS = 10_000
"""Rows turned into Python values at a time while iterating; memory stays flat."""


class QueryResult:
    """Datapoints with the fields a query chose, held as one Arrow table; a datapoint becomes an object when asked for.

    * `len(qr)`, `for dp in qr`, `qr[0]`, `qr[-1]`, `qr[10:20]`, `qr["images/005.jpg"]` (the datapoint at that path)
    * `qr.dataframe`, `qr.to_arrow()`, `qr.to_polars()`, `qr.column("episode")`
    """

    def __init__(self, table: pa.Table, info: ResultInfo, source: Source) -> None:
        self._table = table
        self._info = info
        self._source = source
        self._rows_by_path: dict[str, int] | None = None

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def fields(self) -> list[Field]:
        """The fields of the result under the names they have in it, in order."""
        return [_renamed(entry.field, entry.name) for entry in self._info.fields]

    @property
    def query_data_time(self) -> dt.datetime:
        """When the engine read the data, aware, UTC."""
        return dt.datetime.fromtimestamp(self._info.query_data_time, dt.UTC)

    @property
    def snapshot(self) -> int:
        """Id of the state of the metadata that was read."""
        return self._info.snapshot

    @property
    def scan(self) -> ScanInfo | None:
        """The datasource's latest scan at that time."""
        return ScanInfo.from_wire(self._info.scan) if self._info.scan else None

    @property
    def source(self) -> Source:
        """The datasource the datapoints belong to."""
        return self._source

    def __len__(self) -> int:
        return self._table.num_rows

    def __repr__(self) -> str:
        names = ", ".join(entry.name for entry in self._info.fields[:8])
        more = f" and {len(self._info.fields) - 8} more" if len(self._info.fields) > 8 else ""
        plural = "" if len(self) == 1 else "s"
        return f"<QueryResult of {self._source.name!r}: {len(self):,} datapoint{plural}; {names or 'no fields'}{more}>"

    # -- datapoints ----------------------------------------------------------------------------------------------

    @property
    def entries(self) -> list[Datapoint]:
        """All datapoints as objects; iterating instead keeps fewer of them at a time."""
        return list(self)

    def __iter__(self) -> Iterator[Datapoint]:
        for start in range(0, len(self), _ITERATION_ROWS):
            yield from self._datapoints(self._table.slice(start, _ITERATION_ROWS))

    @overload
    def __getitem__(self, item: int | str) -> Datapoint: ...

    @overload
    def __getitem__(self, item: slice) -> QueryResult: ...

    def __getitem__(self, item: int | str | slice) -> Datapoint | QueryResult:
        """Return the datapoint at a position or path, or the result of a slice.

        Raises:
            IndexError: There is no such position.
            DatapointNotFoundError: The result has no datapoint at that path.
        """
        if isinstance(item, str):
            return self._at(self._row_of(item))
        if isinstance(item, slice):
            start, stop, step = item.indices(len(self))
            if step == 1:
                return self._with(self._table.slice(start, max(0, stop - start)))
            return self.take(range(start, stop, step))
        try:
            position = item.__index__()
        except AttributeError:
            raise UsageError(f"A result takes a position, a slice or a path, not {item!r}.") from None
        row = position + len(self) if position < 0 else position
        if not 0 <= row < len(self):
            raise IndexError(f"The result has {len(self)} datapoints; there is none at position {position}.")
        return self._at(row)

    def take(self, positions: Sequence[int]) -> QueryResult:
        """Return the datapoints at the given positions, in that order."""
        return self._with(self._table.take(pa.array(positions, pa.int64())))

    def datapoint_ids(self, positions: Sequence[int] | None = None) -> list[int]:
        """Return the ids of the datapoints, or of those at the given positions."""
        ids = self._table.column("datapoint_id")
        found: list[Any] = (ids if positions is None else ids.take(pa.array(positions, pa.int64()))).to_pylist()
        return found

    def column(self, name: str) -> pa.ChunkedArray[Any]:
        """Return one column as Arrow: a field, `path` or `datapoint_id`.

        Raises:
            FieldNotFoundError: The result has no such column.
        """
        if name not in self._column_names:
            raise FieldNotFoundError(
                f"The result has no column {name!r}.{suggestion(name, self._column_names)}", {"field": name}
            )
        return self._table.column(name)

    # -- tables --------------------------------------------------------------------------------------------------

    @property
    def dataframe(self) -> pd.DataFrame:
        """The result in pandas: `path`, `datapoint_id`, `dagshub_download_url`, then the fields by name.

        INTEGER and BOOLEAN columns are `int64` and `bool`, or pandas' nullable `Int64` and `boolean` where values are
        missing, because floats would lose digits beyond 2**53. DATETIME columns are aware, in the zone the values
        were given with if that is one and the same, else in UTC. Lists are numpy arrays, blobs their hash.
        """
        from pathlake.client.frames import to_pandas

        return to_pandas(self.to_arrow(), urls=self.download_urls, zones=self._common_zones())

    def to_arrow(self) -> pa.Table:
        """Return the result as an Arrow table: `path`, `datapoint_id`, then the fields in the query's order."""
        columns = [self._table.column(name) for name in self._column_names]
        marked: list[pa.Field[Any]] = [
            mark_field(entry.name, entry.field.type, entry.field.multiple) for entry in self._info.fields
        ]
        own: list[pa.Field[Any]] = [pa.field("path", pa.string()), pa.field("datapoint_id", pa.int64())]
        schema = pa.schema([*own, *marked])
        return pa.table(columns, schema=schema)

    def to_polars(self) -> pl.DataFrame:
        """Return the result as a polars frame.

        Raises:
            MissingExtraError: polars is not installed.
        """
        try:
            import polars as pl
        except ImportError as error:
            raise MissingExtraError("polars is not installed. Install it: pip install 'pathlake[polars]'") from error
        frame = pl.from_arrow(self.to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        table: Any = self.to_arrow()
        stream: object = table.__arrow_c_stream__(requested_schema)
        return stream

    @property
    def download_urls(self) -> pa.ChunkedArray[Any]:
        """The address of each datapoint's file on the engine, percent-encoded; the engine asks for the token."""
        from pathlake.client.frames import joined_urls

        return joined_urls(self._source.api.file_url(self._source.id, ""), self._table.column("path"))

    # -- inside --------------------------------------------------------------------------------------------------

    @property
    def _column_names(self) -> list[str]:
        return ["path", "datapoint_id", *(entry.name for entry in self._info.fields)]

    def _with(self, table: pa.Table) -> QueryResult:
        return QueryResult(table, self._info, self._source)

    def _at(self, row: int) -> Datapoint:
        return next(self._datapoints(self._table.slice(row, 1)))

    def _row_of(self, path: str) -> int:
        if self._rows_by_path is None:
            paths: list[Any] = self._table.column("path").to_pylist()
            self._rows_by_path = {found: row for row, found in enumerate(paths)}
        row = self._rows_by_path.get(path)
        if row is None:
            advice = (
                f" It is the name of a column; use qr.column({path!r}) or qr.dataframe[{path!r}]."
                if path in self._column_names
                else ""
            )
            raise DatapointNotFoundError(
                f"The result has no datapoint at {path!r}; it has {len(self)} datapoints.{advice}", {"path": path}
            )
        return row

    def _datapoints(self, table: pa.Table) -> Iterator[Datapoint]:
        names = [entry.name for entry in self._info.fields]
        columns = [self._values(table, entry.name, entry.field) for entry in self._info.fields]
        ids: list[Any] = table.column("datapoint_id").to_pylist()
        paths: list[Any] = table.column("path").to_pylist()
        known = frozenset(names)
        for row, (datapoint_id, path) in enumerate(zip(ids, paths, strict=True)):
            found = ((name, column[row]) for name, column in zip(names, columns, strict=True))
            metadata = {name: value for name, value in found if value is not None}
            yield Datapoint(datapoint_id, path, metadata=metadata, source=self._source, known=known)

    def _values(self, table: pa.Table, name: str, field: Field) -> list[Any]:
        values: list[Any] = table.column(name).to_pylist()
        zone_column = zone_column_name(name)
        if field.type is not FieldType.DATETIME or zone_column not in table.column_names:
            return values
        zones = table.column(zone_column).to_pylist()
        return [
            moment.astimezone(_zone(minutes)) if moment is not None and minutes else moment
            for moment, minutes in zip(values, zones, strict=True)
        ]

    def _common_zones(self) -> dict[str, int]:
        """Return, for DATETIME columns whose values were all given with one offset, that offset in minutes."""
        import pyarrow.compute as pc

        found: dict[str, int] = {}
        for entry in self._info.fields:
            zones = zone_column_name(entry.name)
            if entry.field.type is FieldType.DATETIME and zones in self._table.column_names:
                ends: Any = pc.min_max(self._table.column(zones)).as_py()
                if ends["min"] is not None and ends["min"] == ends["max"]:
                    found[entry.name] = ends["min"]
        return found


def _renamed(field: Field, name: str) -> Field:
    return field if field.name == name else replace(field, name=name)


@lru_cache(maxsize=4096)
def _zone(minutes: int) -> dt.timezone:
    return dt.timezone(dt.timedelta(minutes=minutes))
