"""Conditions as SQL with bound values.

SQL has three truth values where a condition has two. A missing value makes a comparison NULL, which WHERE, AND and OR
treat like false; only a negation must not see it. So comparisons are left as they are, which keeps them fit for
skipping files by their statistics, and NOT first makes false out of NULL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from pathlake.errors import QueryError
from pathlake.expr import (
    And,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    DatePart,
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
from pathlake.lake.definitions import ELEMENT, OTHER_ELEMENT, Column, Definition
from pathlake.types import FieldType
from pathlake.types.columns import arrow_type

_BOUND_ONE_BY_ONE = 50
"""Up to so many values of `isin` are bound singly; more are joined as an Arrow column."""

_OPERATORS = {Op.EQ: "=", Op.GT: ">", Op.GE: ">=", Op.LT: "<", Op.LE: "<="}
_TEXT = {
    TextOp.CONTAINS: "contains",
    TextOp.STARTSWITH: "starts_with",
    TextOp.ENDSWITH: "ends_with",
    TextOp.MATCHES: "regexp_matches",
}
_NUMBERS = (FieldType.INTEGER, FieldType.FLOAT)
_DAY_US = 86_400_000_000


@dataclass(slots=True)
class Filter:
    """A condition as SQL.

    Attributes:
        sql: A boolean expression over the columns of the table.
        values: What its places `?` are bound to, in order.
        lists: Arrow tables with a column `v` that it reads, by name.
    """

    sql: str = "true"
    values: list[object] = field(default_factory=list)
    lists: dict[str, pa.Table] = field(default_factory=dict)


def filter_of(condition: Condition, definition: Definition, *, zone_minutes: int | None) -> Filter:
    """Return a bound condition as SQL.

    Args:
        condition: Bound against the definition's schema, so that fields are known and values of their types.
        definition: Which columns hold which fields.
        zone_minutes: Offset from UTC that date conditions use; None means each value's own.
    """
    writer = _Writer(definition, zone_minutes)
    sql = writer.write(condition)
    return Filter(sql, writer.values, writer.lists)


class _Writer:
    """Writes one condition; values are appended in the order in which their places are written."""

    def __init__(self, definition: Definition, zone_minutes: int | None) -> None:
        self._definition = definition
        self._zone_minutes = zone_minutes
        self.values: list[object] = []
        self.lists: dict[str, pa.Table] = {}

    def write(self, condition: Condition) -> str:
        match condition:
            case Everything():
                return "true"
            case And(operands):
                return self._joined(operands, " AND ", empty="true")
            case Or(operands):
                return self._joined(operands, " OR ", empty="false")
            case Not(operand):
                return f"(NOT coalesce({self.write(operand)}, false))"
            case Compare(name, op, value):
                return self._any(name, (value,), lambda x: f"{x} {_OPERATORS[op]} {self._bind(value)}")
            case Between(name, low, high):
                return self._any(name, (low, high), lambda x: f"{x} BETWEEN {self._bind(low)} AND {self._bind(high)}")
            case CompareFields(left, op, right):
                return self._fields(left, op, right)
            case IsNull(name):
                return f"({self._column(name).quoted} IS NULL)"
            case TextMatch(name, text_op, text):
                return self._any(name, (text,), lambda x: f"{_TEXT[text_op]}({x}, {self._bind(text)})")
            case IsIn(name, values):
                return self._is_in(name, values)
            case DateIn(name, part, numbers):
                return self._date_in(name, part, numbers)
            case TimeOfDay(name, start_s, end_s):
                return self._time_of_day(name, start_s, end_s)
        raise QueryError(f"The lake knows no condition of the kind {type(condition).__name__}.")

    def _column(self, name: str) -> Column:
        return self._definition.resolve(name)

    def _joined(self, operands: Sequence[Condition], word: str, *, empty: str) -> str:
        if not operands:
            return empty
        return f"({word.join(self.write(operand) for operand in operands)})"

    def _bind(self, value: Scalar) -> str:
        if isinstance(value, dt.datetime):
            self.values.append(_naive(value))
            return "?::TIMESTAMP"
        self.values.append(value)
        return "?"

    def _any(self, name: str, values: Sequence[Scalar], test: Callable[[str], str]) -> str:
        """Write a test of the value against `values`, or that it holds for any element of the list."""
        column = self._column(name)
        if not column.field.multiple:
            return f"({test(_operand(column, values))})"
        return f"(len(list_filter({column.quoted}, lambda {ELEMENT}: {test(ELEMENT)})) > 0)"

    def _is_in(self, name: str, values: Sequence[Scalar]) -> str:
        if not values:
            return "false"
        column = self._column(name)
        if len(values) <= _BOUND_ONE_BY_ONE:
            return self._any(name, values, lambda x: f"{x} IN ({', '.join(self._bind(value) for value in values)})")
        table = f"values_{len(self.lists)}"
        self.lists[table] = _arrow_values(column, values)
        if column.field.multiple:
            return f"list_has_any({column.quoted}, (SELECT list(v) FROM {table}))"
        return f"({_operand(column, values)} IN (SELECT v FROM {table}))"

    def _fields(self, left: str, op: Op, right: str) -> str:
        one, other = self._column(left), self._column(right)
        if one.field.multiple and other.field.multiple:
            test = _compared(ELEMENT, op, OTHER_ELEMENT, one=one, other=other)
            inner = f"len(list_filter({other.quoted}, lambda {OTHER_ELEMENT}: {test})) > 0"
            return f"(len(list_filter({one.quoted}, lambda {ELEMENT}: {inner})) > 0)"
        if one.field.multiple or other.field.multiple:
            listed = one if one.field.multiple else other
            a = ELEMENT if one.field.multiple else one.quoted
            b = other.quoted if one.field.multiple else ELEMENT
            test = _compared(a, op, b, one=one, other=other)
            return f"(len(list_filter({listed.quoted}, lambda {ELEMENT}: {test})) > 0)"
        return f"({_compared(one.quoted, op, other.quoted, one=one, other=other)})"

    def _date_in(self, name: str, part: DatePart, numbers: Sequence[int]) -> str:
        if not numbers:
            return "false"
        fit = [number for number in dict.fromkeys(numbers) if abs(number) < 2**62]

        def test(moment: str) -> str:
            self.values.extend(fit)
            places = ", ".join("?" for _ in fit) or "NULL"
            return f"{part.value}({moment}) IN ({places})"

        return self._in_zone(name, test)

    def _time_of_day(self, name: str, start_s: int, end_s: int) -> str:
        def test(moment: str) -> str:
            self.values.extend([start_s, end_s])
            second = f"((epoch_us({moment}) % {_DAY_US} + {_DAY_US}) % {_DAY_US}) // 1000000"
            return f"{second} BETWEEN ? AND ?"

        return self._in_zone(name, test)

    def _in_zone(self, name: str, test: Callable[[str], str]) -> str:
        """Write a test of the wall clock: in the query's zone, else the value's own, else UTC."""
        column = self._column(name)
        zone = column.quoted_zone

        def shifted(moment: str) -> str:
            if self._zone_minutes is not None:
                self.values.append(self._zone_minutes)
                return f"({moment} + to_minutes(?::BIGINT))"
            if zone is None:
                return moment
            return f"({moment} + to_minutes(coalesce({zone}, 0)::BIGINT))"

        if not column.field.multiple:
            return f"({test(shifted(column.quoted))})"
        return f"(len(list_filter({column.quoted}, lambda {ELEMENT}: {test(shifted(ELEMENT))})) > 0)"


def _operand(column: Column, values: Sequence[Scalar]) -> str:
    """Return a column as what is compared with `values`.

    DuckLake writes constants into its own query for the files to read, and that query fails at a NUL. A column that is
    part of an expression keeps the comparison out of there.
    """
    if any(isinstance(value, str) and "\0" in value for value in values):
        return f"({column.quoted} || '')"
    return column.quoted


def _compared(a: str, op: Op, b: str, *, one: Column, other: Column) -> str:
    """Write a comparison of two values; an integer and a float are compared by their exact values.

    As doubles, an integer beyond 2**53 may be rounded to the very float it differs from. Rounding keeps the order, so
    only doubles that are equal need the exact look.
    """
    sign = _OPERATORS[op]
    if one.field.type is other.field.type or not {one.field.type, other.field.type} <= set(_NUMBERS):
        return f"{a} {sign} {b}"
    return (
        f"CASE WHEN {a}::DOUBLE = {b}::DOUBLE THEN TRY_CAST({a} AS HUGEINT) {sign} TRY_CAST({b} AS HUGEINT) "
        f"ELSE {a}::DOUBLE {sign} {b}::DOUBLE END"
    )


def _arrow_values(column: Column, values: Sequence[Scalar]) -> pa.Table:
    kind = column.field.type
    if kind is FieldType.DATETIME:
        moments = [_naive(value) for value in values if isinstance(value, dt.datetime)]
        return pa.table({"v": pa.array(moments, pa.timestamp("us"))})
    single = arrow_type(replace(column.field, multiple=False))
    return pa.table({"v": pa.array(list(dict.fromkeys(values)), single)})


def _naive(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None)
