"""Values that conditions compare with: plain Python ones, and moments however they were written."""

from __future__ import annotations

import datetime as dt
import math
import re

from pathlake.errors import InvalidValueError, QueryError
from pathlake.expr.nodes import Scalar
from pathlake.types.fields import FieldType
from pathlake.types.values import normalise_value
from pathlake.types.zones import aware

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)

_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def plain_literal(field: str, value: object) -> Scalar:
    """Return `value` as a plain Python scalar; numpy and pandas scalars and dates count as what they stand for.

    Raises:
        QueryError: It is None, a list, bytes, or nothing a field can hold.
    """
    if isinstance(value, bool | int | float | str) and type(value).__module__ == "builtins":
        return value  # an integer of any size: binding knows what it means
    try:
        plain = normalise_value(value)
    except InvalidValueError as error:
        raise QueryError(f"The field {field!r} cannot be compared with {value!r}: {error}", {"field": field}) from None
    if plain is None:
        raise QueryError(
            f"The field {field!r} cannot be compared with a missing value ({value!r}); use is_null() or is_not_null().",
            {"field": field},
        )
    if isinstance(plain, bool | int | float | str | dt.datetime):
        return plain
    advice = " Use isin() for one of several values." if isinstance(plain, list) else ""
    given = f"{str(value)[:80]}, which is of type {type(value).__name__}"
    raise QueryError(f"The field {field!r} cannot be compared with {given}.{advice}", {"field": field})


def type_of_literal(value: Scalar) -> FieldType:
    """Return the field type that a plain Python scalar has by itself."""
    match value:
        case bool():
            return FieldType.BOOLEAN
        case int():
            return FieldType.INTEGER
        case float():
            return FieldType.FLOAT
        case str():
            return FieldType.STRING
    return FieldType.DATETIME


def moment_of(field: str, value: Scalar) -> dt.datetime:
    """Return the moment that `value` means for a DATETIME field, in UTC.

    Args:
        field: Name of the field, for messages.
        value: A datetime or ISO 8601 text (without a zone: in this machine's), or milliseconds since 1970-01-01 UTC.

    Raises:
        QueryError: It is no moment, or one outside the years 1 to 9999.
    """
    if isinstance(value, bool):
        raise _no_moment(field, value)
    try:
        if isinstance(value, str):
            value = dt.datetime.fromisoformat(value.strip())
        elif isinstance(value, int):
            value = EPOCH + value * MILLISECOND
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise _no_moment(field, value)
            value = EPOCH + dt.timedelta(milliseconds=value)
        return aware(value).astimezone(dt.UTC)
    except OverflowError:
        raise QueryError(
            f"The moment {value!s} given for the field {field!r} lies outside the years 1 to 9999.", {"field": field}
        ) from None
    except ValueError as error:
        if isinstance(error, QueryError):
            raise
        raise _no_moment(field, value) from None


def time_of_day(text: str) -> tuple[int, int]:
    """Return start and end of a range like `11:30-12:30` or `11:30:00-12:30:59`, in seconds since midnight.

    Raises:
        QueryError: The text is no such range, or it goes over midnight.
    """
    start, dash, end = text.partition("-")
    if not dash:
        raise QueryError(f"{text!r} is no time range; write it like '11:30-12:30' or '11:30:00-12:30:59'.")
    start_s, end_s = _seconds(start, text), _seconds(end, text)
    if start_s > end_s:
        raise QueryError(
            f"The time range {text!r} goes over midnight; write it as two ranges joined with |: "
            f"'{start.strip()}-23:59:59' and '00:00-{end.strip()}'."
        )
    return start_s, end_s


def time_of_day_text(start_s: int, end_s: int) -> str:
    """Return a time range as text, with seconds where there are any.

    Example:
        >>> time_of_day_text(41_400, 45_000)
        '11:30-12:30'
    """
    short = start_s % 60 == 0 and end_s % 60 == 0
    return "-".join(
        f"{s // 3600:02d}:{s // 60 % 60:02d}" + ("" if short else f":{s % 60:02d}") for s in (start_s, end_s)
    )


def _seconds(text: str, whole: str) -> int:
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if found:
        hours, minutes, seconds = (int(group or 0) for group in found.groups())
        if hours < 24 and minutes < 60 and seconds < 60:
            return hours * 3600 + minutes * 60 + seconds
    raise QueryError(f"{text.strip()!r} in the time range {whole!r} is no time of day between 00:00 and 23:59:59.")


def _no_moment(field: str, value: object) -> QueryError:
    return QueryError(
        f"The field {field!r} is DATETIME and cannot be compared with {value!r}. Give a datetime, text like "
        "'2024-01-31' or '2024-01-31T12:00:00+02:00', or milliseconds since 1970-01-01 UTC.",
        {"field": field},
    )
