"""Results: positions, paths, slices, and the tables they turn into."""

from __future__ import annotations

import datetime as dt
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pathlake import Datapoint, Datasource
from pathlake.errors import DatapointNotFoundError, FieldNotFoundError, MissingExtraError
from tests.integration.client.conftest import MakeDatasource

NAMES = ["plain.jpg", "sp ace.jpg", "ha#sh?.jpg", "ünicode/ä.jpg", "per%cent.jpg"]
ZONE = dt.timezone(dt.timedelta(hours=3))


@pytest.fixture(scope="module")
def ds(make: MakeDatasource) -> Datasource:
    """Five datapoints with values of every type; the last one has none."""
    made = make(name="shown", files=0)
    frame = pd.DataFrame(
        {
            "path": NAMES,
            "whole": pd.array([1, 2**60 + 1, 3, 4, None], dtype="Int64"),
            "full": [1, 2, 3, 4, 5],
            "real": [0.5, 1, 2, 3, None],
            "flag": pd.array([True, False, True, False, None], dtype="boolean"),
            "text": ["a", "b", "c", "d", None],
            "moment": pd.Series([*["2024-01-01 12:00:00.123456Z"] * 4, None]).pipe(pd.to_datetime).dt.tz_convert(ZONE),
            "texts": [["x"], ["y", "z"], [], ["x"], None],
        }
    )
    made.upload_metadata_from_dataframe(frame)
    with made.metadata_context() as ctx:
        for index, name in enumerate(NAMES[:4]):
            ctx.update_metadata(name, {"mixed": dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=index)))})
    return made


def test_positions_slices_and_paths(ds: Datasource) -> None:
    found = ds.all()
    assert len(found) == 5
    assert [point.path for point in found] == [point.path for point in found.entries] == NAMES
    assert (found[0].path, found[-1].path, found[1].path) == (NAMES[0], NAMES[-1], NAMES[1])
    assert [point.path for point in found[1:3]] == NAMES[1:3]
    assert [point.path for point in found[::-2]] == NAMES[::-2]
    assert [point.path for point in found[-2:]] == NAMES[-2:]
    assert found["sp ace.jpg"] == found[1]
    assert isinstance(found[1:3]["sp ace.jpg"], Datapoint)
    for position in (5, -6):
        with pytest.raises(IndexError):
            found[position]
    with pytest.raises(DatapointNotFoundError, match=r"qr\.column\('text'\)"):
        found["text"]
    assert found.column("text").to_pylist() == ["a", "b", "c", "d", None]
    with pytest.raises(FieldNotFoundError, match="'text'"):
        found.column("txt")
    assert "5 datapoints" in repr(found)
    assert "\n" not in repr(found)


def test_datapoints_hold_plain_values(ds: Datasource) -> None:
    found = ds.all()
    point = found["sp ace.jpg"]
    assert point.metadata == {
        "whole": 2**60 + 1,
        "full": 2,
        "real": 1.0,
        "flag": False,
        "text": "b",
        "moment": dt.datetime(2024, 1, 1, 12, 0, 0, 123456, tzinfo=dt.UTC).astimezone(ZONE),
        "texts": ["y", "z"],
        "mixed": dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    }
    assert point["mixed"].utcoffset() == dt.timedelta(hours=1)
    assert found[2]["texts"] == []
    last = found[-1]
    assert last.metadata == {"full": 5}
    assert last["text"] is None
    assert last["path"] == last.path == NAMES[-1]
    assert last["datapoint_id"] == last.datapoint_id
    assert list(last.to_dict(["full", "text"])) == ["path", "datapoint_id", "dagshub_download_url", "full", "text"]
    with pytest.raises(FieldNotFoundError, match="Did you mean 'text'"):
        last["tex"]


def test_the_dataframe(ds: Datasource) -> None:
    scanned = {field.name for field in ds.fields if field.automatic}
    frame = ds.all().dataframe
    assert list(frame.columns[3:]) == sorted(frame.columns[3:])
    frame = frame.drop(columns=list(scanned & set(frame.columns)))
    assert list(frame.columns) == [
        *("path", "datapoint_id", "dagshub_download_url"),
        *("flag", "full", "mixed", "moment", "real", "text", "texts", "whole"),
    ]
    kinds = frame.dtypes.astype(str).to_dict()
    assert kinds["full"] == kinds["datapoint_id"] == "int64"
    assert (kinds["whole"], kinds["flag"], kinds["real"]) == ("Int64", "boolean", "float64")
    assert kinds["moment"] == "datetime64[us, UTC+03:00]"
    assert kinds["mixed"] == "datetime64[us, UTC]"
    assert frame["whole"][1] == 2**60 + 1
    assert frame["text"].isna().tolist() == [False] * 4 + [True]
    assert list(frame["texts"][1]) == ["y", "z"]
    assert ds[ds["whole"].is_not_null()].all().dataframe["whole"].dtype == np.dtype("int64")
    assert ds[ds["flag"].is_not_null()].all().dataframe["flag"].dtype == np.dtype("bool")


def test_download_addresses_are_percent_encoded(ds: Datasource) -> None:
    found = ds.all()
    urls = found.dataframe["dagshub_download_url"].tolist()
    assert urls == [point.download_url for point in found]
    tails = [url.split("/raw/", 1)[1] for url in urls]
    assert tails == [
        *("plain.jpg", "sp%20ace.jpg", "ha%23sh%3F.jpg", "%C3%BCnicode/%C3%A4.jpg", "per%25cent.jpg"),
    ]


def test_a_download_address_gives_the_files_bytes(make: MakeDatasource) -> None:
    import httpx

    made = make(files=4)
    point = made.all()["images/003.jpg"]
    target = made.source.api.connection.target
    answer = httpx.get(point.download_url, headers={"Authorization": f"Bearer {target.token}"}, trust_env=False)
    assert answer.content == b"xxx"


def test_other_tables(ds: Datasource) -> None:
    found = ds.select("text", "moment").all()
    table = found.to_arrow()
    assert table.column_names == ["path", "datapoint_id", "text", "moment"]
    assert table.schema.field("moment").type == pa.timestamp("us", "UTC")
    assert pa.table(found).equals(table)
    assert pl.DataFrame(found).columns == table.column_names
    frame = found.to_polars()
    assert frame["text"].to_list() == ["a", "b", "c", "d", None]
    assert found.query_data_time.tzinfo is not None
    assert [str(field) for field in found.fields] == ["text: STRING", "moment: DATETIME"]


def test_without_polars_the_command_is_named(ds: Datasource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError, match=r"pathlake\[polars\]"):
        ds.head(1).to_polars()


def test_an_empty_result_is_a_table_too(ds: Datasource) -> None:
    found = ds[ds["full"] > 100].all()
    assert len(found) == 0
    assert list(found) == []
    assert len(found.dataframe) == 0
    assert "whole" in found.dataframe.columns
    assert found.to_arrow().num_rows == 0
    assert len(ds.limit(0).all()) == 0
