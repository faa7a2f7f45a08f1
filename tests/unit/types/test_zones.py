from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathlake.errors import InvalidValueError
from pathlake.types import official_zone, offset_of, parse_official_zone, parse_zone, plain_zone

OFFSETS = st.integers(-1439, 1439)


def _as_the_official_client_writes(minutes: int) -> str:
    """The official client's rule, by floating point as there: floored hours, then the minutes left."""
    hours = math.floor(minutes / 60)
    return f"{'+' if hours >= 0 else '-'}{abs(hours):02d}:{minutes - hours * 60:02d}"


@given(OFFSETS)
def test_offsets_survive_both_spellings(minutes: int) -> None:
    assert official_zone(minutes) == _as_the_official_client_writes(minutes)
    assert parse_official_zone(official_zone(minutes)) == minutes
    assert parse_zone(plain_zone(minutes)) == minutes


@pytest.mark.parametrize(
    ("minutes", "official", "plain"),
    [
        (0, "+00:00", "+00:00"),
        (330, "+05:30", "+05:30"),
        (-180, "-03:00", "-03:00"),
        (-210, "-04:30", "-03:30"),
        (-30, "-01:30", "-00:30"),
    ],
)
def test_the_two_spellings(minutes: int, official: str, plain: str) -> None:
    assert official_zone(minutes) == official
    assert plain_zone(minutes) == plain


@pytest.mark.parametrize("text", ["", "Z", "UTC", "+00:00", "-00:00"])
def test_official_utc(text: str) -> None:
    assert parse_official_zone(text) == 0


@pytest.mark.parametrize("text", ["-00:30", "+5:30", "+0530", "+05:60", "05:30", "+24:00", "-25:00", "Europe/Berlin"])
def test_what_the_official_client_never_writes(text: str) -> None:
    with pytest.raises(InvalidValueError, match="no time zone offset"):
        parse_official_zone(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("Z", 0),
        ("utc", 0),
        ("GMT", 0),
        ("+03:00", 180),
        ("-03:30", -210),
        ("+0530", 330),
        ("+5", 300),
        (" -00:30 ", -30),
    ],
)
def test_plain_offsets(text: str, minutes: int) -> None:
    assert parse_zone(text) == minutes


@pytest.mark.parametrize("text", ["", "Europe/Berlin", "+25:00", "03:00", "+03:99"])
def test_no_plain_offsets(text: str) -> None:
    with pytest.raises(InvalidValueError, match="no time zone offset"):
        parse_zone(text)


def test_offset_of_an_aware_moment() -> None:
    assert offset_of(dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30)))) == -210
    assert offset_of(dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(seconds=3208)))) == 53


@pytest.mark.usefixtures("berlin")
def test_offset_of_a_naive_moment_is_the_machines() -> None:
    assert offset_of(dt.datetime(2024, 1, 1)) == 60  # noqa: DTZ001
    assert offset_of(dt.datetime(2024, 6, 1)) == 120  # noqa: DTZ001
