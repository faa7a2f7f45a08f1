"""Tables come and go, and small looks into them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from pathlake.errors import AlreadyExistsError, IncompatibleVersionError
from pathlake.lake.base import CommitInfo, TableRef
from pathlake.lake.connection import FORMAT_VERSION, Database
from pathlake.lake.definitions import (
    ID_COLUMN,
    PATH_COLUMN,
    create_statements,
    initial_definition,
    insert_definition,
)
from pathlake.lake.failures import retried
from pathlake.lake.history import every_version
from pathlake.lake.sql import LAKE, counter_table, data_table, fields_table, schema_name
from pathlake.lake.transaction import Transactions, has_table, set_message, table_exists
from pathlake.types import FieldType

_FORMAT_TABLE = f"{LAKE}.main.pathlake_format"


def check_format(database: Database) -> None:
    """Note the version in a new lake, and refuse a lake of a newer one.

    Raises:
        IncompatibleVersionError: The lake was written by a newer version of Pathlake.
    """

    def check() -> None:
        with database.cursor() as cursor:
            _check_format(cursor)

    # Two servers that start at once over a new lake both note the version.
    retried(check)


def _check_format(cursor: duckdb.DuckDBPyConnection) -> None:
    if not has_table(cursor, _FORMAT_TABLE):
        cursor.execute("BEGIN")
        cursor.execute(f"CREATE TABLE {_FORMAT_TABLE} (version INTEGER)")
        cursor.execute(f"INSERT INTO {_FORMAT_TABLE} VALUES (?)", [FORMAT_VERSION])
        set_message(cursor, CommitInfo("", "Make the lake", "maintenance"), table=None, counts={})
        cursor.execute("COMMIT")
        return
    row = cursor.execute(f"SELECT max(version) FROM {_FORMAT_TABLE}").fetchone()
    if row and row[0] is not None and row[0] > FORMAT_VERSION:
        raise IncompatibleVersionError(
            f"The lake has format {row[0]}, but this Pathlake knows formats up to {FORMAT_VERSION}. Update Pathlake.",
            {"found": row[0], "known": FORMAT_VERSION},
        )


def create_table(transactions: Transactions, table: TableRef, *, commit: CommitInfo) -> None:
    """Make the table of a datasource; see `Lake.create_table`."""

    def create() -> None:
        with transactions.alone() as cursor:
            _create_table(cursor, table, commit)
            transactions.remembered.forget(table)

    # Two servers may make the first two tables of one repo at once, and both its schema.
    retried(create)


def _create_table(cursor: duckdb.DuckDBPyConnection, table: TableRef, commit: CommitInfo) -> None:
    if table_exists(cursor, table):
        raise AlreadyExistsError(
            f"The datasource {table.datasource_id} has a metadata table already.",
            {"datasource_id": table.datasource_id},
        )
    cursor.execute("BEGIN")
    try:
        definition = initial_definition()
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {LAKE}.{schema_name(table)}")
        for statement in create_statements(table, definition):
            cursor.execute(statement)
        insert_definition(cursor, table, columns=definition, at=0)
        cursor.execute(f"CREATE TABLE {counter_table(table)} (next_id BIGINT)")
        cursor.execute(f"INSERT INTO {counter_table(table)} VALUES (0)")
        set_message(cursor, commit, table=table, counts={})
        cursor.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
        raise


def drop_table(transactions: Transactions, table: TableRef) -> None:
    """Remove a table; see `Lake.drop_table`."""
    with transactions.alone() as cursor:
        if not table_exists(cursor, table):
            return
        cursor.execute("BEGIN")
        for name in (data_table(table), fields_table(table), counter_table(table)):
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
        set_message(cursor, CommitInfo("", "Delete the datasource", "delete"), table=table, counts={})
        cursor.execute("COMMIT")
    transactions.remembered.forget(table)


def paths_of(transactions: Transactions, table: TableRef, *, datapoint_ids: Sequence[int]) -> dict[int, str]:
    """Return path by id; see `Lake.paths_of`."""
    wanted = [number for number in set(datapoint_ids) if -(2**63) <= number < 2**63]
    with transactions.read(table) as reading:
        reading.cursor.register("chosen", pa.table({"id": pa.array(wanted, pa.int64())}))
        found = reading.cursor.execute(
            f"SELECT {ID_COLUMN}, {PATH_COLUMN} FROM {data_table(table)} WHERE {ID_COLUMN} IN (SELECT id FROM chosen)"
        ).fetchall()
    return dict(found)


def has_datapoint(transactions: Transactions, table: TableRef, *, path: str) -> bool:
    """Tell whether there is a datapoint at `path`; see `Lake.has_datapoint`."""
    with transactions.read(table) as reading:
        statement = f"SELECT 1 FROM {data_table(table)} WHERE {PATH_COLUMN} = ? LIMIT 1"
        return reading.cursor.execute(statement, [path]).fetchone() is not None


def blob_hashes(transactions: Transactions, table: TableRef, *, hashes: Sequence[str]) -> set[str]:
    """Return those hashes that some BLOB value has; see `Lake.blob_hashes`."""
    wanted = set(hashes)
    found: set[str] = set()
    with transactions.read(table) as reading:
        blobs = [column for column in reading.definition if column.field.type is FieldType.BLOB]
        # First what is there now, then what ever was: an old snapshot shows it still.
        for source in (data_table(table), every_version(reading)):
            for column in blobs:
                if wanted <= found:
                    return found
                value = f"unnest({column.quoted})" if column.field.multiple else column.quoted
                reading.cursor.register("chosen", pa.table({"h": pa.array(sorted(wanted - found), pa.string())}))
                rows = reading.cursor.execute(
                    f"SELECT DISTINCT v FROM (SELECT {value} AS v FROM {source}) WHERE v IN (SELECT h FROM chosen)"
                ).fetchall()
                found.update(row[0] for row in rows)
    return found
