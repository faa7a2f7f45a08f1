"""Metadata tables with schema and history. Imports the database: only the engine needs it."""

from pathlake.lake.base import (
    CommitInfo,
    CommitKind,
    CommitRecord,
    CommitReport,
    FileScan,
    Lake,
    ProbeResult,
    ProbeTarget,
    Rows,
    ScanCounts,
    TableRef,
)
from pathlake.lake.ducklake import open_lake
from pathlake.lake.settings import LakeSettings, S3Access

__all__ = [
    "CommitInfo",
    "CommitKind",
    "CommitRecord",
    "CommitReport",
    "FileScan",
    "Lake",
    "LakeSettings",
    "ProbeResult",
    "ProbeTarget",
    "Rows",
    "S3Access",
    "ScanCounts",
    "TableRef",
    "open_lake",
]
