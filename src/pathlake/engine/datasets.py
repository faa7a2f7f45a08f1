"""Saved queries."""

from __future__ import annotations

import json
from typing import Any

from pathlake.catalog.base import Catalog, DatasetRecord, DatasourceRecord, Repo
from pathlake.engine.tables import table_of
from pathlake.errors import DatasetNotFoundError, QueryError
from pathlake.expr import bind, query_from_wire
from pathlake.lake.base import Lake

_NODE_KEYS = ("and", "or", "filter")


class Datasets:
    """Saves, finds and deletes datasets: queries under a name."""

    def __init__(self, catalog: Catalog, lake: Lake) -> None:
        self._catalog = catalog
        self._lake = lake

    def save(self, datasource: DatasourceRecord, name: str, *, query_text: str, created_by: str) -> DatasetRecord:
        """Keep a query under a name.

        Args:
            datasource: What the query asks.
            name: Unique among the datasets of the repo.
            query_text: The JSON text of a `QueryInput`; its structure is kept to the letter, but for nulls.
            created_by: Login of who asked.

        Raises:
            QueryError: The text is no query, or makes no sense for the datasource.
            FieldNotFoundError: It names a field the datasource does not have.
            DatasetAlreadyExistsError: The name is taken.
        """
        try:
            wire = json.loads(query_text)
        except json.JSONDecodeError as error:
            raise QueryError(f"The query of the dataset {name!r} is no JSON: {error}.") from error
        if not isinstance(wire, dict):
            raise QueryError(f"The query of the dataset {name!r} must be a JSON object, not {type(wire).__name__}.")
        bind(query_from_wire(wire), self._lake.schema(table_of(datasource)))
        return self._catalog.save_dataset(
            datasource.id, name, query=json.dumps(kept_query(wire), ensure_ascii=False), created_by=created_by
        )

    def find(self, repo: Repo, *, id: int | None = None, name: str | None = None) -> list[DatasetRecord]:
        """Return the datasets of a repo; `id` and `name` narrow, both together too. May be empty."""
        if id is None and name is None:
            return self._catalog.datasets(repo.id)
        try:
            return [self._catalog.dataset(repo.id, id=id, name=name)]
        except DatasetNotFoundError:
            return []

    def get(self, repo: Repo, *, id: int | None = None, name: str | None = None) -> DatasetRecord:
        """Return one dataset.

        Raises:
            DatasetNotFoundError: There is none; the message suggests the nearest name.
        """
        return self._catalog.dataset(repo.id, id=id, name=name)

    def delete(self, repo: Repo, *, id: int) -> DatasetRecord:
        """Delete a dataset and return what it was; its datasource stays.

        Raises:
            DatasetNotFoundError: There is none.
        """
        return self._catalog.delete_dataset(repo.id, id)


def kept_query(wire: dict[str, Any]) -> dict[str, Any]:
    """Return a query as it is kept: same structure, without nulls, the live key of each filter node first.

    The official client reads the first key of a node as its kind and dies of `"query": null`.

    Example:
        >>> kept_query({"query": {"not": True, "filter": {"key": "a"}}, "limit": None})
        {'query': {'filter': {'key': 'a'}, 'not': True}}
    """
    kept = {key: value for key, value in wire.items() if value is not None}
    if isinstance(kept.get("query"), dict):
        kept["query"] = _kept_node(kept["query"])
    return kept


def _kept_node(node: dict[str, Any]) -> dict[str, Any]:
    live = [(key, value) for key, value in node.items() if value is not None]
    live.sort(key=lambda item: item[0] not in _NODE_KEYS)
    kept: dict[str, Any] = {}
    for key, value in live:
        if key in ("and", "or") and isinstance(value, list):
            kept[key] = [_kept_node(child) if isinstance(child, dict) else child for child in value]
        elif key == "filter" and isinstance(value, dict):
            kept[key] = {name: given for name, given in value.items() if given is not None}
        else:
            kept[key] = value
    return kept
