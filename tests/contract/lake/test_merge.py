"""Values given to datapoints: one commit, all or nothing."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pathlake.errors import (
    AutomaticFieldError,
    FieldTypeError,
    InvalidNameError,
    InvalidPathError,
    InvalidValueError,
    PathlakeError,
    UsageError,
)
from pathlake.expr import Compare, Op, Query
from pathlake.lake import Lake, TableRef
from pathlake.types import MAX_PATH_BYTES, Field, FieldType
from pathlake.types.columns import mark_field, zone_column_name
from tests.support.lakes import fetch, info, merge, metadata, paths

HASH = "0123456789abcdef" * 4
EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))


def values(lake: Lake, table: TableRef, name: str) -> dict[str, Any]:
    return {row["path"]: row[name] for row in fetch(lake, table)}


def test_unknown_paths_and_fields_come_into_being(lake: Lake, table: TableRef) -> None:
    report = merge(lake, table, {"a/b.jpg": {"x": 1, "s": "é"}, "c": {"f": 0.5, "b": True}})
    assert (report.rows, report.new_datapoints, report.updated_datapoints) == (2, 2, 0)
    assert [(field.name, field.type) for field in report.new_fields] == [
        ("x", FieldType.INTEGER),
        ("s", FieldType.STRING),
        ("f", FieldType.FLOAT),
        ("b", FieldType.BOOLEAN),
    ]
    first, second = fetch(lake, table)
    assert (first["x"], first["s"], first["f"], first["b"]) == (1, "é", None, None)
    assert (second["x"], second["s"], second["f"], second["b"]) == (None, None, 0.5, True)
    assert first["datapoint_id"] < second["datapoint_id"]
    assert lake.has_datapoint(table, "a/b.jpg")
    assert not lake.has_datapoint(table, "a/b.jp")
    ids = [first["datapoint_id"], second["datapoint_id"]]
    assert lake.paths_of(table, [*ids, 10**15, 2**70]) == dict(zip(ids, ["a/b.jpg", "c"], strict=True))


def test_missing_means_not_given(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"x": 1, "f": 2.0}, "b": {"x": 2}})
    report = merge(lake, table, {"a": {"x": None, "f": float("nan")}, "b": {"x": 3}})
    assert (report.new_datapoints, report.updated_datapoints, report.new_fields) == (0, 2, ())
    assert values(lake, table, "x") == {"a": 1, "b": 3}
    assert values(lake, table, "f") == {"a": 2.0, "b": None}


def test_the_last_given_value_of_each_field_wins(lake: Lake, table: TableRef) -> None:
    rows: list[tuple[str, dict[str, object]]] = [
        ("a", {"x": 1, "y": 1}),
        ("b", {"x": 5}),
        ("a", {"x": 2, "y": None}),
        ("a", {"x": None, "z": "last"}),
    ]
    for batch_rows in (10, 1):
        report = merge(lake, table, rows, batch_rows=batch_rows)
        assert report.rows == 4
        assert values(lake, table, "x") == {"a": 2, "b": 5}
        assert values(lake, table, "y") == {"a": 1, "b": None}
        assert values(lake, table, "z") == {"a": "last", "b": None}


def test_the_same_path_in_several_pieces_counts_once(lake: Lake, table: TableRef) -> None:
    names = [f"p{number}" for number in range(200_000)]
    data = pa.table({"path": names + names, "x": pa.array(np.arange(400_000))})
    report = merge(lake, table, data, batch_rows=60_000)
    assert (report.rows, report.new_datapoints, report.updated_datapoints) == (400_000, 200_000, 0)
    assert lake.count(table, Query(condition=Compare("x", Op.GE, 200_000))) == 200_000
    ids = [row["datapoint_id"] for row in fetch(lake, table, Query(select=(), limit=3))]
    assert ids == sorted(ids)


def test_lists_are_replaced_or_joined_without_doubles(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"l": ["x", "y", "y"]}, "b": {"l": ["q"]}})
    merge(lake, table, {"a": {"l": ["z"]}})
    assert values(lake, table, "l") == {"a": ["z"], "b": ["q"]}
    rows: list[tuple[str, dict[str, object]]] = [("a", {"l": ["y", "z", "y"]}), ("c", {"l": ["m", "m", "n"]})]
    merge(lake, table, [*rows, ("a", {"l": ["k", "y"]})], lists="union")
    assert values(lake, table, "l") == {"a": ["z", "y", "k"], "b": ["q"], "c": ["m", "n"]}
    before = lake.snapshot_at()
    assert merge(lake, table, {"a": {"l": ["k"]}}, lists="union").snapshot == before


def test_what_changes_nothing_makes_no_commit(lake: Lake, table: TableRef) -> None:
    first = merge(lake, table, {"a": {"x": 1, "t": dt.datetime(2024, 1, 1, tzinfo=EAST)}})
    again = merge(lake, table, {"a": {"x": 1, "t": dt.datetime(2024, 1, 1, tzinfo=EAST)}})
    assert again.snapshot == first.snapshot
    assert (again.rows, again.updated_datapoints) == (1, 1)
    nothing = lake.merge(table, [], schema=pa.schema([pa.field("path", pa.string())]), commit=info())
    assert (nothing.rows, nothing.snapshot) == (0, first.snapshot)
    assert len(lake.history(table)) == 2


def test_extreme_values_come_back_as_they_were(lake: Lake, table: TableRef) -> None:
    moments = [dt.datetime(1, 1, 3, tzinfo=dt.UTC), dt.datetime(9999, 12, 28, 23, 59, 59, 999999, tzinfo=dt.UTC)]
    rows: dict[str, dict[str, object]] = {
        "low": {"i": -(2**63), "f": -1.7976931348623157e308, "t": moments[0], "s": ""},
        "high": {"i": 2**63 - 1, "f": 5e-324, "t": moments[1], "s": "\U0001f600'\"\\\n\x00x"},
        "inf": {"f": float("inf"), "li": [2**63 - 1, -(2**63)], "lf": [float("-inf"), 0.1], "ls": ["", "NULL", "a,'b"]},
        "ninf": {"f": float("-inf"), "li": [], "lb": [True, False], "lt": moments, "ls": ["\\", '"', "é\x00"]},
    }
    merge(lake, table, rows)
    found = {row.pop("path"): row for row in fetch(lake, table)}
    for path, given in rows.items():
        for name, value in given.items():
            assert found[path][name] == value, (path, name)
    big = merge(lake, table, {f"row{n}": rows["high"] for n in range(3000)})
    assert big.new_datapoints == 3000
    assert fetch(lake, table, Query(limit=1, condition=Compare("path", Op.EQ, "row2999")))[0]["i"] == 2**63 - 1


def test_moments_keep_the_zone_they_were_given_in(lake: Lake, table: TableRef) -> None:
    moment = dt.datetime(2024, 5, 1, 12, 30, 0, 123456, tzinfo=EAST)
    merge(lake, table, {"a": {"t": moment}, "b": {"x": 1}})
    zone = zone_column_name("t")
    first, second = fetch(lake, table)
    assert (first["t"], first[zone]) == (moment, 330)
    assert (second["t"], second[zone]) == (None, None)
    merge(lake, table, {"a": {"t": moment.astimezone(dt.UTC)}})
    assert fetch(lake, table)[0][zone] == 0


def test_blobs_are_hashes(lake: Lake, table: TableRef) -> None:
    other = HASH[::-1]
    schema = pa.schema(
        [
            pa.field("path", pa.string()),
            mark_field("b", FieldType.BLOB, False),
            mark_field("bs", FieldType.BLOB, True),
        ]
    )
    data = pa.table({"path": ["a", "b"], "b": [HASH, None], "bs": [None, [other]]}, schema=schema)
    merge(lake, table, data)
    assert lake.schema(table).resolve("b").type is FieldType.BLOB
    assert values(lake, table, "b") == {"a": HASH, "b": None}
    assert lake.blob_hashes(table, [HASH, other, "f" * 64]) == {HASH, other}
    bad = pa.table({"path": ["a"], "b": ["no hash"], "bs": [None]}, schema=schema)
    with pytest.raises(InvalidValueError, match="hash"):
        merge(lake, table, bad)


def test_a_blob_that_only_an_old_snapshot_holds_is_still_known(lake: Lake, table: TableRef) -> None:
    schema = pa.schema([pa.field("path", pa.string()), mark_field("b", FieldType.BLOB, False)])
    merge(lake, table, pa.table({"path": ["a"], "b": [HASH]}, schema=schema))
    merge(lake, table, pa.table({"path": ["a"], "b": ["a" * 64]}, schema=schema))
    assert lake.blob_hashes(table, [HASH, "b" * 64]) == {HASH}


def test_numbers_fit_where_nothing_is_lost(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"i": 1, "f": 1.5, "li": [1]}})
    merge(lake, table, {"a": {"i": 2.0, "f": 3, "li": [4.0]}})
    [row] = fetch(lake, table)
    assert (row["i"], row["f"], row["li"]) == (2, 3.0, [4])
    assert isinstance(row["i"], int)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (1.5, 1),
        (True, 1),
        ("1", 1),
        (1, "a"),
        (1, True),
        ([1], 1),
        (1, [1]),
        (dt.datetime(2024, 1, 1, tzinfo=EAST), "a"),
    ],
)
def test_other_types_are_refused_and_change_nothing(lake: Lake, table: TableRef, given: object, stored: object) -> None:
    merge(lake, table, {"a": {"x": stored}})
    before = fetch(lake, table)
    with pytest.raises(FieldTypeError, match=r"'p7'.*'x'") as caught:
        merge(lake, table, {"new": {"fresh": 1}, "p7": {"x": given}})
    assert caught.value.details["path"] == "p7"
    assert fetch(lake, table) == before
    assert lake.schema(table).get("fresh") is None


def test_a_late_wrong_value_undoes_all_that_came_before(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"x": 1}})
    count = 300_000
    good = pa.table({"path": [f"p{n}" for n in range(count)], "x": pa.array(np.arange(count), pa.float64())})
    bad = pa.table({"path": ["late"], "x": [0.5]})
    batches = [*good.to_batches(100_000), *bad.to_batches()]
    with pytest.raises(FieldTypeError, match="'late'"):
        lake.merge(table, batches, schema=good.schema, commit=info())
    assert paths(lake, table) == ["a"]
    assert merge(lake, table, {"b": {"x": 2}}).new_datapoints == 1


def test_a_stream_that_breaks_leaves_nothing(lake: Lake, table: TableRef) -> None:
    data = metadata({"a": {"x": 1}})

    def broken() -> Any:
        yield from data.to_batches()
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        lake.merge(table, broken(), schema=data.schema, commit=info())
    assert fetch(lake, table) == []
    assert lake.schema(table).get("x") is None
    assert merge(lake, table, {"a": {"x": "text now"}}).new_datapoints == 1


@pytest.mark.parametrize(
    "path", ["", "/a", "a//b", "a/", "./a", "a/./b", "../a", "a/../b", ".", "..", "a\0b", "x" * (MAX_PATH_BYTES + 1)]
)
def test_what_is_no_path_is_refused(lake: Lake, table: TableRef, path: str) -> None:
    with pytest.raises(InvalidPathError):
        merge(lake, table, pa.table({"path": ["fine", path], "x": [1, 2]}))
    assert fetch(lake, table) == []


def test_odd_paths_are_paths(lake: Lake, table: TableRef) -> None:
    odd = [".hidden", "a/.b", "a/..c", "...", "a b", "é'\"", "a\\b", "x" * MAX_PATH_BYTES, "-", "%s", "a\nb"]
    merge(lake, table, pa.table({"path": odd, "x": list(range(len(odd)))}))
    assert paths(lake, table) == odd


def test_paths_must_be_there_and_be_strings(lake: Lake, table: TableRef) -> None:
    for data, error in [
        (pa.table({"x": [1]}), UsageError),
        (pa.table({"path": [1], "x": [1]}), InvalidPathError),
        (pa.table({"path": pa.array(["a", None]), "x": [1, 2]}), InvalidPathError),
        (pa.table([pa.array(["a"]), pa.array([1]), pa.array([2])], names=["path", "x", "x"]), InvalidNameError),
    ]:
        with pytest.raises(error):
            merge(lake, table, data)


@pytest.mark.parametrize("name", ["size", "width", "last_modified", "etag"])
def test_automatic_fields_cannot_be_written(lake: Lake, table: TableRef, name: str) -> None:
    with pytest.raises(AutomaticFieldError, match=name):
        merge(lake, table, {"a": {name: 1}})
    with pytest.raises(AutomaticFieldError, match=name):
        lake.put_fields(table, [Field(name, FieldType.BLOB)], commit=info())


def test_any_name_people_choose_works(lake: Lake, table: TableRef) -> None:
    names = [
        "x", "X", "Path", "PATH", "Datapoint_Id", "Size", "_missing", "_MISSING", "_probed_etag", "rowid", "row_id",
        "snapshot_id", "begin_snapshot", "ctid", "xmin", "tableoid", "t_zone", "a b", 'a"b', "a'b", "a.b", "a;drop",
        "é", "É", "select", "%s", "$1", "?", "\\", "ä" * 100, "ä" * 100 + "x", "_element", "c0", "p", "id", "s", "t",
        "values_0", "v", "given", "ß", "ẞ", "SS", " ", "0",
    ]  # fmt: skip
    given: dict[str, object] = {name: number for number, name in enumerate(names)}
    merge(lake, table, {"a": {**given, "t_": dt.datetime(2024, 1, 1, tzinfo=EAST)}, "b": {names[0]: 7}})
    merge(lake, table, {"a": {name: number + 1000 for number, name in enumerate(names)}})
    row = fetch(lake, table)[0]
    assert {name: row[name] for name in names} == {name: number + 1000 for number, name in enumerate(names)}
    for number, name in enumerate(names):
        assert lake.count(table, Query(condition=Compare(name, Op.EQ, number + 1000))) == 1, name
    assert set(names) <= set(lake.schema(table).names)


def test_names_that_are_no_fields_are_refused(lake: Lake, table: TableRef) -> None:
    for name in ("", "a\nb", "datapoint_id", "dagshub_download_url", "x" * 300):
        with pytest.raises(InvalidNameError):
            merge(lake, table, pa.table([pa.array(["a"]), pa.array([1])], names=["path", name]))


def test_tags_are_kept_and_joined(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"x": 1}}, tags={"x": ("b", "a"), "other": ("z",)})
    assert lake.schema(table).resolve("x").tags == ("a", "b")
    merge(lake, table, {"a": {"x": 1}}, tags={"x": ("c",)})
    assert lake.schema(table).resolve("x").tags == ("a", "b", "c")


def test_a_column_without_values_makes_no_field(lake: Lake, table: TableRef) -> None:
    data = pa.table({"path": ["a"], "n": pa.nulls(1), "i": pa.array([None], pa.int64()), "x": [1]})
    assert [field.name for field in merge(lake, table, data).new_fields] == ["x"]
    merge(lake, table, {"a": {"i": "a string"}})


def test_ids_are_never_given_twice(lake: Lake, table: TableRef) -> None:
    seen: set[int] = set()
    for _ in range(4):
        merge(lake, table, {name: {"x": 1} for name in "abc"})
        rows = fetch(lake, table)
        ids = {row["datapoint_id"] for row in rows}
        assert not ids & seen
        seen |= ids
        lake.delete_datapoints(table, sorted(ids), commit=info(kind="delete"))
        assert fetch(lake, table) == []
        # A change set that is undone must not free or lose ids either.
        with pytest.raises(PathlakeError):
            merge(lake, table, [("new", {"x": 1}), ("bad", {"x": "text"})], batch_rows=1)


def test_many_writers_of_one_table_lose_nothing(lake: Lake, table: TableRef) -> None:
    def write(writer: int) -> None:
        for number in range(8):
            merge(lake, table, {f"w{writer}-{number}": {"x": number}, "shared": {f"f{writer}": number}})

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, range(4)))
    rows = fetch(lake, table)
    assert len(rows) == 33
    assert len({row["datapoint_id"] for row in rows}) == 33
    [shared] = [row for row in rows if row["path"] == "shared"]
    assert [shared[f"f{writer}"] for writer in range(4)] == [7] * 4


def test_writers_of_different_tables_do_not_disturb_each_other(lake: Lake, table: TableRef) -> None:
    other = TableRef(table.repo_id, table.datasource_id + 700_000)
    lake.create_table(other, commit=info())

    def write(target: TableRef) -> None:
        for number in range(10):
            merge(lake, target, {f"p{number}": {"x": number, f"field{number % 3}": "v"}})

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, (table, other)))
    assert lake.count(table, Query()) == lake.count(other, Query()) == 10
