from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pathlake.cli.export import check_target, write_table
from pathlake.errors import ConfigurationError

MOMENT = dt.datetime(2024, 7, 14, 12, 30, tzinfo=dt.UTC)

TABLE = pa.table(
    {
        "path": ["a,1.png", 'b "2".png', "ü.png"],
        "count": pa.array([1, None, 2**62], pa.int64()),
        "tags": pa.array([["x", "y"], None, []], pa.list_(pa.string())),
        "taken": pa.array([MOMENT, None, MOMENT], pa.timestamp("us", "UTC")),
        "ok": [True, False, None],
    }
)


def test_parquet_is_the_table_itself(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t.parquet")
    assert pq.read_table(tmp_path / "t.parquet").equals(TABLE)


def test_json_lines_are_one_object_for_each_datapoint(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[0] == {"path": "a,1.png", "count": 1, "tags": ["x", "y"], "taken": MOMENT.isoformat(), "ok": True}
    assert rows[1] == {"path": 'b "2".png', "count": None, "tags": None, "taken": None, "ok": False}
    assert rows[2]["count"] == 2**62


def test_csv_has_lists_as_json_and_missing_values_as_empty_cells(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == TABLE.column("path").to_pylist()
    assert [row["count"] for row in rows] == ["1", "", str(2**62)]
    assert [row["tags"] for row in rows] == ['["x", "y"]', "", "[]"]


def test_an_extension_in_capitals_is_the_same(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t.CSV")
    assert (tmp_path / "t.CSV").read_text(encoding="utf-8").startswith('"path"')


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "t.jsonl"
    target.write_text("old")

    def fail(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dumps", fail)
    with pytest.raises(OSError, match="No space"):
        write_table(TABLE, target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_target_is_refused_before_any_work(tmp_path: Path) -> None:
    there = tmp_path / "there.csv"
    there.touch()
    with pytest.raises(ConfigurationError, match="--force"):
        check_target(there, force=False)
    check_target(there, force=True)
    with pytest.raises(ConfigurationError, match=r"\.csv, \.parquet, \.jsonl"):
        check_target(tmp_path / "t.xlsx", force=False)
    with pytest.raises(ConfigurationError, match="does not exist"):
        check_target(tmp_path / "none" / "t.csv", force=False)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ConfigurationError, match="is a folder"):
        check_target(tmp_path / "folder.csv", force=True)
