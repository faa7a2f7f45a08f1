"""The executable schema, built from `wire/schema.graphql` once for the process."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, GraphQLScalarType, GraphQLSchema, build_ast_schema, parse
from graphql.language import ast
from graphql.utilities import value_from_ast_untyped

from pathlake.server.resolvers import RESOLVERS

_MIN_LONG, _MAX_LONG = -(1 << 63), (1 << 63) - 1


@functools.cache
def schema() -> GraphQLSchema:
    """Return the schema with its resolvers bound by name.

    Bound explicitly, since GraphQL's default looks methods up on a root object, where an argument called `source`
    collides with the library's own.
    """
    text = files("pathlake.wire").joinpath("schema.graphql").read_text(encoding="utf-8")
    built = build_ast_schema(parse(text, no_location=True))
    for name in ("Any", "Moment"):
        _scalar(built, name, serialize=_same, accept=_same)
    _scalar(built, "Long", serialize=_long, accept=_long)
    _scalar(built, "Loose", serialize=_same, accept=_loose)
    for type_name, resolvers in RESOLVERS.items():
        owner = built.type_map[type_name]
        assert isinstance(owner, GraphQLObjectType)
        for field_name, resolver in resolvers.items():
            owner.fields[field_name].resolve = resolver
    return built


def _scalar(built: GraphQLSchema, name: str, *, serialize: Any, accept: Any) -> None:
    scalar = built.type_map[name]
    assert isinstance(scalar, GraphQLScalarType)
    setattr(scalar, "serialize", serialize)  # noqa: B010 - mypy takes these for methods, which they are not
    setattr(scalar, "parse_value", accept)  # noqa: B010

    def parse_literal(node: ast.ValueNode, variables: dict[str, Any] | None = None) -> Any:
        return accept(value_from_ast_untyped(node, variables))

    setattr(scalar, "parse_literal", parse_literal)  # noqa: B010


def _same(value: Any) -> Any:
    return value


def _long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not _MIN_LONG <= value <= _MAX_LONG:
        raise GraphQLError(f"Long cannot represent {str(value)[:80]!r}.")
    return value


def _loose(value: Any) -> Any:
    # The official client sends the number 0 where it means "no value".
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise GraphQLError(f"A text or a number was expected, not {type(value).__name__}.")
