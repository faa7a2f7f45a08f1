"""What the resolvers of one GraphQL request share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLResolveInfo
from graphql.language import VariableNode

from pathlake.catalog.base import DatasourceRecord, Repo
from pathlake.engine.engine import Engine
from pathlake.server.auth import Principal
from pathlake.server.services import id_of


@dataclass(slots=True)
class Call:
    """One request's context.

    Attributes:
        variables: As they came, before GraphQL's coercion, which reorders the keys of objects.
        is_official_client: Whether the official client asks, which cannot read lists of FLOAT or DATETIME.
        ready_made: Parts of the answer that were built without GraphQL's executor, each with its place.
    """

    engine: Engine
    owner: str
    name: str
    principal: Principal
    variables: dict[str, Any]
    is_official_client: bool = False
    ready_made: list[tuple[list[str | int], Any]] = field(default_factory=list)
    _repo: Repo | None = None

    @property
    def login(self) -> str:
        """Who asks."""
        return self.principal.login

    def repo(self, *, create: bool = False) -> Repo:
        """Return the repo of the address; `create` makes one that does not exist, where the settings allow it."""
        if self._repo is None:
            self._repo = self.engine.repos.require(self.owner, self.name, create=create)
        return self._repo

    def datasource(self, id: str) -> DatasourceRecord:
        """Return the datasource with that id."""
        return self.engine.datasources.record(self.repo(), id=id_of(id))


def call_of(info: GraphQLResolveInfo) -> Call:
    """Return the request's context."""
    call: Call = info.context
    return call


def as_sent(info: GraphQLResolveInfo, argument: str, coerced: Any) -> Any:
    """Return an argument as the client wrote it, where it came as a variable, else as GraphQL coerced it.

    Queries are kept and compared to the letter, and coercion changes the order of keys and wraps bare values.
    """
    for node in info.field_nodes[0].arguments:
        if node.name.value == argument and isinstance(node.value, VariableNode):
            return call_of(info).variables.get(node.value.name.value, coerced)
    return coerced
