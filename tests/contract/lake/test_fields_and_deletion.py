"""Fields made and described; values and datapoints removed."""

from __future__ import annotations

import datetime as dt

import pytest

from pathlake.errors import AutomaticFieldError, DatapointNotFoundError, FieldNotFoundError, FieldTypeError
from pathlake.expr import IsNull, Query
from pathlake.lake import Lake, TableRef
from pathlake.types import Field, FieldType
from pathlake.types.columns import zone_column_name
from tests.support.lakes import fetch, info, merge, paths


@pytest.mark.parametrize("multiple", [False, True])
@pytest.mark.parametrize("kind", list(FieldType))
def test_a_field_of_every_type_can_be_made_before_its_values(
    lake: Lake, table: TableRef, kind: FieldType, multiple: bool
) -> None:
    field = Field("made", kind, multiple, tags=("t",), description="A field.")
    report = lake.put_fields(table, [field], commit=info(kind="fields"))
    assert report.new_fields == (field,)
    assert lake.schema(table).resolve("made") == field
    merge(lake, table, {"a": {"x": 1}})
    assert fetch(lake, table)[0]["made"] is None
    assert lake.count(table, Query(condition=IsNull("made"))) == 1


def test_tags_and_description_change_and_the_type_never(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"x": 1}})
    before = lake.snapshot_at()
    lake.put_fields(table, [Field("x", FieldType.INTEGER, tags=("b", "a"), description="Count.")], commit=info())
    assert lake.schema(table).resolve("x") == Field("x", FieldType.INTEGER, tags=("a", "b"), description="Count.")
    assert lake.schema(table, snapshot=before).resolve("x").tags == ()
    same = lake.snapshot_at()
    assert lake.put_fields(table, [lake.schema(table).resolve("x")], commit=info()).snapshot == same
    with pytest.raises(FieldTypeError):
        lake.put_fields(table, [Field("new", FieldType.FLOAT), Field("x", FieldType.FLOAT)], commit=info())
    assert lake.schema(table).get("new") is None


def test_removed_values_are_missing_and_the_rest_stays(lake: Lake, table: TableRef) -> None:
    moment = dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    merge(lake, table, {"a": {"x": 1, "t": moment}, "b": {"x": 2, "t": moment}})
    first, second = (row["datapoint_id"] for row in fetch(lake, table))
    report = lake.delete_values(table, [(first, "x"), (first, "t"), (second, "x")], commit=info(kind="delete"))
    assert (report.rows, report.updated_datapoints) == (3, 2)
    rows = fetch(lake, table)
    assert [(row["x"], row["t"], row[zone_column_name("t")]) for row in rows] == [
        (None, None, None),
        (None, moment, 120),
    ]
    again = lake.delete_values(table, [(first, "x")], commit=info(kind="delete"))
    assert again.snapshot == report.snapshot
    assert fetch(lake, table, snapshot=report.snapshot - 1)[0]["x"] == 1


def test_what_cannot_be_removed_is_refused_and_changes_nothing(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"x": 1}})
    [only] = [row["datapoint_id"] for row in fetch(lake, table)]
    with pytest.raises(FieldNotFoundError, match="'x'"):
        lake.delete_values(table, [(only, "x"), (only, "xx")], commit=info())
    with pytest.raises(AutomaticFieldError):
        lake.delete_values(table, [(only, "size")], commit=info())
    for unknown in (only + 1, -1, 2**70):
        with pytest.raises(DatapointNotFoundError, match=str(unknown)):
            lake.delete_values(table, [(only, "x"), (unknown, "x")], commit=info())
        with pytest.raises(DatapointNotFoundError, match=str(unknown)):
            lake.delete_datapoints(table, [only, unknown], commit=info())
    assert fetch(lake, table)[0]["x"] == 1


def test_removed_datapoints_are_gone_with_their_metadata(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {name: {"x": name} for name in "abc"})
    ids = {row["path"]: row["datapoint_id"] for row in fetch(lake, table)}
    report = lake.delete_datapoints(table, [ids["a"], ids["c"], ids["a"]], commit=info(kind="delete"))
    assert report.rows == 2
    assert paths(lake, table) == ["b"]
    assert not lake.has_datapoint(table, "a")
    assert lake.paths_of(table, list(ids.values())) == {ids["b"]: "b"}
    merge(lake, table, {"a": {"y": 1}})
    [back] = [row for row in fetch(lake, table) if row["path"] == "a"]
    assert back["datapoint_id"] not in ids.values()
    assert back["x"] is None
    assert lake.delete_datapoints(table, [], commit=info()).rows == 0
