from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pathlake.engine.blobs import Blobs
from pathlake.engine.uploads import canonical_stream
from pathlake.errors import InvalidNameError, InvalidPathError, InvalidValueError, PathlakeError, UsageError
from pathlake.types import FieldType
from pathlake.types.columns import field_of, zone_column_name


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


def canonical(blobs: Blobs, *batches: pa.RecordBatch) -> pa.Table:
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    schema, out = canonical_stream(reader, blobs)
    return pa.Table.from_batches(list(out), schema)


def batch(**columns: Any) -> pa.RecordBatch:
    return pa.record_batch(columns)


def batch_of(columns: dict[str, Any]) -> pa.RecordBatch:
    return pa.record_batch(columns)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_bytes_become_hashes_batch_by_batch(blobs: Blobs) -> None:
    first = batch(path=["a", "b"], mask=pa.array([b"one", None], pa.large_binary()))
    second = batch(path=["c"], mask=pa.array([b"two"], pa.large_binary()))
    table = canonical(blobs, first, second)
    assert table.column("mask").to_pylist() == [digest(b"one"), None, digest(b"two")]
    assert field_of(table.schema.field("mask")).type is FieldType.BLOB
    assert blobs.read(digest(b"two")) == b"two"


def test_batches_are_read_only_when_asked_for(blobs: Blobs) -> None:
    one = batch(path=["a"], n=[1])
    reads: list[int] = []

    def source() -> Any:
        for number in range(3):
            reads.append(number)
            yield one

    _, out = canonical_stream(pa.RecordBatchReader.from_batches(one.schema, source()), blobs)
    assert reads == []
    next(out)
    assert reads == [0]


def test_lists_of_bytes_become_lists_of_hashes(blobs: Blobs) -> None:
    table = canonical(
        blobs, batch(path=["a", "b", "c"], masks=pa.array([[b"x", b"y"], None, []], pa.list_(pa.binary())))
    )
    assert table.column("masks").to_pylist() == [[digest(b"x"), digest(b"y")], None, []]
    found = field_of(table.schema.field("masks"))
    assert (found.type, found.multiple) == (FieldType.BLOB, True)


def test_a_slice_of_a_list_column_keeps_its_own_rows(blobs: Blobs) -> None:
    whole = batch(path=["a", "b", "c"], masks=pa.array([[b"x"], [b"y", b"z"], [b"x"]], pa.list_(pa.binary())))
    table = canonical(blobs, whole.slice(1, 2))
    assert table.column("masks").to_pylist() == [[digest(b"y"), digest(b"z")], [digest(b"x")]]


def test_plain_arrow_types_become_canonical_ones(blobs: Blobs) -> None:
    given = batch(
        path=pa.array(["a", "b"], pa.dictionary(pa.int8(), pa.string())),
        n=pa.array([1, None], pa.uint8()),
        x=pa.array([1.5, float("nan")], pa.float32()),
        s=pa.array(["u", "v"]).dictionary_encode(),
        nothing=pa.nulls(2),
    )
    table = canonical(blobs, given)
    assert table.schema.names == ["path", "n", "x", "s"]
    assert [str(kind) for kind in table.schema.types] == ["string", "int64", "double", "string"]
    assert table.to_pylist() == [
        {"path": "a", "n": 1, "x": 1.5, "s": "u"},
        {"path": "b", "n": None, "x": None, "s": "v"},
    ]


def test_moments_keep_the_zone_they_were_given_in(blobs: Blobs) -> None:
    at = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)
    zone = zone_column_name("when")
    given = pa.record_batch(
        [pa.array(["a"]), pa.array([at], pa.timestamp("us", "UTC")), pa.array([330], pa.int16())],
        names=["path", "when", zone],
    )
    assert canonical(blobs, given).to_pylist() == [{"path": "a", "when": at, zone: 330}]
    named = batch(path=["a"], when=pa.array([at], pa.timestamp("ms", "Europe/Berlin")))
    assert canonical(blobs, named).to_pylist() == [{"path": "a", "when": at, zone: 120}]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (batch_of({"n": [1]}), UsageError, "no column 'path'"),
        (pa.record_batch([pa.array(["a"]), pa.array([1]), pa.array([2])], names=["path", "n", "n"]), UsageError, "'n'"),
        (batch_of({"path": [1]}), InvalidPathError, "strings"),
        (batch_of({"path": ["a"], "d": [{"x": 1}]}), InvalidValueError, "'d'"),
        (batch_of({"path": ["a"], "d": [[[1]]]}), InvalidValueError, "'d'"),
        (batch_of({"path": ["a"], "datapoint_id": [1]}), InvalidNameError, "datapoint_id"),
        (batch_of({"path": ["a", "b"], "n": pa.array([1, 2**63], pa.uint64())}), InvalidValueError, "'b'"),
        (batch_of({"path": ["a"], "n": [[1, None]]}), InvalidValueError, "'a'"),
    ],
)
def test_what_no_field_can_hold_is_refused(
    given: pa.RecordBatch, error: type[PathlakeError], words: str, blobs: Blobs
) -> None:
    with pytest.raises(error, match=words):
        canonical(blobs, given)
