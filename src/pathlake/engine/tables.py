"""The lake's name for a datasource's table."""

from __future__ import annotations

from pathlake.catalog.base import DatasourceRecord
from pathlake.lake.base import TableRef


def table_of(record: DatasourceRecord) -> TableRef:
    """Return the table that holds the metadata of a datasource."""
    return TableRef(repo_id=record.repo_id, datasource_id=record.id)
