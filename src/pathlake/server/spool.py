"""An upload while it arrives: in memory while it is small, then in a nameless temporary file."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from pathlake.errors import InvalidValueError, TruncatedStreamError

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_DUE_BYTES = 1 << 20


class Spool:
    """Collects the bytes of an Arrow IPC stream and reads them back as batches.

    The temporary file has no name (it is removed as soon as it is made), so that no way of ending, not even a killed
    process, leaves it behind.

    Args:
        folder: Where the file is made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[bytes] = []
        self._pending = 0
        self._size = 0
        self._tail = b""
        self._file: IO[bytes] | None = None

    @property
    def is_due(self) -> bool:
        """Whether `flush` should be called before more is added."""
        return self._pending >= _DUE_BYTES

    def add(self, data: bytes) -> None:
        """Take in bytes; never blocks."""
        if data:
            self._parts.append(data)
            self._pending += len(data)
            self._size += len(data)
            self._tail = (self._tail + data[-len(END_OF_STREAM) :])[-len(END_OF_STREAM) :]

    def flush(self) -> None:
        """Write what is pending to the file. Blocks."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by `close`
        self._file.write(b"".join(self._parts))
        self._parts.clear()
        self._pending = 0

    def reader(self) -> pa.RecordBatchReader:
        """Return the batches, each checked in full, since a wrong offset in one would read foreign memory.

        Raises:
            TruncatedStreamError: The end-of-stream marker is missing.
            InvalidValueError: The bytes are no Arrow IPC stream; also while the batches are read.
        """
        if self._tail != END_OF_STREAM:
            raise TruncatedStreamError(
                f"The upload of {self._size:,} bytes ended before its end-of-stream marker; nothing of it was kept."
            )
        try:
            stream = pa.ipc.open_stream(self._content())
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _malformed(error) from error
        return pa.RecordBatchReader.from_batches(stream.schema, _checked(stream))

    def close(self) -> None:
        """Free memory and file. Safe to call twice."""
        self._parts.clear()
        if self._file is not None:
            self._file.close()

    def _content(self) -> pa.NativeFile:
        if self._file is None:
            return pa.BufferReader(b"".join(self._parts))
        self.flush()
        self._file.seek(0)
        # Read, not mapped: what is read of a mapping counts as this process's memory until the mapping ends.
        return pa.PythonFile(cast("io.IOBase", self._file), mode="r")


def _checked(stream: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = stream.read_next_batch()
            batch.validate(full=True)
        except StopIteration:
            return
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _malformed(error) from error
        yield batch


def _malformed(error: Exception) -> InvalidValueError:
    return InvalidValueError(f"The upload is no valid Arrow IPC stream: {error}. Nothing of it was kept.")
