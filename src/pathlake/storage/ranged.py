"""A file object over ranged reads, for libraries that parse headers."""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import TYPE_CHECKING

from pathlake.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from pathlake.storage.base import Storage

BLOCK_BYTES = 64 << 10
"""Small enough that a header costs little, large enough that one request holds nearly every header whole."""

MAX_BLOCKS = 8


def checked_range(start: int, length: int | None) -> None:
    """Refuse a range no file can have.

    Raises:
        UsageError: `start` or `length` is negative.
    """
    if start < 0 or (length is not None and length < 0):
        raise UsageError(f"A range starts at 0 or later and has no negative length, not {start} and {length}.")


class RangedReader(io.RawIOBase):
    r"""A seekable, read-only file object that fetches blocks of a stored file as they are asked for.

    Keeps the last few blocks, so that the back and forth of a header parser costs one request for each block. Not
    safe for use from several threads.

    Args:
        storage: Where the file lies.
        path: The file's path there.
        size: The file's size in bytes, as the listing gave it.

    Attributes:
        bytes_read: Bytes fetched from the storage so far.

    Example:
        >>> reader = RangedReader(storage, "a.jpg", storage.stat("a.jpg").size)
        >>> reader.read(3)
        b'\xff\xd8\xff'
    """

    def __init__(self, storage: Storage, path: str, size: int) -> None:
        super().__init__()
        self.bytes_read = 0
        self._storage = storage
        self._path = path
        self._size = size
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    @property
    def name(self) -> str:
        """The path in the storage."""
        return self._path

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._check_open()
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}.get(whence)
        if base is None:
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        self._check_open()
        left = max(self._size - self._position, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        index, offset = divmod(self._position, BLOCK_BYTES)
        if offset + wanted <= BLOCK_BYTES:
            data = self._block(index)[offset : offset + wanted] if wanted else b""
        else:
            data = self._long_read(wanted)
        self._position += len(data)
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._blocks.clear()
        super().close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def _long_read(self, wanted: int) -> bytes:
        parts: list[bytes] = []
        position, end = self._position, self._position + wanted
        while position < end:
            index, offset = divmod(position, BLOCK_BYTES)
            part = self._block(index)[offset : offset + end - position]
            if not part:  # the file is shorter than the listing said
                break
            parts.append(part)
            position += len(part)
        return b"".join(parts)

    def _block(self, index: int) -> bytes:
        found = self._blocks.get(index)
        if found is not None:
            self._blocks.move_to_end(index)
            return found
        start = index * BLOCK_BYTES
        data = self._fetch(start, min(BLOCK_BYTES, self._size - start))
        self._blocks[index] = data
        if len(self._blocks) > MAX_BLOCKS:
            self._blocks.popitem(last=False)
        return data

    def _fetch(self, start: int, length: int) -> bytes:
        data = self._storage.read_range(self._path, start=start, length=length)
        self.bytes_read += len(data)
        return data
