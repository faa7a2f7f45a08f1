"""Offsets from UTC as text, in the plain spelling and in the official client's.

Offsets are whole minutes east of UTC, -1439 to 1439. The plain spelling is ISO 8601's (`-03:30` is three and a half
hours west). The official client floors the hours and adds the minutes, so that it writes the same offset as `-04:30`;
its strings are stored, sent and read back in that spelling only.
"""

from __future__ import annotations

import datetime as dt
import re

from pathlake.errors import InvalidValueError

MAX_OFFSET_MINUTES = 24 * 60 - 1

_OFFICIAL = re.compile(r"([+-])(\d{2}):([0-5]\d)")
_PLAIN = re.compile(r"([+-])(\d{1,2})(?::?([0-5]\d))?")


def official_zone(minutes: int) -> str:
    """Return an offset in the official client's spelling: floored hours, then minutes that are never negative.

    Example:
        >>> official_zone(330), official_zone(-210), official_zone(-180)
        ('+05:30', '-04:30', '-03:00')
    """
    hours, rest = divmod(minutes, 60)
    return f"{hours:+03d}:{rest:02d}"


def parse_official_zone(text: str) -> int:
    """Return the minutes that the official client means by `text`; an empty text is UTC.

    Raises:
        InvalidValueError: The text is no offset in that spelling, `-00:30` included, which has no meaning there.

    Example:
        >>> parse_official_zone("-04:30")
        -210
    """
    if text in ("", "Z", "UTC"):
        return 0
    found = _OFFICIAL.fullmatch(text)
    if found:
        sign, hours, minutes = found.groups()
        offset = int(sign + hours) * 60 + int(minutes)
        if (abs(offset) <= MAX_OFFSET_MINUTES and (sign, hours) != ("-", "00")) or offset == 0:
            return offset
    raise InvalidValueError(f"{text!r} is no time zone offset like '+05:30'.")


def plain_zone(minutes: int) -> str:
    """Return an offset in ISO 8601's spelling.

    Example:
        >>> plain_zone(-210)
        '-03:30'
    """
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def parse_zone(text: str) -> int:
    """Return the minutes east of UTC of an offset written the usual way: `+03:00`, `-03:30`, `+0530`, `Z`, `UTC`.

    Raises:
        InvalidValueError: The text is no offset. A name like `Europe/Berlin` is none: its offset changes.
    """
    if text.upper() in ("Z", "UTC", "GMT"):
        return 0
    found = _PLAIN.fullmatch(text.strip())
    if found:
        sign, hours, minutes = found.groups()
        offset = int(hours) * 60 + int(minutes or 0)
        if offset <= MAX_OFFSET_MINUTES:
            return -offset if sign == "-" else offset
    raise InvalidValueError(f"{text!r} is no time zone offset. Write it like '+03:00', '-03:30' or 'UTC'.")


def offset_of(moment: dt.datetime) -> int:
    """Return the offset of `moment` from UTC in minutes, rounded; a naive one is in this machine's zone.

    Example:
        >>> offset_of(dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))))
        120
    """
    offset = moment.utcoffset()
    return round((local_offset(moment) if offset is None else offset).total_seconds() / 60)


def local_offset(naive: dt.datetime) -> dt.timedelta:
    """Return the offset from UTC of a wall clock in this machine's zone, in whole seconds.

    An hour that a change of the clocks leaves out counts as before the change, one it repeats by its `fold`: the
    moment is that of `naive.timestamp()`, which is what the official client sends.

    Raises:
        OverflowError, ValueError: The moment lies at the very ends of the years 1 to 9999.
    """
    whole = naive.replace(microsecond=0)
    wall_s = (whole.replace(tzinfo=dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds()
    return dt.timedelta(seconds=wall_s - whole.timestamp())


def aware(moment: dt.datetime) -> dt.datetime:
    """Return `moment` with an offset; a naive one is in this machine's zone (see `local_offset`)."""
    if moment.utcoffset() is not None:
        return moment
    return moment.replace(tzinfo=dt.timezone(local_offset(moment)))
