"""Queries as the QueryInput JSON that travels and that saved datasets hold; `decode` reads it back.

The shapes are the official client's: values are text beside the type to read them by, `!=` is EQUAL with `"not": true`
as the last key of its node, and the live key (`filter`, `and`, `or`) comes first. What it has no shape for is added:
comparators IN, BETWEEN and MATCHES, `otherKey` for comparisons between fields, and `includeMissing`. A negated node
that is negated again is wrapped into an `and` of one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pathlake.errors import QueryError
from pathlake.expr.literals import EPOCH, MILLISECOND, moment_of, plain_literal, time_of_day_text, type_of_literal
from pathlake.expr.nodes import (
    And,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    Everything,
    IsIn,
    IsNull,
    Not,
    Op,
    Or,
    Scalar,
    TextMatch,
    TextOp,
    TimeOfDay,
)
from pathlake.expr.query import Query
from pathlake.types.fields import PATH_FIELD, FieldType, Schema
from pathlake.types.zones import official_zone

COMPARATORS: dict[Op, str] = {
    Op.EQ: "EQUAL",
    Op.GT: "GREATER_THAN",
    Op.GE: "GREATER_EQUAL_THAN",
    Op.LT: "LESS_THAN",
    Op.LE: "LESS_EQUAL_THAN",
}
TEXT_COMPARATORS: dict[TextOp, str] = {
    TextOp.CONTAINS: "CONTAINS",
    TextOp.STARTSWITH: "STARTS_WITH",
    TextOp.ENDSWITH: "ENDS_WITH",
    TextOp.MATCHES: "MATCHES",
}
_DEFAULTS = {
    FieldType.INTEGER: "0",
    FieldType.FLOAT: "0.0",
    FieldType.STRING: "",
    FieldType.BOOLEAN: "False",
    FieldType.BLOB: "",
    FieldType.DATETIME: "0",
}


def query_to_wire(query: Query, schema: Schema | None) -> dict[str, Any]:
    """Return the QueryInput JSON of a query.

    Args:
        query: What is asked.
        schema: The datasource's fields where they are known. They say how text for a DATETIME field is read (here, so
            that a moment without a zone is in the asking machine's), and the type that IS_NULL is sent with.

    Returns:
        A dict of JSON values. A condition that always holds is `{}`, which the official client reads back, unlike null.

    Raises:
        QueryError: A value that cannot travel.
    """
    wire: dict[str, Any] = {}
    if query.as_of is not None:
        seconds = query.as_of.timestamp()
        wire["asOf"] = int(seconds) if seconds == int(seconds) else seconds
    if query.zone_minutes is not None:
        wire["timeZone"] = official_zone(query.zone_minutes)
    if query.select is not None:
        wire["select"] = [
            {"name": s.field} if s.alias is None else {"name": s.field, "alias": s.alias} for s in query.select
        ]
    wire["query"] = {} if isinstance(query.condition, Everything) else condition_to_wire(query.condition, schema)
    if query.order_by:
        wire["orderBy"] = [{"field": o.field, "order": "DESC" if o.descending else "ASC"} for o in query.order_by]
    if query.limit is not None:
        wire["limit"] = query.limit
    if query.include_missing:
        wire["includeMissing"] = True
    return wire


def condition_to_wire(condition: Condition, schema: Schema | None) -> dict[str, Any]:
    """Return the FilterNode JSON of a condition; see `query_to_wire`."""
    return _Encoder(schema).node(condition)


class _Encoder:
    def __init__(self, schema: Schema | None) -> None:
        self._types = {field.name: field.type for field in schema or ()} | {PATH_FIELD.name: PATH_FIELD.type}

    def node(self, condition: Condition) -> dict[str, Any]:
        match condition:
            case Everything():
                return {"and": []}
            case And():
                return {"and": [self.node(operand) for operand in condition.operands]}
            case Or():
                return {"or": [self.node(operand) for operand in condition.operands]}
            case Not():
                node = self.node(condition.operand)
                return {"and": [node], "not": True} if "not" in node else {**node, "not": True}
            case IsIn():
                return self._is_in(condition)
        return {"filter": self._filter(condition)}

    def _filter(self, condition: Condition) -> dict[str, Any]:
        match condition:
            case Compare(field=key, op=op, value=value):
                scalar = self._scalar(key, value)
                return _filter(key, _text(scalar), type_of_literal(scalar), COMPARATORS[op])
            case CompareFields(left=key, op=op, right=other):
                kind = self._types.get(key, FieldType.STRING)
                return {**_filter(key, _DEFAULTS[kind], kind, COMPARATORS[op]), "otherKey": other}
            case TextMatch(field=key, op=text_op, text=text):
                return _filter(key, text, FieldType.STRING, TEXT_COMPARATORS[text_op])
            case IsNull(field=key):
                kind = self._types.get(key, FieldType.STRING)
                return _filter(key, _DEFAULTS[kind], kind, "IS_NULL")
            case Between(field=key, low=low, high=high):
                return self._range(key, "BETWEEN", (low, high))
            case DateIn(field=key, part=part, values=values):
                return {
                    **_filter(key, 0, FieldType.DATETIME, "DATE_TIME_FILTER"),
                    "valueRange": [str(value) for value in values],
                    "timeFilter": part.name,
                }
            case TimeOfDay(field=key, start_s=start_s, end_s=end_s):
                return {
                    **_filter(key, time_of_day_text(start_s, end_s), FieldType.DATETIME, "DATE_TIME_FILTER"),
                    "valueRange": 0,
                    "timeFilter": "TIMEOFDAY",
                }
        raise QueryError(f"A condition of type {type(condition).__name__} cannot be sent.")

    def _is_in(self, condition: IsIn) -> dict[str, Any]:
        # One filter holds values of one type; numbers of both kinds are one.
        groups: dict[FieldType, list[Scalar]] = {}
        for value in condition.values:
            scalar = self._scalar(condition.field, value)
            kind = type_of_literal(scalar)
            groups.setdefault(FieldType.FLOAT if kind is FieldType.INTEGER else kind, []).append(scalar)
        filters = [{"filter": self._range(condition.field, "IN", tuple(values))} for values in groups.values() or ((),)]
        return filters[0] if len(filters) == 1 else {"or": filters}

    def _range(self, key: str, comparator: str, values: Sequence[Scalar]) -> dict[str, Any]:
        scalars = [self._scalar(key, value) for value in values]
        kinds = {type_of_literal(scalar) for scalar in scalars} or {FieldType.STRING}
        if kinds == {FieldType.INTEGER, FieldType.FLOAT}:
            kinds = {FieldType.FLOAT}
        if len(kinds) > 1:
            raise QueryError(
                f"The two ends for the field {key!r} are of different types ({' and '.join(sorted(kinds))}).",
                {"field": key},
            )
        return {**_filter(key, 0, kinds.pop(), comparator), "valueRange": [_text(scalar) for scalar in scalars]}

    def _scalar(self, key: str, value: object) -> Scalar:
        scalar = plain_literal(key, value)
        if isinstance(scalar, dt.datetime) or (isinstance(scalar, str) and self._types.get(key) is FieldType.DATETIME):
            return moment_of(key, scalar)
        return scalar


def _filter(key: str, value: str | int, value_type: FieldType, comparator: str) -> dict[str, Any]:
    return {"key": key, "value": value, "valueType": str(value_type), "comparator": comparator}


def _text(value: Scalar) -> str:
    if isinstance(value, dt.datetime):
        since = value - EPOCH
        return str(since // MILLISECOND) if not since % MILLISECOND else value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)
