"""Answers of queries, streamed from one snapshot."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pyarrow as pa

from pathlake.errors import InternalError, QueryError
from pathlake.expr import Query, TextMatch, TextOp, bind
from pathlake.lake.base import TableRef
from pathlake.lake.conditions import Filter, filter_of
from pathlake.lake.definitions import DATAPOINT_ID, ID_COLUMN, MISSING_COLUMN, PATH, PATH_COLUMN, Column
from pathlake.lake.failures import mapped
from pathlake.lake.sql import at_snapshot, data_table
from pathlake.lake.transaction import ReadTransaction, Transactions
from pathlake.types import Field, FieldType
from pathlake.types.columns import ZONE_TYPE, arrow_type, mark_field, zone_column_name

BATCH_ROWS = 100_000


class StreamedRows:
    """The answer to a query, read as the caller asks for it; see `Rows`.

    Holds a connection of its own until the last row or `close`.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        reader: pa.RecordBatchReader,
        *,
        schema: pa.Schema,
        fields: tuple[tuple[str, Field], ...],
        snapshot: int,
    ) -> None:
        self._cursor = cursor
        self._reader = reader
        self._schema = schema
        self._fields = fields
        self._snapshot = snapshot
        self._reading = threading.Lock()
        self._closed = False
        self._done = False

    @property
    def arrow_schema(self) -> pa.Schema:
        """`datapoint_id`, `path`, then the columns of `fields` and their zone companions."""
        return self._schema

    @property
    def fields(self) -> tuple[tuple[str, Field], ...]:
        """Column name in the result and the field it shows, in order."""
        return self._fields

    @property
    def snapshot(self) -> int:
        """Id of the snapshot the rows are read from."""
        return self._snapshot

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            while True:
                batch = self._next()
                if batch is None:
                    return
                yield batch
        finally:
            self.close()

    def _next(self) -> pa.RecordBatch | None:
        with self._reading:
            if self._done:
                return None
            if self._closed:
                raise InternalError("The result was closed before all of it was read.")
            with mapped():
                try:
                    batch = self._reader.read_next_batch()
                except StopIteration:
                    self._done = True
                    return None
                except (OSError, RuntimeError, pa.ArrowException) as error:
                    raise _as_duckdb(error) from error
        columns = [column.cast(field.type) for column, field in zip(batch.columns, self._schema, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def close(self) -> None:
        """Stop the query and free what it holds. Safe to call twice, and while another thread reads."""
        if self._closed:
            return
        self._closed = True
        if not self._done:
            with contextlib.suppress(duckdb.Error):
                self._cursor.interrupt()
        with self._reading, contextlib.suppress(duckdb.Error, pa.ArrowException, OSError):
            self._reader.close()
            self._cursor.close()


def _as_duckdb(error: Exception) -> duckdb.Error:
    """Return a failure of the Arrow stream, which carries DuckDB's text only, as the error it was."""
    text = str(error)
    if "Out of Memory" in text:
        return duckdb.OutOfMemoryException(text)
    if "INTERRUPT" in text:
        return duckdb.InterruptException(text)
    return duckdb.Error(text)


def run_query(
    transactions: Transactions, table: TableRef, *, query: Query, snapshot: int | None, offset: int
) -> StreamedRows:
    """Run a query; see `Lake.query`."""
    cursor = transactions.database.open_cursor()
    try:
        with mapped():
            reading = transactions.begin_read(cursor, table, snapshot=snapshot)
            bound = bind(query, reading.definition.schema)
            selected = _selected(bound, reading)
            names = [name for name, _ in selected]
            schema = _arrow_schema(selected)
            condition = _filter(bound, reading)
            parts = [f"{ID_COLUMN} AS v0", f"{PATH_COLUMN} AS v1"]
            for _, column in selected:
                parts.append(f"{column.quoted} AS v{len(parts)}")
                if _has_zone(column):
                    parts.append(f"{_zone_sql(column)} AS v{len(parts)}")
            statement = (
                f"SELECT {', '.join(parts)} FROM {data_table(table)}{at_snapshot(reading.at)} "
                f"WHERE {condition.sql} ORDER BY {_order(bound, reading)}"
            )
            values = list(condition.values)
            if bound.limit is not None:
                statement += " LIMIT ?"
                values.append(bound.limit)
            if offset:
                statement += " OFFSET ?"
                values.append(offset)
            reader = _execute(cursor, statement, values, condition).to_arrow_reader(BATCH_ROWS)
            fields = tuple(zip(names, (column.field for _, column in selected), strict=True))
            return StreamedRows(cursor, reader, schema=schema, fields=fields, snapshot=reading.snapshot)
    except BaseException:
        cursor.close()
        raise


def count_rows(transactions: Transactions, table: TableRef, *, query: Query, snapshot: int | None) -> int:
    """Return how many datapoints a query gives; see `Lake.count`."""
    with transactions.read(table, snapshot=snapshot) as reading:
        bound = bind(replace(query, select=None, order_by=()), reading.definition.schema)
        condition = _filter(bound, reading)
        statement = f"SELECT count(*) FROM {data_table(table)}{at_snapshot(reading.at)} WHERE {condition.sql}"
        row = _execute(reading.cursor, statement, condition.values, condition).fetchone()
        assert row is not None
        found = int(row[0])
        return found if bound.limit is None else min(found, bound.limit)


def _execute(
    cursor: duckdb.DuckDBPyConnection, statement: str, values: list[object], condition: Filter
) -> duckdb.DuckDBPyConnection:
    for name, data in condition.lists.items():
        cursor.register(name, data)
    return cursor.execute(statement, values)


def _filter(query: Query, reading: ReadTransaction) -> Filter:
    for node in query.condition.walk():
        if isinstance(node, TextMatch) and node.op is TextOp.MATCHES:
            _check_pattern(reading.cursor, node)
    condition = filter_of(query.condition, reading.definition, zone_minutes=query.zone_minutes)
    if not query.include_missing:
        condition.sql = f"NOT {MISSING_COLUMN} AND {condition.sql}"
    return condition


def _check_pattern(cursor: duckdb.DuckDBPyConnection, condition: TextMatch) -> None:
    try:
        cursor.execute("SELECT regexp_matches('', ?)", [condition.text])
    except duckdb.InvalidInputException as error:
        reason = str(error).partition(":")[2].strip()
        raise QueryError(
            f"The pattern {condition.text[:200]!r} for {condition.field!r} is no valid RE2 expression: {reason[:300]}",
            {"field": condition.field, "pattern": condition.text[:200]},
        ) from error


def _selected(query: Query, reading: ReadTransaction) -> list[tuple[str, Column]]:
    definition = reading.definition
    if query.select is None:
        return [(column.field.name, column) for column in definition if column.shown]
    chosen: list[tuple[str, Column]] = []
    taken = {"path", "datapoint_id"}
    for selection in query.select:
        column = definition.resolve(selection.field)
        if column in (PATH, DATAPOINT_ID) and selection.name == selection.field:
            continue  # part of every result
        if selection.name in taken:
            raise QueryError(f"The name {selection.name!r} is there twice in the result; give one an alias.")
        taken.add(selection.name)
        chosen.append((selection.name, column))
    return chosen


def _has_zone(column: Column) -> bool:
    return column.field.type is FieldType.DATETIME and not column.field.multiple


def _zone_sql(column: Column) -> str:
    zone = column.quoted_zone
    if zone is None:  # a time that scans found: in UTC
        return f"CASE WHEN {column.quoted} IS NULL THEN NULL ELSE 0::SMALLINT END"
    return zone


def _arrow_schema(selected: list[tuple[str, Column]]) -> pa.Schema:
    fields = [
        mark_field("datapoint_id", FieldType.INTEGER, multiple=False),
        mark_field("path", FieldType.STRING, multiple=False),
    ]
    for name, column in selected:
        fields.append(
            mark_field(name, column.field.type, multiple=column.field.multiple, data_type=arrow_type(column.field))
        )
        if _has_zone(column):
            fields.append(pa.field(zone_column_name(name), ZONE_TYPE))
    return pa.schema(fields)


def _order(query: Query, reading: ReadTransaction) -> str:
    keys = [
        f"{reading.definition.resolve(key.field).quoted} {'DESC' if key.descending else 'ASC'} NULLS LAST"
        for key in query.order_by
    ]
    return ", ".join([*keys, ID_COLUMN])
