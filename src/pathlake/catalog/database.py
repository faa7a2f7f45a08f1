"""The SQL database under the catalog: opening, transactions, and one place that maps its errors."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from pathlake.errors import ConfigurationError, DiskFullError, HomeError, PathlakeError

_BUSY_TIMEOUT_MS = 60_000
_POOL_SIZE = 8
_POOL_OVERFLOW = 24


class Database:
    """Transactions on SQLite or PostgreSQL, safe to use from many threads.

    Args:
        url: `sqlite:///PATH` or `postgresql://...`.

    Raises:
        ConfigurationError: The URL is of neither kind.
        HomeError: The folder of the SQLite file cannot be made.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # Threads of one process queue here instead of polling SQLite's file lock.
        self._one_writer: contextlib.AbstractContextManager[object] = (
            threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        )
        options: dict[str, Any] = {"pool_size": _POOL_SIZE, "max_overflow": _POOL_OVERFLOW, "pool_timeout": 60}
        if self.is_sqlite:
            _make_folder_of(Path(self.url.database or ""))
        else:
            options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}
        self._engine = sa.create_engine(self.url, **options)
        if self.is_sqlite:
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        self._writer = self._engine.execution_options(pathlake_write=True)

    @property
    def place(self) -> str:
        """Where the database is, for messages: the file, or the URL without its password."""
        return str(self.url.database) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection whose statements all see the same state."""
        with self._mapped_errors(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: committed at the end of the block, undone by an error in it."""
        with self._mapped_errors(), self._one_writer, self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise self._home_error(error) from error

    def _home_error(self, error: sa.exc.SQLAlchemyError) -> PathlakeError:
        reason = str(getattr(error, "orig", None) or error).strip()
        name = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
        if not self.is_sqlite:
            return HomeError(f"The catalog database {self.place} failed: {reason}")
        if name == "SQLITE_NOTADB":
            return HomeError(
                f"{self.place} is not a SQLite database, so it cannot be Pathlake's catalog. "
                "Move it away, or put a copy of the catalog in its place."
            )
        if name.startswith("SQLITE_CORRUPT"):
            return HomeError(
                f"The catalog {self.place} is damaged ({reason}). Put a copy of it in its place, "
                "or save what is left with `sqlite3 FILE .recover`."
            )
        if name == "SQLITE_FULL":
            return DiskFullError(f"No space is left for the catalog {self.place}; nothing of the change was kept.")
        if name.startswith("SQLITE_BUSY"):
            return HomeError(f"Another process kept the catalog {self.place} locked: {reason}")
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            return HomeError(
                f"The catalog {self.place} cannot be written ({reason}). Give yourself the right to write "
                "the file and its folder, or set PATHLAKE_HOME to a folder that is yours."
            )
        return HomeError(f"The catalog {self.place} failed: {reason}")


def violates_unique(error: sa.exc.IntegrityError) -> bool:
    """Whether a row was refused because its name is taken, not because its parent is gone."""
    if isinstance(error.orig, sqlite3.IntegrityError):
        return error.orig.sqlite_errorname in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
    return getattr(error.orig, "sqlstate", None) == "23505"


def _checked_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigurationError(f"{url!r} is no database URL; give sqlite:///PATH or postgresql://...") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed.set(drivername="sqlite+pysqlite")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    shown = parsed.render_as_string(hide_password=True)
    raise ConfigurationError(f"A catalog cannot live in {shown}; give sqlite:///PATH or postgresql://...")


def _make_folder_of(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HomeError(
            f"The folder {file.parent} cannot be made ({os.strerror(error.errno or 0)}); "
            "set PATHLAKE_HOME to a folder that is yours."
        ) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own BEGINs come too late and not before DDL; `_begin_sqlite` says when instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    _enable_wal(cursor)
    # An id that was given out must never be given out again, so a commit has to outlive a power cut.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _enable_wal(cursor: sqlite3.Cursor) -> None:
    # Of connections that turn a fresh file to WAL together, some are told "locked" at once: busy_timeout does not
    # hold for the change of the mode, and waiting here is safe, for no lock is held yet.
    deadline = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that starts as a reader and then writes can fail without waiting; a writer says so at once.
    write = connection.get_execution_options().get("pathlake_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
