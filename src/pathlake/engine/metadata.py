"""Writing metadata: Arrow streams, the official client's string entries, deletions and field definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pathlake.catalog.base import DatasourceRecord
from pathlake.engine.blobs import Blobs
from pathlake.engine.tables import table_of
from pathlake.lake.base import CommitInfo, CommitReport, Lake
from pathlake.types import Field, FieldType

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class MetadataEntry:
    """One value as the official client sends it.

    Attributes:
        url: Path of the datapoint.
        key: Name of the field.
        value: The value as text: `5`, `0.5`, `True`, base64 of gzip for a BLOB, milliseconds for a DATETIME.
        value_type: Type of the value, or of the element when `allow_multiple`.
        allow_multiple: Whether this is one element of a list.
        time_zone: Offset of a DATETIME in the official client's encoding; None where it gave none.
    """

    url: str
    key: str
    value: str
    value_type: FieldType
    allow_multiple: bool = False
    time_zone: str | None = None


class Metadata:
    """Writes the metadata of datasources; each call is one commit, all of it or none of it."""

    def __init__(self, lake: Lake, blobs: Blobs) -> None:
        self._lake = lake
        self._blobs = blobs

    def ingest(
        self,
        datasource: DatasourceRecord,
        reader: pa.RecordBatchReader,
        *,
        author: str,
        message: str = "",
        lists: Literal["replace", "union"] = "replace",
    ) -> CommitReport:
        """Give values to datapoints from a stream of Arrow batches; memory does not grow with its length.

        Args:
            datasource: Whose metadata.
            reader: A `path` column of strings and one column per field. Types are those of
                `pathlake.types.columns.field_of`; binary columns are BLOBs, stored here and kept as hashes. Null means
                "not given".
            author: Login of who writes.
            message: What the commit says of itself.
            lists: Whether a given list takes the place of the stored one, or is joined to it.

        Raises:
            InvalidPathError: A path that can never be one, or none.
            FieldTypeError: A value does not fit its field; names path, field and both types.
            AutomaticFieldError, InvalidNameError, InvalidValueError: As they say.
        """
        from pathlake.engine.uploads import canonical_stream

        schema, batches = canonical_stream(reader, self._blobs)
        return self._lake.merge(
            table_of(datasource), batches, schema=schema, commit=CommitInfo(author, message, "upload"), lists=lists
        )

    def update_entries(
        self, datasource: DatasourceRecord, entries: Sequence[MetadataEntry], *, author: str, message: str = ""
    ) -> list[str]:
        """Give values to datapoints as the official client sends them, and return the paths in order.

        A value is read as the type of the field that exists; where there is none, as the type it is sent with.
        Entries of one path and a multiple field add to the stored list, without doubles.

        Raises:
            FieldTypeError: A value does not fit its field; names path, field and both types.
            InvalidPathError, AutomaticFieldError, InvalidNameError, InvalidValueError: As they say.
        """
        from pathlake.engine.entries import entries_table

        table = table_of(datasource)
        if not entries:
            return []
        content = entries_table(entries, self._lake.schema(table), self._blobs)
        self._lake.merge(
            table,
            content.to_batches(),
            schema=content.schema,
            commit=CommitInfo(author, message, "upload"),
            lists="union",
        )
        return list(dict.fromkeys(entry.url for entry in entries))

    def delete_values(
        self, datasource: DatasourceRecord, values: Sequence[tuple[int, str]], *, author: str, message: str = ""
    ) -> list[str]:
        """Remove values, each given as (datapoint_id, field name), and return the paths of the datapoints.

        Raises:
            DatapointNotFoundError, FieldNotFoundError: One of them does not exist; nothing was removed.
            AutomaticFieldError: The field is one that only scans write.
        """
        table = table_of(datasource)
        paths = self._lake.paths_of(table, [datapoint for datapoint, _ in values])
        self._lake.delete_values(table, values, commit=CommitInfo(author, message, "delete"))
        return list(paths.values())

    def delete_datapoints(
        self, datasource: DatasourceRecord, datapoint_ids: Sequence[int], *, author: str, message: str = ""
    ) -> list[str]:
        """Remove datapoints with all their metadata, and return their paths; their files stay as they are.

        Raises:
            DatapointNotFoundError: One of them does not exist; nothing was removed.
        """
        table = table_of(datasource)
        paths = self._lake.paths_of(table, datapoint_ids)
        self._lake.delete_datapoints(table, datapoint_ids, commit=CommitInfo(author, message, "delete"))
        return list(paths.values())

    def put_fields(
        self, datasource: DatasourceRecord, fields: Sequence[Field], *, author: str, message: str = ""
    ) -> list[Field]:
        """Create fields, or set tags and description of those that are there, and return them as they are now.

        Raises:
            FieldTypeError: A field is there with another type.
            AutomaticFieldError, InvalidNameError: As they say.
        """
        table = table_of(datasource)
        self._lake.put_fields(table, fields, commit=CommitInfo(author, message, "fields"))
        schema = self._lake.schema(table)
        return [schema.resolve(field.name) for field in fields]
