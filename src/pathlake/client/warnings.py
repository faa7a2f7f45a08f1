"""Warnings the client gives; each is a class, so that it can be silenced or turned into an error by itself."""

from __future__ import annotations

import sys
import warnings
from types import FrameType


class PathlakeWarning(UserWarning):
    """The root of all warnings of Pathlake."""


class ScanInProgressWarning(PathlakeWarning):
    """The datasource is still being scanned, so the result may lack files that exist."""


class ScanFailedWarning(PathlakeWarning):
    """The latest scan of the datasource failed, so the result may lack files that exist."""


class SlowLoopWarning(PathlakeWarning):
    """Something is done one by one in a loop that is far quicker done at once."""


class IgnoredColumnsWarning(PathlakeWarning):
    """Columns of an upload were left out because people cannot write them."""


def users_frame() -> tuple[FrameType, int]:
    """Return the frame of the first caller outside the client, and its stack level seen from this function's caller."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - as `warnings` itself does, with skip_file_prefixes, from 3.12 on
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("pathlake.client"):
        frame = frame.f_back
        level += 1
    return frame, level


def warn(message: str, category: type[PathlakeWarning]) -> None:
    """Warn, pointing at the user's line."""
    warnings.warn(message, category, stacklevel=users_frame()[1])
