"""Reading: rows, counts and history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pathlake.catalog.base import DatasourceRecord
from pathlake.engine.tables import table_of
from pathlake.expr import Query
from pathlake.lake.base import CommitRecord, Lake, Rows
from pathlake.types import Schema


class Queries:
    """Asks the metadata of datasources."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def schema(self, datasource: DatasourceRecord, *, snapshot: int | None = None) -> Schema:
        """Return the fields of a datasource, now or as of a snapshot."""
        return self._lake.schema(table_of(datasource), snapshot=snapshot)

    def rows(
        self,
        datasource: DatasourceRecord,
        query: Query,
        *,
        snapshot: int | None = None,
        offset: int = 0,
    ) -> Rows:
        """Run a query; close what it returns when done with it.

        Args:
            datasource: Which datasource.
            query: What is asked. Selected fields that do not exist are left out, as the official client needs it.
            snapshot: Read from this snapshot, for stable paging; None means `query.as_of`, else the newest.
            offset: Datapoints to pass over.

        Raises:
            FieldNotFoundError, QueryError: The query makes no sense for the datasource.
            ResourceLimitError: It needs more memory than the engine may use.
        """
        return self._lake.query(table_of(datasource), query, snapshot=snapshot, offset=offset)

    def count(self, datasource: DatasourceRecord, query: Query, *, snapshot: int | None = None) -> int:
        """Return how many datapoints a query gives."""
        return self._lake.count(table_of(datasource), query, snapshot=snapshot)

    def commits(self, datasource: DatasourceRecord, *, limit: int = 100) -> list[CommitRecord]:
        """Return the change sets of a datasource, newest first."""
        return self._lake.history(table_of(datasource), limit=limit)

    def datapoint_history(
        self,
        datasource: DatasourceRecord,
        paths: Sequence[str],
        *,
        fields: Sequence[str] | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> dict[str, list[dt.datetime]]:
        """Return, for each path, when it (or one of `fields`) changed within the given time, oldest first.

        `since` and `until` are aware and both included.
        """
        found = self._lake.datapoint_history(table_of(datasource), paths, fields=fields)
        return {
            path: [at for at in moments if (since is None or at >= since) and (until is None or at <= until)]
            for path, moments in found.items()
        }
