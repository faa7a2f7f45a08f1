"""Transactions: one for each change set, and one for each look at the lake."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from pathlake.errors import CommitNotFoundError, DatasourceNotFoundError
from pathlake.lake.base import CommitInfo, TableRef
from pathlake.lake.connection import Database
from pathlake.lake.definitions import Definition, read_definition
from pathlake.lake.failures import mapped
from pathlake.lake.locks import WriteLocks
from pathlake.lake.remembered import Remembered
from pathlake.lake.sql import LAKE, counter_table, data_table

ID_BLOCK = 1000
"""Ids reserved at once. The counter in the lake is written once per block, not once per small commit."""


def current_snapshot(cursor: duckdb.DuckDBPyConnection) -> int:
    """Return the snapshot that the cursor's transaction sees."""
    row = cursor.execute(f"SELECT * FROM ducklake_current_snapshot('{LAKE}')").fetchone()
    assert row is not None
    return int(row[0])


def table_exists(cursor: duckdb.DuckDBPyConnection, table: TableRef) -> bool:
    """Tell whether a datasource has a table in the cursor's transaction."""
    return has_table(cursor, data_table(table))


def has_table(cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Tell whether there is a table of a qualified name.

    Asked by naming it: DuckDB's list of tables looks at each of them, which takes seconds in a lake of many.
    """
    try:
        cursor.execute(f"SELECT 1 FROM {name} LIMIT 0")
    except duckdb.CatalogException:
        return False
    return True


def no_table(table: TableRef) -> DatasourceNotFoundError:
    """Return the error that says that a datasource has no table."""
    return DatasourceNotFoundError(
        f"The datasource {table.datasource_id} has no metadata table; was it deleted?",
        {"repo_id": table.repo_id, "datasource_id": table.datasource_id},
    )


def definition_at(
    cursor: duckdb.DuckDBPyConnection, table: TableRef, *, remembered: Remembered, current: int, snapshot: int | None
) -> Definition:
    """Return the definition as of `snapshot`, or of the cursor's transaction, whose snapshot is `current`."""
    at = current if snapshot is None else snapshot
    known = remembered.definition(table, at=at)
    if known is not None:
        return known
    try:
        definition = read_definition(cursor, table, snapshot=None if at == current else at)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        if at == current:
            raise no_table(table) from error
        raise CommitNotFoundError(
            f"The datasource {table.datasource_id} had no metadata yet at snapshot {at}.", {"snapshot": at}
        ) from error
    if at == current:
        remembered.read_definition(table, definition, at=at)
    return definition


class WriteTransaction:
    """One change set: all of it or none of it."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, table: TableRef, remembered: Remembered) -> None:
        self.cursor = cursor
        self.table = table
        self._remembered = remembered
        self._ids = remembered.ids(table)
        self._open = True
        known = remembered.latest_definition(table)
        if known is None:
            known = definition_at(cursor, table, remembered=remembered, current=current_snapshot(cursor), snapshot=None)
        self.definition: Definition = known

    def run(self, statement: str, values: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        """Execute a statement."""
        return self.cursor.execute(statement, values)

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute a statement that writes, and return how many rows it wrote."""
        row = self.cursor.execute(statement, values).fetchone()
        return int(row[0]) if row else 0

    def number(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute a query that gives one number."""
        row = self.cursor.execute(statement, values).fetchone()
        assert row is not None
        return int(row[0])

    @contextlib.contextmanager
    def staged(self, name: str, data: pa.Table) -> Iterator[str]:
        """Make Arrow data readable under `name` within the block, once.

        DuckDB keeps what is registered until the transaction ends, so it gets a stream, which holds nothing once read.
        As a capsule, because for a stream of pyarrow's it would import `pyarrow.dataset` first.
        """
        stream: Any = data
        self.cursor.register(name, stream.__arrow_c_stream__())
        try:
            yield name
        finally:
            with contextlib.suppress(duckdb.Error):
                self.cursor.unregister(name)

    def free_ids(self, count: int, *, spare: int = ID_BLOCK) -> int:
        """Return the first of `count` ids that nobody has or will get; they are taken by `use_ids`.

        Args:
            count: How many are needed now.
            spare: How many more to reserve with them, where they are not reserved yet.
        """
        start, end = self._ids
        if end - start < count:
            counter = counter_table(self.table)
            reserved = self.number(f"SELECT next_id FROM {counter}")
            if reserved != end:  # others have reserved ids since
                start = reserved
            end = start + count + spare
            self.run(f"UPDATE {counter} SET next_id = ?", [end])
            self._ids = (start, end)
        return start

    def use_ids(self, count: int) -> None:
        """Take the first `count` of the free ids."""
        start, end = self._ids
        self._ids = (start + count, end)

    def commit(self, info: CommitInfo, counts: dict[str, Any]) -> int:
        """Make the change set visible and return its snapshot."""
        set_message(self.cursor, info, table=self.table, counts=counts)
        self.run("COMMIT")
        self._open = False
        row = self.run(f"SELECT * FROM ducklake_last_committed_snapshot('{LAKE}')").fetchone()
        assert row is not None
        snapshot = int(row[0])
        self._remembered.keep_ids(self.table, self._ids)
        self._remembered.committed(self.table, snapshot, definition=self.definition)
        return snapshot

    def keep(self) -> None:
        """End a transaction that changed no table of the lake and keep its temporary tables; makes no snapshot."""
        self.run("COMMIT")
        self._open = False

    def abandon(self) -> int:
        """Undo everything and return the snapshot that stays the newest."""
        self.rollback()
        return current_snapshot(self.cursor)

    def rollback(self) -> None:
        """Undo everything that is not committed."""
        if self._open:
            self._open = False
            with contextlib.suppress(duckdb.Error):
                self.cursor.execute("ROLLBACK")


def mark_of(table: TableRef | None) -> str:
    """Return how the extra information of a table's commits begins, to be told from others'."""
    name = "" if table is None else f"{table.repo_id:d}/{table.datasource_id:d}"
    return f'{{"table":"{name}",'


def set_message(
    cursor: duckdb.DuckDBPyConnection, info: CommitInfo, *, table: TableRef | None, counts: dict[str, Any]
) -> None:
    """Say what the cursor's transaction is about, before it is committed."""
    facts = json.dumps({"kind": info.kind, **counts, **info.extra}, separators=(",", ":"))
    cursor.execute(
        f"CALL {LAKE}.set_commit_message(?, ?, extra_info => ?)",
        [info.author, info.message, mark_of(table) + facts.removeprefix("{")],
    )


class Transactions:
    """Opens transactions on one lake."""

    def __init__(self, database: Database, locks: WriteLocks, remembered: Remembered) -> None:
        self._database = database
        self._locks = locks
        self.remembered = remembered

    @property
    def database(self) -> Database:
        """The database behind the lake."""
        return self._database

    @contextlib.contextmanager
    def write(self, table: TableRef, *, cursor: duckdb.DuckDBPyConnection | None = None) -> Iterator[WriteTransaction]:
        """Open a change set on a table; what is not committed in the block is undone.

        Args:
            table: Which table; nobody else writes to it meanwhile.
            cursor: The connection to use, which stays open; None means a new one.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._locks.hold())
            used = cursor or stack.enter_context(self._database.cursor())
            with mapped():
                used.execute("BEGIN")
                transaction: WriteTransaction | None = None
                try:
                    transaction = WriteTransaction(used, table, self.remembered)
                    yield transaction
                finally:
                    if transaction is None:
                        with contextlib.suppress(duckdb.Error):
                            used.execute("ROLLBACK")
                    else:
                        transaction.rollback()

    @contextlib.contextmanager
    def alone(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection for statements that open their own transactions, with other writers kept out."""
        with self._locks.hold(), self._database.cursor() as cursor:
            yield cursor

    @contextlib.contextmanager
    def read(self, table: TableRef, *, snapshot: int | None = None) -> Iterator[ReadTransaction]:
        """Look at one snapshot of a table."""
        with self._database.cursor() as cursor:
            yield self.begin_read(cursor, table, snapshot=snapshot)

    def begin_read(
        self, cursor: duckdb.DuckDBPyConnection, table: TableRef, *, snapshot: int | None
    ) -> ReadTransaction:
        """Begin to look at one snapshot of a table through a connection that the caller closes."""
        with mapped():
            cursor.execute("BEGIN")
            current = current_snapshot(cursor)
            if snapshot is not None and snapshot > current:
                raise CommitNotFoundError(f"There is no snapshot {snapshot}.", {"snapshot": snapshot})
            definition = definition_at(cursor, table, remembered=self.remembered, current=current, snapshot=snapshot)
            return ReadTransaction(cursor, table, definition, current if snapshot is None else snapshot, current)


class ReadTransaction:
    """One snapshot of a table, as one connection sees it."""

    __slots__ = ("_current", "cursor", "definition", "snapshot", "table")

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, table: TableRef, definition: Definition, snapshot: int, current: int
    ) -> None:
        self.cursor = cursor
        self.table = table
        self.definition = definition
        self.snapshot = snapshot
        self._current = current

    @property
    def at(self) -> int | None:
        """The snapshot to name in statements; None where the transaction sees it anyway."""
        return None if self.snapshot == self._current else self.snapshot
