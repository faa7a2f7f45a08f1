from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pathlake.errors import FieldNotFoundError, QueryError
from pathlake.expr import (
    EVERYTHING,
    NOTHING,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    DatePart,
    IsIn,
    IsNull,
    Op,
    Order,
    Query,
    Selection,
    TextMatch,
    TextOp,
    TimeOfDay,
    bind,
    bind_condition,
)
from pathlake.types import MAX_INTEGER, MIN_INTEGER, Field, FieldType, Schema
from tests.support.conditions import FLOATS, holds, rounds_as_float

SCHEMA = Schema(
    (
        Field("i", FieldType.INTEGER),
        Field("f", FieldType.FLOAT),
        Field("s", FieldType.STRING),
        Field("b", FieldType.BOOLEAN),
        Field("blob", FieldType.BLOB),
        Field("when", FieldType.DATETIME),
        Field("ii", FieldType.INTEGER, multiple=True),
        Field("ff", FieldType.FLOAT, multiple=True),
        Field("ss", FieldType.STRING, multiple=True),
    )
)
HAS_I = Compare("i", Op.GE, MIN_INTEGER)
NOON = dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)


def bound(condition: Condition) -> Condition:
    return bind_condition(condition, SCHEMA)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (Compare("i", Op.EQ, 5.0), Compare("i", Op.EQ, 5)),
        (Compare("i", Op.EQ, 5.5), NOTHING),
        (Compare("i", Op.GT, 5.5), Compare("i", Op.GE, 6)),
        (Compare("i", Op.GE, 5.5), Compare("i", Op.GE, 6)),
        (Compare("i", Op.LT, 5.5), Compare("i", Op.LE, 5)),
        (Compare("i", Op.LE, -5.5), Compare("i", Op.LE, -6)),
        (Compare("i", Op.GT, -5.5), Compare("i", Op.GE, -5)),
        (Compare("i", Op.EQ, 2**70), NOTHING),
        (Compare("i", Op.LT, 2**70), HAS_I),
        (Compare("i", Op.LE, 2**63), HAS_I),
        (Compare("i", Op.GT, 2**63), NOTHING),
        (Compare("i", Op.GT, -(2**70)), HAS_I),
        (Compare("i", Op.LT, -(2**70)), NOTHING),
        (Compare("i", Op.LT, math.inf), HAS_I),
        (Compare("i", Op.GE, math.inf), NOTHING),
        (Compare("i", Op.GT, -math.inf), HAS_I),
        (Compare("i", Op.EQ, math.inf), NOTHING),
        (Compare("i", Op.LE, 1e300), HAS_I),
        (Compare("i", Op.EQ, True), Compare("i", Op.EQ, 1)),
        (Compare("f", Op.GT, 1), Compare("f", Op.GT, 1.0)),
        (Compare("f", Op.LT, 10**400), Compare("f", Op.LE, 1.7976931348623157e308)),
        (Compare("f", Op.GT, 10**400), Compare("f", Op.GE, math.inf)),
        (Compare("f", Op.EQ, 10**400), NOTHING),
        (Compare("f", Op.EQ, math.inf), Compare("f", Op.EQ, math.inf)),
        (Compare("b", Op.EQ, 1), Compare("b", Op.EQ, True)),
        (Compare("b", Op.EQ, 0), Compare("b", Op.EQ, False)),
        (Compare("when", Op.GT, 1_706_702_400_000), Compare("when", Op.GT, NOON)),
        (Compare("when", Op.GT, "2024-01-31T14:00:00+02:00"), Compare("when", Op.GT, NOON)),
        (Compare("when", Op.GT, "2024-01-31T12:00:00Z"), Compare("when", Op.GT, NOON)),
        (IsIn("i", (1.0, 2.5, 2**70, True, 3)), IsIn("i", (1, 3))),
        (IsIn("f", (1, 10**400)), IsIn("f", (1.0,))),
        (IsIn("i", ()), IsIn("i", ())),
        (Between("i", 1.5, 4.5), Between("i", 2, 4)),
        (Between("i", 1.2, 1.8), NOTHING),
        (Between("i", 4, 1), NOTHING),
        (Between("i", -math.inf, 2**70), Between("i", MIN_INTEGER, MAX_INTEGER)),
        (Between("i", 2**63, 2**64), NOTHING),
        (Between("f", 1, 10**400), Between("f", 1.0, 1.7976931348623157e308)),
        (Between("s", "a", "b"), Between("s", "a", "b")),
        (IsNull("ii"), IsNull("ii")),
        (Compare("path", Op.EQ, "a.jpg"), Compare("path", Op.EQ, "a.jpg")),
        (Compare("datapoint_id", Op.GT, 0.5), Compare("datapoint_id", Op.GE, 1)),
        (TextMatch("path", TextOp.ENDSWITH, ".jpg"), TextMatch("path", TextOp.ENDSWITH, ".jpg")),
        (~Compare("i", Op.EQ, 5.5), EVERYTHING),
        (Compare("i", Op.EQ, 5.5) | IsNull("s"), IsNull("s")),
        (Compare("i", Op.EQ, 5.5) & IsNull("s"), NOTHING),
    ],
)  # fmt: skip
def test_literals_become_what_is_true(given_: Condition, expected: Condition) -> None:
    found = bound(given_)
    assert found == expected
    assert repr(found) == repr(expected)  # 1, 1.0 and True are equal and yet not the same


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(5), 5),
        (np.float32(5.0), 5),
        (np.bool_(True), 1),
        (pd.Series([5]).iloc[0], 5),
    ],
)
def test_numpy_scalars_count_as_python_ones(value: Any, expected: int) -> None:
    assert repr(bound(Compare("i", Op.EQ, value))) == repr(Compare("i", Op.EQ, expected))


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        NOON.astimezone(dt.timezone(dt.timedelta(hours=5))),
        pd.Timestamp(NOON),
        pd.Timestamp("2024-01-31 07:00", tz="America/New_York"),
        1_706_702_400_000.0,
    ],
)
def test_moments_of_every_kind(value: Any) -> None:
    found = bound(Compare("when", Op.EQ, value))
    assert isinstance(found, Compare)
    assert found.value == NOON
    assert isinstance(found.value, dt.datetime)
    assert found.value.tzinfo is dt.UTC


NAIVE = dt.datetime(2024, 6, 1, 12)  # noqa: DTZ001 - what the test is about


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("value", "utc_hour"),
    [("2024-06-01", 22), ("2024-06-01T12:00:00", 10), (NAIVE, 10), (NAIVE.date(), 22)],
)
def test_moments_without_zone_are_in_the_local_one(value: Any, utc_hour: int) -> None:
    found = bound(Compare("when", Op.EQ, value))
    assert isinstance(found, Compare)
    assert isinstance(found.value, dt.datetime)
    assert found.value.hour == utc_hour


@pytest.mark.parametrize(
    "condition",
    [
        Compare("s", Op.EQ, 5),
        Compare("s", Op.EQ, True),
        Compare("i", Op.EQ, "5"),
        Compare("i", Op.EQ, NOON),
        Compare("f", Op.EQ, "5"),
        Compare("b", Op.EQ, 2),
        Compare("b", Op.EQ, "True"),
        Compare("b", Op.EQ, 1.0),
        Compare("blob", Op.EQ, 5),
        Compare("blob", Op.GT, "aa"),
        Compare("when", Op.EQ, True),
        Compare("when", Op.EQ, "yesterday"),
        Compare("when", Op.EQ, math.inf),
        Compare("when", Op.EQ, 10**18),
        Compare("i", Op.EQ, math.nan),
        Compare("f", Op.LT, math.nan),
        Compare("i", Op.EQ, None),  # type: ignore[arg-type]
        Compare("i", Op.EQ, [1]),  # type: ignore[arg-type]
        Compare("s", Op.EQ, b"x"),  # type: ignore[arg-type]
        Compare("s", Op.EQ, "\ud800"),
        Between("blob", "a", "b"),
        Between("i", 1, "b"),
        Between("f", math.nan, 1),
        IsIn("s", ("a", 1)),
        IsIn("i", (1, None)),  # type: ignore[arg-type]
        TextMatch("i", TextOp.CONTAINS, "1"),
        TextMatch("blob", TextOp.CONTAINS, "1"),
        TextMatch("s", TextOp.CONTAINS, 1),  # type: ignore[arg-type]
        DateIn("s", DatePart.YEAR, (2024,)),
        DateIn("when", DatePart.MONTH, (13,)),
        DateIn("when", DatePart.DAY, (0,)),
        DateIn("when", DatePart.YEAR, (True,)),
        TimeOfDay("i", 0, 1),
        TimeOfDay("when", 5, 4),
        TimeOfDay("when", 0, 86_400),
        CompareFields("i", Op.EQ, "s"),
        CompareFields("i", Op.EQ, "b"),
        CompareFields("blob", Op.GT, "blob"),
    ],
)
def test_nonsense_is_refused_naming_the_field(condition: Condition) -> None:
    with pytest.raises(QueryError) as error:
        bound(condition)
    name = condition.field_names[0]
    assert repr(name) in str(error.value)


def test_the_message_names_field_type_and_value() -> None:
    with pytest.raises(QueryError, match=r"'s' is STRING and cannot be compared with 5, which is INTEGER"):
        bound(Compare("s", Op.EQ, 5))


@pytest.mark.parametrize(
    "condition",
    [
        CompareFields("i", Op.GT, "f"),
        CompareFields("ii", Op.GT, "i"),
        CompareFields("s", Op.EQ, "path"),
        CompareFields("blob", Op.EQ, "blob"),
        TextMatch("ss", TextOp.MATCHES, "^a"),
        DateIn("when", DatePart.DAY, (31,)),
        TimeOfDay("when", 0, 86_399),
    ],
)
def test_what_fits_stays(condition: Condition) -> None:
    assert bound(condition) == condition


@pytest.mark.parametrize(
    "condition",
    [
        Compare("episod", Op.EQ, 1),
        IsNull("episod"),
        CompareFields("episode", Op.EQ, "episod"),
        ~IsIn("episod", (1,)) | IsNull("episode"),
    ],
)
def test_unknown_fields_suggest_the_nearest(condition: Condition) -> None:
    schema = Schema((Field("episode", FieldType.INTEGER),))
    with pytest.raises(FieldNotFoundError, match="Did you mean 'episode'"):
        bind_condition(condition, schema)


INT64 = st.integers(MIN_INTEGER, MAX_INTEGER) | st.integers(-10, 10) | st.sampled_from([MIN_INTEGER, MAX_INTEGER])
LITERALS = (
    st.integers(-(2**80), 2**80)
    | st.integers(-12, 12)
    | st.integers(-24, 24).map(lambda n: n / 2)
    | FLOATS
    | st.sampled_from([2**63, -(2**63) - 1, 10**400, -(10**400), 2.0**63, math.inf, -math.inf])
    | st.booleans()
)


def _conditions(name: str) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(Compare, st.just(name), st.sampled_from(Op), LITERALS),
        st.builds(Between, st.just(name), LITERALS, LITERALS),
        st.builds(IsIn, st.just(name), st.lists(LITERALS, max_size=3).map(tuple)),
    )


ROWS = st.fixed_dictionaries(
    {
        "i": st.none() | INT64,
        "ii": st.none() | st.lists(INT64, max_size=3),
        "f": st.none() | FLOATS,
        "ff": st.none() | st.lists(FLOATS, max_size=3),
    }
)


@given(condition=st.sampled_from(["i", "ii"]).flatmap(_conditions), row=ROWS)
@example(condition=Compare("ii", Op.LT, 2**70), row={"ii": []})
@example(condition=Compare("i", Op.LT, 2**70), row={"i": None})
@example(condition=Compare("i", Op.LE, 2.0**63), row={"i": MAX_INTEGER})
def test_integer_fields_compare_exactly(condition: Condition, row: dict[str, Any]) -> None:
    found = bound(condition)
    assert holds(found, row) is holds(condition, row)
    assert holds(bound(~condition), row) is not holds(condition, row)


@given(condition=st.sampled_from(["f", "ff"]).flatmap(_conditions), row=ROWS)
@example(condition=Compare("f", Op.LT, 10**400), row={"f": math.inf})
def test_float_fields_compare_exactly_but_for_rounded_integers(condition: Condition, row: dict[str, Any]) -> None:
    literals = {
        Compare: lambda c: [c.value],
        Between: lambda c: [c.low, c.high],
        IsIn: lambda c: list(c.values),
    }[type(condition)](condition)
    assume(not any(map(rounds_as_float, literals)))
    assert holds(bound(condition), row) is holds(condition, row)


def test_a_query_is_bound_whole() -> None:
    query = Query(
        condition=Compare("i", Op.GT, 5.5),
        select=(Selection("s"), Selection("gone"), Selection("f", "ef"), Selection("s"), Selection("path")),
        order_by=(Order("i", descending=True), Order("path")),
        limit=0,
        as_of=NOON.astimezone(dt.timezone(dt.timedelta(hours=1))),
    )
    found = bind(query, SCHEMA)
    assert found.condition == Compare("i", Op.GE, 6)
    assert found.select == (Selection("s"), Selection("f", "ef"))
    assert found.order_by == query.order_by
    assert found.limit == 0
    assert found.as_of is not None
    assert found.as_of.tzinfo is dt.UTC


@pytest.mark.parametrize(
    "query",
    [
        Query(limit=-1),
        Query(limit=True),
        Query(zone_minutes=1440),
        Query(order_by=(Order("ii"),)),
        Query(select=(Selection("i", "x"), Selection("f", "x"))),
        Query(select=(Selection("i", "f"), Selection("f"))),
        Query(select=(Selection("i", "path"),)),
    ],
)
def test_queries_that_make_no_sense(query: Query) -> None:
    with pytest.raises(QueryError):
        bind(query, SCHEMA)


def test_ordering_by_an_unknown_field() -> None:
    with pytest.raises(FieldNotFoundError):
        bind(Query(order_by=(Order("nope"),)), SCHEMA)
