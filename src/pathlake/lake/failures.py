"""Errors of DuckDB as errors of Pathlake, in one place."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator

import duckdb

from pathlake.errors import (
    DiskFullError,
    IncompatibleVersionError,
    InternalError,
    PathlakeError,
    ResourceLimitError,
    SourceUnavailableError,
)

_DISK_FULL = ("no space left on device", "database or disk is full", "could not extend file", "disk quota exceeded")
_CONFLICT = ("transaction conflict", "database is locked", "conflict on", "serialize access", "retry count of")
_NEWER = ("catalog version mismatch", "ducklake version", "only support", "unsupported ducklake")


def is_conflict(error: Exception) -> bool:
    """Tell whether a commit failed only because another one came first."""
    text = str(error).lower()
    return isinstance(error, duckdb.Error) and any(sign in text for sign in _CONFLICT)


def lost_a_race(error: Exception) -> bool:
    """Tell whether something could not be made only because another server made it at the same moment."""
    text = str(error).lower()
    return is_conflict(error) or "already exists" in text or "duplicate key" in text


def translated(error: Exception) -> PathlakeError:
    """Return the error of Pathlake that says what `error` of DuckDB means."""
    text = str(error)
    lower = text.lower()
    if any(sign in lower for sign in _DISK_FULL):
        return DiskFullError("The disk that the lake writes to is full; nothing of the change was kept.")
    if isinstance(error, (duckdb.OutOfMemoryException, MemoryError)):
        if "max_temp_directory_size" in lower:
            return DiskFullError("The lake's folder for temporary files is full; nothing of the change was kept.")
        return ResourceLimitError(
            "The query needs more memory than the lake may use. Select fewer fields, narrow the condition, "
            "or raise the memory limit.",
            {"reason": text[:500]},
        )
    if isinstance(error, duckdb.InterruptException):
        return InternalError("The result was closed while it was being read.")
    if isinstance(error, duckdb.Error) and any(sign in lower for sign in _NEWER) and "version" in lower:
        return IncompatibleVersionError(
            f"The lake was written by another version of DuckLake than this one reads: {text[:300]}"
        )
    if isinstance(error, (duckdb.HTTPException, duckdb.IOException)) and "http" in lower:
        return SourceUnavailableError(f"The place of the lake's data files cannot be used: {text[:300]}")
    return InternalError(f"The lake failed: {text[:800]}")


@contextlib.contextmanager
def mapped() -> Iterator[None]:
    """Raise errors of DuckDB inside the block as errors of Pathlake, with the original as their cause."""
    try:
        yield
    except (duckdb.Error, MemoryError) as error:
        if isinstance(error, PathlakeError):
            raise
        raise translated(error) from error


def retried(action: Callable[[], None], *, attempts: int = 8) -> None:
    """Run `action` until no commit of another server comes in between, at most `attempts` times."""
    for attempt in range(1, attempts + 1):
        try:
            return action()
        except PathlakeError as error:
            cause = error.__cause__
            if attempt == attempts or not isinstance(cause, duckdb.Error) or not lost_a_race(cause):
                raise
        time.sleep(random.uniform(0.01, 0.05) * attempt)
    return None
