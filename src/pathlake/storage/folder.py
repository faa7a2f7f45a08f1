"""Files of a folder on this machine.

Plain `os` calls rather than the object store library that buckets use: its listing of a local folder knows neither
inodes, without which an etag cannot see a replaced file, nor links; what it saves in a network counts for nothing here.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pathlake.errors import ObjectMissingError, SourceUnavailableError, StorageDeniedError, StorageError
from pathlake.storage.base import FileBatch, FileInfo, SkippedFile
from pathlake.storage.ranged import checked_range
from pathlake.storage.walk import DENIED, GONE, FolderWalk, file_etag, is_hidden_name, open_root, path_below, root_error
from pathlake.types.paths import checked_path


def open_folder(root: str | Path) -> FolderStorage:
    """Open the folder at `root`; nothing is touched before the first use.

    Args:
        root: Path of the folder; `~` is the home folder, a relative path counts from the working directory.

    Example:
        >>> storage = open_folder("/data/images")
        >>> [path for batch in storage.list() for path in batch.paths]
        ['001.jpg', '002.jpg', 'more/003.jpg']
    """
    return FolderStorage(str(Path(root).expanduser().absolute()))


class FolderStorage:
    """A folder on this machine; `pathlake.storage.base.Storage` says what every method promises.

    Links to files and directories inside the root are followed; those that leave it are skipped by the listing and
    refused by reads. An etag is made of modification time, size and inode.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._skipped: list[SkippedFile] = []
        self._closed = False

    @property
    def url(self) -> str:
        return Path(self._root).as_uri()

    @property
    def revision(self) -> str | None:
        return None

    @property
    def skipped(self) -> list[SkippedFile]:
        return self._skipped

    def check(self) -> None:
        self._check_open()
        handle = open_root(self._root)
        try:
            os.listdir(handle)  # noqa: PTH208  of a handle, which a Path cannot be
        except OSError as error:
            raise root_error(self._root, error) from error
        finally:
            os.close(handle)

    def list(self, *, batch_size: int = 10_000) -> Iterator[FileBatch]:
        """Yield the files of each directory in name order, then those of its subdirectories.

        Holds the names of one directory at a time, besides the batch.
        """
        self._check_open()
        self._skipped = []
        return FolderWalk(self._root, self._skipped).batches(batch_size)

    def stat(self, path: str) -> FileInfo:
        self._check_open()
        with self._located(path) as (directory, name):
            info = os.stat(name, dir_fd=directory, follow_symlinks=False)
        self._check_regular(path, info)
        return FileInfo(path, info.st_size, info.st_mtime_ns // 1000, file_etag(info))

    def read(self, path: str) -> bytes:
        with self._opened(path) as handle, os.fdopen(handle, "rb", buffering=0, closefd=False) as file:
            return file.readall()

    def read_range(self, path: str, *, start: int, length: int) -> bytes:
        checked_range(start, length)
        with self._opened(path) as handle:
            data = os.pread(handle, length, start)
            if len(data) == length or not data:
                return data
            parts = [data]
            left = length - len(data)
            while left and (data := os.pread(handle, left, start + length - left)):
                parts.append(data)
                left -= len(data)
            return b"".join(parts)

    def stream(
        self, path: str, *, start: int = 0, length: int | None = None, chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        checked_range(start, length)
        with self._opened(path) as handle:
            while length is None or length > 0:
                data = os.pread(handle, chunk_bytes if length is None else min(chunk_bytes, length), start)
                if not data:
                    return
                yield data
                start += len(data)
                length = None if length is None else length - len(data)

    def sign(self, path: str, *, expires_s: int = 3600) -> str | None:  # noqa: ARG002
        return None

    def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise SourceUnavailableError(f"The storage {self.url} is closed.")

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        """Open the regular file at `path` for reading."""
        self._check_open()
        with self._located(path) as (directory, name):
            # Without O_NONBLOCK the open of a pipe would wait for somebody to write into it.
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        try:
            self._check_regular(path, os.fstat(handle))
            try:
                yield handle
            except OSError as error:
                if isinstance(error, StorageError):
                    raise
                raise StorageError(f"{path!r} in {self._root!r} cannot be read: {error.strerror}.") from error
        finally:
            os.close(handle)

    def _check_regular(self, path: str, info: os.stat_result) -> None:
        if not stat.S_ISREG(info.st_mode):
            raise self._missing(path)

    @contextmanager
    def _located(self, path: str) -> Iterator[tuple[int, str]]:
        """Give a handle of the directory that really holds the file at `path`, and the file's name in it.

        Every segment is opened below the one before without following links, so that nobody who swaps a directory
        for a link can lead a read out of the root. Only where there is a link is the path resolved, and then walked
        in the same way.
        """
        checked_path(path)
        try:
            directory = self._descend(path.split("/"), path)
            if directory is None:
                directory = self._descend(self._resolved(path), path)
            if directory is None:
                raise self._missing(path)
            try:
                yield directory
            finally:
                os.close(directory[0])
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            if error.errno in GONE or error.errno in (errno.ENAMETOOLONG, errno.EISDIR, errno.ELOOP, errno.ENXIO):
                raise self._missing(path) from error
            if error.errno in DENIED:
                raise StorageDeniedError(f"{path!r} in {self._root!r} may not be read by this user.") from error
            raise StorageError(f"{path!r} in {self._root!r} cannot be opened: {error.strerror}.") from error

    def _descend(self, segments: Sequence[str], path: str) -> tuple[int, str] | None:
        """Open the directory of the last segment; None where a link is on the way."""
        if any(map(is_hidden_name, segments)):
            raise self._missing(path)
        handle = open_root(self._root)
        try:
            for segment in segments[:-1]:
                try:
                    inner = os.open(segment, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
                except OSError as error:
                    # A link is ENOTDIR on Linux and ELOOP elsewhere; for a file in between the look-up is in vain.
                    if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                        raise
                    os.close(handle)
                    return None
                os.close(handle)
                handle = inner
            if stat.S_ISLNK(os.stat(segments[-1], dir_fd=handle, follow_symlinks=False).st_mode):
                os.close(handle)
                return None
        except BaseException:
            os.close(handle)
            raise
        return handle, segments[-1]

    def _resolved(self, path: str) -> Sequence[str]:
        root = os.path.realpath(self._root)
        real = path_below(os.path.realpath(f"{root}/{path}", strict=True), root)
        if real is None:
            raise StorageDeniedError(f"{path!r} is a link that leads out of {self._root!r}, so it is not read.")
        return real.split("/")

    def _missing(self, path: str) -> ObjectMissingError:
        return ObjectMissingError(f"There is no file {path!r} in {self._root!r}.", {"path": path})
