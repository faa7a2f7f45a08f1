"""The calls on one repo of the engine, typed; the only place of the client that knows addresses and documents."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pathlake.client.connection import Connection
from pathlake.client.state import Commit, DatasetState, DatasourceState
from pathlake.client.transport import Request
from pathlake.errors import InvalidNameError, TransportError
from pathlake.types import Field
from pathlake.wire import ARROW_STREAM_TYPE, CommitAnswer, RowsRequest, documents, error_of
from pathlake.wire.contract import (
    LISTS_PARAM,
    MESSAGE_PARAM,
    file_path,
    graphql_path,
    metadata_path,
    repo_path,
    rows_path,
)

_logger = logging.getLogger("pathlake.client")


def split_repo(repo: object) -> tuple[str, str]:
    """Return owner and name of a repo written as `owner/name`.

    Raises:
        InvalidNameError: It is not written so.
    """
    parts = repo.split("/") if isinstance(repo, str) else []
    if len(parts) != 2 or not all(part.strip() == part and part for part in parts):
        raise InvalidNameError(f"A repo is named 'owner/name', like 'simon/baby-yoda', not {repo!r}.")
    return parts[0], parts[1]


@dataclass(frozen=True, slots=True)
class RepoApi:
    """The calls on one repo.

    Attributes:
        connection: Where they go.
        owner: Owner of the repo.
        name: Its name.
    """

    connection: Connection
    owner: str
    name: str

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    def datasources(self, *, id: str | None = None, name: str | None = None) -> list[DatasourceState]:
        """Return the datasources of the repo, narrowed to that id and that name where given."""
        found = self._graphql(documents.DATASOURCES, {"id": id, "name": name})["datasource"]
        return [DatasourceState.from_wire(self.full_name, entry) for entry in found or ()]

    def datasets(self, *, id: str | None = None, name: str | None = None) -> list[DatasetState]:
        """Return the saved datasets of the repo, narrowed to that id and that name where given."""
        found = self._graphql(documents.DATASETS, {"id": id, "name": name})["dataset"]
        return [DatasetState.from_wire(self.full_name, entry) for entry in found or ()]

    def create_datasource(self, name: str, *, url: str, kind: str) -> DatasourceState:
        """Make a datasource; its first scan starts by itself."""
        found = self._graphql(
            documents.CREATE_DATASOURCE, {"name": name, "url": url, "dsType": kind}, repeatable=False
        )["createDatasource"]
        return DatasourceState.from_wire(self.full_name, found)

    def default_revision(self) -> str:
        """Return the revision that paths of the repo mean where none is given."""
        path = repo_path(self.owner, self.name)
        return str(json.loads(self.connection.send(Request("GET", path)))["default_branch"])

    def delete_datasource(self, id: str) -> None:
        """Delete a datasource with its metadata, its scans and its datasets; the files stay."""
        self._graphql(documents.DELETE_DATASOURCE, {"id": id}, repeatable=False)

    def scan(self, id: str, *, options: Sequence[str] | None = None) -> DatasourceState:
        """Start a scan, or take part in the one that runs."""
        found = self._graphql(documents.SCAN_DATASOURCE, {"id": id, "options": list(options) if options else None})
        return DatasourceState.from_wire(self.full_name, found["scanDatasource"])

    def cancel_scan(self, id: str) -> DatasourceState:
        """Stop the scan that runs, if one does."""
        return DatasourceState.from_wire(self.full_name, self._graphql(documents.CANCEL_SCAN, {"id": id})["cancelScan"])

    def save_dataset(self, id: str, name: str, *, query: Mapping[str, Any]) -> str:
        """Keep a query under a name; return the dataset's id."""
        variables = {"datasource": id, "name": name, "filter": query}
        return str(self._graphql(documents.SAVE_DATASET, variables, repeatable=False)["saveDataset"]["id"])

    def delete_dataset(self, id: str) -> None:
        """Delete a saved dataset; the datasource stays."""
        self._graphql(documents.DELETE_DATASET, {"id": id}, repeatable=False)

    def count(self, id: str, query: Mapping[str, Any]) -> int:
        """Return how many datapoints a query gives."""
        return int(self._graphql(documents.COUNT, {"datasource": id, "queryInput": query})["datapointCount"])

    def commits(self, id: str, *, first: int) -> list[Commit]:
        """Return the change sets of a datasource, newest first."""
        found = self._graphql(documents.COMMITS, {"datasource": id, "first": first})["commits"]
        return [Commit.from_wire(entry) for entry in found]

    def update_fields(self, id: str, fields: Sequence[Field]) -> None:
        """Create fields, or set what is said about those that are there."""
        props = [
            {
                "name": field.name,
                "valueType": str(field.type),
                "multiple": field.multiple,
                "tags": list(field.tags),
                "description": field.description,
            }
            for field in fields
        ]
        self._graphql(documents.UPDATE_FIELDS, {"datasource": id, "props": props})

    def delete_values(self, id: str, values: Sequence[tuple[int, str]]) -> None:
        """Remove values, each given as (datapoint_id, field name)."""
        entries = [{"datapointId": datapoint_id, "key": key} for datapoint_id, key in values]
        self._graphql(documents.DELETE_METADATA, {"datasource": id, "datapoints": entries})

    def delete_datapoints(self, id: str, datapoint_ids: Sequence[int]) -> None:
        """Remove datapoints with all their metadata."""
        entries = [{"datapointId": datapoint_id} for datapoint_id in datapoint_ids]
        self._graphql(documents.DELETE_DATAPOINTS, {"datasource": id, "datapoints": entries}, repeatable=False)

    @contextmanager
    def rows(
        self, id: str, query: Mapping[str, Any], *, snapshot: int | None = None, offset: int = 0
    ) -> Iterator[Iterator[bytes]]:
        """Give the answer to a query as chunks of an Arrow IPC stream."""
        body = RowsRequest(query, snapshot, offset).to_json()
        if _logger.isEnabledFor(logging.DEBUG):
            _logger.debug("rows of %s/%s: %s", self.full_name, id, json.dumps(body, ensure_ascii=False))
        path = rows_path(self.owner, self.name, datasource=id)
        with self.connection.stream(Request("POST", path, json=body, label=f"rows of {self.full_name}/{id}")) as chunks:
            yield chunks

    def upload(
        self,
        id: str,
        stream: Callable[[], Iterable[bytes]],
        *,
        message: str | None = None,
        repeatable: bool = True,
    ) -> CommitAnswer:
        """Send metadata as chunks of an Arrow IPC stream, applied as one commit once all of it has arrived.

        Args:
            id: The datasource.
            stream: Makes the chunks. When it raises, the request is broken off and nothing is applied.
            message: What the commit says of itself.
            repeatable: Whether `stream` can be called twice.
        """
        request = Request(
            "POST",
            metadata_path(self.owner, self.name, datasource=id),
            stream=stream,
            params={LISTS_PARAM: "replace"} | ({MESSAGE_PARAM: message} if message else {}),
            headers={"Content-Type": ARROW_STREAM_TYPE},
            repeatable=repeatable,
            label=f"metadata of {self.full_name}/{id}",
        )
        return CommitAnswer.from_json(json.loads(self.connection.send(request)))

    def file_url(self, id: str, path: str) -> str:
        """Return the address of one file of a datasource; `path` may be empty for what they all begin with."""
        return self.connection.target.url + file_path(self.owner, self.name, datasource=id, path=path)

    def _graphql(self, document: str, variables: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        name = document.split("(", 1)[0]
        if _logger.isEnabledFor(logging.DEBUG):
            _logger.debug("%s on %s: %s", name, self.full_name, json.dumps(variables, ensure_ascii=False))
        body = self.connection.send(
            Request(
                "POST",
                graphql_path(self.owner, self.name),
                json={"query": document, "variables": dict(variables)},
                repeatable=repeatable,
                label=name,
            )
        )
        answer = json.loads(body)
        error = error_of(answer)
        if error is not None:
            raise error
        data = answer.get("data")
        if not isinstance(data, dict):
            raise TransportError(f"The engine answered {name} without data.")
        return data
