"""The lock that makes one process the engine of a home."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

from pathlake.engine.failures import home_errors
from pathlake.wire.address import LOCK_FILE

_POLL_S = 0.05


class HomeLock:
    """An exclusive `flock` on `HOME/engine.lock`; the kernel frees it when its process ends, however it ends.

    A forked child shares the open file, and with it the lock, which would then outlive its owner: whoever holds a
    `HomeLock` lets the child drop `descriptor` (see `server.forks`).
    """

    def __init__(self, home: Path) -> None:
        self._path = home / LOCK_FILE
        self._descriptor = -1

    @property
    def descriptor(self) -> int:
        """The open file that carries the lock; -1 while it is not held."""
        return self._descriptor

    def acquire(self, *, wait_s: float = 0.0) -> bool:
        """Take the lock, trying for `wait_s` seconds; return whether it is held now.

        Raises:
            HomeError: The lock file cannot be made, or the file system cannot lock.
        """
        with home_errors(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                deadline = time.monotonic() + wait_s
                while not _locked(descriptor):
                    if time.monotonic() >= deadline:
                        os.close(descriptor)
                        return False
                    time.sleep(_POLL_S)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
                raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back. Safe to call twice. The file stays: to remove it would let two processes lock two."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
