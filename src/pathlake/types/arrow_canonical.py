"""Typed Arrow data as the canonical column of a field, and one field's column as another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from pathlake.errors import FieldTypeError, InvalidValueError
from pathlake.types.arrow_moments import MomentOutOfRangeError, canonical_moments
from pathlake.types.arrow_types import (
    ArrowArray,
    arrow_type,
    element_type,
    type_of_arrow,
    unsupported_column,
)
from pathlake.types.fields import Field, FieldType

Column: TypeAlias = tuple[ArrowArray, ArrowArray | None, Field]
"""Canonical array, zone companion of a single-valued DATETIME column, and the field they make."""


def column_from_arrow(name: str, array: ArrowArray, paths: Sequence[str]) -> Column | None:
    """Return typed Arrow data as a field's column, or None if it holds no value at all.

    Takes every Arrow type that a field can hold: integers of any width, floats and decimals, booleans, strings and
    bytes in all layouts, dates and timestamps of any unit, dictionaries of these, and lists of these. NaN becomes
    null. Timestamps without a zone, and dates, are in this machine's zone; a named zone counts with its offset at that
    moment. A column of nothing but missing values and empty lists of no type is None.

    Args:
        name: Name of the field.
        array: One value per row.
        paths: Path of each row, for messages.

    Returns:
        The canonical array (`arrow_type`; BLOB columns hold the bytes themselves), the zones (int16 minutes) of a
        DATETIME column that holds no lists, and the field.

    Raises:
        InvalidValueError: No field can hold a value: structs, maps, nested lists, missing values in lists, integers
            beyond 64 bits, broken unicode, moments outside the years 1 to 9999. Names the path and the field.
    """
    flat = one_chunk(array)
    if pat.is_null(flat.type) or len(flat) == flat.null_count:
        return None
    element = element_type(flat.type)
    if element is None:
        values, zones, found = _canonical(name, flat, paths)
        return None if values.null_count == len(values) else (values, zones, Field(name, found))
    return _list_column(name, flat, paths)


def coerce_column(array: ArrowArray, given: Field, stored: Field, paths: Sequence[str]) -> ArrowArray:
    """Return a column of field `given` as the canonical array of field `stored`.

    Integers fit into FLOAT (rounded beyond 2**53) and floats without a fraction into INTEGER, in lists too; everything
    else must be of the stored type. A BLOB column of bytes stays bytes, one of hashes stays hashes.

    Args:
        array: One value per row, of an Arrow type that `field_of` reads as `given`.
        given: What the column holds.
        stored: What it is to hold.
        paths: Path of each row, for messages.

    Raises:
        FieldTypeError: A value does not fit; names the path of the first one, the field and both types.
        InvalidValueError: A value that no field can hold.
    """
    flat = one_chunk(array)
    target = arrow_type(stored)
    if pat.is_null(flat.type) or len(flat) == flat.null_count:
        return pa.array([None] * len(flat), target)
    allowed = given.type is stored.type or {given.type, stored.type} == {FieldType.INTEGER, FieldType.FLOAT}
    if given.multiple != stored.multiple or not allowed:
        raise _mismatch(flat, given, stored, paths)
    column = column_from_arrow(stored.name, flat, paths)
    if column is None:
        return pa.array([None] * len(flat), target)
    canonical, _, found = column
    if found.type is FieldType.STRING and stored.type is FieldType.BLOB:
        return canonical  # hashes
    if found.type is stored.type:
        return canonical
    if not stored.multiple:
        return _as_number(canonical, stored, paths)
    parents = ElementPaths(list_lengths(canonical), paths)
    values = _as_number(canonical.flatten(), replace(stored, multiple=False), parents, given=given)
    return lists_of(values, list_lengths(canonical), missing=canonical.is_null())


def one_chunk(array: ArrowArray) -> ArrowArray:
    """Return an array in one piece, dictionaries and runs decoded."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.bool8":
        array = array.cast(pa.bool_())
    if isinstance(array, pa.ChunkedArray):
        if array.num_chunks == 1:
            array = array.chunk(0)
        else:
            joined: Any = array.combine_chunks()
            array = pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined
    if pat.is_dictionary(kind):
        return array.dictionary_decode()
    if pat.is_run_end_encoded(kind):
        decode: Any = pc.run_end_decode  # type: ignore[attr-defined]
        return decode(array)
    return array


class ElementPaths(Sequence[str]):
    """The path of the row each list element belongs to, worked out when asked for."""

    def __init__(self, lengths: npt.NDArray[np.int64], paths: Sequence[str]) -> None:
        self._lengths = lengths
        self._paths = paths

    def __len__(self) -> int:
        return int(self._lengths.sum())

    def __getitem__(self, index: Any) -> Any:
        return path_at(self._paths, int(np.searchsorted(np.cumsum(self._lengths), index, side="right")))


def list_lengths(lists: ArrowArray) -> npt.NDArray[np.int64]:
    """Return how many elements each list has, none where it is missing."""
    lengths: Any = pc.list_value_length(lists)
    lengths = lengths.fill_null(0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), dtype=np.int64)


def lists_of(values: ArrowArray, lengths: npt.NDArray[np.int64], *, missing: ArrowArray) -> ArrowArray:
    """Return `values` cut into lists of the given lengths, null where `missing` says so.

    Raises:
        InvalidValueError: There are more elements than one batch of lists can hold.
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if offsets[-1] > 2**31 - 1:
        raise InvalidValueError("The lists of one batch hold more than 2**31 elements; give fewer rows at a time.")
    make: Any = pa.ListArray.from_arrays
    return make(pa.array(offsets.astype(np.int32)), values, mask=missing)


def path_at(paths: Any, index: int) -> str:
    """Return a row's path from whatever sequence holds the paths."""
    values = getattr(paths, "iloc", paths)  # a pandas Series counts by position only there
    value = values[index]
    return str(value.as_py() if isinstance(value, pa.Scalar) else value)


def too_large(name: str, path: str, value: object) -> InvalidValueError:
    """Return the error for an integer beyond 64 bits."""
    return InvalidValueError(
        f"{path!r}: the value {value} of field {name!r} does not fit into 64 bits.", {"path": path, "field": name}
    )


def broken_text(name: str, path: str) -> InvalidValueError:
    """Return the error for text that is no unicode."""
    return InvalidValueError(
        f"{path!r}: the value of field {name!r} is not valid unicode.", {"path": path, "field": name}
    )


def missing_element(name: str, path: str) -> InvalidValueError:
    """Return the error for a missing value in a list."""
    return InvalidValueError(
        f"{path!r}: the list in field {name!r} holds a missing value (None or NaN); leave it out.",
        {"path": path, "field": name},
    )


def _list_column(name: str, lists: ArrowArray, paths: Sequence[str]) -> Column | None:
    # No cast between list layouts: pyarrow's breaks list views that hold nulls.
    flat = one_chunk(lists.flatten())
    parents = ElementPaths(list_lengths(lists), paths)
    if element_type(flat.type) is not None or pat.is_nested(flat.type):
        raise unsupported_column(name, lists.type, _first(lists, paths))
    if pat.is_null(flat.type):
        if len(flat):
            raise missing_element(name, parents[0])
        return None
    values, _, found = _canonical(name, flat, parents)
    if values.null_count:
        raise missing_element(name, parents[_first_true(values.is_null())])
    return lists_of(values, list_lengths(lists), missing=lists.is_null()), None, Field(name, found, multiple=True)


def _canonical(name: str, array: ArrowArray, paths: Sequence[str]) -> tuple[ArrowArray, ArrowArray | None, FieldType]:
    found = type_of_arrow(array.type)
    if found is None:
        raise unsupported_column(name, array.type, _first(array, paths))
    match found:
        case FieldType.INTEGER:
            try:
                return array.cast(pa.int64()), None, found
            except pa.ArrowInvalid:
                index = _first_true(pc.greater(array, pa.scalar(2**63 - 1, pa.uint64())))
                raise too_large(name, path_at(paths, index), array[index].as_py()) from None
        case FieldType.FLOAT:
            numbers = array.cast(pa.float64(), safe=False)
            # Looking for a NaN is far quicker than replacing none.
            if pc.any(pc.is_nan(numbers)).as_py():
                numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
            return numbers, None, found
        case FieldType.STRING:
            return _text(name, array, paths), None, found
        case FieldType.BLOB:
            if pat.is_large_binary(array.type) and array.nbytes >= 2**31:
                return array, None, found
            return array.cast(pa.binary()), None, found
        case FieldType.DATETIME:
            try:
                moments, zones = canonical_moments(array)
            except MomentOutOfRangeError as error:
                path = path_at(paths, error.index)
                raise InvalidValueError(
                    f"{path!r}: the moment in field {name!r} lies outside the years 1 to 9999.",
                    {"path": path, "field": name},
                ) from None
            return moments, zones, found
    return array, None, found


def _text(name: str, array: ArrowArray, paths: Sequence[str]) -> ArrowArray:
    try:
        text = array.cast(pa.string())
        text.validate(full=True)
    except pa.ArrowInvalid:
        for index in range(len(array)):
            try:
                array.slice(index, 1).validate(full=True)
            except pa.ArrowInvalid:
                raise broken_text(name, path_at(paths, index)) from None
        raise InvalidValueError(
            f"The texts of field {name!r} exceed 2 GiB in one batch; give fewer rows at a time.", {"field": name}
        ) from None
    return text


def _as_number(array: ArrowArray, stored: Field, paths: Sequence[str], *, given: Field | None = None) -> ArrowArray:
    if stored.type is FieldType.FLOAT:
        return array.cast(pa.float64(), safe=False)
    filled: Any = pc.fill_null(array, 0.0)
    numbers = filled.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        unfit = ~((np.floor(numbers) == numbers) & (numbers >= -(2.0**63)) & (numbers < 2.0**63))
    if unfit.any():
        index = int(unfit.argmax())
        path = path_at(paths, index)
        source = given or replace(stored, type=FieldType.FLOAT)
        raise _type_error(path, array[index].as_py(), source, replace(stored, multiple=source.multiple))
    return array.cast(pa.int64())


def _mismatch(array: ArrowArray, given: Field, stored: Field, paths: Sequence[str]) -> FieldTypeError:
    index = _first_true(array.is_valid())
    return _type_error(path_at(paths, index), array[index].as_py(), given, stored)


def _type_error(path: str, value: object, given: Field, stored: Field) -> FieldTypeError:
    shown = f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)
    return FieldTypeError(
        f"{path!r}: the field {stored.name!r} is {stored.type_name}, but the value {shown[:80]} is "
        f"{given.type_name}. The type of a field never changes; use another field, or convert the value.",
        {"path": path, "field": stored.name, "stored": stored.type_name, "given": given.type_name},
    )


def _first(array: ArrowArray, paths: Sequence[str]) -> str:
    return path_at(paths, _first_true(array.is_valid()))


def _first_true(mask: Any) -> int:
    return int(pc.index(mask, True).as_py())
