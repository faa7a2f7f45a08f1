"""What exists, by name: repos, connections, datasources, scans, saved datasets and tokens."""

from pathlake.catalog.base import (
    Catalog,
    Connection,
    DatasetRecord,
    DatasourceRecord,
    Repo,
    ScanRecord,
    ScanState,
    SourceKind,
    TokenRecord,
)
from pathlake.catalog.store import SqlCatalog, open_catalog

__all__ = [
    "Catalog",
    "Connection",
    "DatasetRecord",
    "DatasourceRecord",
    "Repo",
    "ScanRecord",
    "ScanState",
    "SourceKind",
    "SqlCatalog",
    "TokenRecord",
    "open_catalog",
]
