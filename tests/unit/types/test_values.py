from __future__ import annotations

import datetime as dt
import decimal
import enum
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pathlake.errors import FieldTypeError, InvalidValueError
from pathlake.types import FieldType, is_missing, normalise_value, value_type

NOON = dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)


def _label(value: object) -> str:
    """Name a parameter alike in every process: some representations hold an address."""
    return type(value).__name__ if " at 0x" in repr(value) else repr(value)


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


MISSING: list[Any] = [
    None,
    float("nan"),
    np.nan,
    np.float32("nan"),
    np.datetime64("NaT"),
    pd.NaT,
    pd.NA,
    decimal.Decimal("nan"),
    decimal.Decimal("sNaN"),
]

PRESENT: list[tuple[Any, FieldType, Any]] = [
    (True, FieldType.BOOLEAN, True),
    (np.bool_(False), FieldType.BOOLEAN, False),
    (0, FieldType.INTEGER, 0),
    (Level.HIGH, FieldType.INTEGER, 3),
    (np.int8(-3), FieldType.INTEGER, -3),
    (np.uint64(2**63 - 1), FieldType.INTEGER, 2**63 - 1),
    (0.5, FieldType.FLOAT, 0.5),
    (float("inf"), FieldType.FLOAT, float("inf")),
    (np.float32(0.5), FieldType.FLOAT, 0.5),
    (decimal.Decimal("1.5"), FieldType.FLOAT, 1.5),
    ("", FieldType.STRING, ""),
    (Colour.RED, FieldType.STRING, "red"),
    (np.str_("x"), FieldType.STRING, "x"),
    (b"", FieldType.BLOB, b""),
    (bytearray(b"x"), FieldType.BLOB, b"x"),
    (memoryview(b"x"), FieldType.BLOB, b"x"),
    (NOON, FieldType.DATETIME, NOON),
    (pd.Timestamp(NOON), FieldType.DATETIME, NOON),
    (np.datetime64("2024-01-31T12:00:00.123456789"), FieldType.DATETIME, dt.datetime(2024, 1, 31, 12, 0, 0, 123456)),  # noqa: DTZ001
    (dt.date(2024, 1, 31), FieldType.DATETIME, dt.datetime(2024, 1, 31)),  # noqa: DTZ001
]

LISTS: list[tuple[Any, FieldType, Any]] = [
    (["a", "b"], FieldType.STRING, ["a", "b"]),
    ((1, np.int64(2)), FieldType.INTEGER, [1, 2]),
    ([1, 0.5], FieldType.FLOAT, [1, 0.5]),
    (np.array([0.5, 1.0], dtype="float32"), FieldType.FLOAT, [0.5, 1.0]),
    ([NOON, pd.Timestamp(NOON)], FieldType.DATETIME, [NOON, NOON]),
]

IMPOSSIBLE: list[Any] = [
    {},
    {"a": 1},
    {1, 2},
    object(),
    1j,
    np.timedelta64(1, "s"),
    dt.time(1),
    [[1]],
    [None],
    [{}],
    np.array(5),
]


@pytest.mark.parametrize("value", MISSING, ids=_label)
def test_missing_values(value: Any) -> None:
    assert is_missing(value)
    assert normalise_value(value) is None
    with pytest.raises(InvalidValueError, match="not given"):
        value_type(value)


@pytest.mark.parametrize(("value", "found", "plain"), PRESENT, ids=_label)
def test_scalars(value: Any, found: FieldType, plain: Any) -> None:
    assert not is_missing(value)
    assert value_type(value) == (found, False)
    assert normalise_value(value) == plain
    assert type(normalise_value(value)) is type(plain)


@pytest.mark.parametrize(("value", "found", "plain"), LISTS, ids=_label)
def test_lists(value: Any, found: FieldType, plain: Any) -> None:
    assert not is_missing(value)
    assert value_type(value) == (found, True)
    assert normalise_value(value) == plain


@pytest.mark.parametrize("value", IMPOSSIBLE, ids=_label)
def test_impossible_values(value: Any) -> None:
    assert not is_missing(value)
    with pytest.raises(InvalidValueError):
        value_type(value)
    with pytest.raises(InvalidValueError):
        normalise_value(value)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, np.uint64(2**63), "\ud800", np.datetime64(10**17, "s")])
def test_values_out_of_range(value: Any) -> None:
    with pytest.raises(InvalidValueError):
        normalise_value(value)


def test_an_empty_list_is_a_value_without_type() -> None:
    assert normalise_value([]) == []
    with pytest.raises(InvalidValueError, match="empty list has no type"):
        value_type([])


@pytest.mark.parametrize("value", [[1, "a"], [True, 1], [True, 1.5], ["a", b"a"]])
def test_lists_of_several_types(value: Any) -> None:
    with pytest.raises(FieldTypeError, match="mixes"):
        value_type(value)
