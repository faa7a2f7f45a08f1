"""Failures of the disk below the home, turned into Pathlake's errors at one place."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from pathlake.errors import DiskFullError, HomeError, PathlakeError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextlib.contextmanager
def home_errors(place: Path) -> Iterator[None]:
    """Turn every `OSError` of the block, which works on `place`, into a `HomeError` that says what to do.

    Raises:
        DiskFullError: No space, or no quota, is left.
        HomeError: Anything else.
    """
    try:
        yield
    except PathlakeError:
        raise
    except OSError as error:
        raise _home_error(place, error) from error


def _home_error(place: Path, error: OSError) -> HomeError:
    details = {"place": str(place), "errno": error.errno}
    if error.errno in _FULL:
        return DiskFullError(
            f"No space is left in {place}; nothing of the change was kept. Free some space, or move the home "
            "with PATHLAKE_HOME.",
            details,
        )
    if error.errno in _REFUSED:
        return HomeError(
            f"{place} cannot be written ({error.strerror}). Make it writable for this user, or choose another home "
            "with PATHLAKE_HOME.",
            details,
        )
    return HomeError(
        f"{place} cannot be used as a home: {error.strerror or error}. Choose another one with PATHLAKE_HOME.", details
    )
