from __future__ import annotations

import json
from typing import Any

import pytest

from pathlake.engine.datasets import kept_query

LEAF = {"key": "episode", "value": "5", "valueType": "INTEGER", "comparator": "EQUAL"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"query": None}, {}),
        ({}, {}),
        ({"limit": 3, "query": None}, {"limit": 3}),
        ({"query": {"filter": LEAF}}, {"query": {"filter": LEAF}}),
        ({"query": {"not": True, "filter": LEAF}}, {"query": {"filter": LEAF, "not": True}}),
        ({"query": {"and": None, "filter": {**LEAF, "asOf": None}}}, {"query": {"filter": LEAF}}),
        (
            {"query": {"and": [{"not": True, "or": [{"filter": LEAF}]}], "not": True}},
            {"query": {"and": [{"or": [{"filter": LEAF}], "not": True}], "not": True}},
        ),
    ],
)
def test_queries_are_kept_as_the_official_client_can_read_them(given: dict[str, Any], kept: dict[str, Any]) -> None:
    assert json.dumps(kept_query(given)) == json.dumps(kept)


def test_the_order_of_all_other_keys_stays() -> None:
    given = {"select": [{"name": "b"}, {"name": "a"}], "query": {"filter": LEAF}, "asOf": 5, "limit": 1}
    assert json.dumps(kept_query(given)) == json.dumps(given)
