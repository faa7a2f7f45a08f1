"""Pages of datapoints for GraphQL."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from graphql.language import FieldNode, SelectionSetNode

from pathlake.catalog.base import DatasourceRecord
from pathlake.engine.engine import Engine
from pathlake.errors import QueryError
from pathlake.expr import Compare, Op, Query
from pathlake.types import RESERVED_NAMES, Field, FieldType
from pathlake.types.columns import zone_column_name
from pathlake.types.zones import official_zone
from pathlake.wire.contract import MAX_PAGE

_DEFAULT_PAGE = 100


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the snapshot that is paged, how many were served, and the last datapoint."""

    snapshot: int
    served: int
    last_id: int

    def encode(self) -> str:
        """Return this as an opaque text."""
        text = json.dumps([self.snapshot, self.served, self.last_id])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read what `encode` wrote.

        Raises:
            QueryError: It is nothing this engine gave out.
        """
        try:
            found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            snapshot, served, last_id = (int(number) for number in found)
        except (ValueError, TypeError, binascii.Error) as error:
            raise bad_cursor(text) from error
        if min(snapshot, served) < 0:
            raise bad_cursor(text)
        return cls(snapshot, served, last_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Some datapoints in order.

    Attributes:
        table: `datapoint_id`, `path` and the fields' columns.
        fields: Column name and field.
        end: Where the page ended; None when it is empty.
        has_next: Whether there are more.
        leave_out_lists: Types whose lists the asking client cannot read.
    """

    table: pa.Table
    fields: tuple[tuple[str, Field], ...]
    end: Cursor | None
    has_next: bool
    leave_out_lists: frozenset[FieldType] = frozenset()

    def edges(self, shape: Shape) -> list[dict[str, Any]]:
        """Return the edges as JSON, with just the keys `shape` asks for."""
        ids = [str(number) for number in self.table.column("datapoint_id").to_pylist()]
        paths = self.table.column("path").to_pylist()
        metadata = self._metadata(shape) if shape.metadata_keys else [[]] * len(ids)
        parts: dict[str, list[Any]] = {"id": ids, "path": paths, "metadata": metadata}
        keys = [key for key, _ in shape.node]
        columns = [parts[name] for _, name in shape.node]
        return [{shape.node_key: dict(zip(keys, row, strict=True))} for row in zip(*columns, strict=True)]

    def _metadata(self, shape: Shape) -> list[list[dict[str, Any]]]:
        rows: list[list[dict[str, Any]]] = [[] for _ in range(self.table.num_rows)]
        for name, field in self.fields:
            if name in RESERVED_NAMES or (field.multiple and field.type in self.leave_out_lists):
                continue
            values = _values(self.table.column(name), field)
            zones = self._zones(name) if field.type is FieldType.DATETIME else None
            constant = {"key": name, "value": None, "timeZone": None}
            template = {key: constant[asked] for key, asked in shape.metadata}
            value_keys = [key for key, asked in shape.metadata if asked == "value"]
            zone_keys = [key for key, asked in shape.metadata if asked == "timeZone"] if zones else []
            for index, value in enumerate(values):
                if value is None:
                    continue
                entry = template.copy()
                for key in value_keys:
                    entry[key] = value
                if zones:
                    for key in zone_keys:
                        entry[key] = zones[index]
                rows[index].append(entry)
        return rows

    def _zones(self, name: str) -> list[str | None] | None:
        companion = zone_column_name(name)
        if companion not in self.table.column_names:
            return None
        known: dict[int, str] = {}
        return [
            None if minutes is None else known.get(minutes) or known.setdefault(minutes, official_zone(minutes))
            for minutes in self.table.column(companion).to_pylist()
        ]


@dataclass(frozen=True, slots=True)
class Shape:
    """Which keys of an edge a client asked for: pairs of the key in the answer and the field it shows."""

    node_key: str
    node: tuple[tuple[str, str], ...]
    metadata: tuple[tuple[str, str], ...]

    @property
    def metadata_keys(self) -> bool:
        """Whether values are asked for at all."""
        return bool(self.metadata)


FULL_SHAPE = Shape(
    "node",
    (("id", "id"), ("path", "path"), ("metadata", "metadata")),
    (("key", "key"), ("value", "value"), ("timeZone", "timeZone")),
)


def bad_cursor(text: str) -> QueryError:
    """Return the error for a cursor that was made up."""
    return QueryError(f"{text[:40]!r} is no cursor of this engine; give back the endCursor of a page.")


def plain_shape(nodes: list[FieldNode]) -> Shape | None:
    """Return what is asked of the edges if it is plain fields, without fragments, directives or doubles; else None.

    A page of plain fields is built without GraphQL's executor, which takes a second for what takes 30 ms.
    """
    if len(nodes) != 1:
        return None
    edge = _plain_fields(nodes[0].selection_set)
    if edge is None or len(edge) != 1 or edge[0].name.value != "node":
        return None
    node = _plain_fields(edge[0].selection_set)
    if node is None:
        return None
    metadata: tuple[tuple[str, str], ...] = ()
    asked = [one for one in node if one.name.value == "metadata"]
    if len(asked) > 1:
        return None
    if asked:
        values = _plain_fields(asked[0].selection_set)
        if values is None:
            return None
        metadata = _pairs(values)
    return Shape(_key(edge[0]), _pairs(node), metadata)


def read_page(
    engine: Engine, datasource: DatasourceRecord, query: Query, *, first: int | None, after: str | None
) -> Page:
    """Read one page; all pages of one walk come from one snapshot.

    Without an order of its own a query is paged by the last id, so that a deep page costs no more than the first.
    """
    if first is not None and first < 0:
        raise QueryError(f"first is {first}; a page cannot hold fewer than no datapoints.")
    size = min(_DEFAULT_PAGE if first is None else first, MAX_PAGE)
    cursor = Cursor.decode(after) if after else None
    served = cursor.served if cursor else 0
    room = size if query.limit is None else max(0, min(size, query.limit - served))
    # One more than is shown tells whether there is a next page.
    wanted = replace(query, limit=room + 1 if query.limit is None else min(room + 1, max(0, query.limit - served)))
    offset = 0
    if cursor is not None:
        if query.order_by:
            offset = served
        else:
            wanted = wanted.where(Compare("datapoint_id", Op.GT, cursor.last_id))
    rows = engine.queries.rows(datasource, wanted, snapshot=cursor.snapshot if cursor else None, offset=offset)
    try:
        table = pa.Table.from_batches(list(rows), rows.arrow_schema)
        fields, snapshot = rows.fields, rows.snapshot
    finally:
        rows.close()
    has_next = table.num_rows > room
    table = table.slice(0, room)
    end = None
    if table.num_rows:
        last_id = table.column("datapoint_id")[-1].as_py()
        end = Cursor(snapshot, served + table.num_rows, last_id)
    return Page(table, fields, end, has_next)


def _values(column: pa.ChunkedArray[Any], field: Field) -> list[Any]:
    if field.type is FieldType.DATETIME:
        return _mapped(column, field, _milliseconds)
    if field.type is FieldType.FLOAT:
        return _mapped(column, field, _jsonable)
    values: list[Any] = column.to_pylist()
    return values


def _mapped(column: pa.ChunkedArray[Any], field: Field, function: Callable[[Any], Any]) -> list[Any]:
    if field.type is FieldType.DATETIME:
        target = pa.list_(pa.int64()) if field.multiple else pa.int64()
        column = column.cast(target)
    values = column.to_pylist()
    if field.multiple:
        return [None if one is None else [function(value) for value in one] for one in values]
    return [None if value is None else function(value) for value in values]


def _milliseconds(microseconds: int) -> int:
    return microseconds // 1000


def _jsonable(value: float) -> float | str:
    # JSON has no infinity; the text "inf" is what float() reads.
    return value if math.isfinite(value) else str(value)


def _plain_fields(selected: SelectionSetNode | None) -> list[FieldNode] | None:
    if selected is None:
        return None
    found: list[FieldNode] = []
    for one in selected.selections:
        if not isinstance(one, FieldNode) or one.directives or one.name.value.startswith("__"):
            return None
        found.append(one)
    keys = [_key(one) for one in found]
    return found if len(set(keys)) == len(keys) else None


def _pairs(nodes: list[FieldNode]) -> tuple[tuple[str, str], ...]:
    return tuple((_key(one), one.name.value) for one in nodes)


def _key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value
