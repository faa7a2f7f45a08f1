"""Warnings the client gives; each is a class, so that it can be silenced or turned into an error by itself."""

from __future__ import annotations


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
