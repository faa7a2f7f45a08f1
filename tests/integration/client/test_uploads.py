"""Tables and files uploaded as metadata."""

from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from pathlake import Datasource, IgnoredColumnsWarning
from pathlake.client import tables
from pathlake.errors import (
    FieldTypeError,
    InvalidNameError,
    InvalidPathError,
    InvalidValueError,
    ObjectMissingError,
    PathlakeError,
    UsageError,
)

ROWS: dict[str, list[Any]] = {
    "path": ["images/001.jpg", "images/002.jpg", "new.jpg"],
    "episode": [1, 2, None],
    "label": ["a", None, "c"],
}
WANTED = {"images/001.jpg": (1, "a"), "images/002.jpg": (2, None), "new.jpg": (None, "c")}


def uploaded(ds: Datasource) -> dict[str, tuple[Any, Any]]:
    given = ds[ds["episode"].is_not_null() | ds["label"].is_not_null()]
    return {point.path: (point["episode"], point["label"]) for point in given.all()}


def reader() -> pa.RecordBatchReader:
    table = pa.table(ROWS)
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1))


@pytest.mark.parametrize(
    "frame",
    [
        lambda: pd.DataFrame(ROWS).astype({"episode": "Int64"}),
        lambda: pd.DataFrame(ROWS, dtype=object),
        lambda: pd.DataFrame(ROWS, index=[7, 7, 7]).astype({"episode": "Int64", "label": "category"}),
        lambda: pl.DataFrame(ROWS),
        lambda: pa.table(ROWS),
        lambda: pa.table(ROWS).to_batches()[0],
        reader,
        lambda: pa.dataset.dataset(pa.table(ROWS)),
    ],
    ids=["pandas", "objects", "index-and-category", "polars", "table", "batch", "reader", "dataset"],
)
def test_tables_of_every_make(ds: Datasource, frame: Any) -> None:
    report = ds.upload_metadata_from_dataframe(frame(), message="labels")
    assert (report.rows, report.new_datapoints, report.updated_datapoints) == (3, 1, 2)
    assert uploaded(ds) == WANTED
    assert str(ds["episode"].field) == "episode: INTEGER"
    assert ds.history()[0].message == "labels"


@pytest.mark.parametrize("path_column", ["file", 2, -1])
def test_the_path_column_by_name_or_position(ds: Datasource, path_column: str | int) -> None:
    frame = pd.DataFrame({"episode": [1], "label": ["a"], "file": ["images/001.jpg"]})
    ds.upload_metadata_from_dataframe(frame, path_column=path_column)
    assert uploaded(ds) == {"images/001.jpg": (1, "a")}


def test_what_a_result_shows_can_be_changed_and_uploaded_again(ds: Datasource) -> None:
    with ds.metadata_context() as ctx:
        ctx.update_metadata("images/001.jpg", {"episode": 1, "label": "a", "mask": b"bytes"})
    frame = ds.all().dataframe
    frame["episode"] = frame["episode"].fillna(0) + 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ds.upload_metadata_from_dataframe(frame)
        ds.upload_metadata_from_dataframe(ds.all().to_polars())
        ds.upload_metadata_from_dataframe(ds.all())
    assert ds.all()["images/001.jpg"]["episode"] == 2
    assert ds[ds["episode"] == 1].count() == 9
    assert len(ds.all()["images/001.jpg"]["mask"]) == 64


def test_columns_that_scans_write_are_left_out_with_a_warning(ds: Datasource) -> None:
    frame = pd.DataFrame({"path": ["images/001.jpg"], "size": [5], "label": ["a"], "episode": [1]})
    with pytest.warns(IgnoredColumnsWarning, match="size") as caught:
        ds.upload_metadata_from_dataframe(frame)
    assert caught[0].filename == __file__
    assert ds.all()["images/001.jpg"]["size"] == 1


def test_a_column_of_nothing_makes_no_field(ds: Datasource) -> None:
    frame = pd.DataFrame({"path": ["a", "b"], "episode": [1, 2], "empty": [None, None], "nan": [np.nan, np.nan]})
    report = ds.upload_metadata_from_dataframe(frame)
    assert [field.name for field in report.new_fields] == ["episode"]


@pytest.mark.parametrize(
    ("frame", "path_column", "error", "says"),
    [
        (pd.DataFrame([["a", 1, 2]], columns=["path", "x", "x"]), None, InvalidNameError, "'x' stands twice"),
        (pd.DataFrame({"pth": ["a"], "x": [1]}), "path", UsageError, "Did you mean 'pth'"),
        (pd.DataFrame({"path": ["a"]}), 3, UsageError, "no column 3"),
        (pd.DataFrame({"x": [1, 2], "path": ["a", "b"]}), None, InvalidPathError, "'x' must hold strings"),
        (pd.DataFrame({"path": ["a", None], "x": [1, 2]}), None, InvalidPathError, "row 1"),
        (pd.DataFrame({"path": ["a", 5], "x": [1, 2]}), None, InvalidPathError, "row 1"),
        (pd.DataFrame({"path": ["a", "/b"], "x": [1, 2]}), None, InvalidPathError, "absolute"),
        (pd.DataFrame({"path": ["a", "b"], "x": [1, "two"]}), None, FieldTypeError, "'b'"),
        (pd.DataFrame({"path": ["a", "b"], "x": [1, True]}, dtype=object), None, FieldTypeError, "'b'"),
        (pd.DataFrame({"path": ["a", "b"], "x": [{}, {"a": 1}]}), None, InvalidValueError, "'x'"),
        (pd.DataFrame({"path": ["a", "b"], "x": [1, 2**63]}), None, InvalidValueError, "64 bits"),
        (pd.DataFrame({"path": ["a"], 5: [1]}), None, InvalidNameError, "must be a string"),
        (pa.table({"path": ["a"], "x": [{"a": 1}]}), None, InvalidValueError, "'x'"),
        (pd.DataFrame(), None, UsageError, "no columns"),
        ({"path": ["a"]}, None, UsageError, "dict"),
        ("file.csv", None, UsageError, "upload_metadata_from_file"),
    ],
)
def test_bad_tables_are_refused_and_change_nothing(
    shared: Datasource, frame: Any, path_column: str | int | None, error: type[PathlakeError], says: str
) -> None:
    before = shared.history()
    with pytest.raises(error) as caught:
        shared.upload_metadata_from_dataframe(frame, path_column=path_column)
    assert says in str(caught.value)
    assert shared.history() == before
    assert shared.count() == 10


def test_a_wrong_type_in_the_middle_of_many_rows_is_named(ds: Datasource) -> None:
    with ds.metadata_context() as ctx:
        ctx.update_metadata("images/001.jpg", {"episode": 1})
    rows = 3 * tables.PART_ROWS
    values: list[Any] = [1] * rows
    values[250_000] = "oops"
    frame = pd.DataFrame({"path": [f"{row}.jpg" for row in range(rows)], "fresh": values})
    with pytest.raises(FieldTypeError, match=r"250000\.jpg.*fresh"):
        ds.upload_metadata_from_dataframe(frame)
    # The first row of a part says no more about its column than any other.
    values[250_000], values[2 * tables.PART_ROWS] = 1, "oops"
    for name in ("fresh", "episode"):
        frame = pd.DataFrame({"path": frame["path"], name: values})
        with pytest.raises(FieldTypeError, match=rf"{2 * tables.PART_ROWS}\.jpg.*oops.*{name}.*STRING.*INTEGER"):
            ds.upload_metadata_from_dataframe(frame)
    values[2 * tables.PART_ROWS] = 2
    frame = pd.DataFrame({"path": frame["path"], "episode": [float(value) for value in values]})
    frame.loc[250_000, "episode"] = 2.5
    with pytest.raises(FieldTypeError, match=r"250000\.jpg.*episode"):
        ds.upload_metadata_from_dataframe(frame)
    assert ds.count() == 10
    assert not ds.has_field("fresh")


def test_numbers_of_many_parts_are_of_one_type(ds: Datasource) -> None:
    rows = tables.PART_ROWS + 5
    values: list[Any] = [*range(rows - 1), 0.5]
    frame = pd.DataFrame({"path": [f"{row}.jpg" for row in range(rows)], "fresh": pd.Series(values, dtype=object)})
    ds.upload_metadata_from_dataframe(frame)
    assert str(ds["fresh"].field) == "fresh: FLOAT"
    assert ds[ds["fresh"] == 0.5].all()[0].path == f"{rows - 1}.jpg"


def test_nothing_is_applied_when_reading_breaks_midway(ds: Datasource) -> None:
    schema = pa.table({"path": ["a"], "episode": [1]}).schema

    def batches() -> Iterator[pa.RecordBatch]:
        for part in range(20):
            yield pa.record_batch([pa.array([f"{part}.jpg"]), pa.array([part])], schema=schema)
        raise OSError("the disk is gone")

    before = ds.history()
    with pytest.raises(OSError, match="the disk is gone"):
        ds.upload_metadata_from_dataframe(pa.RecordBatchReader.from_batches(schema, batches()))
    assert ds.history() == before
    assert ds.count() == 10
    with ds.metadata_context() as ctx:  # and the connection is as good as new
        ctx.update_metadata("images/001.jpg", {"episode": 1})
    assert ds[ds["episode"] == 1].count() == 1


# -- files


def write_csv(path: Path, *, delimiter: str = ",") -> None:
    rows = [("path", "episode", "label"), *zip(*ROWS.values(), strict=True)]
    text = "\n".join(delimiter.join("" if cell is None else str(cell) for cell in row) for row in rows)
    with gzip.open(path, "wt") if path.suffix.lower() == ".gz" else path.open("w") as file:
        file.write(text)


def write_jsonl(path: Path) -> None:
    rows = [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)]
    lines = "\n".join(json.dumps({key: value for key, value in row.items() if value is not None}) for row in rows)
    with gzip.open(path, "wt") if path.suffix.lower() == ".gz" else path.open("w") as file:
        file.write(lines + "\n\n")


def write_stream(path: Path) -> None:
    with pa.ipc.new_stream(str(path), pa.table(ROWS).schema) as writer:
        writer.write_table(pa.table(ROWS))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("meta.csv", write_csv),
        ("META.CSV.GZ", write_csv),
        ("meta.tsv", lambda path: write_csv(path, delimiter="\t")),
        ("meta.jsonl", write_jsonl),
        ("meta.jsonl.gz", write_jsonl),
        ("meta.parquet", lambda path: pyarrow.parquet.write_table(pa.table(ROWS), path)),
        ("meta.feather", lambda path: pyarrow.feather.write_feather(pa.table(ROWS), path)),
        ("meta.arrows", write_stream),
    ],
)
def test_files_of_every_kind(ds: Datasource, tmp_path: Path, name: str, write: Any) -> None:
    write(tmp_path / name)
    report = ds.upload_metadata_from_file(tmp_path / name)
    assert report.rows == 3
    assert uploaded(ds) == WANTED


def test_a_csv_column_has_one_type_for_all_its_rows(ds: Datasource, tmp_path: Path) -> None:
    rows = 900_000  # several blocks
    with (tmp_path / "meta.csv").open("w") as file:
        file.write("path,number,text,time\n")
        file.writelines(f"images/{row % 10:03}.jpg,{row},{row},12:30\n" for row in range(rows))
        file.write("images/001.jpg,0.5,x,12:30\n")
    ds.upload_metadata_from_file(str(tmp_path / "meta.csv"))
    assert {field.name: str(field.type) for field in ds.fields if not field.automatic} == {
        "number": "FLOAT",
        "text": "STRING",
        "time": "STRING",
    }
    assert ds.all()["images/001.jpg"]["text"] == "x"


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("meta.xlsx", "", UsageError, ".parquet"),
        ("meta.jsonl", '{"path": "a"}\n{broken', InvalidValueError, "line 2"),
        ("meta.jsonl", "[1]", InvalidValueError, "line 1"),
        ("meta.csv", "path,x\na,1,2\n", InvalidValueError, "meta.csv"),
        ("meta.parquet", "no parquet", InvalidValueError, "meta.parquet"),
    ],
)
def test_bad_files_are_refused(
    shared: Datasource, tmp_path: Path, name: str, content: str, error: type[PathlakeError], says: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(error) as caught:
        shared.upload_metadata_from_file(tmp_path / name)
    assert says in str(caught.value)


def test_a_file_that_is_not_there(shared: Datasource, tmp_path: Path) -> None:
    for name in ("no.csv", "no.jsonl", "no.parquet", "no.feather"):
        with pytest.raises(ObjectMissingError, match=name):
            shared.upload_metadata_from_file(tmp_path / name)
