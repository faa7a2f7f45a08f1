"""The storage seam: bytes by key, whatever the place they live in.

A `Storage` is read-only and looks at one *root*: a folder, a bucket prefix, or a directory of a git commit. Keys are
datapoint paths relative to that root (`pathlake.types.checked_path`). Every failure is one of `ObjectMissingError`,
`StorageDeniedError`, `SourceUnavailableError`, or another `StorageError`. Implementations are safe to use from many
threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

MISSING_SIZE = -1


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What a storage knows of one file without reading it.

    Attributes:
        path: Relative to the storage's root.
        size: In bytes.
        modified_us: Last change, in microseconds since 1970-01-01 UTC.
        etag: Changes whenever the content changes.
    """

    path: str
    size: int
    modified_us: int
    etag: str


@dataclass(slots=True)
class FileBatch:
    """Files of a listing as parallel columns, so that millions cost no objects. All lists have the same length."""

    paths: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    modified_us: list[int] = field(default_factory=list)
    etags: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that a listing found but could not take in, and why."""

    path: str
    reason: str


@runtime_checkable
class Storage(Protocol):
    """Read-only access to the files below one root."""

    @property
    def url(self) -> str:
        """Where this storage looks, for people: `file:///data`, `git+file:///repo@<commit>:dir`."""
        ...

    @property
    def revision(self) -> str | None:
        """The git commit (40 hex digits) the files are read at; None where there is none."""
        ...

    @property
    def skipped(self) -> list[SkippedFile]:
        """Files the latest listing could not take in (names that are no paths, links out of the root)."""
        ...

    def check(self) -> None:
        """Make one real call that shows whether the root is there and readable.

        Raises:
            SourceUnavailableError: The root does not exist or cannot be reached.
            StorageDeniedError: It may not be read.
        """
        ...

    def list(self, *, batch_size: int = 10_000) -> Iterator[FileBatch]:
        """Yield all files below the root in batches, as a stream; memory does not grow with their number.

        No path comes twice in one listing: scans rely on it.
        """
        ...

    def stat(self, path: str) -> FileInfo:
        """Return what is known of one file.

        Raises:
            ObjectMissingError: There is no file at `path`.
        """
        ...

    def read(self, path: str) -> bytes:
        """Return the whole content of one file."""
        ...

    def read_range(self, path: str, *, start: int, length: int) -> bytes:
        """Return `length` bytes from offset `start`; fewer where the file ends before."""
        ...

    def stream(
        self, path: str, *, start: int = 0, length: int | None = None, chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Yield the bytes from `start` on in chunks, never the whole file at once."""
        ...

    def sign(self, path: str, *, expires_s: int = 3600) -> str | None:
        """Return a URL that gives the file to anyone for a while, or None where the storage cannot sign."""
        ...

    def close(self) -> None:
        """Free what the storage holds; it cannot be used afterwards."""
        ...
