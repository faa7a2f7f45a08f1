"""What the handles on one datasource share: how to reach it, and what the engine last said of it."""

from __future__ import annotations

from pathlake.client.api import RepoApi
from pathlake.client.state import DatasourceState
from pathlake.errors import DatasourceNotFoundError
from pathlake.types import Field, Schema


class Source:
    """A datasource, shared by all handles that queries on it make. Safe to use from many threads."""

    def __init__(self, api: RepoApi, state: DatasourceState) -> None:
        self.api = api
        self.state = state

    def __repr__(self) -> str:
        return f"<Source {self.name!r} of {self.repo}, {self.state.root_url}>"

    @property
    def id(self) -> str:
        """Id of the datasource, unique in the installation."""
        return self.state.id

    @property
    def name(self) -> str:
        """Name of the datasource, unique in its repo."""
        return self.state.name

    @property
    def repo(self) -> str:
        """The repo it belongs to, `owner/name`."""
        return self.state.repo

    @property
    def root_url(self) -> str:
        """What stands behind it."""
        return self.state.root_url

    @property
    def schema(self) -> Schema:
        """Its fields, as last seen."""
        return self.state.schema

    def is_same(self, other: Source) -> bool:
        """Tell whether `other` is the same datasource of the same engine."""
        return other is self or (
            other.api.connection is self.api.connection and (other.repo, other.id) == (self.repo, self.id)
        )

    def refresh(self) -> DatasourceState:
        """Ask the engine for the datasource's state as it is now.

        Raises:
            DatasourceNotFoundError: It was deleted.
        """
        found = self.api.datasources(id=self.id)
        if not found:
            raise DatasourceNotFoundError(f"The datasource {self.name!r} of {self.repo} does not exist any more.")
        self.state = found[0]
        return self.state

    def field(self, name: str) -> Field:
        """Return the field called `name`, looking at the engine once if it is not known here.

        Raises:
            FieldNotFoundError: There is none; the message suggests the nearest.
        """
        schema = self.schema
        if name not in schema and name not in ("path", "datapoint_id"):
            schema = self.refresh().schema
        return schema.resolve(name)
