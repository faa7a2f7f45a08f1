"""Conditions and queries in words: one line, in the spelling that `parse_condition` reads."""

from __future__ import annotations

import datetime as dt
import keyword
import math
import unicodedata

from pathlake.expr.literals import time_of_day_text
from pathlake.expr.nodes import (
    And,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    IsIn,
    IsNull,
    Not,
    Op,
    Or,
    Scalar,
    TextMatch,
    TimeOfDay,
)
from pathlake.expr.query import Query
from pathlake.types.zones import plain_zone

EVERYTHING_WORD = "everything"


def explain(what: Condition | Query) -> str:
    """Return a condition or query as one line of text.

    The text of a condition is one that `parse_condition` turns back into the same condition.

    Example:
        >>> explain((Compare("episode", Op.GT, 5) & Compare("has_baby_yoda", Op.EQ, True)))
        'episode > 5 and has_baby_yoda is True'
    """
    if isinstance(what, Condition):
        return _condition(what)
    parts = [_condition(what.condition)]
    if what.select is not None:
        shown = ", ".join(
            quoted_field(s.field) + (f" as {quoted_field(s.alias)}" if s.alias else "") for s in what.select
        )
        parts.append(f"showing {shown or 'no fields'}")
    if what.order_by:
        keys = (quoted_field(order.field) + (" descending" if order.descending else "") for order in what.order_by)
        parts.append(f"ordered by {', '.join(keys)}")
    if what.limit is not None:
        parts.append(f"first {what.limit}")
    if what.as_of is not None:
        parts.append(f"as of {what.as_of.isoformat(sep=' ')}")
    if what.zone_minutes is not None:
        parts.append(f"dates in {plain_zone(what.zone_minutes)}")
    if what.include_missing:
        parts.append("missing files included")
    return ", ".join(parts)


def quoted_field(name: str) -> str:
    """Return a field's name as a condition's text spells it: bare where it can be, else `ds["..."]`.

    Example:
        >>> quoted_field("episode"), quoted_field("odd name")
        ('episode', 'ds["odd name"]')
    """
    bare = name.isidentifier() and not keyword.iskeyword(name) and name != EVERYTHING_WORD
    if bare and unicodedata.normalize("NFKC", name) == name:  # Python reads identifiers in that form
        return name
    return f"ds[{quoted_text(name)}]"


def quoted_text(text: str) -> str:
    """Return text between double quotes, with escapes where it could not be printed."""
    return '"' + "".join(map(_escaped, text)) + '"'


def quoted_value(value: Scalar) -> str:
    """Return a value as a condition's text spells it."""
    if isinstance(value, str):
        return quoted_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, dt.datetime):
        return f'datetime("{value.isoformat()}")'
    return repr(value)


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    if named:
        return named
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _condition(condition: Condition) -> str:
    match condition:
        case And():
            return " and ".join(_within_and(operand) for operand in condition.operands) or EVERYTHING_WORD
        case Or():
            return " or ".join(_condition(operand) for operand in condition.operands) or f"not {EVERYTHING_WORD}"
        case Not():
            return _negated(condition.operand)
        case Compare():
            return _comparison(condition, negated=False)
        case CompareFields():
            return f"{quoted_field(condition.left)} {condition.op} {quoted_field(condition.right)}"
        case TextMatch():
            return f"{quoted_field(condition.field)}.{condition.op}({quoted_text(condition.text)})"
        case IsNull():
            return f"{quoted_field(condition.field)} is None"
        case IsIn():
            return f"{quoted_field(condition.field)} in {_values(condition)}"
        case Between():
            low, high = quoted_value(condition.low), quoted_value(condition.high)
            return f"{quoted_field(condition.field)}.between({low}, {high})"
        case DateIn():
            numbers = ", ".join(map(str, condition.values))
            return f"{quoted_field(condition.field)}.date_field_in_{condition.part}s({numbers})"
        case TimeOfDay():
            span = time_of_day_text(condition.start_s, condition.end_s)
            return f'{quoted_field(condition.field)}.date_field_in_timeofday("{span}")'
    return EVERYTHING_WORD


def _within_and(operand: Condition) -> str:
    return f"({_condition(operand)})" if isinstance(operand, Or) else _condition(operand)


def _negated(operand: Condition) -> str:
    match operand:
        case Compare(op=Op.EQ):
            return _comparison(operand, negated=True)
        case CompareFields(op=Op.EQ):
            return f"{quoted_field(operand.left)} != {quoted_field(operand.right)}"
        case IsNull():
            return f"{quoted_field(operand.field)} is not None"
        case IsIn():
            return f"{quoted_field(operand.field)} not in {_values(operand)}"
        case And() | Or():
            return f"not ({_condition(operand)})"
    return f"not {_condition(operand)}"


def _comparison(condition: Compare, *, negated: bool) -> str:
    word = str(condition.op)
    if isinstance(condition.value, bool) and condition.op is Op.EQ:
        word = "is not" if negated else "is"
    elif negated:
        word = "!="
    return f"{quoted_field(condition.field)} {word} {quoted_value(condition.value)}"


def _values(condition: IsIn) -> str:
    return f"[{', '.join(map(quoted_value, condition.values))}]"
