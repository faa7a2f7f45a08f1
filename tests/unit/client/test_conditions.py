"""Columns and conditions: what they make, how they read, and what cannot be a query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pathlake.client.datasource import Datasource
from pathlake.errors import QueryError, WrongOperatorError, WrongOrderError
from pathlake.expr import And, CompareFields, IsNull, Not, Op, Or, TimeOfDay
from tests.unit.client.handles import handle

ds = handle()


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (ds["episode"] > 5, "episode > 5"),
        (5 < ds["episode"], "episode > 5"),  # noqa: SIM300 - the reflected operator is what is tested
        (ds["has_baby_yoda"] == True, "has_baby_yoda is True"),  # noqa: E712
        ((ds["episode"] == 0) & (ds["label"] != "cat"), 'episode == 0 and label != "cat"'),
        (ds["episode"] == None, "episode is None"),  # noqa: E711
        (ds["score"] > ds["episode"], "score > episode"),
        (ds["path"].contains("x"), 'path.contains("x")'),
    ],
)
def test_conditions_say_themselves(made: Any, text: str) -> None:
    assert "\n" not in made.explain()
    assert repr(made) == f"<Condition {made.explain()}>"
    assert made.explain().replace("'", '"') == text


def test_operators_make_the_tree() -> None:
    a, b = ds["episode"] > 5, ds["label"].startswith("c")
    assert (a & b).condition == And((a.condition, b.condition))
    assert (a | b).condition == Or((a.condition, b.condition))
    assert (~a).condition == Not(a.condition)
    assert (~~a) == a
    assert (ds["score"] >= ds["episode"]).condition == CompareFields("score", Op.GE, "episode")
    assert (ds["episode"] != None).condition == Not(IsNull("episode"))  # noqa: E711


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, np.float64("nan")])
def test_equal_to_missing_asks_for_missing_values(missing: object) -> None:
    assert (ds["score"] == missing).condition == IsNull("score")


@pytest.mark.parametrize("values", [[1, 2], (1, 2), {1, 2}, np.array([1, 2]), pd.Series([1, 2]), (n for n in (1, 2))])
def test_isin_takes_any_collection(values: Any) -> None:
    assert ds["episode"].isin(values) == ds["episode"].isin([1, 2])


def test_isin_with_none_asks_for_missing_values_too() -> None:
    assert ds["episode"].isin([1, None]) == ds["episode"].isin([1]) | ds["episode"].is_null()


def test_numpy_and_pandas_scalars_are_plain_values() -> None:
    assert (ds["episode"] > np.int8(5)) == (ds["episode"] > 5)
    moment = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    assert (ds["seen"] > pd.Timestamp(moment)) == (ds["seen"] > moment)


def test_a_time_range_over_midnight_is_two() -> None:
    assert ds["seen"].date_field_in_timeofday("22:00-06:00").condition == Or(
        (TimeOfDay("seen", 79_200, 86_399), TimeOfDay("seen", 0, 21_600))
    )


@pytest.mark.parametrize("text", ["25:00-26:00", "11-12", "", "11:30", "11:60-12:00"])
def test_a_time_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        ds["seen"].date_field_in_timeofday(text)


# -- what looks like a query but cannot be one


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda: "x" in ds["label"], "contains('x')"),
        (lambda: not (ds["episode"] > 5), "~(q)"),
        (lambda: (ds["episode"] > 5) and (ds["episode"] < 9), "(q1) & (q2)"),
        (lambda: (ds["episode"] > 5) or (ds["episode"] < 9), "(q1) | (q2)"),
        (lambda: 1 < ds["episode"] < 5, "between(1, 5)"),
        (lambda: bool(ds["episode"] == 1), "count() > 0"),
        (lambda: not ds["has_baby_yoda"], "== True"),
        (lambda: list(ds["episode"]), "ds.all()"),
        (lambda: list(ds["episode"] > 1), "ds[q].all()"),
        (lambda: list(ds), "ds.all()"),
        (lambda: "episode" in ds, "has_field"),
        (lambda: 1 in (ds["episode"] > 1), "isin"),
    ],
)
def test_python_operators_that_cannot_be_queries_show_the_right_spelling(
    attempt: Callable[[], object], says: str
) -> None:
    with pytest.raises(WrongOperatorError) as caught:
        attempt()
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: ds["episode"] > 5 & ds["score"] == 1,
        lambda: ds["episode"] > 5 & (ds["score"] == 1),
        lambda: ds["episode"] > 5 | ds["score"] == 1,
        lambda: (ds["episode"] > 5) & ds["has_baby_yoda"] == True,  # noqa: E712
        lambda: ds["has_baby_yoda"] & (ds["episode"] > 5),
        lambda: (ds["episode"] > 5) & True,
        lambda: False | (ds["episode"] > 5),
        lambda: ~ds["has_baby_yoda"],
        lambda: (ds["episode"] > 5) == True,  # noqa: E712
        lambda: (ds["episode"] > 5) > 3,
        lambda: ds["episode"] == (ds["score"] > 1),
    ],
)
def test_missing_parentheses_are_explained(attempt: Callable[[], object]) -> None:
    with pytest.raises(WrongOrderError) as caught:
        attempt()
    assert "(" in str(caught.value)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: ds["label"] > 5,
        lambda: ds["episode"] == "five",
        lambda: ds["episode"].contains("5"),
        lambda: ds["label"].contains(5),  # type: ignore[arg-type]
        lambda: ds["episode"] == [1, 2],
        lambda: ds["episode"] == {"a": 1},
        lambda: ds["mask"] > "abc",
        lambda: ds["mask"] == b"abc",
        lambda: ds["label"] > ds["episode"],
        lambda: ds["episode"] > None,
        lambda: ds["label"].isin("cat"),
        lambda: ds["label"].isin([1]),
        lambda: ds["label"].between(1, 2),
        lambda: ds["label"].date_field_in_years(2024),
        lambda: ds["seen"].date_field_in_years(),
        lambda: ds["seen"].date_field_in_months("January"),  # type: ignore[arg-type]
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused_at_once(attempt: Callable[[], object]) -> None:
    with pytest.raises(QueryError):
        attempt()


# -- handles


def test_conditions_compose_with_and_whichever_handle_they_came_from() -> None:
    filtered = ds[ds["episode"] > 5]
    wanted = (ds["episode"] > 5) & (ds["has_baby_yoda"] == True)  # noqa: E712
    for composed in (
        filtered[ds["has_baby_yoda"] == True],  # noqa: E712
        filtered[filtered["has_baby_yoda"] == True],  # noqa: E712
        filtered[ds[ds["has_baby_yoda"] == True]],  # noqa: E712
        ds[wanted],
    ):
        assert composed.get_query().condition == wanted.condition
    assert ds.get_query().condition != filtered.get_query().condition


def test_a_condition_of_another_datasource_is_refused_by_name() -> None:
    other = handle("other-ds", "2")
    for attempt in (
        lambda: ds[other["episode"] > 5],
        lambda: (ds["episode"] > 5) & (other["episode"] > 5),
        lambda: ds["episode"] > other["episode"],
        lambda: ds[other],
    ):
        with pytest.raises(QueryError, match=r"other-ds.*path-ds"):
            attempt()


def test_a_condition_asks_the_handle_its_columns_came_from() -> None:
    filtered = ds[ds["episode"] > 5]
    condition = filtered["label"] == "cat"
    assert condition.datasource.get_query() == filtered[condition].get_query()
    mixed = (ds["episode"] < 9) & condition
    assert mixed.datasource.get_query().condition == mixed.condition


def test_handles_can_be_joined_and_negated() -> None:
    filtered = ds[ds["episode"] > 5]
    assert (~filtered).get_query().condition == Not((ds["episode"] > 5).condition)
    assert (filtered & (ds["label"] == "x")) == (ds["episode"] > 5) & (ds["label"] == "x")
    assert (filtered | (ds["label"] == "x")) == (ds["episode"] > 5) | (ds["label"] == "x")


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: ds[0],  # type: ignore[call-overload]
        lambda: ds[ds["has_baby_yoda"]],  # type: ignore[call-overload]
        lambda: ds.limit(-1),
        lambda: ds.limit(True),
        lambda: ds.order_by(("episode", "up")),
        lambda: ds.order_by(5),  # type: ignore[arg-type]
        lambda: ds.select("episode", "episode"),
        lambda: ds.select(5),  # type: ignore[arg-type]
        lambda: ds.with_time_zone("Berlin"),
        lambda: ds.as_of("yesterday"),  # type: ignore[arg-type]
        lambda: ds["a":"b"],
    ],
)
def test_queries_that_make_no_sense(attempt: Callable[[], object]) -> None:
    with pytest.raises(QueryError):
        attempt()


def test_handles_print_short_and_whole() -> None:
    assert repr(ds) == "<Datasource 'path-ds' of simon/baby (repo://simon/baby/main:x)>"
    shown = repr(ds[ds["episode"] > 5].order_by(("score", "desc")).limit(3))
    assert "episode > 5" in shown
    assert "\n" not in shown
    assert repr(ds["episode"]) == "<Column episode: INTEGER of 'path-ds'>"


def test_columns_and_conditions_can_be_hashed() -> None:
    assert hash(ds["episode"]) == hash(ds["episode"])
    assert len({ds["episode"] > 5, ds["episode"] > 5, ds["episode"] > 6}) == 2


def test_a_handle_is_immutable() -> None:
    narrowed: Datasource = ds.order_by("score").limit(5).with_time_zone("+03:00").include_missing()
    assert ds.get_query() != narrowed.get_query()
    assert narrowed.clear_query().get_query() == ds.get_query()
