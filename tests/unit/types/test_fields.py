from __future__ import annotations

from typing import Any

import pytest

from pathlake.errors import FieldNotFoundError, InvalidNameError, InvalidPathError
from pathlake.types import Field, FieldType, Schema, checked_field_name, checked_path

EPISODE = Field("episode", FieldType.INTEGER)
LABELS = Field("labels", FieldType.STRING, multiple=True)
SCHEMA = Schema((EPISODE, LABELS))


def test_type_names() -> None:
    assert str(EPISODE) == "episode: INTEGER"
    assert str(LABELS) == "labels: list of STRING"


def test_tags_are_sorted_and_single() -> None:
    assert EPISODE.with_tags(["b", "a", "b"]).tags == ("a", "b")


def test_schemas_find_fields() -> None:
    assert "episode" in SCHEMA
    assert "Episode" not in SCHEMA
    assert SCHEMA.names == ("episode", "labels")
    assert SCHEMA.get("nope") is None
    assert SCHEMA.resolve("path").type is FieldType.STRING
    assert SCHEMA.resolve("datapoint_id").type is FieldType.INTEGER


@pytest.mark.parametrize(("typo", "meant"), [("episod", "episode"), ("EPISODE", "episode"), ("pth", "path")])
def test_unknown_fields_suggest_the_nearest(typo: str, meant: str) -> None:
    with pytest.raises(FieldNotFoundError, match=f"Did you mean '{meant}'"):
        SCHEMA.resolve(typo)


def test_a_field_takes_the_place_of_its_namesake() -> None:
    other = Field("episode", FieldType.FLOAT)
    assert SCHEMA.with_field(other).fields == (other, LABELS)
    assert SCHEMA.with_field(Field("new", FieldType.BLOB)).names == ("episode", "labels", "new")


@pytest.mark.parametrize("name", ["episode", "odd name", "größe", "a.b", "x" * 256, '"'])
def test_names_that_fields_may_have(name: str) -> None:
    assert checked_field_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "path", "datapoint_id", "dagshub_download_url", "a\nb", "\0", "\ud800", "x" * 257, 5]
)
def test_names_that_fields_may_not_have(name: Any) -> None:
    with pytest.raises(InvalidNameError):
        checked_field_name(name)


@pytest.mark.parametrize(
    "path", ["a", "images/005.jpg", ".hidden", "a/.b/..c", "a b/ü#?.txt", "x" * 4096, "...", "a/b..c"]
)
def test_paths(path: str) -> None:
    assert checked_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "/a", ".", "..", "./a", "../a", "a/..", "a/./b", "a/../b", "a//b", "a/", "a\0b", "\ud800", "x" * 4097,
     "ü" * 2049,
     5, None, b"a"],
    ids=repr,
)  # fmt: skip
def test_no_paths(path: Any) -> None:
    with pytest.raises(InvalidPathError):
        checked_path(path)
