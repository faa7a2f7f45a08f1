"""The file object that header parsers get: it reads little, and not for long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pathlake.errors import MediaHeaderError, PathlakeError
from pathlake.storage.ranged import RangedReader

if TYPE_CHECKING:
    from pathlake.storage.base import Storage

MAX_HEADER_BYTES = 8 << 20
"""Of one file. A header with its tags stays far below; what reads more is searching a broken file."""

MAX_SECONDS = 10.0

_READS_BETWEEN_LOOKS_AT_THE_CLOCK = 4096


class HeaderReader(RangedReader):
    """A `RangedReader` that stops a parser which a hostile or broken file leads astray.

    Attributes:
        size: Size of the file in bytes.
        failure: Why a read failed or was refused; parsers tend to hide it behind errors of their own.
    """

    def __init__(self, storage: Storage, path: str, size: int) -> None:
        super().__init__(storage, path, size)
        self.size = size
        self.failure: PathlakeError | None = None
        self._deadline = time.monotonic() + MAX_SECONDS
        self._reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads % _READS_BETWEEN_LOOKS_AT_THE_CLOCK == 0 and time.monotonic() > self._deadline:
            raise self._stopped(f"its header could not be read within {MAX_SECONDS:g} s")
        wanted = max(self.size - self.tell(), 0)
        if size is not None and size >= 0:
            wanted = min(wanted, size)
        if wanted > MAX_HEADER_BYTES:
            raise self._stopped(f"its header claims {wanted} bytes")
        return super().read(size)

    def _fetch(self, start: int, length: int) -> bytes:
        if self.bytes_read + length > MAX_HEADER_BYTES:
            raise self._stopped(f"its header is not within {MAX_HEADER_BYTES >> 20} MiB")
        try:
            return super()._fetch(start, length)
        except PathlakeError as error:
            self.failure = error
            raise

    def _stopped(self, reason: str) -> MediaHeaderError:
        self.failure = MediaHeaderError(reason, {"path": self.name})
        return self.failure
