from __future__ import annotations

import datetime as dt
import decimal
import time
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathlake.errors import FieldTypeError, InvalidValueError
from pathlake.types import Field, FieldType
from pathlake.types.columns import (
    ZONE_TYPE,
    arrow_type,
    coerce_column,
    column_from_arrow,
    field_of,
    infer_column,
    mark_field,
    zone_column_name,
)

PATHS = [f"images/{index}.jpg" for index in range(10)]
NAN = float("nan")
NOON = dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)
INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))

N, F, B, S, X, T = (
    FieldType.INTEGER,
    FieldType.FLOAT,
    FieldType.BOOLEAN,
    FieldType.STRING,
    FieldType.BLOB,
    FieldType.DATETIME,
)


def canonical(found: FieldType, *, multiple: bool = False) -> pa.DataType:
    """The type of an inferred column: a blob's is bytes, not yet a hash."""
    single = pa.binary() if found is X else arrow_type(Field("x", found))
    return pa.list_(single) if multiple else single


# -- fields as Arrow types


@pytest.mark.parametrize("found", FieldType)
@pytest.mark.parametrize("multiple", [False, True])
def test_marks_survive_arrow_ipc(found: FieldType, multiple: bool) -> None:
    marked = mark_field("x", found, multiple)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([marked])):
        pass
    received = pa.ipc.open_stream(sink.getvalue()).schema.field("x")
    assert field_of(received) == Field("x", found, multiple)
    assert received.type == arrow_type(Field("x", found, multiple))


def test_marks_with_another_arrow_type() -> None:
    marked = mark_field("x", X, False, data_type=pa.binary())
    assert marked.type == pa.binary()
    assert field_of(marked) == Field("x", X)


@pytest.mark.parametrize(
    ("data_type", "found"),
    [
        (pa.int8(), N),
        (pa.uint64(), N),
        (pa.float16(), F),
        (pa.decimal128(10, 2), F),
        (pa.bool_(), B),
        (pa.string(), S),
        (pa.large_string(), S),
        (pa.string_view(), S),
        (pa.dictionary(pa.int32(), pa.string()), S),
        (pa.binary(), X),
        (pa.binary(5), X),
        (pa.date32(), T),
        (pa.timestamp("ns", "Europe/Berlin"), T),
    ],
)
def test_unmarked_columns_mean_what_their_type_means(data_type: pa.DataType, found: FieldType) -> None:
    assert field_of(pa.field("x", data_type)) == Field("x", found)
    for lists in (pa.list_(data_type), pa.large_list(data_type), pa.list_(data_type, 2), pa.list_view(data_type)):
        assert field_of(pa.field("x", lists)) == Field("x", found, multiple=True)


@pytest.mark.parametrize(
    "data_type",
    [pa.null(), pa.struct([("a", pa.int8())]), pa.list_(pa.list_(pa.int8())), pa.time32("s"), pa.duration("s")],
)
def test_columns_no_field_can_hold(data_type: pa.DataType) -> None:
    with pytest.raises(InvalidValueError, match="'bad one'"):
        field_of(pa.field("bad one", data_type))


def test_an_unknown_mark_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="TENSOR"):
        field_of(pa.field("x", pa.int64(), metadata={b"pathlake.type": b"TENSOR"}))


def test_no_field_can_be_called_like_a_zone_column() -> None:
    from pathlake.errors import InvalidNameError
    from pathlake.types import checked_field_name

    with pytest.raises(InvalidNameError):
        checked_field_name(zone_column_name("when"))


# -- Python objects


@pytest.mark.parametrize(
    ("values", "found", "expected"),
    [
        ([1, None, 3], N, [1, None, 3]),
        ([1, NAN, pd.NA, pd.NaT], N, [1, None, None, None]),
        ([np.int8(1), 2], N, [1, 2]),
        ([2**63 - 1, -(2**63)], N, [2**63 - 1, -(2**63)]),
        ([1, 2.5], F, [1.0, 2.5]),
        ([1.0, None], F, [1.0, None]),
        ([2**53 + 1, 0.5], F, [2.0**53, 0.5]),
        ([2**70, 0.5], F, [2.0**70, 0.5]),
        ([float("inf")], F, [float("inf")]),
        ([np.float32(0.5), 1], F, [0.5, 1.0]),
        ([decimal.Decimal("0.5"), 1, 2.5], F, [0.5, 1.0, 2.5]),
        ([True, None, np.bool_(False)], B, [True, None, False]),
        (["a", NAN, None], S, ["a", None, None]),
        (["", np.str_("x")], S, ["", "x"]),
        ([b"a", bytearray(b"b"), None], X, [b"a", b"b", None]),
        ([NOON, None], T, [NOON, None]),
    ],
)
def test_scalars(values: list[Any], found: FieldType, expected: list[Any]) -> None:
    column = infer_column("x", values, PATHS)
    assert column is not None
    array, zones, field = column
    assert field == Field("x", found)
    assert array.type == canonical(found)
    assert array.to_pylist() == expected
    assert (zones is not None) is (found is T)


@pytest.mark.parametrize(
    ("values", "found", "expected"),
    [
        ([[1, 2], None, []], N, [[1, 2], None, []]),
        ([[], (1, 2)], N, [[], [1, 2]]),
        ([[1], [2.5]], F, [[1.0], [2.5]]),
        ([np.array([0.5, 1.0]), np.array([2.0])], F, [[0.5, 1.0], [2.0]]),
        ([np.array([1]), np.array([0.5])], F, [[1.0], [0.5]]),
        ([np.array(["a", "b"]), ["c"]], S, [["a", "b"], ["c"]]),
        ([[True], [False]], B, [[True], [False]]),
        ([[b"a", b"b"]], X, [[b"a", b"b"]]),
        ([[NOON]], T, [[NOON]]),
        ([NAN, ["a"]], S, [None, ["a"]]),
    ],
)
def test_lists(values: list[Any], found: FieldType, expected: list[Any]) -> None:
    column = infer_column("x", values, PATHS)
    assert column is not None
    array, zones, field = column
    assert field == Field("x", found, multiple=True)
    assert array.type == canonical(found, multiple=True)
    assert array.to_pylist() == expected
    assert zones is None


@pytest.mark.parametrize("values", [[], [None, NAN, pd.NA, pd.NaT], [NAN], [pd.NaT], [[]], [[], None], [[], NAN]])
def test_columns_without_a_value_are_none(values: list[Any]) -> None:
    assert infer_column("x", values, PATHS) is None


def test_empty_lists_for_a_known_list_field() -> None:
    known = Field("x", S, multiple=True)
    column = infer_column("x", [[], None], PATHS, known=known)
    assert column is not None
    assert column[0].to_pylist() == [[], None]
    assert column[0].type == pa.list_(pa.string())
    assert infer_column("x", [[]], PATHS, known=Field("x", S)) is None
    assert infer_column("x", [[1]], PATHS, known=known)[2].type is N  # type: ignore[index]


@pytest.mark.parametrize(
    ("values", "at", "given_", "before"),
    [
        ([True, 1], 1, "INTEGER", "BOOLEAN"),
        ([1, True], 1, "BOOLEAN", "INTEGER"),
        ([1.5, 2, True], 2, "BOOLEAN", "FLOAT"),
        ([None, "a", NAN, 1], 3, "INTEGER", "STRING"),
        (["a", b"a"], 1, "BLOB", "STRING"),
        ([NOON, "2024"], 1, "STRING", "DATETIME"),
        ([1, [1]], 1, "list", "INTEGER"),
        ([["a"], "a"], 1, "STRING", "list"),
        ([[1], [2, "a"]], 1, "STRING", "INTEGER"),
    ],
)
def test_mixed_types_name_path_field_and_types(values: list[Any], at: int, given_: str, before: str) -> None:
    with pytest.raises(FieldTypeError) as error:
        infer_column("my field", values, PATHS)
    message = str(error.value)
    assert repr(PATHS[at]) in message
    assert "'my field'" in message
    assert f"is {given_}" in message
    assert f"before it are {before}" in message


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ([1, 2**63], 1),
        ([-(2**63) - 1], 0),
        ([1.5, 10**400], 1),
        (["a", "\ud800"], 1),
        ([None, {}], 1),
        ([1, {}], 1),
        ([{1}], 0),
        ([1j], 0),
        ([[1], [[2]]], 1),
        ([[1], [2, {}]], 1),
        ([[1], [None]], 1),
        ([[1], [2, NAN]], 1),
        ([[1.5], [NAN]], 1),
        ([[None]], 0),
        ([np.array([1.5, NAN])], 0),
        ([["a"], ["\ud800"]], 1),
        ([[1], [2**63]], 1),
        ([NOON, np.datetime64(10**17, "s")], 1),
        ([np.array(5)], 0),
    ],
)
def test_impossible_values_name_path_and_field(values: list[Any], at: int) -> None:
    with pytest.raises((InvalidValueError, FieldTypeError)) as error:
        infer_column("my field", values, PATHS)
    assert repr(PATHS[at]) in str(error.value)
    assert "'my field'" in str(error.value)


def test_one_bad_value_among_a_million_is_named() -> None:
    values: list[Any] = [1] * 1_000_000
    values[654_321] = "a"
    paths = [str(index) for index in range(len(values))]
    with pytest.raises(FieldTypeError, match="'654321'"):
        infer_column("x", values, paths)


# -- typed data


@pytest.mark.parametrize(
    ("values", "found", "expected"),
    [
        (pd.Series([1, 2]), N, [1, 2]),
        (pd.Series([1, None]), F, [1.0, None]),
        (pd.Series([1, None], dtype="Int64"), N, [1, None]),
        (pd.Series([1, None], dtype="int64[pyarrow]"), N, [1, None]),
        (pd.Series(["a", None]), S, ["a", None]),
        (pd.Series(["a", None], dtype=object), S, ["a", None]),
        (pd.Series(["a", None], dtype="category"), S, ["a", None]),
        (pd.Series([1, "a"], dtype="category").iloc[:1], N, [1]),
        (pd.Series([True, None], dtype="boolean"), B, [True, None]),
        (pd.Series([1, 2], index=[7, 7]), N, [1, 2]),
        (pd.Index(["a", "b"]), S, ["a", "b"]),
        (pl.Series([1, None]), N, [1, None]),
        (pl.Series(["a", None]), S, ["a", None]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), S, ["a", "b"]),
        (pl.Series([b"a"], dtype=pl.Object), X, [b"a"]),
        (np.array([1, 2], dtype="uint8"), N, [1, 2]),
        (np.array([0.5, NAN], dtype="float16"), F, [0.5, None]),
        (np.array(["a", "b"]), S, ["a", "b"]),
        (np.array(["a", None], dtype=object), S, ["a", None]),
        (pa.array(["a", None], pa.large_string()), S, ["a", None]),
        (pa.array(["a", None], pa.string_view()), S, ["a", None]),
        (pa.array(["a", None]).dictionary_encode(), S, ["a", None]),
        (pa.chunked_array([["a"], [None]]), S, ["a", None]),
        (pa.chunked_array([["a"], ["b"]]).dictionary_encode(), S, ["a", "b"]),
        (pa.array([b"a"], pa.large_binary()), X, [b"a"]),
        (pa.array([b"a"], pa.binary(1)), X, [b"a"]),
        (pa.array([1, 2**63 - 1], pa.uint64()), N, [1, 2**63 - 1]),
        (pa.array([decimal.Decimal("1.50"), None]), F, [1.5, None]),
        (pa.array([1.5, NAN, None]), F, [1.5, None, None]),
    ],
    ids=lambda value: f"{type(value).__module__}-{getattr(value, 'dtype', getattr(value, 'type', ''))}",
)
def test_typed_scalars(values: Any, found: FieldType, expected: list[Any]) -> None:
    column = infer_column("x", values, PATHS)
    assert column is not None
    array, _, field = column
    assert field == Field("x", found)
    assert array.type == canonical(found)
    assert array.to_pylist() == expected


@pytest.mark.parametrize(
    ("values", "found", "expected"),
    [
        (pa.array([[1, 2], None, []]), N, [[1, 2], None, []]),
        (pa.array([[1, 2], None, []]).slice(1), N, None),
        (pa.array([[1, 2], [3]]).slice(1), N, [[3]]),
        (pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), N, [[1, 2], None]),
        (pa.array([["a"], None], pa.large_list(pa.large_string())), S, [["a"], None]),
        (pa.array([["a"], None, ["b"]], pa.list_view(pa.string())), S, [["a"], None, ["b"]]),
        (pa.array([[0.5]], pa.list_(pa.float32())), F, [[0.5]]),
        (np.array([[1, 2], [3, 4]]), N, [[1, 2], [3, 4]]),
        (pl.Series([["a"], [], None]), S, [["a"], [], None]),
        (pl.Series([[1, 2]], dtype=pl.Array(pl.Int8, 2)), N, [[1, 2]]),
        (pd.Series([["a"], None], dtype=pd.ArrowDtype(pa.list_(pa.string()))), S, [["a"], None]),
        (pa.array([[NOON]]), T, [[NOON]]),
    ],
    ids=lambda value: f"{type(value).__module__}-{getattr(value, 'dtype', getattr(value, 'type', ''))}",
)
def test_typed_lists(values: Any, found: FieldType, expected: list[Any] | None) -> None:
    column = infer_column("x", values, PATHS)
    if expected is None:
        expected = [None, []]
    assert column is not None
    array, zones, field = column
    assert field == Field("x", found, multiple=True)
    assert array.type == canonical(found, multiple=True)
    assert array.to_pylist() == expected
    array.validate(full=True)
    assert zones is None


@pytest.mark.parametrize(
    "array",
    [pa.nulls(2), pa.array([None, None], pa.int64()), pa.array([NAN]), pa.array([[], None]), pa.array([], pa.string()),
     pa.chunked_array([], pa.int64()), pa.array([None], pa.struct([("a", pa.int8())]))],
)  # fmt: skip
def test_typed_columns_without_a_value_are_none(array: Any) -> None:
    assert column_from_arrow("x", array, PATHS) is None


@pytest.mark.parametrize(
    ("array", "at"),
    [
        (pa.array([1, 2**63], pa.uint64()), 1),
        (pa.array([[1], [2**63]], pa.list_(pa.uint64())), 1),
        (pa.array([None, {"a": 1}]), 1),
        (pa.array([None, [("a", 1)]], pa.map_(pa.string(), pa.int8())), 1),
        (pa.array([None, [[1]]]), 1),
        (pa.array([[1], [2, None]]), 1),
        (pa.array([[1.5], [NAN]]), 1),
        (pa.array([[None]]), 0),
        (pa.array([[{"a": 1}]]), 0),
        (pa.array([None, 5], pa.time32("s")), 1),
        (pa.array([None, 5], pa.duration("s")), 1),
        (pa.array([0, 2**50], pa.timestamp("s")), 1),
        (pa.array([[0], [2**50]], pa.list_(pa.timestamp("s", "UTC"))), 1),
        (
            pa.StringArray.from_buffers(
                2, pa.py_buffer(np.array([0, 1, 2], np.int32).tobytes()), pa.py_buffer(b"a\xff")
            ),
            1,
        ),
        (pd.Series(pd.period_range("2024", periods=1)), 0),
    ],
)
def test_typed_data_no_field_can_hold(array: Any, at: int) -> None:
    with pytest.raises(InvalidValueError) as error:
        infer_column("my field", array, PATHS)
    assert repr(PATHS[at]) in str(error.value)
    assert "'my field'" in str(error.value)


# -- moments


def zones_of(values: Any) -> tuple[list[Any], list[Any]]:
    column = infer_column("when", values, PATHS)
    assert column is not None
    array, zones, field = column
    assert field == Field("when", T)
    assert array.type == pa.timestamp("us", "UTC")
    assert zones is not None
    assert zones.type == ZONE_TYPE
    return array.to_pylist(), zones.to_pylist()


def test_moments_keep_the_offset_they_were_given_with() -> None:
    moments, zones = zones_of([NOON, NOON.astimezone(INDIA), None, pd.Timestamp(NOON).tz_convert("America/New_York")])
    assert moments == [NOON, NOON, None, NOON]
    assert zones == [0, 330, None, -300]


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    "make",
    [
        lambda naive: naive,
        lambda naive: pd.Series(naive),
        lambda naive: pd.Series(naive).astype("datetime64[s]"),
        lambda naive: pl.Series(naive),
        lambda naive: np.array(naive, dtype="datetime64[ms]"),
        lambda naive: [np.datetime64(value) for value in naive],
        lambda naive: pa.array(naive, pa.timestamp("ns")),
    ],
)
def test_naive_moments_are_in_the_machines_zone(make: Callable[[Any], Any]) -> None:
    naive = [dt.datetime(2024, 1, 1), dt.datetime(2024, 6, 1, 12)]  # noqa: DTZ001
    moments, zones = zones_of(make(naive))
    assert moments == [dt.datetime(2023, 12, 31, 23, tzinfo=dt.UTC), dt.datetime(2024, 6, 1, 10, tzinfo=dt.UTC)]
    assert zones == [60, 120]


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize("make", [list, pa.array, pl.Series, lambda dates: pa.array(dates, pa.date64())])
def test_dates_are_their_midnight(make: Callable[[Any], Any]) -> None:
    moments, zones = zones_of(make([dt.date(2024, 1, 1), dt.date(2024, 6, 1)]))
    assert moments == [dt.datetime(2023, 12, 31, 23, tzinfo=dt.UTC), dt.datetime(2024, 5, 31, 22, tzinfo=dt.UTC)]
    assert zones == [60, 120]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(("zone", "offset"), [("UTC", 0), ("+05:30", 330), ("-03:30", -210), ("Asia/Kolkata", 330)])
def test_zones_of_typed_columns(unit: Any, zone: str, offset: int) -> None:
    moments, zones = zones_of(pa.array([NOON, None], pa.timestamp(unit, zone)))
    assert moments == [NOON, None]
    assert zones == [offset, None]


def test_nanoseconds_are_cut_off_backwards() -> None:
    moments, _ = zones_of(pa.array([1_999, -1], pa.timestamp("ns", "UTC")))
    assert [
        (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) for moment in moments
    ] == [1, -1]


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="Mars/Olympus"):
        infer_column("when", pa.array([0], pa.timestamp("s", "Mars/Olympus")), PATHS)


MOMENTS = st.datetimes(min_value=dt.datetime(1, 1, 4), max_value=dt.datetime(9999, 12, 29))  # noqa: DTZ001
AROUND_CHANGES = st.one_of(
    MOMENTS,
    st.integers(-10_000, 10_000).map(lambda s: dt.datetime(2024, 3, 31, 2) + dt.timedelta(seconds=s)),  # noqa: DTZ001
    st.integers(-10_000, 10_000).map(lambda s: dt.datetime(2024, 10, 27, 2) + dt.timedelta(seconds=s)),  # noqa: DTZ001
    st.integers(-10_000, 10_000).map(lambda s: dt.datetime(1893, 4, 1) + dt.timedelta(seconds=s)),  # noqa: DTZ001
)


@given(
    st.lists(AROUND_CHANGES, min_size=1, max_size=20),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Monrovia", "UTC"]),
)
def test_offsets_of_named_zones_are_pythons(naive: list[dt.datetime], zone: str) -> None:
    moments = [moment.replace(tzinfo=dt.UTC) for moment in naive]
    column = column_from_arrow("when", pa.array(moments, pa.timestamp("us", zone)), [""] * len(moments))
    assert column is not None
    array, zones, _ = column
    assert array.to_pylist() == moments
    local = [moment.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() or dt.timedelta() for moment in moments]
    assert zones is not None
    assert zones.to_pylist() == [round(offset.total_seconds() / 60) for offset in local]


@given(st.lists(AROUND_CHANGES, min_size=1, max_size=20))
def test_local_moments_are_pythons(naive: list[dt.datetime]) -> None:
    whole = [moment.replace(microsecond=0) for moment in naive]  # a float of seconds holds no more
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        try:
            typed = column_from_arrow("when", pa.array(whole, pa.timestamp("us")), [""] * len(naive))
            scanned = infer_column("when", whole, [""] * len(naive))
            expected = [dt.datetime.fromtimestamp(moment.timestamp(), dt.UTC) for moment in whole]
        finally:
            patch.undo()
            time.tzset()
    assert typed is not None
    assert scanned is not None
    assert typed[0].to_pylist() == expected
    assert typed[0].equals(scanned[0])
    assert typed[1] is not None
    assert typed[1].equals(scanned[1])


# -- coercion


@pytest.mark.parametrize(
    ("values", "stored", "expected"),
    [
        ([1, None, 2**53 + 1], F, [1.0, None, 2.0**53]),
        ([1.0, None, -0.0], N, [1, None, 0]),
        ([-(2.0**63)], N, [-(2**63)]),
        ([1, 2], N, [1, 2]),
        (["a", None], S, ["a", None]),
        ([[1], [], None], F, [[1.0], [], None]),
        ([[1.0, 2.0], None, [3.0]], N, [[1, 2], None, [3]]),
        ([NOON], T, [NOON]),
    ],
)
def test_what_fits_becomes_canonical(values: list[Any], stored: FieldType, expected: list[Any]) -> None:
    column = infer_column("x", values, PATHS)
    assert column is not None
    target = Field("x", stored, column[2].multiple)
    array = coerce_column(column[0], column[2], target, PATHS)
    assert array.type == arrow_type(target)
    assert array.to_pylist() == expected


@pytest.mark.parametrize(
    ("values", "stored", "at"),
    [
        ([None, 1], Field("my field", S), 1),
        (["1"], Field("my field", N), 0),
        ([True], Field("my field", N), 0),
        ([1], Field("my field", B), 0),
        ([None, 1.0, 2.5], Field("my field", N), 2),
        ([2.0**63], Field("my field", N), 0),
        ([float("inf")], Field("my field", N), 0),
        (["2024-01-31"], Field("my field", T), 0),
        ([1], Field("my field", T), 0),
        ([b"a"], Field("my field", S), 0),
        (["a"], Field("my field", X), 0),
        ([1], Field("my field", N, multiple=True), 0),
        ([None, [1]], Field("my field", N), 1),
        ([[1.0], [], None, [2.0, 2.5]], Field("my field", N, multiple=True), 3),
        ([["a"]], Field("my field", N, multiple=True), 0),
    ],
)
def test_what_does_not_fit_names_path_field_and_types(values: list[Any], stored: Field, at: int) -> None:
    column = infer_column("my field", values, PATHS)
    assert column is not None
    with pytest.raises(FieldTypeError) as error:
        coerce_column(column[0], column[2], stored, PATHS)
    message = str(error.value)
    assert repr(PATHS[at]) in message
    assert "'my field'" in message
    assert f"is {stored.type_name}, but" in message
    assert f"is {column[2].type_name}." in message
    assert error.value.details == {
        "path": PATHS[at],
        "field": "my field",
        "stored": stored.type_name,
        "given": column[2].type_name,
    }


def test_blobs_stay_bytes_or_hashes() -> None:
    blob = Field("x", X)
    assert coerce_column(pa.array([b"a"]), blob, blob, PATHS).type == pa.binary()
    assert coerce_column(pa.array(["ab" * 32], pa.large_string()), blob, blob, PATHS).type == pa.string()


def test_a_column_of_nothing_fits_everywhere() -> None:
    for found in FieldType:
        stored = Field("x", found, multiple=True)
        assert coerce_column(pa.array([None], pa.bool_()), Field("x", B), stored, PATHS).type == arrow_type(stored)


def test_paths_may_be_any_sequence() -> None:
    names = ["a", "b"]
    sequences: list[Any] = [pa.array(names), pd.Series(names, index=[5, 6]), np.array(names), pl.Series(names)]
    for paths in sequences:
        with pytest.raises(FieldTypeError, match="'b'"):
            infer_column("x", ["x", 1], paths)


# -- speed

ROWS = 1_000_000


@pytest.mark.parametrize(
    "make",
    [
        lambda: pd.Series(np.arange(ROWS)),
        lambda: pd.Series(np.where(np.arange(ROWS) % 10, 0.5, np.nan)),
        lambda: pd.Series([f"text {index % 1000}" for index in range(ROWS)]),
        lambda: pd.Series(pd.to_datetime(np.arange(ROWS) * 300, unit="s")),
        lambda: pa.array(np.arange(ROWS) * 300, pa.timestamp("s", "Europe/Berlin")),
        lambda: pa.array([[1, 2]] * ROWS),
        lambda: np.arange(ROWS) % 2 == 0,
    ],
    ids=["int", "float", "text", "local moments", "zoned moments", "lists", "bool"],
)
def test_a_million_typed_values_take_no_loop(make: Callable[[], Any]) -> None:
    values, paths = make(), ["x"] * ROWS
    # Measured at 1 to 90 ms on two cores; a Python loop over the values takes far longer than the limit.
    best = min(_seconds(lambda: infer_column("x", values, paths)) for _ in range(3))
    assert best < 0.4


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
