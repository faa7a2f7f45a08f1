"""Who may write: one writer at a time for each lake."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from pathlake.errors import InternalError

if TYPE_CHECKING:
    import psycopg


_LAKE_KEY = 0x7A1D << 40


class WriteLocks(Protocol):
    """Serialises writes. Readers never ask."""

    def hold(self) -> contextlib.AbstractContextManager[None]:
        """Wait until nobody else writes to the lake, and keep others out for the block."""
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
    def hold(self) -> Iterator[None]:
        with self._lock:
            yield

    def close(self) -> None:
        """Nothing is held."""


class PostgresLock:
    """One writer for the whole lake among all servers: a lock of the process, then an advisory lock of PostgreSQL.

    A commit that another one came before goes through DuckLake's own second try, which in 1.0 has been seen to fail for
    no reason and to write rows twice. So no commit comes before another.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._local = threading.Lock()
        self._idle: psycopg.Connection | None = None

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        with self._local, self._advisory():
            yield

    @contextlib.contextmanager
    def _advisory(self) -> Iterator[None]:
        import psycopg

        connection: psycopg.Connection | None = None
        try:
            for _ in range(3):
                connection = self._idle or psycopg.connect(self._url, autocommit=True)
                self._idle = None
                try:
                    connection.execute("SELECT pg_advisory_lock(%s)", [_LAKE_KEY])
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
                connection.execute("SELECT pg_advisory_unlock(%s)", [_LAKE_KEY])
                self._idle = connection
            except psycopg.Error:  # the lock went with its connection
                connection.close()

    def close(self) -> None:
        """End the idle connection."""
        with self._local:
            idle, self._idle = self._idle, None
        if idle is not None:
            idle.close()
