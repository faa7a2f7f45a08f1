"""Which columns hold which fields."""

from __future__ import annotations

import pytest

from pathlake.errors import FieldNotFoundError
from pathlake.lake.definitions import MAX_COLUMN_BYTES, Definition, free_name, initial_definition, sql_type
from pathlake.types import AUTOMATIC_FIELDS, Field, FieldType


def grown(*fields: Field) -> Definition:
    definition = initial_definition()
    for field in fields:
        definition = definition.with_columns([definition.new_column(field)])
    return definition


def test_a_column_is_named_after_its_field() -> None:
    definition = grown(Field("episode", FieldType.INTEGER), Field('say "hi"', FieldType.STRING))
    assert definition.resolve("episode").name == "episode"
    assert definition.resolve('say "hi"').quoted == '"say ""hi"""'


def test_names_the_database_cannot_tell_apart_get_other_columns() -> None:
    fields = [Field(name, FieldType.INTEGER) for name in ("x", "X", "x_2", "Size", "_MISSING", "RowId", "ctid")]
    definition = grown(*fields)
    names = [column.name.casefold() for column in definition]
    assert len(set(names)) == len(names)
    assert [definition.resolve(field.name).field for field in fields] == fields
    assert not {"_missing", "rowid", "ctid", "path", "datapoint_id"} & set(names)


def test_long_names_are_shortened_and_stay_apart() -> None:
    definition = grown(Field("é" * 100, FieldType.INTEGER), Field("é" * 100 + "!", FieldType.DATETIME))
    for column in definition.columns[-2:]:
        assert len(column.name.encode()) <= MAX_COLUMN_BYTES
        assert column.zone is None or len(column.zone.encode()) <= MAX_COLUMN_BYTES
    assert definition.columns[-1].name != definition.columns[-2].name


def test_only_a_single_datetime_has_a_zone_column() -> None:
    definition = grown(
        Field("t_zone", FieldType.STRING),
        Field("t", FieldType.DATETIME),
        Field("ts", FieldType.DATETIME, multiple=True),
    )
    assert definition.resolve("t").zone == "t_zone_2"
    assert definition.resolve("ts").zone is None
    assert sql_type(definition.resolve("ts").field) == "TIMESTAMP[]"


def test_automatic_fields_are_shown_once_they_have_values() -> None:
    definition = initial_definition()
    assert definition.schema.names == ("size", "last_modified", "media_type", "etag")
    assert len(definition.columns) == len(AUTOMATIC_FIELDS)
    with pytest.raises(FieldNotFoundError):
        definition.resolve("width")
    assert definition.get("width") is not None
    assert definition.resolve("path").name == "path"


@pytest.mark.parametrize(
    ("wanted", "taken", "given"), [("a", set(), "a"), ("A", {"a"}, "A_2"), ("a", {"a", "a_2"}, "a_3")]
)
def test_free_names_count_up(wanted: str, taken: set[str], given: str) -> None:
    assert free_name(wanted, taken) == given
