from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import pytest
from hypothesis import given

from pathlake.errors import QueryError
from pathlake.expr import (
    EVERYTHING,
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
    Order,
    Query,
    Selection,
    TextMatch,
    TextOp,
    TimeOfDay,
    condition_from_wire,
    condition_to_wire,
    query_from_wire,
    query_to_wire,
)
from pathlake.types import Field, FieldType, Schema
from tests.support.conditions import CONDITIONS

SCHEMA = Schema(
    (
        Field("episode", FieldType.INTEGER),
        Field("score", FieldType.FLOAT),
        Field("name", FieldType.STRING),
        Field("ok", FieldType.BOOLEAN),
        Field("mask", FieldType.BLOB),
        Field("when", FieldType.DATETIME),
    )
)
A = Compare("episode", Op.GT, 5)
B = Compare("ok", Op.EQ, True)
A_NODE = {"filter": {"key": "episode", "value": "5", "valueType": "INTEGER", "comparator": "GREATER_THAN"}}
B_NODE = {"filter": {"key": "ok", "value": "True", "valueType": "BOOLEAN", "comparator": "EQUAL"}}


def leaf(key: str, value: Any, value_type: str | None, comparator: str, **more: Any) -> dict[str, Any]:
    return {"filter": {"key": key, "value": value, "valueType": value_type, "comparator": comparator, **more}}


OFFICIAL: list[tuple[Condition, dict[str, Any]]] = [
    (A, A_NODE),
    (Compare("episode", Op.EQ, 5), leaf("episode", "5", "INTEGER", "EQUAL")),
    (~Compare("episode", Op.EQ, 5), {**leaf("episode", "5", "INTEGER", "EQUAL"), "not": True}),
    (Compare("episode", Op.GE, 5), leaf("episode", "5", "INTEGER", "GREATER_EQUAL_THAN")),
    (Compare("episode", Op.LT, 5), leaf("episode", "5", "INTEGER", "LESS_THAN")),
    (Compare("episode", Op.LE, 5), leaf("episode", "5", "INTEGER", "LESS_EQUAL_THAN")),
    (TextMatch("name", TextOp.CONTAINS, "x"), leaf("name", "x", "STRING", "CONTAINS")),
    (TextMatch("name", TextOp.STARTSWITH, "x"), leaf("name", "x", "STRING", "STARTS_WITH")),
    (TextMatch("path", TextOp.ENDSWITH, "x"), leaf("path", "x", "STRING", "ENDS_WITH")),
    (IsNull("episode"), leaf("episode", "0", "INTEGER", "IS_NULL")),
    (IsNull("score"), leaf("score", "0.0", "FLOAT", "IS_NULL")),
    (IsNull("name"), leaf("name", "", "STRING", "IS_NULL")),
    (IsNull("ok"), leaf("ok", "False", "BOOLEAN", "IS_NULL")),
    (IsNull("mask"), leaf("mask", "", "BLOB", "IS_NULL")),
    (IsNull("when"), leaf("when", "0", "DATETIME", "IS_NULL")),
    (~IsNull("episode"), {**leaf("episode", "0", "INTEGER", "IS_NULL"), "not": True}),
    (A & B, {"and": [A_NODE, B_NODE]}),
    (A | B, {"or": [A_NODE, B_NODE]}),
    (~(A | B), {"or": [A_NODE, B_NODE], "not": True}),
    (
        DateIn("when", DatePart.YEAR, (2022, 2023)),
        leaf("when", 0, "DATETIME", "DATE_TIME_FILTER", valueRange=["2022", "2023"], timeFilter="YEAR"),
    ),
    (
        DateIn("when", DatePart.MONTH, (1,)),
        leaf("when", 0, "DATETIME", "DATE_TIME_FILTER", valueRange=["1"], timeFilter="MONTH"),
    ),
    (
        DateIn("when", DatePart.DAY, (31,)),
        leaf("when", 0, "DATETIME", "DATE_TIME_FILTER", valueRange=["31"], timeFilter="DAY"),
    ),
    (
        TimeOfDay("when", 41_400, 45_000),
        leaf("when", "11:30-12:30", "DATETIME", "DATE_TIME_FILTER", valueRange=0, timeFilter="TIMEOFDAY"),
    ),
    (
        TimeOfDay("when", 41_400, 45_001),
        leaf("when", "11:30:00-12:30:01", "DATETIME", "DATE_TIME_FILTER", valueRange=0, timeFilter="TIMEOFDAY"),
    ),
    # The type is the Python value's, not the field's.
    (Compare("score", Op.GT, 1), leaf("score", "1", "INTEGER", "GREATER_THAN")),
    (Compare("score", Op.GT, 0.5), leaf("score", "0.5", "FLOAT", "GREATER_THAN")),
    (Compare("episode", Op.EQ, True), leaf("episode", "True", "BOOLEAN", "EQUAL")),
    (Compare("path", Op.EQ, "a.jpg"), leaf("path", "a.jpg", "STRING", "EQUAL")),
]

EXTENSIONS: list[tuple[Condition, dict[str, Any]]] = [
    (TextMatch("name", TextOp.MATCHES, "^a"), leaf("name", "^a", "STRING", "MATCHES")),
    (IsIn("episode", (1, 2)), leaf("episode", 0, "INTEGER", "IN", valueRange=["1", "2"])),
    (IsIn("name", ("a", "b")), leaf("name", 0, "STRING", "IN", valueRange=["a", "b"])),
    (IsIn("name", ()), leaf("name", 0, "STRING", "IN", valueRange=[])),
    (Between("episode", 1, 5), leaf("episode", 0, "INTEGER", "BETWEEN", valueRange=["1", "5"])),
    (Between("score", 1, 2.5), leaf("score", 0, "FLOAT", "BETWEEN", valueRange=["1", "2.5"])),
    (CompareFields("episode", Op.GT, "score"), leaf("episode", "0", "INTEGER", "GREATER_THAN", otherKey="score")),
    (EVERYTHING, {"and": []}),
    (NOTHING, {"and": [], "not": True}),
]


@pytest.mark.parametrize(("condition", "node"), OFFICIAL + EXTENSIONS)
def test_shapes_in_both_directions(condition: Condition, node: dict[str, Any]) -> None:
    sent = condition_to_wire(condition, SCHEMA)
    assert sent == node
    assert json.dumps(sent) == json.dumps(node)  # the order of keys matters
    assert repr(condition_from_wire(node)) == repr(condition)


def test_double_negation_is_wrapped() -> None:
    inner = leaf("episode", "5", "INTEGER", "EQUAL")
    node = {"and": [{**inner, "not": True}], "not": True}
    doubled = Not(Not(Compare("episode", Op.EQ, 5)))
    assert json.dumps(condition_to_wire(doubled, SCHEMA)) == json.dumps(node)
    assert condition_from_wire(node) == Compare("episode", Op.EQ, 5)


def _nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        found = [value] if {"filter", "and", "or"} & set(value) else []
        return found + [node for child in value.values() for node in _nodes(child)]
    return [node for child in value for node in _nodes(child)] if isinstance(value, list) else []


@given(CONDITIONS)
def test_the_live_key_comes_first_and_nothing_is_null(condition: Condition) -> None:
    wire = condition_to_wire(condition, None)
    assert "null" not in json.dumps(wire).replace("is_null", "").split('"')[::2]
    for node in _nodes(wire):
        keys = list(node)
        assert keys[0] in ("filter", "and", "or")
        assert keys[1:] in ([], ["not"])


@given(CONDITIONS)
def test_conditions_survive_the_wire(condition: Condition) -> None:
    assert condition_from_wire(json.loads(json.dumps(condition_to_wire(condition, None)))) == condition


def test_members_of_several_types_are_split() -> None:
    node = condition_to_wire(IsIn("x", (1, "a", 2.5)), None)
    assert condition_from_wire(node) == IsIn("x", (1, 2.5)) | IsIn("x", ("a",))


def test_ends_of_several_types_are_refused() -> None:
    with pytest.raises(QueryError, match="different types"):
        condition_to_wire(Between("x", 1, "a"), None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC), "1706702400000"),
        (dt.datetime(2024, 1, 31, 12, 0, 0, 999_000, tzinfo=dt.UTC), "1706702400999"),
        (dt.datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=dt.UTC), "-1"),
        (dt.datetime(2024, 1, 31, 12, 0, 0, 1, tzinfo=dt.UTC), "2024-01-31T12:00:00.000001+00:00"),
        ("2024-01-31T14:00:00+02:00", "1706702400000"),
    ],
)
def test_moments_are_milliseconds_where_whole(value: Any, text: str) -> None:
    node = condition_to_wire(Compare("when", Op.EQ, value), SCHEMA)
    assert node == leaf("when", text, "DATETIME", "EQUAL")
    assert isinstance(found := condition_from_wire(node), Compare)
    expected = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    assert found.value == expected


@pytest.mark.usefixtures("berlin")
def test_text_for_a_datetime_field_is_read_where_it_is_asked() -> None:
    node = condition_to_wire(Compare("when", Op.GE, "2024-06-01"), SCHEMA)
    assert node["filter"]["value"] == str(int(dt.datetime(2024, 5, 31, 22, tzinfo=dt.UTC).timestamp() * 1000))
    assert node["filter"]["valueType"] == "DATETIME"


def test_without_schema_text_stays_text() -> None:
    assert condition_to_wire(Compare("when", Op.GE, "2024"), None) == leaf(
        "when", "2024", "STRING", "GREATER_EQUAL_THAN"
    )


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e300, 5e-324, -0.0, 0.1])
def test_floats_travel_whole(value: float) -> None:
    found = condition_from_wire(condition_to_wire(Compare("score", Op.LT, value), None))
    assert repr(found) == repr(Compare("score", Op.LT, value))


# -- whole queries

NOON = dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("query", "wire"),
    [
        (Query(), {"query": {}}),
        (Query(condition=A), {"query": A_NODE}),
        (Query(limit=5), {"query": {}, "limit": 5}),
        (Query(as_of=NOON), {"asOf": 1706702400, "query": {}}),
        (Query(as_of=NOON.replace(microsecond=500_000)), {"asOf": 1706702400.5, "query": {}}),
        (Query(zone_minutes=180), {"timeZone": "+03:00", "query": {}}),
        (Query(zone_minutes=-210), {"timeZone": "-04:30", "query": {}}),
        (Query(zone_minutes=0), {"timeZone": "+00:00", "query": {}}),
        (
            Query(select=(Selection("a"), Selection("b", "c"))),
            {"select": [{"name": "a"}, {"name": "b", "alias": "c"}], "query": {}},
        ),
        (Query(select=()), {"select": [], "query": {}}),
        (
            Query(order_by=(Order("s"), Order("d", descending=True))),
            {"query": {}, "orderBy": [{"field": "s", "order": "ASC"}, {"field": "d", "order": "DESC"}]},
        ),
        (Query(include_missing=True), {"query": {}, "includeMissing": True}),
    ],
)
def test_queries_in_both_directions(query: Query, wire: dict[str, Any]) -> None:
    sent = query_to_wire(query, SCHEMA)
    assert json.dumps(sent) == json.dumps(wire)
    assert query_from_wire(wire) == query


@pytest.mark.parametrize("seconds", [1706702400.123457, 0.000001, 4102444799.999999])
def test_as_of_keeps_microseconds(seconds: float) -> None:
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    assert query_from_wire(json.loads(json.dumps(query_to_wire(Query(as_of=moment), None)))).as_of == moment


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"query": {}},
        {"query": None},
        {"query": None, "select": None, "orderBy": None, "limit": None, "asOf": None, "timeZone": None},
        {"query": None, "timeZone": ""},
        {"query": {"filter": None, "and": None, "or": None, "not": None}},
        {"query": {}, "somethingNew": 5, "includeMissing": None},
    ],
)
def test_empty_queries_of_every_shape(wire: dict[str, Any]) -> None:
    assert query_from_wire(wire) == Query()


@pytest.mark.parametrize(
    ("node", "condition"),
    [
        (A_NODE, A),
        ({**A_NODE, "not": True}, ~A),
        ({**A_NODE, "not": False}, A),
        ({**A_NODE, "not": None}, A),
        ({"not": True, **A_NODE}, ~A),
        ({"and": None, "or": None, **A_NODE}, A),
        ({**A_NODE, "and": None, "or": None, "not": None}, A),
        ({"filter": {**A_NODE["filter"], "asOf": None, "timeFilter": None, "valueRange": None, "otherKey": None}}, A),
        ({"and": [A_NODE]}, A),
        ({"or": [A_NODE], "not": True}, ~A),
        ({"and": [{"and": [A_NODE, B_NODE]}, A_NODE]}, And((A, B, A))),
        ({"and": [{"and": [A_NODE, B_NODE], "not": True}, A_NODE]}, And((Not(And((A, B))), A))),
        ({"or": [{"or": [A_NODE, B_NODE]}, {"and": [A_NODE, B_NODE]}]}, Or((A, B, And((A, B))))),
        ({"not": True}, NOTHING),
        (leaf("episode", 5, "INTEGER", "GREATER_THAN"), A),
        (leaf("ok", "true", "BOOLEAN", "EQUAL"), B),
        (leaf("ok", True, "BOOLEAN", "EQUAL"), B),
        (leaf("when", 2022, "DATETIME", "DATE_TIME_FILTER", valueRange="2022", timeFilter="YEAR"),
         DateIn("when", DatePart.YEAR, (2022,))),
        (leaf("episode", "0", None, "IS_NULL"), IsNull("episode")),
    ],
)  # fmt: skip
def test_nodes_that_official_clients_may_send(node: dict[str, Any], condition: Condition) -> None:
    assert condition_from_wire(node) == condition


def test_long_chains_nested_two_by_two_are_read() -> None:
    node: dict[str, Any] = A_NODE
    for _ in range(5000):
        node = {"or": [node, B_NODE]}
    assert condition_from_wire(node) == Or((A, *[B] * 5000))


def test_bottomless_nesting_is_refused() -> None:
    node: dict[str, Any] = A_NODE
    for _ in range(500):
        node = {"and": [{"or": [node, B_NODE]}, B_NODE]}
    with pytest.raises(QueryError, match="nested deeper"):
        condition_from_wire(node)


@pytest.mark.parametrize(
    ("node", "named"),
    [
        ([], "a node"),
        ({"filter": 5}, "filter"),
        ({"filter": {}}, "key"),
        ({"and": {}}, "and"),
        ({"and": [5]}, "a node"),
        ({**A_NODE, "and": [A_NODE]}, "filter and and"),
        ({**A_NODE, "not": "yes"}, "not"),
        ({"xor": [A_NODE]}, "xor"),
        (leaf("x", "5", "INTEGER", "LIKE"), "LIKE"),
        (leaf("x", "5", "NUMBER", "EQUAL"), "NUMBER"),
        (leaf("x", "5", None, "EQUAL"), "valueType"),
        (leaf("x", "five", "INTEGER", "EQUAL"), "five"),
        (leaf("x", "five", "FLOAT", "EQUAL"), "five"),
        (leaf("x", "yes", "BOOLEAN", "EQUAL"), "yes"),
        (leaf("x", "yes", "DATETIME", "EQUAL"), "yes"),
        (leaf("x", "9" * 30, "DATETIME", "EQUAL"), "years 1 to 9999"),
        (leaf("x", None, "STRING", "EQUAL"), "value"),
        (leaf("x", ["a"], "STRING", "EQUAL"), "value"),
        (leaf("x", 0, "INTEGER", "IN", valueRange={}), "valueRange"),
        (leaf("x", 0, "INTEGER", "BETWEEN", valueRange=["1"]), "valueRange"),
        (leaf("x", 0, "DATETIME", "DATE_TIME_FILTER", valueRange=["x"], timeFilter="YEAR"), "'x'"),
        (leaf("x", 0, "DATETIME", "DATE_TIME_FILTER", valueRange=["1"], timeFilter="WEEK"), "WEEK"),
        (leaf("x", "1-2", "DATETIME", "DATE_TIME_FILTER", valueRange=0, timeFilter="TIMEOFDAY"), "1-2"),
        (leaf("x", "23:00-01:00", "DATETIME", "DATE_TIME_FILTER", valueRange=0, timeFilter="TIMEOFDAY"), "midnight"),
        (leaf("x", "5", "INTEGER", "CONTAINS", otherKey="y"), "CONTAINS"),
        (leaf("x", "5", "INTEGER", "EQUAL", otherKey=5), "otherKey"),
        (leaf("x", "5", "INTEGER", "EQUAL", asOf=5), "as_of on the whole query"),
    ],
)
def test_unreadable_nodes_name_the_bad_part(node: Any, named: str) -> None:
    with pytest.raises(QueryError) as error:
        condition_from_wire(node)
    assert named in str(error.value)


@pytest.mark.parametrize(
    "wire",
    [
        [],
        {"limit": -1},
        {"limit": True},
        {"limit": "5"},
        {"asOf": "now"},
        {"asOf": 10**20},
        {"timeZone": "+5"},
        {"select": "a"},
        {"select": ["a"]},
        {"select": [{"name": "a", "alias": 5}]},
        {"select": [{"name": "a", "asOf": 5}]},
        {"orderBy": [{"field": "a", "order": "UP"}]},
        {"orderBy": [{"order": "ASC"}]},
        {"includeMissing": 1},
    ],
)
def test_unreadable_queries(wire: Any) -> None:
    with pytest.raises(QueryError):
        query_from_wire(wire)
