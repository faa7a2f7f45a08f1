"""HTTP ranges and validators, as RFC 9110 has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"[^"]*"')


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of something: `length` bytes from `start` on; no bytes where the asked range lies beyond the end."""

    start: int
    length: int

    @property
    def is_satisfiable(self) -> bool:
        """Whether there is anything to send."""
        return self.length > 0


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells two states of a resource apart: a quoted etag, and whole seconds since 1970 where known."""

    etag: str
    modified_s: int | None = None

    @property
    def last_modified(self) -> str | None:
        """The time as HTTP writes it."""
        return None if self.modified_s is None else formatdate(self.modified_s, usegmt=True)


def chosen_range(headers: Mapping[str, str], *, size: int, validators: Validators) -> ByteRange | None:
    """Return the part a request asks for; None means the whole.

    Only a single range is served; several at once, malformed ones, and those whose `If-Range` no longer holds mean
    the whole, as the standard allows.

    Example:
        >>> chosen_range({"range": "bytes=-3"}, size=10, validators=Validators('"e"'))
        ByteRange(start=7, length=3)
    """
    asked = headers.get("range")
    if asked is None or not _still_holds(headers.get("if-range"), validators):
        return None
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        return ByteRange(size - length, length)
    start = int(first)
    if last and int(last) < start:
        return None
    end = min(int(last) if last else size - 1, size - 1)
    return ByteRange(start, max(0, end - start + 1))


def is_unchanged(headers: Mapping[str, str], validators: Validators) -> bool:
    """Tell whether the requester has this state already, by `If-None-Match` or else `If-Modified-Since`."""
    known = headers.get("if-none-match")
    if known is not None:
        weak = validators.etag.removeprefix("W/")
        return known.strip() == "*" or any(one.removeprefix("W/") == weak for one in _ETAG.findall(known))
    since = _moment(headers.get("if-modified-since"))
    return since is not None and validators.modified_s is not None and validators.modified_s <= since


def _still_holds(if_range: str | None, validators: Validators) -> bool:
    if if_range is None:
        return True
    text = if_range.strip()
    if text.startswith(('"', "W/")):
        return text == validators.etag and not text.startswith("W/")
    moment = _moment(text)
    return moment is not None and moment == validators.modified_s


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment: datetime = parsedate_to_datetime(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
