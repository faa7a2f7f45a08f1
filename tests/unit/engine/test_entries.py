from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
from pathlib import Path

import pytest

from pathlake.engine.blobs import Blobs
from pathlake.engine.entries import entries_table
from pathlake.engine.metadata import MetadataEntry
from pathlake.errors import (
    AutomaticFieldError,
    FieldTypeError,
    InvalidNameError,
    InvalidPathError,
    InvalidValueError,
    PathlakeError,
)
from pathlake.types import Field, FieldType, Schema
from pathlake.types.columns import field_of, zone_column_name

STORED = Schema(
    (
        Field("episode", FieldType.INTEGER),
        Field("score", FieldType.FLOAT),
        Field("good", FieldType.BOOLEAN),
        Field("note", FieldType.STRING),
        Field("when", FieldType.DATETIME),
        Field("labels", FieldType.STRING, multiple=True),
        Field("doc", FieldType.BLOB),
    )
)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content)).decode()


def one(key: str, value: str, kind: FieldType, *, many: bool = False, zone: str | None = None) -> MetadataEntry:
    return MetadataEntry("a.jpg", key, value, kind, many, zone)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (one("episode", "5", FieldType.INTEGER), 5),
        (one("episode", "-9223372036854775808", FieldType.INTEGER), -(2**63)),
        (one("episode", "2.0", FieldType.FLOAT), 2),
        (one("episode", "2.0", FieldType.INTEGER), 2),
        (one("episode", "nan", FieldType.INTEGER), None),
        (one("score", "0.5", FieldType.FLOAT), 0.5),
        (one("score", "3", FieldType.INTEGER), 3.0),
        (one("score", "1e+300", FieldType.FLOAT), 1e300),
        (one("score", "-inf", FieldType.FLOAT), float("-inf")),
        (one("score", "nan", FieldType.FLOAT), None),
        (one("good", "True", FieldType.BOOLEAN), True),
        (one("good", "False", FieldType.BOOLEAN), False),
        (one("note", "", FieldType.STRING), ""),
        (one("note", "5", FieldType.STRING), "5"),
        (one("labels", "cat", FieldType.STRING, many=True), ["cat"]),
        (one("labels", "cat", FieldType.STRING), ["cat"]),
        (one("doc", packed(b"text"), FieldType.BLOB), hashlib.sha256(b"text").hexdigest()),
        (one("doc", packed(b""), FieldType.BLOB), hashlib.sha256(b"").hexdigest()),
        (one("when", "1649152800999", FieldType.DATETIME), dt.datetime(2022, 4, 5, 10, 0, 0, 999000, dt.UTC)),
        (one("when", "-1", FieldType.INTEGER), dt.datetime(1969, 12, 31, 23, 59, 59, 999000, dt.UTC)),
        (one("fresh", "7", FieldType.INTEGER), 7),
    ],
)
def test_a_value_is_read_as_its_field_has_it(entry: MetadataEntry, expected: object, blobs: Blobs) -> None:
    table = entries_table([entry], STORED, blobs)
    assert table.column("path").to_pylist() == ["a.jpg"]
    assert table.column(entry.key).to_pylist() == [expected]
    stored = STORED.get(entry.key)
    if stored is not None:
        found = field_of(table.schema.field(entry.key))
        assert (found.type, found.multiple) == (stored.type, stored.multiple)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (one("episode", "str", FieldType.INTEGER), ["'a.jpg'", "'episode' is INTEGER", "is STRING"]),
        (one("episode", "3.7", FieldType.INTEGER), ["'episode' is INTEGER", "is FLOAT"]),
        (one("episode", "inf", FieldType.FLOAT), ["'episode' is INTEGER", "FLOAT"]),
        (one("episode", "True", FieldType.BOOLEAN), ["'episode' is INTEGER", "is BOOLEAN"]),
        (one("good", "1", FieldType.INTEGER), ["'good' is BOOLEAN", "is INTEGER"]),
        (one("good", "yes", FieldType.BOOLEAN), ["'good' is BOOLEAN", "is STRING"]),
        (one("note", "5", FieldType.INTEGER), ["'note' is STRING", "is INTEGER"]),
        (one("score", "x", FieldType.FLOAT), ["'score' is FLOAT", "is STRING"]),
        (one("score", "1", FieldType.FLOAT, many=True), ["'score' is FLOAT", "list of FLOAT"]),
        (one("labels", "1", FieldType.INTEGER, many=True), ["'labels' is list of STRING", "INTEGER"]),
        (one("when", "soon", FieldType.DATETIME), ["'when' is DATETIME", "is STRING"]),
    ],
)
def test_a_value_of_another_type_names_path_field_and_both_types(
    entry: MetadataEntry, words: list[str], blobs: Blobs
) -> None:
    with pytest.raises(FieldTypeError) as caught:
        entries_table([entry], STORED, blobs)
    assert all(word in caught.value.message for word in words)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (one("episode", str(2**63), FieldType.INTEGER), InvalidValueError),
        (one("when", str(10**20), FieldType.DATETIME), InvalidValueError),
        (one("when", "5", FieldType.DATETIME, zone="+5"), InvalidValueError),
        (one("doc", "no base64!", FieldType.BLOB), InvalidValueError),
        (one("doc", base64.b64encode(b"no gzip").decode(), FieldType.BLOB), InvalidValueError),
        (one("doc", base64.b64encode(gzip.compress(b"x" * 999)[:20]).decode(), FieldType.BLOB), InvalidValueError),
        (one("note", "\ud800", FieldType.STRING), InvalidValueError),
        (one("size", "5", FieldType.INTEGER), AutomaticFieldError),
        (one("path", "x", FieldType.STRING), InvalidNameError),
        (one("", "x", FieldType.STRING), InvalidNameError),
        (MetadataEntry("../a", "note", "x", FieldType.STRING), InvalidPathError),
        (MetadataEntry("", "note", "x", FieldType.STRING), InvalidPathError),
    ],
)
def test_bad_entries_store_nothing(entry: MetadataEntry, error: type[PathlakeError], blobs: Blobs) -> None:
    good = MetadataEntry("b.jpg", "doc", packed(b"kept out"), FieldType.BLOB)
    with pytest.raises(error):
        entries_table([good, entry], STORED, blobs)
    assert not blobs._root.exists()


def test_the_last_value_of_a_path_wins_and_lists_collect(blobs: Blobs) -> None:
    entries = [
        one("episode", "1", FieldType.INTEGER),
        one("labels", "cat", FieldType.STRING, many=True),
        MetadataEntry("b.jpg", "episode", "9", FieldType.INTEGER),
        one("episode", "2", FieldType.INTEGER),
        one("labels", "dog", FieldType.STRING, many=True),
        one("episode", "nan", FieldType.FLOAT),
    ]
    table = entries_table(entries, STORED, blobs)
    assert table.to_pylist() == [
        {"path": "a.jpg", "episode": 2, "labels": ["cat", "dog"]},
        {"path": "b.jpg", "episode": 9, "labels": None},
    ]


def test_zones_stand_beside_their_moments(blobs: Blobs) -> None:
    entries = [
        one("when", "0", FieldType.DATETIME, zone="-04:30"),
        MetadataEntry("b.jpg", "when", "0", FieldType.DATETIME),
        MetadataEntry("c.jpg", "when", "0", FieldType.DATETIME, False, "+05:30"),
        MetadataEntry("c.jpg", "when", "1", FieldType.DATETIME),
    ]
    table = entries_table(entries, STORED, blobs)
    assert table.column(zone_column_name("when")).to_pylist() == [-210, None, None]


def test_a_new_field_of_ints_and_floats_is_a_float(blobs: Blobs) -> None:
    entries = [one("fresh", "1", FieldType.INTEGER), MetadataEntry("b.jpg", "fresh", "2.5", FieldType.FLOAT)]
    table = entries_table(entries, STORED, blobs)
    assert table.column("fresh").to_pylist() == [1.0, 2.5]
    assert field_of(table.schema.field("fresh")).type is FieldType.FLOAT


def test_a_new_field_of_two_types_is_refused(blobs: Blobs) -> None:
    entries = [one("fresh", "1", FieldType.INTEGER), MetadataEntry("b.jpg", "fresh", "x", FieldType.STRING)]
    with pytest.raises(FieldTypeError, match=r"'b\.jpg'.*'fresh' is INTEGER.*is STRING"):
        entries_table(entries, STORED, blobs)
