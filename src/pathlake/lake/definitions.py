"""Field definitions: which fields a table has, and which columns hold them.

They are rows of a table beside the values, so that both change in one transaction and travel in time together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import duckdb

from pathlake.lake.base import TableRef
from pathlake.lake.sql import at_snapshot, data_table, fields_table, identifier
from pathlake.types import AUTOMATIC_FIELDS, DATAPOINT_ID_FIELD, PATH_FIELD, Field, FieldType, Schema

ID_COLUMN = "datapoint_id"
PATH_COLUMN = "path"
MISSING_COLUMN = "_missing"
"""True where the file vanished from the source."""
PROBED_COLUMN = "_probed_etag"
"""Etag of the content whose media header was read last."""

ALWAYS_SHOWN = frozenset({"size", "last_modified", "media_type", "etag"})
"""Automatic fields that every file has."""

MAX_COLUMN_BYTES = 56
"""PostgreSQL cuts names at 63 bytes; what is longer gets a shortened column name."""

ELEMENT = "_element"
"""Name of a list's element in the functions of conditions; no column may have it, or it would hide the element."""
OTHER_ELEMENT = "_other_element"
POSITION = "_position"

_TAKEN = frozenset({
    ID_COLUMN, PATH_COLUMN, MISSING_COLUMN, PROBED_COLUMN, ELEMENT, OTHER_ELEMENT, POSITION,
    # DuckLake's own, in tables, in inlined rows and in the change feed.
    "rowid", "row_id", "begin_snapshot", "end_snapshot", "snapshot_id", "change_type", "filename", "file_row_number",
    "file_index",
    # PostgreSQL's, where inlined rows are its tables.
    "ctid", "xmin", "xmax", "cmin", "cmax", "oid", "tableoid",
})  # fmt: skip

SQL_TYPES: dict[FieldType, str] = {
    FieldType.INTEGER: "BIGINT",
    FieldType.FLOAT: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.STRING: "VARCHAR",
    FieldType.BLOB: "VARCHAR",
    FieldType.DATETIME: "TIMESTAMP",
}


def sql_type(of: Field) -> str:
    """Return the type of the column that holds a field."""
    return SQL_TYPES[of.type] + ("[]" if of.multiple else "")


@dataclass(frozen=True, slots=True)
class Column:
    """A field and the column that holds it.

    Attributes:
        field: The field.
        name: The column, unquoted.
        zone: Column of the offsets from UTC beside a single DATETIME; None where there is none.
        written: Whether a value was ever written; automatic fields without one are not shown.
    """

    field: Field
    name: str
    zone: str | None = None
    written: bool = True

    @property
    def quoted(self) -> str:
        """The column's name as SQL."""
        return identifier(self.name)

    @property
    def quoted_zone(self) -> str | None:
        """The zone column's name as SQL."""
        return None if self.zone is None else identifier(self.zone)

    @property
    def shown(self) -> bool:
        """Whether the field is part of the schema people see."""
        return self.written or not self.field.automatic


@dataclass(frozen=True, slots=True)
class Definition:
    """All columns of a table, those of automatic fields first."""

    columns: tuple[Column, ...]
    by_name: dict[str, Column] = field(init=False, compare=False, repr=False)
    schema: Schema = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.field.name: column for column in self.columns})
        object.__setattr__(self, "schema", Schema(tuple(column.field for column in self.columns if column.shown)))

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def get(self, name: str) -> Column | None:
        """Return the column of the field called `name`, shown or not."""
        return self.by_name.get(name)

    def resolve(self, name: str) -> Column:
        """Return the column of a field that people see; `path` and `datapoint_id` resolve too.

        Raises:
            FieldNotFoundError: There is none.
        """
        if name == "path":
            return PATH
        if name == "datapoint_id":
            return DATAPOINT_ID
        return self.by_name[self.schema.resolve(name).name]

    def with_columns(self, columns: Iterable[Column]) -> Definition:
        """Return a definition in which `columns` are added, or take the place of those of the same fields."""
        merged = dict(self.by_name)
        for column in columns:
            merged[column.field.name] = column
        return Definition(tuple(merged.values()))

    def new_column(self, of: Field) -> Column:
        """Return a column for a new field: named after it, unless the database cannot tell that name from another."""
        taken = set(_TAKEN)
        for column in self.columns:
            taken.update(name.casefold() for name in (column.name, column.zone) if name)
        name = free_name(of.name, taken)
        taken.add(name.casefold())
        has_zone = of.type is FieldType.DATETIME and not of.multiple
        return Column(of, name, free_name(f"{name}_zone", taken) if has_zone else None)


PATH = Column(PATH_FIELD, PATH_COLUMN)
DATAPOINT_ID = Column(DATAPOINT_ID_FIELD, ID_COLUMN)


def free_name(wanted: str, taken: set[str]) -> str:
    """Return `wanted`, shortened and numbered where needed to differ from `taken`, whatever the case of its letters."""
    if len(wanted.encode()) <= MAX_COLUMN_BYTES and wanted.casefold() not in taken:
        return wanted
    stem = wanted.encode()[: MAX_COLUMN_BYTES - 8].decode(errors="ignore")
    number = 2
    while f"{stem}_{number}".casefold() in taken:
        number += 1
    return f"{stem}_{number}"


def initial_definition() -> Definition:
    """Return the definition of a new table: the automatic fields."""
    return Definition(
        tuple(Column(field, field.name, written=field.name in ALWAYS_SHOWN) for field in AUTOMATIC_FIELDS)
    )


def create_statements(table: TableRef, definition: Definition) -> list[str]:
    """Return the statements that make the tables of values and of definitions."""
    columns = [f"{ID_COLUMN} BIGINT", f"{PATH_COLUMN} VARCHAR", f"{MISSING_COLUMN} BOOLEAN", f"{PROBED_COLUMN} VARCHAR"]
    columns += [f"{column.quoted} {sql_type(column.field)}" for column in definition]
    definitions = (
        f"CREATE TABLE {fields_table(table)} (position INTEGER, name VARCHAR, column_name VARCHAR, "
        "zone_column VARCHAR, type VARCHAR, multiple BOOLEAN, tags VARCHAR[], description VARCHAR, "
        "automatic BOOLEAN, written BOOLEAN)"
    )
    return [f"CREATE TABLE {data_table(table)} ({', '.join(columns)})", definitions]


def read_definition(cursor: duckdb.DuckDBPyConnection, table: TableRef, *, snapshot: int | None = None) -> Definition:
    """Return the definition in the cursor's transaction, or as of a snapshot."""
    rows = cursor.execute(
        "SELECT name, column_name, zone_column, type, multiple, tags, description, automatic, written "
        f"FROM {fields_table(table)}{at_snapshot(snapshot)} ORDER BY position"
    ).fetchall()
    return Definition(
        tuple(
            Column(
                Field(name, FieldType(type_), multiple, tuple(tags or ()), description or "", automatic),
                column,
                zone,
                written,
            )
            for name, column, zone, type_, multiple, tags, description, automatic, written in rows
        )
    )


def insert_definition(
    cursor: duckdb.DuckDBPyConnection, table: TableRef, *, columns: Iterable[Column], at: int
) -> None:
    """Write definitions of new columns, the first at position `at`."""
    rows = [
        (
            position, column.field.name, column.name, column.zone, str(column.field.type), column.field.multiple,
            list(column.field.tags), column.field.description, column.field.automatic, column.written,
        )
        for position, column in enumerate(columns, at)
    ]  # fmt: skip
    places = ", ".join("(?, ?, ?, ?, ?, ?, ?::VARCHAR[], ?, ?, ?)" for _ in rows)
    cursor.execute(f"INSERT INTO {fields_table(table)} VALUES {places}", [value for row in rows for value in row])


def add_columns(
    cursor: duckdb.DuckDBPyConnection, table: TableRef, *, definition: Definition, fields: Iterable[Field]
) -> Definition:
    """Create fields that are not there yet, with their columns, and return the definition that has them."""
    grown = definition
    new: list[Column] = []
    for wanted in fields:
        column = grown.new_column(replace(wanted, automatic=False))
        grown = grown.with_columns([column])
        new.append(column)
        cursor.execute(f"ALTER TABLE {data_table(table)} ADD COLUMN {column.quoted} {sql_type(column.field)}")
        if column.quoted_zone:
            cursor.execute(f"ALTER TABLE {data_table(table)} ADD COLUMN {column.quoted_zone} SMALLINT")
    if new:
        insert_definition(cursor, table, columns=new, at=len(definition.columns))
    return grown


def update_definition(cursor: duckdb.DuckDBPyConnection, table: TableRef, *, column: Column) -> None:
    """Write tags, description and the mark of being written of a column that is there."""
    cursor.execute(
        f"UPDATE {fields_table(table)} SET tags = ?::VARCHAR[], description = ?, written = ? WHERE name = ?",
        [list(column.field.tags), column.field.description, column.written, column.field.name],
    )
