"""Fields as Arrow types, and Arrow columns as fields."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.types as pat

from pathlake.errors import InvalidValueError
from pathlake.types.fields import Field, FieldType

ArrowArray: TypeAlias = Any
"""A pyarrow array, whole or (where a function takes data from outside) chunked; pyarrow's stubs know no common type."""

TYPE_KEY = b"pathlake.type"
MULTIPLE_KEY = b"pathlake.multiple"

_CANONICAL: dict[FieldType, pa.DataType] = {
    FieldType.INTEGER: pa.int64(),
    FieldType.FLOAT: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.STRING: pa.string(),
    FieldType.BLOB: pa.string(),
    FieldType.DATETIME: pa.timestamp("us", "UTC"),
}

ZONE_TYPE = pa.int16()
"""Type of the companion column of a DATETIME column: minutes east of UTC."""


def arrow_type(field: Field) -> pa.DataType:
    """Return the canonical Arrow type of a field's values; BLOB values are their hash as a string.

    Example:
        >>> arrow_type(Field("labels", FieldType.STRING, multiple=True))
        ListType(list<item: string>)
    """
    single = _CANONICAL[field.type]
    return pa.list_(single) if field.multiple else single


def zone_column_name(name: str) -> str:
    """Return the name of the column that holds the zones of DATETIME column `name`; no field can have that name."""
    return f"\x00zone:{name}"


def mark_field(
    name: str,
    field_type: FieldType,
    multiple: bool,  # noqa: FBT001 - reads as the third part of a definition
    *,
    data_type: pa.DataType | None = None,
) -> pa.Field[pa.DataType]:
    """Return an Arrow field that says which field it holds.

    Args:
        name: Name of the column.
        field_type: Type of its values.
        multiple: Whether they are lists.
        data_type: Arrow type where it is not the canonical one, such as binary for the content of blobs.
    """
    return pa.field(
        name,
        data_type or arrow_type(Field(name, field_type, multiple)),
        metadata={TYPE_KEY: str(field_type).encode(), MULTIPLE_KEY: b"1" if multiple else b"0"},
    )


def field_of(pa_field: pa.Field[pa.DataType]) -> Field:
    """Return the field that an Arrow column holds: what its marks say, else what its type means.

    Raises:
        InvalidValueError: The type can be no field's; the message names the column.
    """
    marks = pa_field.metadata or {}
    if TYPE_KEY in marks:
        try:
            marked = FieldType(marks[TYPE_KEY].decode())
        except ValueError:
            raise InvalidValueError(
                f"The column {pa_field.name!r} is marked with the unknown type {marks[TYPE_KEY]!r}."
            ) from None
        return Field(pa_field.name, marked, marks.get(MULTIPLE_KEY) == b"1")
    element = element_type(pa_field.type)
    found = type_of_arrow(element if element is not None else pa_field.type)
    if found is None:
        raise unsupported_column(pa_field.name, pa_field.type)
    return Field(pa_field.name, found, element is not None)


def element_type(data_type: pa.DataType) -> pa.DataType | None:
    """Return the type of a list type's elements, or None if it is no list type."""
    lists = (pat.is_list, pat.is_large_list, pat.is_fixed_size_list, pat.is_list_view, pat.is_large_list_view)
    if any(is_kind(data_type) for is_kind in lists):
        child: pa.DataType = data_type.field(0).type
        return child
    return None


def type_of_arrow(data_type: pa.DataType) -> FieldType | None:
    """Return the field type that single values of an Arrow type have, or None."""
    if pat.is_dictionary(data_type) or pat.is_run_end_encoded(data_type):
        return type_of_arrow(data_type.value_type)
    if pat.is_boolean(data_type):
        return FieldType.BOOLEAN
    if pat.is_integer(data_type):
        return FieldType.INTEGER
    if pat.is_floating(data_type) or pat.is_decimal(data_type):
        return FieldType.FLOAT
    if pat.is_string(data_type) or pat.is_large_string(data_type) or pat.is_string_view(data_type):
        return FieldType.STRING
    if is_bytes(data_type):
        return FieldType.BLOB
    if pat.is_timestamp(data_type) or pat.is_date(data_type):
        return FieldType.DATETIME
    return None


def is_bytes(data_type: pa.DataType) -> bool:
    """Tell whether values of an Arrow type are bytes."""
    kinds = (pat.is_binary, pat.is_large_binary, pat.is_binary_view, pat.is_fixed_size_binary)
    return any(is_kind(data_type) for is_kind in kinds)


def unsupported_column(name: str, data_type: pa.DataType, path: str | None = None) -> InvalidValueError:
    """Return the error that says that no field can hold a column's values."""
    where = f" (first at {path!r})" if path is not None else ""
    return InvalidValueError(
        f"No field can hold the values of column {name!r}{where}: their type is {data_type}. "
        "Fields hold numbers, booleans, strings, bytes, datetimes, and flat lists of them.",
        {"field": name, "path": path, "type": str(data_type)},
    )
