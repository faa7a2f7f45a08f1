"""Random conditions, and what a condition means in plain Python: exact arithmetic, any element of a list."""

from __future__ import annotations

import datetime as dt
import math
import operator
import string
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

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

_OPS: dict[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.LT: operator.lt,
    Op.LE: operator.le,
}

NAMES = ["episode", "odd name", 'quo"te', "back\\slash", "größe", "ﬁ", "ds", "and", "everything", "a.b", "\n", "None"]
FIELD_NAMES = st.sampled_from(NAMES) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(string.punctuation)
INTEGERS = st.integers(-(2**70), 2**70)
FLOATS = st.floats(allow_nan=False)
MOMENTS = st.datetimes(timezones=st.just(dt.UTC))
SCALARS: st.SearchStrategy[Scalar] = st.booleans() | INTEGERS | FLOATS | TEXTS | MOMENTS
NUMBERS: st.SearchStrategy[Scalar] = INTEGERS | FLOATS
ENDS: st.SearchStrategy[tuple[Scalar, Scalar]] = st.one_of(
    st.tuples(NUMBERS, NUMBERS), st.tuples(TEXTS, TEXTS), st.tuples(MOMENTS, MOMENTS)
)
MEMBERS: st.SearchStrategy[tuple[Scalar, ...]] = st.one_of(
    *(st.lists(one, max_size=4).map(tuple) for one in (NUMBERS, TEXTS, MOMENTS, st.booleans()))
)


def _time_of_day(field: str, seconds: list[int]) -> Condition:
    return TimeOfDay(field, min(seconds), max(seconds))


LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, FIELD_NAMES, st.sampled_from(Op), SCALARS),
    st.builds(CompareFields, FIELD_NAMES, st.sampled_from(Op), FIELD_NAMES),
    st.builds(TextMatch, FIELD_NAMES, st.sampled_from(TextOp), TEXTS),
    st.builds(IsNull, FIELD_NAMES),
    st.builds(IsIn, FIELD_NAMES, MEMBERS),
    FIELD_NAMES.flatmap(lambda name: ENDS.map(lambda ends: Between(name, *ends))),
    st.builds(
        DateIn, FIELD_NAMES, st.sampled_from(DatePart), st.lists(st.integers(1, 9999), max_size=3).map(tuple)
    ),
    st.builds(_time_of_day, FIELD_NAMES, st.lists(st.integers(0, 86_399), min_size=2, max_size=2)),
    st.just(Everything()),
)  # fmt: skip


def _combined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    )


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(LEAVES, _combined, max_leaves=8)
"""Conditions as `&`, `|` and `~` build them."""


def holds(condition: Condition, row: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds for a row; None is missing, a list holds if any of its elements does."""
    match condition:
        case Everything():
            return True
        case Not(operand=operand):
            return not holds(operand, row)
        case And(operands=operands):
            return all(holds(operand, row) for operand in operands)
        case Or(operands=operands):
            return any(holds(operand, row) for operand in operands)
        case IsNull(field=name):
            return row[name] is None
        case Compare(field=name, op=op, value=value):
            return any(_OPS[op](element, value) for element in _elements(row[name]))
        case CompareFields(left=left, op=op, right=right):
            return any(_OPS[op](a, b) for a in _elements(row[left]) for b in _elements(row[right]))
        case IsIn(field=name, values=values):
            return any(element in values for element in _elements(row[name]))
        case Between(field=name, low=low, high=high):
            return any(_OPS[Op.LE](low, element) and _OPS[Op.GE](high, element) for element in _elements(row[name]))
    raise AssertionError(f"{type(condition).__name__} has no meaning here")


def _elements(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def rounds_as_float(value: Scalar) -> bool:
    """Tell whether an integer is no double but between two of them."""
    return isinstance(value, int) and abs(value) < 2**1024 and math.isfinite(float(value)) and float(value) != value
