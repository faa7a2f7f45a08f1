"""Tables: made, dropped, kept across restarts; history and time travel."""

from __future__ import annotations

import datetime as dt
import time

import pyarrow as pa
import pytest

from pathlake.errors import AlreadyExistsError, CommitNotFoundError, DatasourceNotFoundError, IncompatibleVersionError
from pathlake.expr import Compare, Op, Query
from pathlake.lake import CommitInfo, Lake, TableRef, open_lake
from pathlake.lake.ducklake import DuckLake
from pathlake.types import Field, FieldType
from tests.contract.lake.conftest import NewSettings
from tests.support.lakes import fetch, files, info, merge, paths, scan


def test_a_new_table_has_no_rows_and_the_fields_every_file_has(lake: Lake, table: TableRef) -> None:
    assert lake.schema(table).names == ("size", "last_modified", "media_type", "etag")
    assert all(field.automatic for field in lake.schema(table))
    assert lake.count(table, Query()) == 0
    assert fetch(lake, table) == []


def test_the_same_table_is_not_made_twice(lake: Lake, table: TableRef) -> None:
    with pytest.raises(AlreadyExistsError):
        lake.create_table(table, commit=info())


def test_a_table_that_is_not_there_says_so(lake: Lake) -> None:
    nowhere = TableRef(1, 999_999)
    for use in (
        lambda: lake.schema(nowhere),
        lambda: lake.count(nowhere, Query()),
        lambda: lake.query(nowhere, Query()),
        lambda: merge(lake, nowhere, {"a": {"x": 1}}),
    ):
        with pytest.raises(DatasourceNotFoundError):
            use()


def test_a_dropped_table_is_gone_and_others_stay(lake: Lake, table: TableRef) -> None:
    other = TableRef(table.repo_id, table.datasource_id + 500_000)
    lake.create_table(other, commit=info())
    merge(lake, table, {"a": {"x": 1}})
    merge(lake, other, {"b": {"y": 1}})
    lake.drop_table(table)
    lake.drop_table(table)
    with pytest.raises(DatasourceNotFoundError):
        lake.schema(table)
    assert paths(lake, other) == ["b"]
    lake.create_table(table, commit=info())
    assert lake.schema(table).get("x") is None
    assert fetch(lake, table) == []


def test_everything_survives_a_restart(new_settings: NewSettings) -> None:
    settings, table = new_settings(), TableRef(1, 1)
    first = open_lake(settings)
    first.create_table(table, commit=info())
    merge(first, table, {"a": {"x": 1, "when": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}}, tags={"x": ("label",)})
    scan(first, table, files(["a", "b"]))
    before, history = fetch(first, table), first.history(table)
    first.close()
    second = open_lake(settings)
    try:
        assert fetch(second, table) == before
        assert second.history(table) == history
        assert second.schema(table).resolve("x") == Field("x", FieldType.INTEGER, tags=("label",))
        merge(second, table, {"c": {"x": 2}})
        ids = [row["datapoint_id"] for row in fetch(second, table)]
        assert len(set(ids)) == 3
    finally:
        second.close()


def test_a_lake_of_a_newer_version_is_refused(new_settings: NewSettings) -> None:
    settings = new_settings()
    lake = open_lake(settings)
    assert isinstance(lake, DuckLake)
    with lake._database.cursor() as cursor:
        cursor.execute("UPDATE lake.main.pathlake_format SET version = 99")
    lake.close()
    with pytest.raises(IncompatibleVersionError, match="99"):
        open_lake(settings)


def test_history_tells_author_message_kind_and_counts_newest_first(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"x": 1}, "b": {"x": 2}}, message="First")
    lake.merge(table, [], schema=pa.schema([pa.field("path", pa.string())]), commit=info("Nothing"))
    scan(lake, table, files(["a"]))
    lake.put_fields(table, [Field("note", FieldType.STRING)], commit=CommitInfo("bob", "Note", "fields", {"k": [1]}))
    newest, scanned, uploaded, made = lake.history(table)
    assert (newest.author, newest.message, newest.kind, newest.extra["k"]) == ("bob", "Note", "fields", [1])
    assert scanned.kind == "scan"
    assert (uploaded.message, uploaded.extra["rows"], uploaded.extra["new"]) == ("First", 2, 2)
    assert made.kind == "create"
    assert made.at <= uploaded.at <= newest.at <= dt.datetime.now(dt.UTC)
    assert [record.snapshot for record in lake.history(table, limit=2)] == [newest.snapshot, scanned.snapshot]


def test_time_travel_covers_values_fields_and_datapoints(lake: Lake, table: TableRef) -> None:
    first = merge(lake, table, {"a": {"x": 1}, "b": {"x": 2}}).snapshot
    moment = _later(lake, first)
    merge(lake, table, {"a": {"x": 10, "y": "new"}, "c": {"x": 3}})
    [gone] = [row["datapoint_id"] for row in fetch(lake, table) if row["path"] == "b"]
    lake.delete_datapoints(table, [gone], commit=info())
    old = {row["path"]: row["x"] for row in fetch(lake, table, snapshot=first)}
    assert old == {"a": 1, "b": 2}
    assert "y" not in fetch(lake, table, snapshot=first)[0]
    assert lake.schema(table, snapshot=first).get("y") is None
    assert lake.schema(table).get("y") is not None
    assert [row["x"] for row in fetch(lake, table, Query(as_of=moment))] == [1, 2]
    assert lake.count(table, Query(condition=Compare("x", Op.GE, 2), as_of=moment)) == 1
    assert lake.count(table, Query(), snapshot=first) == 2
    assert [row["x"] for row in fetch(lake, table)] == [10, 3]


def _later(lake: Lake, snapshot: int) -> dt.datetime:
    """Return a moment after a snapshot and before the next: the clocks of lake and test need not be the same."""
    moment = dt.datetime.now(dt.UTC)
    deadline = time.monotonic() + 5
    while lake.snapshot_at(moment) < snapshot and time.monotonic() < deadline:
        moment = dt.datetime.now(dt.UTC)
    return moment


def test_a_moment_before_everything_has_no_commit(lake: Lake, table: TableRef) -> None:
    early = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
    with pytest.raises(CommitNotFoundError):
        lake.snapshot_at(early)
    with pytest.raises(CommitNotFoundError):
        lake.count(table, Query(as_of=early))
    with pytest.raises(CommitNotFoundError):
        lake.query(table, Query(), snapshot=10**9)
    with pytest.raises(CommitNotFoundError):
        lake.query(table, Query(), snapshot=0)


def test_datapoint_history_tells_when_values_changed(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"x": 1, "y": 1}, "b": {"x": 1}})
    merge(lake, table, {"a": {"y": 2}})
    merge(lake, table, {"b": {"x": 5}, "a": {"x": 7}})
    merge(lake, table, {"a": {"x": 7}})
    times = [record.at for record in reversed(lake.history(table))][1:]
    assert lake.datapoint_history(table, ["a", "b", "never"]) == {
        "a": times,
        "b": [times[0], times[2]],
        "never": [],
    }
    assert lake.datapoint_history(table, ["a"], fields=["x"]) == {"a": [times[0], times[2]]}
    assert lake.datapoint_history(table, ["a"], fields=["y"]) == {"a": [times[0], times[1]]}


def test_datapoint_history_tells_deletions(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1}})
    merge(lake, table, {"b": {"x": 2}})
    for _ in range(2):
        gone = [row["datapoint_id"] for row in fetch(lake, table) if row["path"] == "a"]
        lake.delete_datapoints(table, gone, commit=info())
        merge(lake, table, {"a": {"x": 1}, "c": {"y": 1}})
    lake.delete_datapoints(table, [row["datapoint_id"] for row in fetch(lake, table)], commit=info())
    made, changed, first, back, second, again, last = [record.at for record in reversed(lake.history(table))][1:]
    assert lake.datapoint_history(table, ["a", "b", "c"]) == {
        "a": [made, first, back, second, again, last],
        "b": [made, changed, last],
        "c": [made, back, last],
    }
    assert lake.datapoint_history(table, ["a", "b"], fields=["x"]) == {
        "a": [made, first, back, second, again, last],
        "b": [made, changed, last],
    }


def test_maintenance_changes_nothing_people_see(new_settings: NewSettings) -> None:
    lake, table = open_lake(new_settings()), TableRef(1, 1)
    try:
        lake.create_table(table, commit=info())
        snapshots = [merge(lake, table, {f"p{n}": {"x": n}, "same": {"x": n}}).snapshot for n in range(6)]
        lake.put_fields(table, [Field("late", FieldType.STRING, multiple=True)], commit=info())
        merge(lake, table, {"same": {"late": ["a", "b"]}})
        [gone] = [row["datapoint_id"] for row in fetch(lake, table) if row["path"] == "p0"]
        lake.delete_datapoints(table, [gone], commit=info())
        before = (fetch(lake, table), [fetch(lake, table, snapshot=at) for at in snapshots], lake.history(table))
        changes = lake.datapoint_history(table, ["same", "p0"])
        lake.maintain()
        lake.maintain()
        after = (fetch(lake, table), [fetch(lake, table, snapshot=at) for at in snapshots], lake.history(table))
        assert after == before
        assert lake.datapoint_history(table, ["same", "p0"]) == changes
        assert merge(lake, table, {"same": {"x": 77}, "fresh": {"x": 1}}).new_datapoints == 1
    finally:
        lake.close()
