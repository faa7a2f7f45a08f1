"""One datapoint of a result: a file and its metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pathlake.client.context import current_context, send_metadata
from pathlake.client.prompts import confirmed
from pathlake.errors import FieldNotFoundError, suggestion

if TYPE_CHECKING:
    from pathlake.client.source import Source


class Datapoint:
    """A file of a datasource, with the metadata a query chose.

    `dp["episode"]` is a value, None where the datapoint has none. `dp["episode"] = 6` is sent by `dp.save()`; inside
    a `metadata_context` of the datasource it joins what the context sends.

    Attributes:
        datapoint_id: Given once, never reused.
        path: Relative to the root of the datasource.
        metadata: The values there are, by field; changing it changes nothing in the datasource.
    """

    __slots__ = ("_changes", "_known", "_source", "datapoint_id", "metadata", "path")

    def __init__(
        self,
        datapoint_id: int,
        path: str,
        *,
        metadata: dict[str, Any],
        source: Source,
        known: frozenset[str] = frozenset(),
    ) -> None:
        self.datapoint_id = datapoint_id
        self.path = path
        self.metadata = metadata
        self._source = source
        self._known = known
        self._changes: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<Datapoint {self.datapoint_id} {self.path!r} {self.metadata!r}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Datapoint):
            return NotImplemented
        return self._source.is_same(other._source) and (self.datapoint_id, self.metadata) == (
            other.datapoint_id,
            other.metadata,
        )

    def __hash__(self) -> int:
        return hash((self._source.id, self.datapoint_id))

    @property
    def source(self) -> Source:
        """The datasource it belongs to."""
        return self._source

    @property
    def download_url(self) -> str:
        """The address of the file on the engine; the engine asks for the token."""
        return self._source.api.file_url(self._source.id, self.path)

    def __contains__(self, item: object) -> bool:
        return item in ("path", "datapoint_id", "dagshub_download_url") or item in self.metadata

    def __getitem__(self, item: str) -> Any:
        """Return the value of a field, or `path`, `datapoint_id` or `dagshub_download_url`; None where there is none.

        Raises:
            FieldNotFoundError: The result has no such field.
        """
        if item in self.metadata:
            return self.metadata[item]
        if item == "path":
            return self.path
        if item == "datapoint_id":
            return self.datapoint_id
        if item == "dagshub_download_url":
            return self.download_url
        if item in self._known:
            return None
        raise FieldNotFoundError(
            f"The result has no field {item!r}.{suggestion(str(item), self._known)}", {"field": str(item)}
        )

    def __setitem__(self, key: str, value: Any) -> None:
        context = current_context(self._source)
        if context is not None:
            context.update_metadata(self.path, {key: value})
        else:
            self._changes[key] = value
        self.metadata[key] = value

    def save(self) -> None:
        """Send what was assigned since the last save, as one commit; nothing where nothing was."""
        if self._changes:
            send_metadata(self._source, self.path, self._changes)
            self._changes = {}

    def delete_metadata(self, *fields: str) -> None:
        """Remove the values of fields from the datapoint; the fields themselves stay."""
        names = [self._source.field(name).name for name in fields]
        if names:
            self._source.api.delete_values(self._source.id, [(self.datapoint_id, name) for name in names])
        for name in names:
            self.metadata.pop(name, None)
            self._changes.pop(name, None)

    def delete(self, *, force: bool = False) -> None:
        """Remove the datapoint with all its metadata, after asking. The file stays; a scan finds it again as new."""
        if confirmed(f"Delete the datapoint {self.path!r} with all its metadata", force=force):
            self._source.api.delete_datapoints(self._source.id, [self.datapoint_id])

    def to_dict(self, metadata_keys: Sequence[str] | None = None) -> Mapping[str, Any]:
        """Return path, id, download address and metadata as a dict; `metadata_keys` chooses fields."""
        names = sorted(self.metadata) if metadata_keys is None else metadata_keys
        return {
            "path": self.path,
            "datapoint_id": self.datapoint_id,
            "dagshub_download_url": self.download_url,
            **{name: self.metadata.get(name) for name in names},
        }
