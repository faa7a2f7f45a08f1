"""What each mutation of the GraphQL schema does with the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLResolveInfo

from pathlake.catalog.base import DatasourceRecord
from pathlake.engine.metadata import MetadataEntry
from pathlake.errors import DatapointNotFoundError, DatasetNotFoundError
from pathlake.server.context import Call, as_sent, call_of
from pathlake.server.services import id_of
from pathlake.server.views import datasource_json, moment, number_of
from pathlake.types import Field, FieldType
from pathlake.wire.result import field_to_json

Info = GraphQLResolveInfo

_FORCE_PROBE = "FORCE_REGENERATE_AUTO_SCAN_VALUES"


def create_datasource(_root: Any, info: Info, *, name: str, url: str, dsType: str) -> dict[str, Any]:  # noqa: N803, ARG001
    """Make a datasource; what stands behind it says the URL, whatever `dsType` says."""
    call = call_of(info)
    repo = call.repo(create=True)
    return datasource_json(call.engine, call.engine.datasources.create(repo, name, url=url, created_by=call.login))


def update_metadata(
    _root: Any, info: Info, *, datasource: str, datapoints: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Give values to datapoints."""
    call = call_of(info)
    entries = [
        MetadataEntry(
            url=one["url"],
            key=one["key"],
            value=one["value"],
            value_type=FieldType(one["valueType"]),
            allow_multiple=bool(one.get("allowMultiple")),
            time_zone=one.get("timeZone"),
        )
        for one in datapoints
    ]
    return _paths(call.engine.metadata.update_entries(call.datasource(datasource), entries, author=call.login))


def delete_metadata(
    _root: Any, info: Info, *, datasource: str, datapoints: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Remove values of datapoints."""
    call = call_of(info)
    values = [(number_of(one["datapointId"], DatapointNotFoundError), str(one["key"])) for one in datapoints]
    return _paths(call.engine.metadata.delete_values(call.datasource(datasource), values, author=call.login))


def delete_datapoint(
    _root: Any, info: Info, *, datasource: str, datapoints: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Remove datapoints."""
    call = call_of(info)
    ids = [number_of(one["datapointId"], DatapointNotFoundError) for one in datapoints]
    return _paths(call.engine.metadata.delete_datapoints(call.datasource(datasource), ids, author=call.login))


def update_metadata_field_props(
    _root: Any, info: Info, *, datasource: str, props: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Create fields, or set tags and description of those that are there; what is not given stays."""
    call = call_of(info)
    record = call.datasource(datasource)
    schema = call.engine.queries.schema(record)
    fields = [_field(one, schema.get(one["name"])) for one in props]
    return [field_to_json(field) for field in call.engine.metadata.put_fields(record, fields, author=call.login)]


def delete_datasource(_root: Any, info: Info, *, id: str) -> dict[str, Any]:
    """Delete a datasource."""
    call = call_of(info)
    return datasource_json(call.engine, call.engine.datasources.delete(call.repo(), id=id_of(id)))


def scan_datasource(_root: Any, info: Info, *, id: str, options: Sequence[str | None] | None = None) -> dict[str, Any]:
    """Queue a scan."""
    call = call_of(info)
    record = call.datasource(id)
    call.engine.scans.start(record, force_probe=_FORCE_PROBE in (options or ()))
    return _shown(call, record)


def cancel_scan(_root: Any, info: Info, *, id: str) -> dict[str, Any]:
    """Stop the active scan."""
    call = call_of(info)
    record = call.datasource(id)
    call.engine.scans.cancel(record)
    return _shown(call, record)


def save_dataset(_root: Any, info: Info, *, datasource: str, name: str, filter: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a query under a name, as it was sent."""
    call = call_of(info)
    text = json.dumps(as_sent(info, "filter", filter), ensure_ascii=False)
    saved = call.engine.datasets.save(call.datasource(datasource), name, query_text=text, created_by=call.login)
    return {"id": str(saved.id), "name": saved.name, "createdAt": moment(saved.created_at)}


def delete_dataset(_root: Any, info: Info, *, id: str) -> dict[str, Any]:
    """Delete a saved dataset."""
    call = call_of(info)
    deleted = call.engine.datasets.delete(call.repo(), id=number_of(id, DatasetNotFoundError))
    return {"id": str(deleted.id)}


def _shown(call: Call, record: DatasourceRecord) -> dict[str, Any]:
    return datasource_json(call.engine, call.engine.datasources.view(record, call.repo()))


def _paths(paths: Sequence[str]) -> list[dict[str, Any]]:
    return [{"path": path} for path in paths]


def _field(props: Mapping[str, Any], known: Field | None) -> Field:
    def given(key: str, stays: Any) -> Any:
        value = props.get(key)
        return stays if value is None else value

    return Field(
        name=props["name"],
        type=FieldType(props["valueType"]),
        multiple=bool(given("multiple", known.multiple if known else False)),
        tags=tuple(sorted(set(given("tags", known.tags if known else ())))),
        description=given("description", known.description if known else ""),
        automatic=known.automatic if known else False,
    )
