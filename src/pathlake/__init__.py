"""Pathlake: files in folders, git repositories and buckets as typed, queryable, versioned metadata tables.

Example:
    >>> from pathlake import datasources
    >>> ds = datasources.get_or_create("simon/baby-yoda", "images", "~/baby-yoda/images")
    >>> ds[ds["size"] > 1_000_000].all().dataframe

Names are loaded when first used, so that `import pathlake` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlake import errors
    from pathlake.client import datasets, datasources
    from pathlake.client.columns import Column
    from pathlake.client.conditions import BoundCondition
    from pathlake.client.config import forget_login, save_login
    from pathlake.client.context import MetadataContext
    from pathlake.client.datapoint import Datapoint
    from pathlake.client.datasource import Datasource
    from pathlake.client.result import QueryResult
    from pathlake.client.warnings import (
        IgnoredColumnsWarning,
        PathlakeWarning,
        ScanFailedWarning,
        ScanInProgressWarning,
        SlowLoopWarning,
    )
    from pathlake.errors import PathlakeError
    from pathlake.expr import Query, Selection
    from pathlake.types import Field, FieldType, Schema

    __version__: str

__all__ = [
    "BoundCondition",
    "Column",
    "Datapoint",
    "Datasource",
    "Field",
    "FieldType",
    "IgnoredColumnsWarning",
    "MetadataContext",
    "PathlakeError",
    "PathlakeWarning",
    "Query",
    "QueryResult",
    "ScanFailedWarning",
    "ScanInProgressWarning",
    "Schema",
    "Selection",
    "SlowLoopWarning",
    "__version__",
    "datasets",
    "datasources",
    "errors",
    "forget_login",
    "save_login",
]

_MODULES = {
    "datasets": "pathlake.client.datasets",
    "datasources": "pathlake.client.datasources",
    "errors": "pathlake.errors",
}

_HOMES = {
    "BoundCondition": "pathlake.client.conditions",
    "Column": "pathlake.client.columns",
    "Datapoint": "pathlake.client.datapoint",
    "Datasource": "pathlake.client.datasource",
    "Field": "pathlake.types",
    "FieldType": "pathlake.types",
    "IgnoredColumnsWarning": "pathlake.client.warnings",
    "MetadataContext": "pathlake.client.context",
    "PathlakeError": "pathlake.errors",
    "PathlakeWarning": "pathlake.client.warnings",
    "Query": "pathlake.expr",
    "QueryResult": "pathlake.client.result",
    "ScanFailedWarning": "pathlake.client.warnings",
    "ScanInProgressWarning": "pathlake.client.warnings",
    "Schema": "pathlake.types",
    "Selection": "pathlake.expr",
    "SlowLoopWarning": "pathlake.client.warnings",
    "forget_login": "pathlake.client.config",
    "save_login": "pathlake.client.config",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        found: Any = import_module(_MODULES[name])
    elif name in _HOMES:
        found = getattr(import_module(_HOMES[name]), name)
    elif name == "__version__":
        from pathlake.wire.contract import package_version

        found = package_version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
