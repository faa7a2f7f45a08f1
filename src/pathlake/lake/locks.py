"""Who may write: one writer at a time per datasource, or per lake where its catalog is one file."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Protocol

from pathlake.errors import InternalError
from pathlake.lake.base import TableRef

if TYPE_CHECKING:
    from typing import LiteralString

    import psycopg


_TABLE_KEYS = 0x7A1E << 40
_LAKE_KEY = 0x7A1D << 40
_ASK_AGAIN_S = 0.05


class WriteLocks(Protocol):
    """Serialises writes. Readers never ask."""

    def hold(self, table: TableRef) -> contextlib.AbstractContextManager[None]:
        """Wait until nobody else writes to `table`, and keep others out for the block."""
        ...

    def hold_all(self) -> contextlib.AbstractContextManager[None]:
        """Wait until nobody writes to any table, and keep all others out for the block."""
        ...

    def close(self) -> None:
        """Free what the locks hold."""
        ...


class LakeWideLock:
    """One writer for the whole lake.

    DuckLake reads in the transaction that it writes in. SQLite lets no transaction write whose view is older than the
    latest commit, and DuckLake 1.0 commits of two connections of one process at once are not safe (duckdb/ducklake
    issue 1248): two writers fail even on different tables.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def hold(self, table: TableRef) -> Iterator[None]:  # noqa: ARG002 - one lock for all tables
        with self._lock:
            yield

    @contextlib.contextmanager
    def hold_all(self) -> Iterator[None]:
        with self._lock:
            yield

    def close(self) -> None:
        """Nothing is held."""


class PostgresLocks:
    """One writer per datasource among all servers: a lock of the process, then an advisory lock of PostgreSQL.

    Each of them shares a lock of the lake, which `hold_all` takes for itself.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._guard = threading.Lock()
        self._local: dict[TableRef, threading.Lock] = {}
        self._idle: list[psycopg.Connection] = []

    @contextlib.contextmanager
    def hold(self, table: TableRef) -> Iterator[None]:
        with self._guard:
            local = self._local.setdefault(table, threading.Lock())
        # Two 32-bit keys are the other form of PostgreSQL's one 64-bit key; datasource ids are unique by themselves.
        with local, self._advisory("_shared", _LAKE_KEY), self._advisory("", _TABLE_KEYS + table.datasource_id):
            yield

    @contextlib.contextmanager
    def hold_all(self) -> Iterator[None]:
        import psycopg

        # Asked again and again, not waited for: writers that come meanwhile would queue up behind whoever waits.
        while True:
            connection = self._take()
            try:
                row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LAKE_KEY]).fetchone()
                if row is not None and row[0]:
                    break
            except psycopg.Error as error:
                connection.close()
                raise InternalError(f"PostgreSQL gives no lock for maintenance: {str(error)[:300]}") from error
            self._give_back(connection)
            time.sleep(_ASK_AGAIN_S)
        try:
            yield
        finally:
            self._release(connection, "SELECT pg_advisory_unlock(%s)", _LAKE_KEY)

    @contextlib.contextmanager
    def _advisory(self, kind: Literal["", "_shared"], key: int) -> Iterator[None]:
        import psycopg

        connection: psycopg.Connection | None = None
        try:
            for _ in range(3):
                connection = self._take()
                try:
                    connection.execute(f"SELECT pg_advisory_lock{kind}(%s)", [key])
                    break
                except psycopg.OperationalError:  # an idle connection that the server has cut meanwhile
                    connection.close()
                    connection = None
            if connection is None:
                raise InternalError("PostgreSQL gives no lock for writing; is it running?")
        except psycopg.Error as error:
            raise InternalError(f"PostgreSQL gives no lock for writing: {str(error)[:300]}") from error
        try:
            yield
        finally:
            self._release(connection, f"SELECT pg_advisory_unlock{kind}(%s)", key)

    def _release(self, connection: psycopg.Connection, statement: LiteralString, key: int) -> None:
        import psycopg

        try:
            connection.execute(statement, [key])
            self._give_back(connection)
        except psycopg.Error:  # the lock went with its connection
            connection.close()

    def _give_back(self, connection: psycopg.Connection) -> None:
        with self._guard:
            self._idle.append(connection)

    def _take(self) -> psycopg.Connection:
        import psycopg

        with self._guard:
            if self._idle:
                return self._idle.pop()
        return psycopg.connect(self._url, autocommit=True)

    def close(self) -> None:
        """End the idle connections."""
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
