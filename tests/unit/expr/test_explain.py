from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given

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
    explain,
    parse_condition,
)
from tests.support.conditions import CONDITIONS

A = Compare("episode", Op.GT, 5)
B = Compare("has_baby_yoda", Op.EQ, True)
N = IsNull("n")


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (A & B, "episode > 5 and has_baby_yoda is True"),
        ((A | B) & N, "(episode > 5 or has_baby_yoda is True) and n is None"),
        (A & B | N, "episode > 5 and has_baby_yoda is True or n is None"),
        (~(A & B), "not (episode > 5 and has_baby_yoda is True)"),
        (~A, "not episode > 5"),
        (~B, "has_baby_yoda is not True"),
        (~N, "n is not None"),
        (~Compare("x", Op.EQ, "a"), 'x != "a"'),
        (Compare("x", Op.EQ, -1.5), "x == -1.5"),
        (Compare("x", Op.EQ, float("inf")), 'x == float("inf")'),
        (Compare("odd name", Op.EQ, 'q"\\\n'), 'ds["odd name"] == "q\\"\\\\\\n"'),
        (Compare("class", Op.EQ, 1), 'ds["class"] == 1'),
        (Compare("größe", Op.EQ, 1), "größe == 1"),
        (Compare("ﬁ", Op.EQ, 1), 'ds["ﬁ"] == 1'),
        (Compare("t", Op.GT, dt.datetime(2024, 1, 31, tzinfo=dt.UTC)), 't > datetime("2024-01-31T00:00:00+00:00")'),
        (CompareFields("a", Op.GT, "b"), "a > b"),
        (~CompareFields("a", Op.EQ, "b"), "a != b"),
        (TextMatch("name", TextOp.CONTAINS, "x"), 'name.contains("x")'),
        (~TextMatch("name", TextOp.MATCHES, r"\d"), r'not name.matches("\\d")'),
        (IsIn("x", (1, "a")), 'x in [1, "a"]'),
        (~IsIn("x", ()), "x not in []"),
        (Between("x", 1, 5), "x.between(1, 5)"),
        (DateIn("t", DatePart.YEAR, (2022, 2023)), "t.date_field_in_years(2022, 2023)"),
        (TimeOfDay("t", 41_400, 45_000), 't.date_field_in_timeofday("11:30-12:30")'),
        (EVERYTHING, "everything"),
        (NOTHING, "not everything"),
    ],
)
def test_conditions_in_words(condition: Condition, text: str) -> None:
    assert explain(condition) == text
    assert parse_condition(text) == condition


@given(CONDITIONS)
def test_every_explanation_reads_back(condition: Condition) -> None:
    text = explain(condition)
    assert len(text.splitlines()) == 1
    assert parse_condition(text) == condition


def test_queries_in_words() -> None:
    query = Query(
        condition=A,
        select=(Selection("episode"), Selection("odd name", "x")),
        order_by=(Order("episode", descending=True), Order("path")),
        limit=10,
        as_of=dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC),
        zone_minutes=-210,
        include_missing=True,
    )
    assert explain(query) == (
        'episode > 5, showing episode, ds["odd name"] as x, ordered by episode descending, path, first 10, '
        "as of 2024-01-31 12:00:00+00:00, dates in -03:30, missing files included"
    )
    assert explain(Query()) == "everything"
    assert explain(Query(select=())) == "everything, showing no fields"
