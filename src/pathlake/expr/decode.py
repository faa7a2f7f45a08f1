"""Queries from the QueryInput JSON that clients send and that saved datasets hold.

Everything the official client writes is accepted, in any key order: `{}`, `{"query": null}`, nulls beside the live key,
`"not": null`. What is unknown at the top level is ignored; what is unknown in a filter is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pathlake.errors import InvalidValueError, QueryError
from pathlake.expr.codec import COMPARATORS, TEXT_COMPARATORS
from pathlake.expr.literals import moment_of, time_of_day
from pathlake.expr.nodes import (
    EVERYTHING,
    And,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    DatePart,
    IsIn,
    IsNull,
    Or,
    Scalar,
    TextMatch,
    TimeOfDay,
)
from pathlake.expr.query import Order, Query, Selection
from pathlake.types.fields import FieldType
from pathlake.types.zones import parse_official_zone

MAX_DEPTH = 100
"""How deep conditions may be nested; chains of one connective count as one level."""

_OPS = {name: op for op, name in COMPARATORS.items()}
_TEXT_OPS = {name: op for op, name in TEXT_COMPARATORS.items()}
_LIVE = ("filter", "and", "or")


def query_from_wire(wire: Mapping[str, Any]) -> Query:
    """Return the query that QueryInput JSON means.

    Raises:
        QueryError: A part cannot be read, or asks for what there is not; the message names it.
    """
    if not isinstance(wire, Mapping):
        raise _bad("the query", wire, "an object")
    limit = wire.get("limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise _bad("limit", limit, "an integer of at least 0")
    include_missing = wire.get("includeMissing")
    if not isinstance(include_missing, bool | None):
        raise _bad("includeMissing", include_missing, "true or false")
    return Query(
        condition=condition_from_wire(wire.get("query") or {}),
        select=_selections(wire.get("select")),
        order_by=tuple(_order(item) for item in _list("orderBy", wire.get("orderBy")) or ()),
        limit=limit,
        as_of=_as_of(wire.get("asOf")),
        zone_minutes=_zone(wire.get("timeZone")),
        include_missing=bool(include_missing),
    )


def condition_from_wire(node: Mapping[str, Any]) -> Condition:
    """Return the condition that FilterNode JSON means; an empty node always holds.

    Raises:
        QueryError: A part cannot be read; the message names it.
    """
    return _condition(node, depth=0)


def _condition(node: object, *, depth: int) -> Condition:
    if not isinstance(node, Mapping):
        raise _bad("a node of the query", node, "an object")
    if depth > MAX_DEPTH:
        raise QueryError(f"The query is nested deeper than {MAX_DEPTH} levels.")
    unknown = set(node) - {*_LIVE, "not"}
    if unknown:
        raise QueryError(f"A node of the query has the unknown key {min(map(str, unknown))!r}.")
    live = [key for key in _LIVE if node.get(key) is not None]
    if len(live) > 1:
        raise QueryError(f"A node of the query holds {' and '.join(live)}; it can hold only one of them.")
    negated = node.get("not")
    if not isinstance(negated, bool | None):
        raise _bad("not", negated, "true or false")
    if not live:
        found = EVERYTHING
    elif live == ["filter"]:
        found = _filter(node["filter"])
    else:
        join = And if live == ["and"] else Or
        found = join.of(*(_condition(child, depth=depth + 1) for child in _chain(node, live[0])))
    return ~found if negated else found


def _chain(node: Mapping[str, Any], key: str) -> list[object]:
    """Return the children of a node, those of nested nodes of the same kind in their place.

    The official client nests `a & b & c` two by two, so a long chain would be as deep as it is long.
    """
    flat: list[object] = []
    todo: list[object] = list(reversed(_list(key, node[key]) or ()))
    while todo:
        child = todo.pop()
        others = [k for k in _LIVE if k != key]
        if (
            isinstance(child, Mapping)
            and isinstance(child.get(key), list)
            and child.get("not") in (None, False)
            and not any(child.get(other) is not None for other in others)
            and set(child) <= {*_LIVE, "not"}
        ):
            todo.extend(reversed(child[key]))
        else:
            flat.append(child)
    return flat


def _filter(found: object) -> Condition:
    if not isinstance(found, Mapping):
        raise _bad("filter", found, "an object")
    key = found.get("key")
    if not isinstance(key, str):
        raise _bad("key", key, "the name of a field")
    if found.get("asOf") is not None:
        raise _per_field_as_of(key)
    comparator = found.get("comparator")
    if found.get("otherKey") is not None:
        return _between_fields(key, comparator, found["otherKey"])
    if comparator == "IS_NULL":
        return IsNull(key)
    if comparator == "DATE_TIME_FILTER":
        return _date_filter(key, found)
    kind = _value_type(key, found.get("valueType"))
    if comparator == "IN":
        return IsIn(key, tuple(_value(key, kind, value) for value in _range(key, found)))
    if comparator == "BETWEEN":
        ends = _range(key, found)
        if len(ends) != 2:
            raise _bad(f"valueRange of {key!r}", ends, "a list of two values")
        return Between(key, _value(key, kind, ends[0]), _value(key, kind, ends[1]))
    if comparator in _TEXT_OPS:
        return TextMatch(key, _TEXT_OPS[comparator], _text(key, found.get("value")))
    if comparator in _OPS:
        return Compare(key, _OPS[comparator], _value(key, kind, found.get("value")))
    raise _bad(f"comparator of {key!r}", comparator, f"one of {', '.join(_all_comparators())}")


def _between_fields(key: str, comparator: object, other: object) -> Condition:
    if not isinstance(other, str):
        raise _bad(f"otherKey of {key!r}", other, "the name of a field")
    if not isinstance(comparator, str) or comparator not in _OPS:
        raise _bad(f"comparator of {key!r}", comparator, f"one of {', '.join(_OPS)} where fields are compared")
    return CompareFields(key, _OPS[comparator], other)


def _date_filter(key: str, found: Mapping[str, Any]) -> Condition:
    part = found.get("timeFilter")
    if part == "TIMEOFDAY":
        start_s, end_s = time_of_day(_text(key, found.get("value")))
        return TimeOfDay(key, start_s, end_s)
    if part not in DatePart.__members__:
        raise _bad(f"timeFilter of {key!r}", part, f"one of {', '.join(DatePart.__members__)}, TIMEOFDAY")
    values = tuple(_integer(key, value) for value in _range(key, found))
    return DateIn(key, DatePart[str(part)], values)


def _range(key: str, found: Mapping[str, Any]) -> list[Any]:
    values = found.get("valueRange")
    if isinstance(values, str | int | float):  # a bare value, as GraphQL allows for a list
        return [values]
    return _list(f"valueRange of {key!r}", values) or []


def _value_type(key: str, name: object) -> FieldType:
    try:
        return FieldType(str(name))
    except ValueError:
        raise _bad(f"valueType of {key!r}", name, f"one of {', '.join(FieldType)}") from None


def _value(key: str, kind: FieldType, value: object) -> Scalar:
    """Read a value by the type it was sent with; numbers and booleans may come as such too."""
    if value is None or not isinstance(value, str | bool | int | float):
        raise _bad(f"value of {key!r}", value, "text or a number")
    text = value if isinstance(value, str) else str(value)
    try:
        match kind:
            case FieldType.INTEGER:
                return int(text)
            case FieldType.FLOAT:
                return int(text) if text.lstrip("+-").isdecimal() else float(text)
            case FieldType.BOOLEAN:
                return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
            case FieldType.DATETIME:
                return moment_of(key, int(text) if text.lstrip("+-").isdecimal() else text)
    except (ValueError, KeyError) as error:
        if isinstance(error, QueryError):
            raise
        raise QueryError(
            f"The value {text[:80]!r} for the field {key!r} cannot be read as {kind}.", {"field": key}
        ) from None
    return text


def _integer(key: str, value: object) -> int:
    number = _value(key, FieldType.INTEGER, value)
    assert isinstance(number, int)
    return number


def _text(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _bad(f"value of {key!r}", value, "text")
    return str(value)


def _selections(items: object) -> tuple[Selection, ...] | None:
    if items is None:
        return None
    return tuple(_selection(item) for item in _list("select", items) or ())


def _selection(item: object) -> Selection:
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        raise _bad("an entry of select", item, "an object with a name")
    if item.get("asOf") is not None:
        raise _per_field_as_of(item["name"])
    alias = item.get("alias")
    if not isinstance(alias, str | None):
        raise _bad(f"alias of {item['name']!r}", alias, "text")
    return Selection(item["name"], alias or None)


def _order(item: object) -> Order:
    if not isinstance(item, Mapping) or not isinstance(item.get("field"), str):
        raise _bad("an entry of orderBy", item, "an object with a field")
    order = item.get("order")
    if order not in ("ASC", "DESC"):
        raise _bad(f"order of {item['field']!r}", order, "ASC or DESC")
    return Order(item["field"], descending=order == "DESC")


def _as_of(seconds: object) -> dt.datetime | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise _bad("asOf", seconds, "a number of seconds since 1970-01-01 UTC")
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, ValueError, OSError):
        raise QueryError(f"asOf {seconds} lies outside the years 1 to 9999.") from None


def _zone(text: object) -> int | None:
    if text is None or text == "":
        return None
    try:
        return parse_official_zone(str(text))
    except InvalidValueError as error:
        raise QueryError(f"timeZone: {error}") from None


def _list(what: str, value: object) -> list[Any] | None:
    if value is not None and not isinstance(value, list):
        raise _bad(what, value, "a list")
    return value


def _per_field_as_of(key: str) -> QueryError:
    return QueryError(
        f"as_of of the single field {key!r} is not supported; as_of on the whole query is: ds.as_of(time).",
        {"field": key},
    )


def _all_comparators() -> tuple[str, ...]:
    return (*_OPS, *_TEXT_OPS, "IS_NULL", "DATE_TIME_FILTER", "IN", "BETWEEN")


def _bad(what: str, value: object, expected: str) -> QueryError:
    return QueryError(f"The query cannot be read: {what} is {str(value)[:80]!r}, and should be {expected}.")
