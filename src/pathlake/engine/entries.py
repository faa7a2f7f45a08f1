"""The official client's string entries, read into one Arrow table."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pathlake.engine.blobs import Blobs
from pathlake.errors import AutomaticFieldError, FieldTypeError, InvalidValueError, PathlakeError
from pathlake.types import AUTOMATIC_NAMES, Field, FieldType, Schema, checked_field_name, checked_path
from pathlake.types.columns import arrow_type, mark_field, zone_column_name
from pathlake.types.values import MAX_INTEGER, MIN_INTEGER, has_broken_unicode
from pathlake.types.zones import parse_official_zone

if TYPE_CHECKING:
    from pathlake.engine.metadata import MetadataEntry

MAX_BLOB_BYTES = 1 << 30
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_GZIP = 16 + zlib.MAX_WBITS
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def entries_table(entries: Sequence[MetadataEntry], schema: Schema, blobs: Blobs) -> pa.Table:
    """Return one row per path and one column per field; all entries are read before a blob is stored.

    Raises:
        FieldTypeError: A value cannot be read as its field's type; names path, field and both types.
        InvalidPathError, InvalidNameError, AutomaticFieldError, InvalidValueError: As they say.
    """
    fields = _fields(entries, schema)
    rows: dict[str, int] = {}
    cells: dict[str, dict[int, Any]] = {name: {} for name in fields}
    zones: dict[str, dict[int, int]] = {name: {} for name, field in fields.items() if _has_zone(field)}
    for entry in entries:
        row = rows.setdefault(checked_path(entry.url), len(rows))
        field = fields[entry.key]
        value = _value(entry, field)
        if value is None:
            continue
        column = cells[entry.key]
        if field.multiple:
            column.setdefault(row, []).append(value)
            continue
        column[row] = value
        if entry.key in zones:
            zones[entry.key].pop(row, None)
            if entry.time_zone is not None:
                zones[entry.key][row] = parse_official_zone(entry.time_zone)
    arrays: list[Any] = [pa.array(list(rows), pa.string())]
    columns: list[Any] = [pa.field("path", pa.string())]
    for name, field in fields.items():
        if field.type is FieldType.BLOB:
            _store(cells[name], blobs)
        arrays.append(pa.array([cells[name].get(row) for row in range(len(rows))], arrow_type(field)))
        columns.append(mark_field(name, field.type, field.multiple))
        if name in zones:
            arrays.append(pa.array([zones[name].get(row) for row in range(len(rows))], pa.int16()))
            columns.append(pa.field(zone_column_name(name), pa.int16()))
    return pa.Table.from_arrays(arrays, schema=pa.schema(columns))


def _fields(entries: Sequence[MetadataEntry], schema: Schema) -> dict[str, Field]:
    """Return the field of each key: the one that is there, or the one the entries make."""
    fields: dict[str, Field] = {}
    for entry in entries:
        if entry.key in AUTOMATIC_NAMES:
            raise AutomaticFieldError(
                f"{entry.url!r}: the field {entry.key!r} is filled by scans and cannot be written. Use another name."
            )
        there = schema.get(entry.key)
        known = fields.get(entry.key)
        given = Field(checked_field_name(entry.key), entry.value_type, entry.allow_multiple)
        if there is not None:
            if entry.allow_multiple and not there.multiple:
                raise _mismatch(entry, there, f"list of {entry.value_type}")
            fields[entry.key] = there
        elif known is None:
            fields[entry.key] = given
        else:
            fields[entry.key] = _joined(entry, known, given)
    return fields


def _joined(entry: MetadataEntry, known: Field, given: Field) -> Field:
    """Return the field that holds the values of two entries of one new key: ints and floats are floats."""
    if known.multiple != given.multiple:
        raise _mismatch(entry, known, given.type_name)
    if known.type is given.type:
        return known
    if {known.type, given.type} == {FieldType.INTEGER, FieldType.FLOAT}:
        return Field(known.name, FieldType.FLOAT, known.multiple)
    raise _mismatch(entry, known, given.type_name)


def _value(entry: MetadataEntry, field: Field) -> Any:
    """Return an entry's value in its field's type (content for a BLOB), or None if it means "not given"."""
    given = entry.value_type
    text = entry.value
    compatible = given is field.type or {given, field.type} <= {FieldType.INTEGER, FieldType.FLOAT}
    if not compatible and not (given is FieldType.INTEGER and field.type is FieldType.DATETIME):
        raise _mismatch(entry, field, str(given))
    try:
        match field.type:
            case FieldType.STRING:
                if has_broken_unicode(text):
                    raise InvalidValueError(f"The value of {field.name!r} at {entry.url!r} is not valid unicode.")
                return text
            case FieldType.BOOLEAN:
                return _TRUTH[text.lower()]
            case FieldType.INTEGER:
                return _integer(entry, field)
            case FieldType.FLOAT:
                number = float(text)
                return None if math.isnan(number) else number
            case FieldType.DATETIME:
                return _moment(entry, field)
            case FieldType.BLOB:
                return _content(entry, field)
    except PathlakeError:
        raise
    except (ValueError, KeyError, OverflowError) as error:
        raise _mismatch(entry, field, _kind_of(text)) from error


def _integer(entry: MetadataEntry, field: Field) -> int | None:
    try:
        number = int(entry.value)
    except ValueError:
        fraction = float(entry.value)
        if math.isnan(fraction):
            return None
        if not fraction.is_integer():
            raise _mismatch(entry, field, "FLOAT") from None
        number = int(fraction)
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        raise InvalidValueError(
            f"{number} at {entry.url!r} does not fit the field {field.name!r}: an INTEGER has 64 bits.",
            {"path": entry.url, "field": field.name},
        )
    return number


def _moment(entry: MetadataEntry, field: Field) -> dt.datetime:
    milliseconds = int(entry.value)
    try:
        return _EPOCH + dt.timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise InvalidValueError(
            f"{milliseconds} ms at {entry.url!r} does not fit the field {field.name!r}: a DATETIME lies within the "
            "years 1 to 9999.",
            {"path": entry.url, "field": field.name},
        ) from None


def _content(entry: MetadataEntry, field: Field) -> bytes:
    try:
        packed = base64.b64decode(entry.value, validate=True)
        reader = zlib.decompressobj(_GZIP)
        content = reader.decompress(packed, MAX_BLOB_BYTES)
        if not reader.eof:
            raise zlib.error("it is cut off" if not reader.unconsumed_tail else f"it is over {MAX_BLOB_BYTES:,} bytes")
    except (binascii.Error, zlib.error) as error:
        raise InvalidValueError(
            f"The value of the BLOB field {field.name!r} at {entry.url!r} is no base64 of gzip: {error}.",
            {"path": entry.url, "field": field.name},
        ) from error
    return content


def _store(column: dict[int, Any], blobs: Blobs) -> None:
    """Put the contents of a BLOB column in their place and their hashes into the column."""
    contents = [one for cell in column.values() for one in (cell if isinstance(cell, list) else [cell])]
    hashes = iter(blobs.put_many(contents))
    for row, cell in column.items():
        column[row] = [next(hashes) for _ in cell] if isinstance(cell, list) else next(hashes)


def _has_zone(field: Field) -> bool:
    return field.type is FieldType.DATETIME and not field.multiple


def _kind_of(text: str) -> str:
    """Name the type a text would have as a Python literal, for the message about a mismatch."""
    for kind, read in (("INTEGER", int), ("FLOAT", float)):
        try:
            read(text)
        except ValueError:
            continue
        return kind
    return "BOOLEAN" if text in ("True", "False") else "STRING"


def _mismatch(entry: MetadataEntry, field: Field, given: str) -> FieldTypeError:
    return FieldTypeError(
        f"{entry.url!r}: the field {field.name!r} is {field.type_name}, but the value {entry.value[:80]!r} is {given}. "
        "The type of a field never changes; use another field, or convert the value.",
        {"path": entry.url, "field": field.name, "stored": field.type_name, "given": given},
    )
