"""Python values as field values: which type they have, what plain value they stand for, which are none at all.

numpy and pandas values are recognised by their class, so that neither is imported here.
"""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any, Literal

from pathlake.errors import FieldTypeError, InvalidValueError
from pathlake.types.fields import FieldType

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**63 - 1

Kind = FieldType | Literal["missing", "list", "unsupported"]
"""What values of a class are, before looking at them. A NaN is FLOAT in kind and missing in value."""

_KIND_BY_NAME: dict[str, Kind] = {
    "pandas.NAType": "missing",
    "pandas.NaTType": "missing",
    "numpy.bool": FieldType.BOOLEAN,
    "numpy.bool_": FieldType.BOOLEAN,
    "numpy.integer": FieldType.INTEGER,
    "numpy.timedelta64": "unsupported",  # numpy makes it an integer
    "numpy.floating": FieldType.FLOAT,
    "numpy.datetime64": FieldType.DATETIME,
    "numpy.ndarray": "list",
}

_KIND_BY_CLASS: dict[type, Kind] = {
    type(None): "missing",
    bool: FieldType.BOOLEAN,
    int: FieldType.INTEGER,
    float: FieldType.FLOAT,
    decimal.Decimal: FieldType.FLOAT,
    str: FieldType.STRING,
    bytes: FieldType.BLOB,
    bytearray: FieldType.BLOB,
    memoryview: FieldType.BLOB,
    dt.date: FieldType.DATETIME,  # a datetime is a date too
    list: "list",
    tuple: "list",
}


_kinds_seen: dict[type[Any], Kind] = {}


def kind_of_class(cls: type[Any]) -> Kind:
    """Return what values of a class are; the nearest known base class decides."""
    seen = _kinds_seen.get(cls)
    if seen is None:
        seen = _kinds_seen[cls] = _found_kind(cls)
    return seen


def _found_kind(cls: type[Any]) -> Kind:
    for base in cls.__mro__:
        known = _KIND_BY_CLASS.get(base) or _KIND_BY_NAME.get(f"{base.__module__.partition('.')[0]}.{base.__name__}")
        if known:
            return known
    return "unsupported"


def is_missing(value: object) -> bool:
    """Tell whether a value means "not given": None, NaN, NaT or pandas' NA.

    Example:
        >>> [is_missing(v) for v in (None, float("nan"), 0, "", [])]
        [True, True, False, False, False]
    """
    kind = kind_of_class(type(value))
    if kind == "missing":
        return True
    if kind is FieldType.FLOAT:
        return value.is_nan() if isinstance(value, decimal.Decimal) else _differs_from_itself(value)
    if kind is FieldType.DATETIME and not isinstance(value, dt.date):
        return _differs_from_itself(value)  # numpy's NaT
    return False


def normalise_value(value: object) -> Any:
    """Return the plain Python value that `value` stands for: bool, int, float, str, bytes, datetime or a list.

    numpy scalars become Python ones, a `pandas.Timestamp` a datetime (nanoseconds cut off), a date the midnight it
    begins with (naive), a `Decimal` a float, tuples and one-dimensional arrays lists, missing values None.

    Raises:
        InvalidValueError: No field can hold it: a dict, a set, a nested list, a missing value in a list, an integer
            beyond 64 bits, broken unicode.
    """
    if is_missing(value):
        return None
    kind = kind_of_class(type(value))
    anything: Any = value
    match kind:
        case FieldType.BOOLEAN:
            return bool(anything)
        case FieldType.INTEGER:
            number = int(anything)
            if not MIN_INTEGER <= number <= MAX_INTEGER:
                raise InvalidValueError(f"{number} does not fit into 64 bits ({MIN_INTEGER} to {MAX_INTEGER}).")
            return number
        case FieldType.FLOAT:
            return float(anything)
        case FieldType.STRING:
            return _checked_text(str.__str__(anything))
        case FieldType.BLOB:
            return bytes(anything)
        case FieldType.DATETIME:
            return _plain_moment(anything)
        case "list" if not _is_zero_dimensional(value):
            return [_element(element) for element in anything]
    raise unsupported_value(value)


def value_type(value: object) -> tuple[FieldType, bool]:
    """Return the type a field of this value has, and whether the value is a list.

    Raises:
        InvalidValueError: No field can hold it, or it is missing or an empty list and so has no type.
        FieldTypeError: A list mixes types; ints among floats are floats.

    Example:
        >>> value_type(5), value_type(["a", "b"])
        ((<FieldType.INTEGER: 'INTEGER'>, False), (<FieldType.STRING: 'STRING'>, True))
    """
    kind = kind_of_class(type(value))
    if kind == "list" and not _is_zero_dimensional(value):
        elements: Any = value
        types = {value_type(_checked_element(element))[0] for element in elements}
        if types == {FieldType.INTEGER, FieldType.FLOAT}:
            return FieldType.FLOAT, True
        if len(types) > 1:
            raise FieldTypeError(f"The list mixes {' and '.join(sorted(types))}; all elements must be of one type.")
        if not types:
            raise InvalidValueError("An empty list has no type, so it cannot make a field.")
        return types.pop(), True
    if is_missing(value):
        raise InvalidValueError(f"{value!r} means 'not given' and has no type.")
    if isinstance(kind, FieldType):
        return kind, False
    raise unsupported_value(value)


def unsupported_value(value: object) -> InvalidValueError:
    """Return the error that says that no field can hold `value`."""
    return InvalidValueError(
        f"No field can hold a value of type {type(value).__name__} ({str(value)[:80]!r}). "
        "Fields hold numbers, booleans, strings, bytes, datetimes, and flat lists of them."
    )


def has_broken_unicode(text: str) -> bool:
    """Tell whether a string has lone surrogates and so no UTF-8."""
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _is_zero_dimensional(value: object) -> bool:
    return getattr(value, "ndim", None) == 0


def _differs_from_itself(value: object) -> bool:
    return bool(value != value)  # noqa: PLR0124 - what NaN and NaT are known by


def _checked_text(text: str) -> str:
    if has_broken_unicode(text):
        raise InvalidValueError(f"The string {text[:80]!r} is not valid unicode.")
    return text


def _checked_element(element: object) -> object:
    if is_missing(element):
        raise InvalidValueError(f"A list cannot hold the missing value {element!r}; leave it out.")
    if kind_of_class(type(element)) == "list":
        raise InvalidValueError("No field can hold nested lists; a list must be flat.")
    return element


def _element(element: object) -> Any:
    return normalise_value(_checked_element(element))


def _plain_moment(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        to_datetime = getattr(value, "to_pydatetime", None)
        return to_datetime(warn=False) if to_datetime else value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    year = 1970 + int(value.astype("datetime64[Y]").astype("int64"))  # numpy.datetime64; finer units would overflow
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise InvalidValueError(f"The moment {value} lies outside the years 1 to 9999.")
    moment: dt.datetime = value.astype("datetime64[us]").item()
    return moment
