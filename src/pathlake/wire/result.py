"""What the Arrow endpoints say beside the rows, as plain values with their JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pathlake.types import Field, FieldType


@dataclass(frozen=True, slots=True)
class ResultField:
    """One column of a result and the field it shows."""

    name: str
    """Name of the column: the field's name or its alias."""
    field: Field

    def to_json(self) -> dict[str, Any]:
        """Return this as a JSON object."""
        return {**field_to_json(self.field), "name": self.name, "originalName": self.field.name}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ResultField:
        """Read what `to_json` wrote."""
        return cls(str(data["name"]), field_from_json({**data, "name": data["originalName"]}))


@dataclass(frozen=True, slots=True)
class ResultInfo:
    """What a rows stream says in its schema metadata, under `contract.RESULT_KEY`.

    Attributes:
        fields: The columns after `datapoint_id` and `path`, zone companions not included.
        snapshot: Id of the snapshot the rows are read from; give it back to read on from the same state.
        query_data_time: When the data was read, in seconds since 1970-01-01 UTC.
        scan: The datasource's latest scan, with the keys of the GraphQL type `Scan`; None before the first.
    """

    fields: tuple[ResultField, ...]
    snapshot: int
    query_data_time: int
    scan: dict[str, Any] | None = None

    def encode(self) -> bytes:
        """Return this as JSON, UTF-8."""
        return json.dumps(
            {
                "fields": [field.to_json() for field in self.fields],
                "snapshot": self.snapshot,
                "queryDataTime": self.query_data_time,
                "scan": self.scan,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()

    @classmethod
    def decode(cls, data: bytes) -> ResultInfo:
        """Read what `encode` wrote."""
        found = json.loads(data)
        return cls(
            fields=tuple(ResultField.from_json(field) for field in found["fields"]),
            snapshot=int(found["snapshot"]),
            query_data_time=int(found["queryDataTime"]),
            scan=found.get("scan"),
        )


def field_to_json(field: Field) -> dict[str, Any]:
    """Return a field as a JSON object with the keys of the GraphQL type `MetadataFieldProps`."""
    return {
        "name": field.name,
        "valueType": str(field.type),
        "multiple": field.multiple,
        "tags": list(field.tags),
        "description": field.description,
        "automatic": field.automatic,
    }


def field_from_json(data: Mapping[str, Any]) -> Field:
    """Read what `field_to_json` wrote; absent keys take their defaults."""
    tags: Sequence[str] = data.get("tags") or ()
    return Field(
        name=str(data["name"]),
        type=FieldType(data["valueType"]),
        multiple=bool(data.get("multiple", False)),
        tags=tuple(tags),
        description=str(data.get("description") or ""),
        automatic=bool(data.get("automatic", False)),
    )


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """The body of a request for rows.

    Attributes:
        query: A `QueryInput` as `expr.query_to_wire` gives it.
        snapshot: Snapshot to read from; None means the query's `asOf`, else the newest.
        offset: Datapoints to pass over from the start.
    """

    query: Mapping[str, Any]
    snapshot: int | None = None
    offset: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return this as a JSON object."""
        return {"query": dict(self.query), "snapshot": self.snapshot, "offset": self.offset}


@dataclass(frozen=True, slots=True)
class CommitAnswer:
    """What the engine answers to metadata: what the change set did, as `lake.CommitReport` says it."""

    snapshot: int
    rows: int
    new_datapoints: int
    updated_datapoints: int
    new_fields: tuple[Field, ...]

    def to_json(self) -> dict[str, Any]:
        """Return this as a JSON object."""
        return {
            "snapshot": self.snapshot,
            "rows": self.rows,
            "newDatapoints": self.new_datapoints,
            "updatedDatapoints": self.updated_datapoints,
            "newFields": [field_to_json(field) for field in self.new_fields],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CommitAnswer:
        """Read what `to_json` wrote."""
        return cls(
            snapshot=int(data["snapshot"]),
            rows=int(data["rows"]),
            new_datapoints=int(data["newDatapoints"]),
            updated_datapoints=int(data["updatedDatapoints"]),
            new_fields=tuple(field_from_json(field) for field in data["newFields"]),
        )
