"""The catalog on SQLite or PostgreSQL."""

from __future__ import annotations

from pathlake.catalog.base import Catalog
from pathlake.catalog.database import Database
from pathlake.catalog.datasets import DatasetStore
from pathlake.catalog.migrate import migrate
from pathlake.catalog.repos import RepoStore
from pathlake.catalog.scans import ScanStore
from pathlake.catalog.sources import DatasourceStore
from pathlake.catalog.tokens import TokenStore


class SqlCatalog(RepoStore, DatasourceStore, ScanStore, DatasetStore, TokenStore):
    """A `Catalog` in a SQL database; each base class holds the part about one noun."""

    def close(self) -> None:
        """Close every connection to the database."""
        self._db.close()


def open_catalog(url: str) -> Catalog:
    """Open a catalog, making its tables or bringing them up to date where needed.

    Args:
        url: `sqlite:///PATH` (the file and its folder are made if missing) or `postgresql://...`.

    Raises:
        ConfigurationError: The URL is of neither kind.
        HomeError: The file cannot be written or is no SQLite database; the server cannot be reached.
        IncompatibleVersionError: A newer Pathlake wrote it.

    Example:
        >>> catalog = open_catalog("sqlite:////tmp/somewhere/catalog.db")
        >>> catalog.create_repo("ann", "cats").full_name
        'ann/cats'
    """
    database = Database(url)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return SqlCatalog(database)
