"""Random schema, rows and conditions: the lake gives the very datapoints that plain Python finds.

The oracle is written from the semantics alone: two truth values, a comparison with a missing value is False, a list
field fulfils a comparison if any element does, and numbers compare by their exact values, which Python's do. Where
pandas has the same semantics (single-valued comparisons with constants), it is asked too.
"""

from __future__ import annotations

import datetime as dt
import itertools
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
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
    Query,
    TextMatch,
    TextOp,
    TimeOfDay,
)
from pathlake.lake import Lake, LakeSettings, TableRef, open_lake
from pathlake.types import Field, FieldType
from pathlake.types.columns import ZONE_TYPE, arrow_type, mark_field, zone_column_name
from pathlake.types.zones import offset_of
from tests.support.lakes import fetch, info, merge, metadata, paths

Row = dict[str, Any]

_COMPARE: dict[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.LT: operator.lt,
    Op.LE: operator.le,
}

# ------------------------------------------------------------------------------------------------------------ oracle


def holds(condition: Condition, row: Row, *, zone_minutes: int | None) -> bool:
    """Tell whether a condition holds for a datapoint."""

    def elements(name: str) -> list[Any]:
        value = row.get(name)
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    def local(moment: dt.datetime, *, single: bool) -> dt.datetime:
        if zone_minutes is not None:
            return moment.astimezone(dt.timezone(dt.timedelta(minutes=zone_minutes)))
        return moment if single else moment.astimezone(dt.UTC)

    match condition:
        case Everything():
            return True
        case And(operands):
            return all(holds(operand, row, zone_minutes=zone_minutes) for operand in operands)
        case Or(operands):
            return any(holds(operand, row, zone_minutes=zone_minutes) for operand in operands)
        case Not(operand):
            return not holds(operand, row, zone_minutes=zone_minutes)
        case Compare(name, op, value):
            return any(_COMPARE[op](element, value) for element in elements(name))
        case CompareFields(left, op, right):
            return any(_COMPARE[op](a, b) for a, b in itertools.product(elements(left), elements(right)))
        case IsNull(name):
            return row.get(name) is None
        case IsIn(name, values):
            return any(element == value for element in elements(name) for value in values)
        case Between(name, low, high):
            return any(low <= element <= high for element in elements(name))
        case TextMatch(name, text_op, text):
            tests: dict[TextOp, Callable[[str], bool]] = {
                TextOp.CONTAINS: lambda x: text in x,
                TextOp.STARTSWITH: lambda x: x.startswith(text),
                TextOp.ENDSWITH: lambda x: x.endswith(text),
                TextOp.MATCHES: lambda x: re.search(text, x) is not None,
            }
            return any(tests[text_op](element) for element in elements(name))
        case DateIn(name, part, numbers):
            single = not isinstance(row.get(name), list)
            return any(getattr(local(element, single=single), part.value) in numbers for element in elements(name))
        case TimeOfDay(name, start_s, end_s):
            single = not isinstance(row.get(name), list)
            clocks = (local(element, single=single) for element in elements(name))
            return any(start_s <= c.hour * 3600 + c.minute * 60 + c.second <= end_s for c in clocks)
    raise AssertionError(condition)


def pandas_paths(condition: Compare, rows: list[Row]) -> list[str] | None:
    """Return the paths pandas finds, or None where it compares otherwise (lists; integers as rounded floats)."""
    values = [row.get(condition.field) for row in rows]
    if any(isinstance(value, list | dt.datetime) for value in values) or isinstance(condition.value, dt.datetime):
        return None
    series = pd.Series(values, dtype=object)
    with_value = series[series.notna()]
    if not len(with_value):
        return []
    found: Any = _COMPARE[condition.op](with_value, condition.value)
    return [rows[index]["path"] for index in with_value.index[found.astype(bool)]]


# -------------------------------------------------------------------------------------------------------- strategies

_INTEGERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([2**63 - 1, -(2**63), 2**53, 2**53 + 1, -(2**53) - 1]),
    st.integers(-(2**63), 2**63 - 1),
)
_FLOATS = st.one_of(
    st.sampled_from([0.0, -0.0, 0.5, 1.0, -2.0, 2.0**53, 2.0**63, -(2.0**63), float("inf"), float("-inf"), 5e-324]),
    st.floats(allow_nan=False),
)
_TEXTS = st.one_of(
    st.sampled_from(["", "a", "ab", "A", "b%", "_", "é", "e\u0301", "\U0001f600", "'", "a'b", '"', "\\", "NULL"]),
    st.sampled_from(["\x00", "a\x00b"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
_ZONES = st.sampled_from([0, 330, -210, 840, -720]).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NEW_YEAR_S = 1_704_067_200
_SECONDS = st.one_of(
    st.integers(-62_135_424_000, 253_402_041_600),  # 3 January of year 1 to 28 December of year 9999
    st.integers(_NEW_YEAR_S - 86_400, _NEW_YEAR_S + 86_400),
    st.sampled_from([_NEW_YEAR_S, _NEW_YEAR_S - 1]),
)
_MOMENTS = st.builds(
    lambda seconds, micros, zone: (_EPOCH + dt.timedelta(seconds=seconds, microseconds=micros)).astimezone(zone),
    _SECONDS,
    st.sampled_from([0, 1, 999_999]),
    _ZONES,
)
_KINDS: dict[str, st.SearchStrategy[Any]] = {
    "i": _INTEGERS,
    "f": _FLOATS,
    "b": st.booleans(),
    "s": _TEXTS,
    "t": _MOMENTS,
}
_POOL: dict[str, tuple[str, bool]] = {
    f"{kind}{suffix}": (kind, suffix == "_list") for kind in _KINDS for suffix in ("1", "2", "_list")
}
"""All fields there are: name, kind, and whether it holds lists."""
_FIELDS = st.lists(st.sampled_from(sorted(_POOL)), min_size=1, max_size=6, unique=True)
_PATTERNS = st.sampled_from(["^a", "b$", "^$", "a.b", "[éA]", "a|b", "%"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, tuple[str, bool]], list[Row]]:
    """Draw fields and rows with some values missing."""
    fields = {name: _POOL[name] for name in draw(_FIELDS)}
    values = {
        name: st.none() | (st.lists(_KINDS[kind], max_size=3) if multiple else _KINDS[kind])
        for name, (kind, multiple) in fields.items()
    }
    rows = draw(st.lists(st.fixed_dictionaries(values), min_size=1, max_size=8))
    for number, row in enumerate(rows):
        row["path"] = f"p{number}"
    return fields, rows


def conditions(fields: dict[str, tuple[str, bool]], rows: list[Row]) -> st.SearchStrategy[Condition]:
    """Return a strategy for conditions on these fields, whose values are often ones that the rows have."""

    def value(name: str) -> st.SearchStrategy[Any]:
        present = [
            element
            for row in rows
            if row[name] is not None
            for element in (row[name] if isinstance(row[name], list) else [row[name]])
        ]
        drawn = _KINDS[fields[name][0]]
        return st.one_of(st.sampled_from(present), drawn) if present else drawn

    names = st.sampled_from(sorted(fields))
    of_kind = {
        kind: [name for name in sorted(fields) if fields[name][0] == kind]
        for kind in {kind for kind, _ in fields.values()}
    }
    ops = st.sampled_from(list(Op))
    leaves = [
        names.flatmap(lambda name: st.builds(Compare, st.just(name), ops, value(name))),
        names.map(IsNull),
        names.flatmap(lambda name: st.builds(IsIn, st.just(name), st.lists(value(name), max_size=4).map(tuple))),
        names.flatmap(lambda name: st.builds(Between, st.just(name), value(name), value(name))),
        st.builds(Compare, st.just("path"), ops, st.sampled_from(["p0", "p3", "p", "q"])),
    ]
    for kind, alike in of_kind.items():
        comparable = sorted({*alike, *(of_kind.get("f", []) if kind == "i" else [])})
        leaves.append(st.builds(CompareFields, st.sampled_from(alike), ops, st.sampled_from(comparable)))
    if texts := of_kind.get("s"):
        literal = st.sampled_from([TextOp.CONTAINS, TextOp.STARTSWITH, TextOp.ENDSWITH])
        leaves.append(
            st.sampled_from(texts).flatmap(
                lambda name: st.builds(TextMatch, st.just(name), literal, value(name).map(lambda text: text[:2]))
            )
        )
        leaves.append(st.builds(TextMatch, st.sampled_from(texts), st.just(TextOp.MATCHES), _PATTERNS))
    if moments := of_kind.get("t"):
        parts = st.sampled_from([(DatePart.YEAR, (2023, 2024)), (DatePart.MONTH, (1, 12)), (DatePart.DAY, (1, 31))])
        leaves.append(
            st.builds(
                lambda name, part, count: DateIn(name, part[0], part[1][:count]),
                st.sampled_from(moments),
                parts,
                st.integers(1, 2),
            )
        )
        seconds = st.tuples(st.integers(0, 86_399), st.integers(0, 86_399)).map(sorted)
        leaves.append(st.builds(lambda name, ends: TimeOfDay(name, *ends), st.sampled_from(moments), seconds))
    return st.recursive(
        st.one_of(leaves),
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=5,
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------------- tests

TABLE = TableRef(1, 1)
_TYPES = {
    "i": FieldType.INTEGER,
    "f": FieldType.FLOAT,
    "b": FieldType.BOOLEAN,
    "s": FieldType.STRING,
    "t": FieldType.DATETIME,
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A lake that keeps rows in files, whose statistics skip some."""
    folder = tmp_path_factory.mktemp("lake")
    opened = open_lake(LakeSettings(f"duckdb:///{folder}/catalog.ducklake", f"{folder}/data", threads=1))
    opened.create_table(TABLE, commit=info())
    opened.put_fields(
        TABLE,
        [Field(name, _TYPES[kind], multiple) for name, (kind, multiple) in _POOL.items()],
        commit=info(),
    )
    yield opened
    opened.close()


def _typed(fields: dict[str, tuple[str, bool]], rows: list[Row]) -> pa.Table:
    """Return rows as an upload whose columns say their types, so that even a column of empty lists has one."""
    data: Any = metadata({row["path"]: {} for row in rows})
    for name, (kind, multiple) in fields.items():
        field = Field(name, _TYPES[kind], multiple)
        values = [row[name] for row in rows]
        data = data.append_column(mark_field(name, field.type, multiple), [pa.array(values, arrow_type(field))])
        if kind == "t" and not multiple:
            zones = [None if value is None else offset_of(value) for value in values]
            data = data.append_column(zone_column_name(name), [pa.array(zones, ZONE_TYPE)])
    assert isinstance(data, pa.Table)
    return data


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data(), drawn=tables(), zone_minutes=st.sampled_from([None, 0, 330, -720]))
def test_the_lake_finds_what_python_finds(
    lake: Lake, data: st.DataObject, drawn: tuple[dict[str, tuple[str, bool]], list[Row]], zone_minutes: int | None
) -> None:
    fields, rows = drawn
    old = [row["datapoint_id"] for row in fetch(lake, TABLE, Query(select=()))]
    lake.delete_datapoints(TABLE, old, commit=info())
    # In two commits, so that there are two files to skip.
    half = len(rows) // 2
    for part in (rows[half:], rows[:half]):
        merge(lake, TABLE, _typed(fields, part))
    drawn_conditions = data.draw(st.lists(conditions(fields, rows), min_size=12, max_size=12))
    for condition in drawn_conditions:
        expected = sorted(row["path"] for row in rows if holds(condition, row, zone_minutes=zone_minutes))
        found = sorted(paths(lake, TABLE, condition, zone_minutes=zone_minutes))
        assert found == expected, condition
        rest = sorted(paths(lake, TABLE, ~condition, zone_minutes=zone_minutes))
        assert sorted(found + rest) == sorted(row["path"] for row in rows), condition
        assert lake.count(TABLE, Query(condition=condition, zone_minutes=zone_minutes)) == len(expected)
        if isinstance(condition, Compare) and condition.field != "path":
            in_pandas = pandas_paths(condition, rows)
            assert in_pandas is None or sorted(in_pandas) == expected, condition
