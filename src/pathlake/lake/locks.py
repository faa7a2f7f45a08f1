"""Who may write: one writer at a time per datasource, or per lake where its catalog is one SQLite file."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from pathlake.errors import InternalError
from pathlake.lake.base import TableRef

if TYPE_CHECKING:
    import psycopg


class WriteLocks(Protocol):
    """Serialises writes. Readers never ask."""

    def hold(self, table: TableRef) -> contextlib.AbstractContextManager[None]:
        """Wait until nobody else writes to `table`, and keep others out for the block."""
        ...

    def close(self) -> None:
        """Free what the locks hold."""
        ...


class LakeWideLock:
    """One writer for the whole lake.

    DuckLake on SQLite reads in the transaction that it writes in, and SQLite lets no transaction write whose view is
    older than the latest commit: two writers fail even on different tables.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def hold(self, table: TableRef) -> Iterator[None]:  # noqa: ARG002 - one lock for all tables
        with self._lock:
            yield

    def close(self) -> None:
        """Nothing is held."""


class PostgresLocks:
    """One writer per datasource among all servers: a lock of the process, then an advisory lock of PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._guard = threading.Lock()
        self._local: dict[TableRef, threading.Lock] = {}
        self._idle: list[psycopg.Connection] = []

    @contextlib.contextmanager
    def hold(self, table: TableRef) -> Iterator[None]:
        with self._guard:
            local = self._local.setdefault(table, threading.Lock())
        with local, self._advisory(table):
            yield

    @contextlib.contextmanager
    def _advisory(self, table: TableRef) -> Iterator[None]:
        import psycopg

        # Two 32-bit keys are the other form of PostgreSQL's one 64-bit key; datasource ids are unique by themselves.
        key = (0x7A1E << 40) + table.datasource_id
        connection: psycopg.Connection | None = None
        try:
            for _ in range(3):
                connection = self._take()
                try:
                    connection.execute("SELECT pg_advisory_lock(%s)", [key])
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
            try:
                connection.execute("SELECT pg_advisory_unlock(%s)", [key])
                with self._guard:
                    self._idle.append(connection)
            except psycopg.Error:  # the lock went with its connection
                connection.close()

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
