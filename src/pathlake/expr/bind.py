"""Conditions bound to a schema: every field exists, every value is of its field's type, exactly.

A literal that its field's type cannot hold is folded into what is true in exact arithmetic: `x > 5.5` on an INTEGER
field becomes `x >= 6`, `x == 5.5` holds for none, and `x < 2**70` holds for every datapoint that has a value. The last
is written as a comparison with the smallest integer, so that it stays False where the value is missing or the list is
empty, on single and on `multiple` fields alike: an empty list is a value (`IsNull` is False) without any element that a
comparison could hold for.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from dataclasses import replace

from pathlake.errors import QueryError
from pathlake.expr.literals import moment_of, plain_literal, type_of_literal
from pathlake.expr.nodes import (
    NOTHING,
    And,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    DatePart,
    IsIn,
    IsNull,
    Not,
    Op,
    Or,
    Scalar,
    TextMatch,
    TimeOfDay,
)
from pathlake.expr.query import Query, Selection
from pathlake.types.fields import RESERVED_NAMES, Field, FieldType, Schema
from pathlake.types.values import MAX_INTEGER, MIN_INTEGER, has_broken_unicode
from pathlake.types.zones import MAX_OFFSET_MINUTES, aware

_NUMERIC = frozenset({FieldType.INTEGER, FieldType.FLOAT})
_MAX_FLOAT = sys.float_info.max
_PART_RANGES = {DatePart.YEAR: (1, 9999), DatePart.MONTH: (1, 12), DatePart.DAY: (1, 31)}


def bind(query: Query, schema: Schema) -> Query:
    """Return `query` with its condition, order and selection checked against `schema`.

    A selected field that does not exist is left out, because official clients select fields that may not be there;
    a client that wants an error checks before it sends.

    Raises:
        FieldNotFoundError: The condition or order names a field that does not exist.
        QueryError: A value, operator, order, limit or alias makes no sense; the message names it.
    """
    if query.limit is not None and (isinstance(query.limit, bool) or query.limit < 0):
        raise QueryError(f"A limit must be an integer of at least 0, not {query.limit!r}.")
    if query.zone_minutes is not None and abs(query.zone_minutes) > MAX_OFFSET_MINUTES:
        raise QueryError(f"A time zone lies within a day of UTC; {query.zone_minutes} minutes do not.")
    for order in query.order_by:
        field = schema.resolve(order.field)
        if field.multiple:
            raise QueryError(f"Datapoints cannot be ordered by {field.name!r}: it holds lists.", {"field": field.name})
    return replace(
        query,
        condition=bind_condition(query.condition, schema),
        select=_bound_selection(query.select, schema),
        as_of=None if query.as_of is None else aware(query.as_of).astimezone(dt.UTC),
    )


def bind_condition(condition: Condition, schema: Schema) -> Condition:
    """Return `condition` with its fields checked and its values in the types of their fields.

    Raises:
        FieldNotFoundError: It names a field that does not exist; the message suggests the nearest.
        QueryError: An operator or value does not fit its field.

    Example:
        >>> schema = Schema((Field("episode", FieldType.INTEGER),))
        >>> bind_condition(Compare("episode", Op.GT, 5.5), schema)
        Compare(field='episode', op=<Op.GE: '>='>, value=6)
    """
    match condition:
        case And():
            return And.of(*(bind_condition(operand, schema) for operand in condition.operands))
        case Or():
            return Or.of(*(bind_condition(operand, schema) for operand in condition.operands))
        case Not():
            return ~bind_condition(condition.operand, schema)
        case CompareFields():
            return _fields_compared(condition, schema)
        case Compare():
            return _compared(condition, schema.resolve(condition.field))
        case IsNull():
            schema.resolve(condition.field)
            return condition
        case IsIn():
            return _is_in(condition, schema.resolve(condition.field))
        case Between():
            return _between(condition, schema.resolve(condition.field))
        case TextMatch():
            return _text_matched(condition, schema.resolve(condition.field))
        case DateIn() | TimeOfDay():
            return _moment_part(condition, schema.resolve(condition.field))
    return condition


def _bound_selection(select: tuple[Selection, ...] | None, schema: Schema) -> tuple[Selection, ...] | None:
    if select is None:
        return None
    kept: list[Selection] = []
    for selection in select:
        if selection.name in RESERVED_NAMES:
            if selection.alias is None or selection.alias == selection.field:
                continue  # part of every result
            raise QueryError(f"The alias {selection.alias!r} is the name of a column that every result has.")
        if selection.field not in schema and selection.field not in RESERVED_NAMES - {"dagshub_download_url"}:
            continue
        if selection in kept:
            continue
        if any(other.name == selection.name for other in kept):
            raise QueryError(f"Two selected fields would both be called {selection.name!r}; give one another alias.")
        kept.append(selection)
    return tuple(kept)


def _compared(condition: Compare, field: Field) -> Condition:
    if field.type is FieldType.BLOB and condition.op is not Op.EQ:
        raise _no_order(field, condition.op)
    value = plain_literal(field.name, condition.value)
    if field.type in _NUMERIC:
        _check_number(field, value)
        fold = _integer_compared if field.type is FieldType.INTEGER else _float_compared
        return fold(field.name, condition.op, value)
    return Compare(field.name, condition.op, _typed(field, value))


def _integer_compared(name: str, op: Op, value: Scalar) -> Condition:
    assert not isinstance(value, str | dt.datetime)
    if isinstance(value, float) and not math.isinf(value):
        whole = math.floor(value)
        if whole != value:
            match op:
                case Op.EQ:
                    return NOTHING
                case Op.GT | Op.GE:
                    return _integer_compared(name, Op.GE, whole + 1)
                case _:
                    return _integer_compared(name, Op.LE, whole)
        value = whole
    if MIN_INTEGER <= value <= MAX_INTEGER:
        return Compare(name, op, int(value))
    above = value > 0
    holds = op in (Op.LT, Op.LE) if above else op in (Op.GT, Op.GE)
    return Compare(name, Op.GE, MIN_INTEGER) if holds else NOTHING


def _float_compared(name: str, op: Op, value: Scalar) -> Condition:
    assert not isinstance(value, str | dt.datetime)
    if isinstance(value, int) and abs(value) > _MAX_FLOAT:
        # Between the largest double and infinity.
        if op is Op.EQ:
            return NOTHING
        if op in (Op.LT, Op.LE):
            return Compare(name, Op.LE, _high(value))
        return Compare(name, Op.GE, _low(value))
    return Compare(name, op, float(value))


def _is_in(condition: IsIn, field: Field) -> Condition:
    values: list[Scalar] = []
    for given in condition.values:
        value = plain_literal(field.name, given)
        if field.type in _NUMERIC:
            _check_number(field, value)
            fold = _integer_compared if field.type is FieldType.INTEGER else _float_compared
            equal = fold(field.name, Op.EQ, value)
            if isinstance(equal, Compare):
                values.append(equal.value)
        else:
            values.append(_typed(field, value))
    return IsIn(field.name, tuple(dict.fromkeys(values)))


def _between(condition: Between, field: Field) -> Condition:
    if field.type is FieldType.BLOB:
        raise _no_order(field, "between")
    low, high = plain_literal(field.name, condition.low), plain_literal(field.name, condition.high)
    if field.type not in _NUMERIC:
        return Between(field.name, _typed(field, low), _typed(field, high))
    _check_number(field, low)
    _check_number(field, high)
    assert not isinstance(low, str | dt.datetime)
    assert not isinstance(high, str | dt.datetime)
    if field.type is FieldType.FLOAT:
        return Between(field.name, _low(low), _high(high))
    if low > MAX_INTEGER or high < MIN_INTEGER or low > high:
        return NOTHING
    first = MIN_INTEGER if low < MIN_INTEGER else math.ceil(low)
    last = MAX_INTEGER if high > MAX_INTEGER else math.floor(high)
    return Between(field.name, first, last) if first <= last else NOTHING


def _low(value: float) -> float:
    """Return the smallest double that is not below `value`, an integer of any size or a float."""
    if abs(value) > _MAX_FLOAT and not isinstance(value, float):
        return math.inf if value > 0 else -_MAX_FLOAT
    return float(value)


def _high(value: float) -> float:
    """Return the largest double that is not above `value`, an integer of any size or a float."""
    return -_low(-value)


def _text_matched(condition: TextMatch, field: Field) -> Condition:
    if field.type is not FieldType.STRING:
        raise QueryError(
            f"{condition.op}() tests text, but the field {field.name!r} is {field.type_name}.", {"field": field.name}
        )
    if not isinstance(condition.text, str):
        raise QueryError(f"{condition.op}() on {field.name!r} takes a string, not {condition.text!r}.")
    return replace(condition, text=_checked_text(field, condition.text))


def _moment_part(condition: DateIn | TimeOfDay, field: Field) -> Condition:
    if field.type is not FieldType.DATETIME:
        raise QueryError(
            f"Only a DATETIME field has a date and a time of day; {field.name!r} is {field.type_name}.",
            {"field": field.name},
        )
    if isinstance(condition, TimeOfDay):
        if not 0 <= condition.start_s <= condition.end_s < 86_400:
            raise QueryError(f"The time range on {field.name!r} must lie within one day and not end before it starts.")
        return condition
    low, high = _PART_RANGES[condition.part]
    for value in condition.values:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise QueryError(
                f"{value!r} is no {condition.part} (on {field.name!r}); it must be an integer from {low} to {high}.",
                {"field": field.name},
            )
    return condition


def _fields_compared(condition: CompareFields, schema: Schema) -> Condition:
    left, right = schema.resolve(condition.left), schema.resolve(condition.right)
    if left.type is not right.type and not {left.type, right.type} <= _NUMERIC:
        raise QueryError(
            f"The fields {left.name!r} ({left.type_name}) and {right.name!r} ({right.type_name}) cannot be compared: "
            "their types differ.",
            {"field": left.name, "other": right.name},
        )
    if left.type is FieldType.BLOB and condition.op is not Op.EQ:
        raise _no_order(left, condition.op)
    return condition


def _typed(field: Field, value: Scalar) -> Scalar:
    """Return a value for a field that holds no numbers, in the field's type."""
    match field.type:
        case FieldType.DATETIME:
            return moment_of(field.name, value)
        case FieldType.BOOLEAN if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
            return bool(value)
        case FieldType.STRING | FieldType.BLOB if isinstance(value, str):
            return _checked_text(field, value)
    raise _wrong_type(field, value)


def _check_number(field: Field, value: Scalar) -> None:
    if isinstance(value, str | dt.datetime):
        raise _wrong_type(field, value)
    if value != value:  # noqa: PLR0124 - NaN alone differs from itself
        raise QueryError(
            f"Nothing equals NaN or lies beside it; to find datapoints without {field.name!r}, use is_null().",
            {"field": field.name},
        )


def _checked_text(field: Field, text: str) -> str:
    if has_broken_unicode(text):
        raise QueryError(f"The text {text[:80]!r} for {field.name!r} is not valid unicode.", {"field": field.name})
    return text


def _wrong_type(field: Field, value: Scalar) -> QueryError:
    shown = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:80]}..."
    given = type_of_literal(value)
    advice = " A blob is compared by the hash of its content." if field.type is FieldType.BLOB else ""
    return QueryError(
        f"The field {field.name!r} is {field.type_name} and cannot be compared with {shown}, which is {given}.{advice}",
        {"field": field.name, "stored": field.type_name, "given": str(given)},
    )


def _no_order(field: Field, op: str) -> QueryError:
    return QueryError(
        f"The field {field.name!r} is {field.type_name}: blobs have no order, so {op} means nothing. "
        "Use ==, !=, isin(), is_null() or is_not_null().",
        {"field": field.name},
    )
