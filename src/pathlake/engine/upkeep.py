"""Keeping the lake quick while the engine runs: many small commits leave many small files."""

from __future__ import annotations

import logging
import threading

from pathlake.errors import PathlakeError
from pathlake.lake.base import Lake

LOOK_EVERY_S = 60.0

MANY_FILES = 100
"""So many more small files than there were after the last time, and they are merged."""

_log = logging.getLogger(__name__)


class Upkeep:
    """Merges the lake's small files now and then, on a thread of its own.

    Args:
        lake: The lake.
        look_every_s: Seconds from one look to the next.
        many_files: How many more small files are worth the work.
    """

    def __init__(self, lake: Lake, *, look_every_s: float = LOOK_EVERY_S, many_files: int = MANY_FILES) -> None:
        self._lake = lake
        self._look_every_s = look_every_s
        self._many_files = many_files
        self._left = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pathlake-upkeep", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop, after the table that is under way. Safe to call twice, and without `start`."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._look_every_s):
            try:
                if self._lake.small_files() >= self._left + self._many_files:
                    self._lake.maintain(stop=self._ended)
                    self._left = self._lake.small_files()
            except PathlakeError:
                _log.warning("The lake's small files could not be merged; it is tried again later", exc_info=True)
