"""Moments in Arrow arrays, brought to microseconds in UTC beside the offset they were given with.

Offsets are computed per day, not per value: a zone's offset is the same all day unless it differs between the day's two
ends. Only the values of such days are looked at more closely.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from pathlake.errors import InvalidValueError
from pathlake.types.arrow_types import ZONE_TYPE, ArrowArray
from pathlake.types.zones import local_offset, parse_zone

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_S = 86_400
# Two days short of what Python holds, so that no zone leads out of it.
_MIN_S = int((dt.datetime(1, 1, 3, tzinfo=dt.UTC) - _EPOCH).total_seconds())
_MAX_S = int((dt.datetime(9999, 12, 30, tzinfo=dt.UTC) - _EPOCH).total_seconds())

Seconds = npt.NDArray[np.int64]


class MomentOutOfRangeError(Exception):
    """A moment that Python's datetime cannot hold; `index` says which."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def canonical_moments(array: ArrowArray) -> tuple[ArrowArray, ArrowArray]:
    """Return the moments of a timestamp or date array as timestamp[us, UTC], and their offsets in minutes.

    Values without a zone, and dates, which stand for their midnight, are in this machine's zone.

    Raises:
        MomentOutOfRangeError: A moment lies outside the years 1 to 9999.
        InvalidValueError: The array's zone is unknown here.
    """
    if pat.is_date(array.type):
        array = array.cast(pa.timestamp("ms" if pat.is_date64(array.type) else "s"))
    zone: str | None = array.type.tz
    valid = array.is_valid()
    numbers = pc.fill_null(array.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[array.type.unit]
    seconds = np.floor_divide(numbers, per_second)
    outside = (seconds < _MIN_S) | (seconds > _MAX_S)
    if outside.any():
        raise MomentOutOfRangeError(int(outside.argmax()))
    micros = numbers // 1000 if per_second == 10**9 else numbers * (10**6 // per_second)
    fixed = None if zone is None else _fixed_offset(zone)
    if fixed is not None:
        offsets = np.full(len(seconds), fixed, dtype=np.int64)
    elif zone is None:
        offsets = offsets_at(seconds, _local_offset)
        micros = micros - offsets * 10**6
    else:
        offsets = offsets_at(seconds, _offset_in(zone))
    nulls = pc.invert(valid).to_numpy(zero_copy_only=False) if array.null_count else None
    moments = pa.array(micros, pa.int64(), mask=nulls).cast(pa.timestamp("us", "UTC"))
    minutes = np.rint(offsets / 60).astype(np.int16)
    return moments, pa.array(minutes, ZONE_TYPE, mask=nulls)


def offsets_at(
    seconds: Seconds, offset_at: Callable[[int], int], *, blocks: tuple[int, ...] = (_DAY_S, 600, 1)
) -> Seconds:
    """Return the offset from UTC, in seconds, at each of `seconds` since 1970-01-01.

    Args:
        seconds: Points in time, in whatever clock `offset_at` takes.
        offset_at: Tells the offset at one of them.
        blocks: Lengths of time whose two ends are compared, in seconds, longest first; the last is 1.
    """
    if not len(seconds):
        return seconds
    block, *finer = blocks
    known, inverse = _distinct(np.floor_divide(seconds, block))
    at_start = np.array([offset_at(int(number) * block) for number in known], dtype=np.int64)
    found: Seconds = at_start[inverse]
    if finer:
        at_end = np.array([offset_at(int(number + 1) * block) for number in known], dtype=np.int64)
        changing = np.flatnonzero((at_start != at_end)[inverse])
        found[changing] = offsets_at(seconds[changing], offset_at, blocks=tuple(finer))
    return found


def _distinct(numbers: Seconds) -> tuple[Seconds, npt.NDArray[np.int64]]:
    first, last = int(numbers.min()), int(numbers.max())
    if last - first > 4 * len(numbers) + 1000:
        known, inverse = np.unique(numbers, return_inverse=True)
        return known, inverse
    present = np.zeros(last - first + 1, dtype=bool)  # much quicker than sorting when the range is small
    present[numbers - first] = True
    known = np.flatnonzero(present)
    place = np.zeros(last - first + 1, dtype=np.int64)
    place[known] = np.arange(len(known))
    return known + first, place[numbers - first]


def _local_offset(wall_s: int) -> int:
    naive = (_EPOCH + dt.timedelta(seconds=wall_s)).replace(tzinfo=None)
    return int(local_offset(naive).total_seconds())


def _fixed_offset(zone: str) -> int | None:
    try:
        return parse_zone(zone) * 60
    except InvalidValueError:
        return None


def _offset_in(zone: str) -> Callable[[int], int]:
    try:
        info = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValueError(f"The time zone {zone!r} is unknown on this machine.") from None

    def offset_at(utc_s: int) -> int:
        moment = (_EPOCH + dt.timedelta(seconds=utc_s)).astimezone(info)
        return int((moment.utcoffset() or dt.timedelta()).total_seconds())

    return offset_at
