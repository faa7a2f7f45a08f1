"""Waiting for scans, and warning of results that a scan has not completed."""

from __future__ import annotations

import time

from pathlake.client.progress import progress_bar
from pathlake.client.source import Source
from pathlake.client.state import ScanInfo
from pathlake.client.warnings import ScanFailedWarning, ScanInProgressWarning, warn
from pathlake.errors import ScanFailedError, ScanTimeoutError

_SHORTEST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_PAUSE_SHARE = 0.1
"""Each pause is this share of the time waited so far, so the end is never noticed much later than it came."""


def wait_for_scan(source: Source, *, max_wait_s: float | None, fails: bool, progress: bool | None) -> None:
    """Wait until no scan of the datasource is active; see `Datasource.wait_until_ready`."""
    begun = time.monotonic()
    deadline = None if max_wait_s is None else begun + max_wait_s
    with progress_bar(f"Scanning {source.name}", wanted=progress) as advance:
        while True:
            scan = source.refresh().scan
            if scan is None or not scan.active:
                break
            advance(completed=scan.seen, text=f"Scanning {source.name}" + (f": {scan.stage}" if scan.stage else ""))
            now = time.monotonic()
            pause_s = min(max((now - begun) * _PAUSE_SHARE, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
            left_s = pause_s if deadline is None else min(pause_s, deadline - now)
            if left_s <= 0:
                if not fails:
                    return
                raise ScanTimeoutError(
                    f"The scan of {source.name!r} has not ended within {max_wait_s:g} s; it has seen {scan.seen} files "
                    "and goes on. Wait longer with wait_until_ready(max_wait_time=...).",
                    {"seen": scan.seen},
                )
            time.sleep(left_s)
    if scan is not None and scan.state == "FAILED":
        raise ScanFailedError(
            f"The scan of {source.name!r} failed: {scan.error or 'no reason given'} "
            f"What it had found ({scan.seen} files) is kept; scan_source() tries again.",
            {"error": scan.error},
        )


def warn_of_scan(source: Source, scan: ScanInfo | None) -> None:
    """Warn when a result may lack files, because a scan runs or the last one failed."""
    if scan is None:
        return
    if scan.active:
        warn(
            f"The scan of {source.name!r} is still in progress ({scan.seen} files so far), so the result may be "
            "partial. wait_until_ready() waits for it.",
            ScanInProgressWarning,
        )
    elif scan.state == "FAILED":
        warn(
            f"The last scan of {source.name!r} failed, so the result may be partial: {scan.error or 'no reason given'} "
            "scan_source() tries again.",
            ScanFailedWarning,
        )
