from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pathlake.catalog.base import DatasourceRecord, Repo
from pathlake.engine import Engine
from pathlake.engine.metadata import MetadataEntry
from pathlake.errors import (
    AutomaticFieldError,
    DatapointNotFoundError,
    FieldNotFoundError,
    FieldTypeError,
    InvalidPathError,
    PathlakeError,
    QueryError,
)
from pathlake.expr import Compare, Op, Order, Query, Selection
from pathlake.types import Field, FieldType
from tests.support.engines import create, done, rows_of, upload


@pytest.fixture
def datasource(engine: Engine, repo: Repo, folder: Path) -> DatasourceRecord:
    record = create(engine, repo, folder)
    done(engine, record)
    return record


def entry(key: str, value: str, kind: FieldType, *, path: str = "001.txt", many: bool = False) -> MetadataEntry:
    return MetadataEntry(path, key, value, kind, many)


def update(engine: Engine, datasource: DatasourceRecord, *entries: MetadataEntry) -> list[str]:
    return engine.metadata.update_entries(datasource, entries, author="simon")


def state(engine: Engine, datasource: DatasourceRecord) -> tuple[Any, ...]:
    fields = tuple(engine.queries.schema(datasource).fields)
    return rows_of(engine, datasource), fields, [one.snapshot for one in engine.queries.commits(datasource)]


def test_a_stream_is_one_commit(engine: Engine, datasource: DatasourceRecord) -> None:
    columns: list[pa.Field[Any]] = [pa.field("path", pa.string()), pa.field("episode", pa.int64())]
    schema = pa.schema(columns)
    before = len(engine.queries.commits(datasource))

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, 3000, 1000):
            numbers = range(start, start + 1000)
            yield pa.record_batch([pa.array([f"{n}.txt" for n in numbers]), pa.array(list(numbers))], schema=schema)

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    report = engine.metadata.ingest(datasource, reader, author="simon", message="all at once")
    assert (report.rows, report.new_datapoints) == (3000, 3000)
    commits = engine.queries.commits(datasource)
    assert len(commits) == before + 1
    assert (commits[0].author, commits[0].message, commits[0].kind) == ("simon", "all at once", "upload")
    assert engine.queries.count(datasource, Query(Compare("episode", Op.GE, 1000))) == 2000


def test_blobs_are_stored_once_and_stand_as_hashes(engine: Engine, datasource: DatasourceRecord) -> None:
    digest = hashlib.sha256(b"mask").hexdigest()
    upload(engine, datasource, path=["001.txt", "002.txt"], mask=pa.array([b"mask", b"mask"], pa.binary()))
    assert rows_of(engine, datasource)["002.txt"]["mask"] == digest
    assert engine.blobs.read(digest) == b"mask"
    packed = base64.b64encode(gzip.compress(b"other")).decode()
    update(engine, datasource, entry("mask", packed, FieldType.BLOB))
    other = rows_of(engine, datasource)["001.txt"]["mask"]
    assert engine.blobs.read(other) == b"other"


@pytest.mark.parametrize(
    ("columns", "error", "words"),
    [
        ({"path": ["001.txt", "002.txt"], "episode": ["x", None]}, FieldTypeError, "001.txt.*episode.*INTEGER"),
        ({"path": ["001.txt", "b.txt"], "episode": [None, 1.5]}, FieldTypeError, r"b\.txt.*episode.*INTEGER.*FLOAT"),
        ({"path": ["new.txt", "002.txt"], "episode": [True, False]}, FieldTypeError, "BOOLEAN"),
        ({"path": ["new.txt"], "episode": [[1]]}, FieldTypeError, "list of INTEGER"),
        ({"path": ["new.txt", "/abs"], "episode": [1, 2]}, InvalidPathError, "/abs"),
        ({"path": ["new.txt", ""], "episode": [1, 2]}, InvalidPathError, "empty"),
        ({"path": ["new.txt", "a/../b"], "episode": [1, 2]}, InvalidPathError, r"\.\."),
        ({"path": ["new.txt", None], "episode": [1, 2]}, InvalidPathError, "path"),
        ({"path": ["new.txt"], "size": [1]}, AutomaticFieldError, "size"),
        ({"path": ["new.txt"], "fresh": [1], "dagshub_download_url": ["x"]}, PathlakeError, "dagshub_download_url"),
    ],
)
def test_a_bad_upload_changes_nothing(
    engine: Engine, datasource: DatasourceRecord, columns: dict[str, Any], error: type[PathlakeError], words: str
) -> None:
    upload(engine, datasource, path=["001.txt"], episode=[1])
    before = state(engine, datasource)
    with pytest.raises(error, match=words):
        upload(engine, datasource, **columns)
    assert state(engine, datasource) == before


def test_a_stream_that_breaks_in_the_middle_changes_nothing(engine: Engine, datasource: DatasourceRecord) -> None:
    before = state(engine, datasource)
    columns: dict[str, Any] = {"path": [f"{n}.txt" for n in range(1000)], "fresh": list(range(1000))}
    batch = pa.record_batch(columns)

    def batches() -> Iterator[pa.RecordBatch]:
        yield batch
        raise OSError("the client is gone")

    reader = pa.RecordBatchReader.from_batches(batch.schema, batches())
    with pytest.raises(OSError, match="the client is gone"):
        engine.metadata.ingest(datasource, reader, author="simon")
    assert state(engine, datasource) == before


def test_entries_of_the_official_client_are_coerced_and_collected(engine: Engine, datasource: DatasourceRecord) -> None:
    paths = update(
        engine,
        datasource,
        entry("episode", "5", FieldType.INTEGER),
        entry("score", "0.5", FieldType.FLOAT),
        entry("good", "True", FieldType.BOOLEAN),
        entry("note", "", FieldType.STRING),
        entry("labels", "cat", FieldType.STRING, many=True),
        MetadataEntry("new.txt", "when", "1649152800999", FieldType.DATETIME, False, "+05:30"),
    )
    assert paths == ["001.txt", "new.txt"]
    update(engine, datasource, entry("score", "3", FieldType.INTEGER), entry("episode", "6.0", FieldType.FLOAT))
    update(engine, datasource, *(entry("labels", name, FieldType.STRING, many=True) for name in ("dog", "cat")))
    rows = rows_of(engine, datasource)
    first = rows["001.txt"]
    assert (first["episode"], first["score"], first["good"], first["note"]) == (6, 3.0, True, "")
    assert first["labels"] == ["cat", "dog"]
    assert rows["new.txt"]["when"] == dt.datetime(2022, 4, 5, 10, 0, 0, 999000, dt.UTC)
    assert update(engine, datasource) == []


def test_one_bad_entry_keeps_all_the_others_out(engine: Engine, datasource: DatasourceRecord) -> None:
    update(engine, datasource, entry("episode", "5", FieldType.INTEGER))
    before = state(engine, datasource)
    good = [entry("fresh", str(n), FieldType.INTEGER, path=f"{n}.txt") for n in range(20)]
    with pytest.raises(FieldTypeError, match=r"001\.txt.*'episode' is INTEGER.*STRING"):
        update(engine, datasource, *good, entry("episode", "str", FieldType.INTEGER))
    assert state(engine, datasource) == before


def test_a_list_split_over_requests_is_joined(engine: Engine, datasource: DatasourceRecord) -> None:
    labels = [f"label-{number}" for number in range(15)]
    for chunk in (labels[:1], labels[1:11], labels[11:]):
        update(engine, datasource, *(entry("labels", one, FieldType.STRING, many=True) for one in chunk))
    assert rows_of(engine, datasource)["001.txt"]["labels"] == labels


def test_values_and_datapoints_are_deleted(engine: Engine, datasource: DatasourceRecord) -> None:
    upload(engine, datasource, path=["001.txt", "002.txt"], episode=[1, 2], note=["a", "b"])
    ids = {path: row["datapoint_id"] for path, row in rows_of(engine, datasource).items()}
    assert engine.metadata.delete_values(datasource, [(ids["001.txt"], "note")], author="simon") == ["001.txt"]
    rows = rows_of(engine, datasource)
    assert "note" not in rows["001.txt"]
    assert (rows["001.txt"]["episode"], rows["002.txt"]["note"]) == (1, "b")
    before = state(engine, datasource)
    with pytest.raises(FieldNotFoundError):
        engine.metadata.delete_values(datasource, [(ids["001.txt"], "nothing")], author="simon")
    with pytest.raises(DatapointNotFoundError):
        engine.metadata.delete_datapoints(datasource, [ids["001.txt"], 10**9], author="simon")
    assert state(engine, datasource) == before
    assert engine.metadata.delete_datapoints(datasource, [ids["002.txt"]], author="simon") == ["002.txt"]
    assert list(rows_of(engine, datasource)) == ["001.txt", "more/003.txt"]


def test_fields_are_made_and_described(engine: Engine, datasource: DatasourceRecord) -> None:
    field = Field("mask", FieldType.BLOB, tags=("annotation",), description="What is where.")
    assert engine.metadata.put_fields(datasource, [field], author="simon") == [field]
    tagged = field.with_tags(["document"])
    assert engine.metadata.put_fields(datasource, [tagged], author="simon")[0].tags == ("document",)
    with pytest.raises(FieldTypeError):
        engine.metadata.put_fields(datasource, [Field("mask", FieldType.STRING)], author="simon")


def test_queries_select_order_and_page(engine: Engine, datasource: DatasourceRecord) -> None:
    upload(engine, datasource, path=["001.txt", "002.txt", "more/003.txt"], episode=[3, 1, 2])
    query = Query(select=(Selection("episode", "e"),), order_by=(Order("episode"),))
    assert [row["e"] for row in rows_of(engine, datasource, query).values()] == [1, 2, 3]
    rows = engine.queries.rows(datasource, query, offset=1)
    snapshot = rows.snapshot
    assert [row["e"] for batch in rows for row in batch.to_pylist()] == [2, 3]
    upload(engine, datasource, path=["001.txt"], episode=[0])
    again = engine.queries.rows(datasource, query, snapshot=snapshot)
    assert [row["e"] for batch in again for row in batch.to_pylist()] == [1, 2, 3]
    unknown = Query(select=(Selection("episode"), Selection("nothing")))
    found = engine.queries.rows(datasource, unknown)
    assert [name for name, _ in found.fields] == ["episode"]
    found.close()
    with pytest.raises(QueryError):
        engine.queries.count(datasource, Query(Compare("episode", Op.EQ, "x")))


def test_history_says_when_datapoints_changed(engine: Engine, datasource: DatasourceRecord) -> None:
    upload(engine, datasource, path=["001.txt"], episode=[1])
    between = engine.queries.commits(datasource)[0].at
    upload(engine, datasource, path=["001.txt"], episode=[2])
    moments = engine.queries.datapoint_history(datasource, ["001.txt"], fields=["episode"])["001.txt"]
    # The first is the scan that found the file.
    assert len(moments) == 3
    assert moments == sorted(moments)
    later = engine.queries.datapoint_history(
        datasource, ["001.txt"], fields=["episode"], since=between + dt.timedelta(microseconds=1)
    )
    assert later["001.txt"] == moments[2:]
    earlier = engine.queries.datapoint_history(datasource, ["001.txt"], fields=["episode"], until=between)
    assert earlier["001.txt"] == moments[:2]
