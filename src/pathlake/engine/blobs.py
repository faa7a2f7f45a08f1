"""Bytes stored once by their content, in a folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from pathlake.engine.failures import home_errors
from pathlake.errors import BlobNotFoundError

_HASH = re.compile(r"^[0-9a-f]{64}$")
_SYNC_THREADS = 8


class Blobs:
    """A content-addressed store: a blob's name is the SHA-256 of its bytes, as 64 hex digits.

    Safe to use from many threads and processes: a blob appears under its name whole or not at all, and its bytes
    are on disk before its name is.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes | memoryview) -> str:
        """Store bytes and return their hash; bytes that are there already cost no write.

        Raises:
            DiskFullError: No space is left.
            HomeError: The folder cannot be written.
        """
        return self.put_many([data])[0]

    def put_many(self, items: Iterable[bytes | memoryview]) -> list[str]:
        """Store several blobs, which is much quicker than one by one, and return their hashes in order."""
        hashes: list[str] = []
        pending: dict[str, Path] = {}
        with home_errors(self._root):
            try:
                for data in items:
                    digest = hashlib.sha256(data).hexdigest()
                    hashes.append(digest)
                    if digest not in pending and not self._path(digest).exists():
                        pending[digest] = self._write_temp(digest, data)
                self._sync(pending.values())
                for digest, temp in pending.items():
                    temp.replace(self._path(digest))
            except BaseException:
                for temp in pending.values():
                    with contextlib.suppress(OSError):
                        temp.unlink()
                raise
        return hashes

    def path(self, digest: str) -> Path:
        """Return where a blob's bytes are.

        Raises:
            BlobNotFoundError: There is no such blob, or `digest` is no hash.
        """
        if not _HASH.match(digest):
            raise BlobNotFoundError(f"{digest[:80]!r} is no blob hash; one is 64 hex digits in lower case.")
        path = self._path(digest)
        if not path.is_file():
            raise BlobNotFoundError(f"There is no blob {digest}.", {"hash": digest})
        return path

    def size(self, digest: str) -> int:
        """Return the length of a blob in bytes."""
        return self.path(digest).stat().st_size

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading."""
        return self.path(digest).open("rb")

    def read(self, digest: str) -> bytes:
        """Return a blob's bytes."""
        return self.path(digest).read_bytes()

    def _path(self, digest: str) -> Path:
        return self._root / digest[:2] / digest[2:]

    def _write_temp(self, digest: str, data: bytes | memoryview) -> Path:
        folder = self._root / digest[:2]
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
        temp = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
        except BaseException:
            with contextlib.suppress(OSError):
                temp.unlink()
            raise
        return temp

    def _sync(self, files: Iterable[Path]) -> None:
        todo = list(files)
        if len(todo) < 4:
            for file in todo:
                _fsync(file)
            return
        with ThreadPoolExecutor(_SYNC_THREADS) as pool:
            list(pool.map(_fsync, todo))


def _fsync(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
