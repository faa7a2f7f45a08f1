"""Columns from Python objects: what type they have, and the one value that spoils it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pathlake.errors import FieldTypeError, InvalidValueError
from pathlake.types.arrow_canonical import (
    Column,
    ElementPaths,
    broken_text,
    column_from_arrow,
    lists_of,
    missing_element,
    path_at,
    too_large,
)
from pathlake.types.arrow_types import ZONE_TYPE, ArrowArray
from pathlake.types.fields import Field, FieldType
from pathlake.types.values import (
    MAX_INTEGER,
    MIN_INTEGER,
    Kind,
    has_broken_unicode,
    is_missing,
    kind_of_class,
    normalise_value,
)
from pathlake.types.zones import aware, offset_of

_OBJECT = np.dtype(object)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

_NUMERIC: frozenset[Kind] = frozenset({FieldType.INTEGER, FieldType.FLOAT})

_ARROW: dict[FieldType, pa.DataType] = {
    FieldType.INTEGER: pa.int64(),
    FieldType.FLOAT: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.STRING: pa.string(),
    FieldType.BLOB: pa.binary(),
}


def infer_column(
    name: str, values: Iterable[object], paths: Sequence[str], *, known: Field | None = None
) -> Column | None:
    """Return one field's values as a column, with the type they have, or None if none is given.

    None, NaN, NaT and pandas' NA are missing and become null. Ints among floats make FLOAT. Lists hold values of one
    type and nothing missing; an empty list is a value, but has no type: a column of nothing but empty lists and missing
    values is None, unless `known` says which list field it is for.

    Args:
        name: Name of the field.
        values: One value per row: a list of Python, numpy or pandas values, a numpy array (two-dimensional for lists
            of one length), a pandas or polars Series, or Arrow data.
        paths: Path of each row, for messages.
        known: The field as it is stored, where there is one; used for its type only when the values have none.

    Returns:
        The canonical array (BLOB: bytes), the zones in minutes of a DATETIME column without lists, and the field.

    Raises:
        FieldTypeError: The values mix types; names path, field and both types.
        InvalidValueError: A value that no field can hold; names path and field.

    Example:
        >>> array, zones, field = infer_column("score", [1, None, 2.5], ["a", "b", "c"])
        >>> array.to_pylist(), zones, str(field)
        ([1.0, None, 2.5], None, 'score: FLOAT')
    """
    typed = _typed(values)
    if typed is not None:
        return column_from_arrow(name, typed, paths)
    # A numpy array of objects, a pandas Series: plain lists are quicker to go through.
    objects = values if isinstance(values, list) else list(getattr(values, "to_list", values.__iter__)())
    kinds = _kinds(objects)
    if not kinds:
        return None
    _check_kinds(name, objects, paths, kinds, known=known)
    if "list" in kinds:
        return _list_column(name, objects, paths, known)
    found = FieldType.FLOAT if len(kinds) == 2 else next(iter(kinds))
    assert isinstance(found, FieldType)  # all else was refused
    array, zones = _scalar_array(name, objects, paths, found)
    return array, zones, Field(name, found)


def _typed(values: Any) -> ArrowArray | None:
    """Return Arrow data for what is typed already, or None for Python objects."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    library = type(values).__module__.partition(".")[0]
    try:
        if library == "polars" and str(values.dtype) != "Object":
            return values.to_arrow()
        if isinstance(values, np.ndarray) and values.dtype != _OBJECT and values.ndim == 2:
            flat = pa.array(values.ravel(), from_pandas=True)
            return pa.FixedSizeListArray.from_arrays(flat, values.shape[1]) if values.shape[1] else None
        if library in ("pandas", "numpy") and getattr(values, "dtype", _OBJECT) != _OBJECT:
            return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        # A category of mixed objects, an extension type Arrow does not know: their objects decide.
        return None
    return None


def _kinds(objects: list[Any]) -> set[Kind]:
    """Return the kinds of all values that are given."""
    classes = set(map(type, objects))
    kinds: set[Kind] = {kind_of_class(cls) for cls in classes} - {"missing"}
    if (FieldType.FLOAT in kinds and len(kinds) > 1) or kinds == {FieldType.FLOAT} or FieldType.DATETIME in kinds:
        # NaN and NaT hide among floats and moments.
        for kind in (FieldType.FLOAT, FieldType.DATETIME):
            own = {cls for cls in classes if kind_of_class(cls) is kind}
            if own and all(is_missing(value) for value in objects if type(value) in own):
                kinds.discard(kind)
    return kinds


def _check_kinds(name: str, objects: list[Any], paths: Sequence[str], kinds: set[Kind], *, known: Field | None) -> None:
    if "unsupported" in kinds:
        index, value = _first_of(objects, {"unsupported"})
        raise _unsupported(name, path_at(paths, index), value)
    if len(kinds) > 1 and kinds != _NUMERIC:
        raise mixed_types(name, objects, paths, kinds, known=known)


def _unsupported(name: str, path: str, value: object) -> InvalidValueError:
    kind = type(value).__name__
    return InvalidValueError(
        f"{path!r}: no field can hold the value of {name!r}, which is of type {kind} ({str(value)[:80]!r}). "
        "Fields hold numbers, booleans, strings, bytes, datetimes, and flat lists of them.",
        {"path": path, "field": name, "type": kind},
    )


def mixed_types(
    name: str, objects: list[Any], paths: Sequence[str], kinds: set[Kind], *, known: Field | None = None
) -> FieldTypeError:
    """Return the error for values of several types, naming the first that differs from the rest.

    The rest is what `known` is where some are, else what the first value is.
    """
    expected: Kind | None = None if known is None else "list" if known.multiple else known.type
    others = "other values are"
    if expected not in kinds:
        others = "the values before it are"
        expected = kind_of_class(type(next(value for value in objects if not is_missing(value))))
    own: set[Kind] = {expected}
    if own & _NUMERIC:
        own |= _NUMERIC
    index, value = _first_of(objects, kinds - own)
    before, found, path = expected, kind_of_class(type(value)), path_at(paths, index)
    return FieldTypeError(
        f"{path!r}: the value {_shown(value)} of field {name!r} is {found}, but {others} {before}. "
        "All values of a field must be of one type.",
        {"path": path, "field": name, "given": str(found), "stored": str(before)},
    )


def _scalar_array(
    name: str, objects: list[Any], paths: Sequence[str], found: FieldType
) -> tuple[ArrowArray, ArrowArray | None]:
    if found is FieldType.DATETIME:
        return _moments(name, objects, paths)
    try:
        array: Any = pa.array(objects, _ARROW[found], from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError, ValueError):
        array = _converted(name, objects, paths, found)
    if isinstance(array, pa.ChunkedArray):  # over 2 GiB
        if found is not FieldType.BLOB:
            raise InvalidValueError(
                f"The texts of field {name!r} exceed 2 GiB in one batch; give fewer rows at a time."
            )
        array = array.cast(pa.large_binary()).combine_chunks()
    return array, None


def _converted(name: str, objects: list[Any], paths: Sequence[str], found: FieldType) -> Any:
    """Convert value by value, to name the one that cannot be, or because Arrow is stricter than we are."""
    plain: list[Any] = []
    for index, value in enumerate(objects):
        if is_missing(value):
            plain.append(None)
            continue
        if found is FieldType.INTEGER and not MIN_INTEGER <= int(value) <= MAX_INTEGER:
            raise too_large(name, path_at(paths, index), value)
        if found is FieldType.STRING and has_broken_unicode(value):
            raise broken_text(name, path_at(paths, index))
        try:
            plain.append(float(value) if found is FieldType.FLOAT else normalise_value(value))
        except OverflowError:
            raise too_large(name, path_at(paths, index), value) from None
    return pa.array(plain, _ARROW[found])


def _moments(name: str, objects: list[Any], paths: Sequence[str]) -> tuple[ArrowArray, ArrowArray]:
    micros: list[int | None] = []
    zones: list[int | None] = []
    for index, value in enumerate(objects):
        if is_missing(value):
            micros.append(None)
            zones.append(None)
            continue
        try:
            moment = aware(normalise_value(value))
            micros.append((moment - _EPOCH) // _MICROSECOND)
        except (InvalidValueError, OverflowError, ValueError):
            path = path_at(paths, index)
            raise InvalidValueError(
                f"{path!r}: the moment {value} in field {name!r} lies outside the years 1 to 9999.",
                {"path": path, "field": name},
            ) from None
        zones.append(offset_of(moment))
    return pa.array(micros, pa.timestamp("us", "UTC")), pa.array(zones, ZONE_TYPE)


def _list_column(name: str, objects: list[Any], paths: Sequence[str], known: Field | None) -> Column | None:
    lists = [None if kind_of_class(type(value)) != "list" else value for value in objects]
    lengths = np.array([_length(value) for value in lists], dtype=np.int64)
    if (lengths < 0).any():
        index = int((lengths < 0).argmax())
        raise _unsupported(name, path_at(paths, index), lists[index])
    missing = pa.array([value is None for value in lists], pa.bool_())
    if not lengths.any():
        if known is None or not known.multiple:
            return None
        empty = pa.array([], _ARROW.get(known.type, pa.timestamp("us", "UTC")))
        return lists_of(empty, lengths, missing=missing), None, Field(name, known.type, multiple=True)
    parents = ElementPaths(lengths, paths)
    elements = _elements(value for value in lists if value is not None)
    column = infer_column(name, elements, parents)
    if column is None or column[0].null_count:
        culprit = next(index for index, value in enumerate(elements) if is_missing(value))
        raise missing_element(name, parents[culprit])
    values, _, field = column
    if field.multiple:
        nested = next(index for index, value in enumerate(elements) if kind_of_class(type(value)) == "list")
        path = parents[nested]
        raise InvalidValueError(
            f"{path!r}: the value of field {name!r} is a nested list; a list must be flat.",
            {"path": path, "field": name},
        )
    return lists_of(values, lengths, missing=missing), None, Field(name, field.type, multiple=True)


def _length(value: Any) -> int:
    """Return the length of a list, 0 for a missing one, -1 for an array without dimensions, which is none."""
    if value is None:
        return 0
    return -1 if getattr(value, "ndim", 1) == 0 else len(value)


def _elements(lists: Iterable[Any]) -> Any:
    present = [value for value in lists if _length(value)]
    typed = all(isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype != _OBJECT for value in present)
    if typed and len({value.dtype for value in present}) == 1:
        return np.concatenate(present)
    return list(itertools.chain.from_iterable(present))


def _first_of(objects: list[Any], kinds: set[Kind]) -> tuple[int, Any]:
    return next(
        (index, value)
        for index, value in enumerate(objects)
        if kind_of_class(type(value)) in kinds and not is_missing(value)
    )


def _shown(value: object) -> str:
    return f"({len(value)} bytes)" if isinstance(value, bytes | bytearray) else repr(value)[:80]
