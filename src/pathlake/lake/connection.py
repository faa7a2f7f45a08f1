"""The database behind a lake: one DuckDB in memory with the lake attached, and a cursor for each use."""

from __future__ import annotations

import contextlib
import importlib.metadata
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pathlake.errors import ConfigurationError, HomeError, MissingExtraError
from pathlake.lake.failures import lost_a_race, mapped, translated
from pathlake.lake.settings import LakeSettings
from pathlake.lake.sql import LAKE, literal

POSTGRES_SCHEMA = "pathlake_lake"
"""Schema of the lake's own tables in PostgreSQL, so that they may share a database with others."""

FORMAT_VERSION = 1
"""Version of what is kept in a lake. A lake of a newer version is refused."""


def packaged_extension(name: str) -> Path | None:
    """Return the file of a DuckDB extension that an installed `duckdb-extension-*` package brings, or None.

    Loading it from there needs neither the network nor a copy in the user's home.
    """
    try:
        files = importlib.metadata.files(f"duckdb-extension-{name.replace('_', '-')}") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    wanted = f"{name}.duckdb_extension"
    for file in files:
        if file.name == wanted and f"v{duckdb.__version__}" in file.parts:
            found = Path(str(file.locate()))
            return found if found.exists() else None
    return None


class Database:
    """One DuckDB in memory with the lake attached as `lake`.

    Safe to use from many threads: each use takes a cursor, which is a connection of its own.
    """

    def __init__(self, settings: LakeSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = False
        catalog_file = settings.catalog_file
        self.exclusive = catalog_file is not None
        """Whether no other process writes to this lake."""
        self.metadata = f"__ducklake_metadata_{LAKE}.{'main' if self.exclusive else POSTGRES_SCHEMA}"
        """Where DuckLake's own tables are, qualified."""
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        own = self._own_folder(catalog_file)
        config: dict[str, str | bool | int | float | list[str]] = {
            "extension_directory": str(own / "extensions"),
            "home_directory": str(own),
            "secret_directory": str(own / "secrets"),
            "temp_directory": str(settings.temp_dir or own / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if settings.threads is not None:
            config["threads"] = settings.threads
        if settings.memory_limit is not None:
            config["memory_limit"] = settings.memory_limit
        try:
            self._root = duckdb.connect(config=config)
        except duckdb.Error as error:
            raise ConfigurationError(f"A setting of the lake cannot be used: {error}") from error
        try:
            self._prepare(catalog_file)
        except BaseException:
            self.close()
            raise

    def _own_folder(self, catalog_file: Path | None) -> Path:
        if catalog_file is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="pathlake-lake-", ignore_cleanup_errors=True)
            return Path(self._temporary.name)
        folder = catalog_file.absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(f"The lake's folder {folder} cannot be made: {error}") from error
        return folder

    def _prepare(self, catalog_file: Path | None) -> None:
        if catalog_file is not None:
            catalog_file = catalog_file.absolute()
        with mapped():
            self._root.execute("SET TimeZone = 'UTC'")
            if self._settings.uses_sqlite:
                self._load("sqlite_scanner")
            elif catalog_file is None:
                self._load("postgres_scanner")
            self._load("ducklake")
        if self._settings.data_path.startswith("s3://"):
            with mapped():
                self._load("httpfs")
                self._use_s3()
        # Nothing is inlined: after a large change, DuckLake 1.0 tells of inlined deletions at wrong snapshots.
        options = [f"DATA_PATH {literal(self._data_path())}", "DATA_INLINING_ROW_LIMIT 0"]
        if self._settings.uses_sqlite:
            target = f"ducklake:sqlite:{catalog_file}"
            # Readers keep their view while a commit is written, and nobody fails on a short wait.
            options += ["META_JOURNAL_MODE 'WAL'", "META_BUSY_TIMEOUT 30000"]
        elif catalog_file is not None:
            target = f"ducklake:{catalog_file}"
        else:
            self._make_postgres_schema()
            target = f"ducklake:postgres:{self._settings.postgres_url}"
            options.append(f"META_SCHEMA {literal(POSTGRES_SCHEMA)}")
        statement = f"ATTACH {literal(target)} AS {LAKE} ({', '.join(options)})"
        for attempt in range(10):
            try:
                self._root.execute(statement)
                break
            except duckdb.Error as error:
                # Two servers that start at once over a new database both try to make DuckLake's tables.
                if self.exclusive or attempt == 9 or not lost_a_race(error):
                    failure = translated(error)
                    failure.message = f"The lake cannot be opened. {failure.message}"
                    raise failure from error

    def _data_path(self) -> str:
        path = self._settings.data_path
        if "://" in path:
            return path.rstrip("/") + "/"
        return f"{Path(path).absolute()}/"

    def _load(self, name: str) -> None:
        file = packaged_extension(name)
        if file is not None:
            self._root.execute(f"LOAD {literal(str(file))}")
            return
        try:
            self._root.install_extension(name)
            self._root.load_extension(name)
        except duckdb.Error as error:
            package = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
            raise MissingExtraError(
                f"DuckDB's extension {name!r} is neither installed nor to be had: {str(error)[:300]} "
                f"Install it with: pip install {package}"
            ) from error

    def _use_s3(self) -> None:
        access = self._settings.s3
        if access is None:
            raise ConfigurationError("The lake's data path is a bucket, but no access to it is configured.")
        parts = {"KEY_ID": access.access_key_id, "SECRET": access.secret_access_key, "REGION": access.region}
        flags = ["TYPE s3", "PROVIDER config"]
        if access.session_token:
            parts["SESSION_TOKEN"] = access.session_token
        if access.endpoint:
            url = urllib.parse.urlsplit(access.endpoint)
            parts |= {"ENDPOINT": url.netloc, "URL_STYLE": "path"}
            flags.append(f"USE_SSL {'true' if url.scheme == 'https' else 'false'}")
        words = [*flags, *(f"{key} {literal(value)}" for key, value in parts.items())]
        self._root.execute(f"CREATE OR REPLACE SECRET pathlake_lake ({', '.join(words)})")

    def _make_postgres_schema(self) -> None:
        import psycopg

        try:
            with psycopg.connect(self._settings.postgres_url, autocommit=True) as connection:
                connection.execute("SELECT pg_advisory_lock(hashtext('pathlake_lake schema'))")
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {POSTGRES_SCHEMA}")
        except psycopg.Error as error:
            raise ConfigurationError(f"The lake's PostgreSQL cannot be used: {str(error)[:300]}") from error

    @contextlib.contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection of one's own for the block; what is open at its end is rolled back."""
        cursor = self.open_cursor()
        try:
            with mapped():
                yield cursor
        finally:
            cursor.close()

    def open_cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection that the caller closes."""
        with self._lock, mapped():
            return self._root.cursor()

    def close(self) -> None:
        """Detach the lake and free everything. Safe to call twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._root.close()
                if self._temporary is not None:
                    self._temporary.cleanup()
