"""Where a lake is kept and what it may use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pathlake.errors import ConfigurationError

DUCKDB_PREFIX = "duckdb:///"
SQLITE_PREFIX = "sqlite:///"
POSTGRES_PREFIXES = ("postgresql://", "postgres://", "postgresql+psycopg://")


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to reach the bucket of an `s3://` data path.

    Attributes:
        endpoint: `http://host:port` or `https://host` of an S3-compatible store; None means Amazon's.
        access_key_id: Key that may read and write the bucket.
        secret_access_key: Its secret.
        region: Region of the bucket.
        session_token: Token of temporary credentials.
    """

    endpoint: str | None
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"
    session_token: str | None = None

    def __repr__(self) -> str:
        """Name the place and never the secrets."""
        return f"S3Access(endpoint={self.endpoint!r}, region={self.region!r})"


@dataclass(frozen=True, slots=True)
class LakeSettings:
    """Where a lake is kept and what it may use.

    Attributes:
        catalog_url: `duckdb:///relative.ducklake`, `duckdb:////absolute.ducklake`, the same with `sqlite:`, or
            `postgresql://user@host/db`.
        data_path: Folder, or `s3://bucket/prefix`, for the Parquet files.
        memory_limit: What queries may hold in memory, like `2GB`; None means DuckDB's default.
        temp_dir: Folder for what does not fit in memory; None means one beside the catalog file, or else the
            system's folder for temporary files.
        threads: Threads of the database; None means one per core.
        s3: Access to the bucket of `data_path`.
    """

    catalog_url: str
    data_path: str
    memory_limit: str | None = None
    temp_dir: Path | None = None
    threads: int | None = None
    s3: S3Access | None = None

    @property
    def catalog_file(self) -> Path | None:
        """The catalog's file, or None if the catalog is in PostgreSQL.

        Raises:
            ConfigurationError: The URL names neither.
        """
        for prefix in (DUCKDB_PREFIX, SQLITE_PREFIX):
            if self.catalog_url.startswith(prefix) and self.catalog_url != prefix:
                return Path(self.catalog_url.removeprefix(prefix))
        if self.catalog_url.startswith(POSTGRES_PREFIXES):
            return None
        raise ConfigurationError(
            "The lake's catalog must be duckdb:///FILE, sqlite:///FILE or postgresql://USER@HOST/DATABASE, "
            f"not a {self.catalog_url.partition(':')[0]!r} URL."
        )

    @property
    def uses_sqlite(self) -> bool:
        """Whether the catalog is a file of SQLite."""
        return self.catalog_url.startswith(SQLITE_PREFIX)

    @property
    def postgres_url(self) -> str:
        """The catalog's URL as libpq takes it."""
        rest = self.catalog_url.partition("://")[2]
        return f"postgresql://{rest}"
