"""Fetching rows: the Arrow stream of a query as a table."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa

from pathlake.client.progress import progress_bar, shows_progress
from pathlake.client.result import QueryResult
from pathlake.client.source import Source
from pathlake.errors import TransportError, TruncatedStreamError
from pathlake.expr import Query, query_to_wire
from pathlake.wire import RESULT_KEY, ResultInfo

PROGRESS_FROM_ROWS = 200_000
"""Results up to this size arrive before a bar could be read."""


class ChunkFile(io.RawIOBase):
    """Chunks of bytes as the file that pyarrow reads a stream from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Tell pyarrow that this file is for reading."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer at the end."""
        parts: list[memoryview] = []
        missing = size
        while missing:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
            part = self._rest if missing < 0 else self._rest[:missing]
            self._rest = self._rest[len(part) :]
            parts.append(part)
            missing -= len(part) if missing > 0 else 0
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)


def fetch(
    source: Source, query: Query, *, snapshot: int | None = None, offset: int = 0, progress: bool | None = None
) -> QueryResult:
    """Return the datapoints of a query.

    Args:
        source: The datasource.
        query: What is asked.
        snapshot: State of the metadata to read from; None means `query.as_of`, else the newest.
        offset: Datapoints to pass over from the start.
        progress: Whether to show a bar; None shows it for large results where somebody is watching.

    Raises:
        TransportError: The answer broke off, also when asked for again.
    """
    try:
        return _fetched(source, query, snapshot=snapshot, offset=offset, progress=progress)
    except TruncatedStreamError:
        return _fetched(source, query, snapshot=snapshot, offset=offset, progress=progress)


def _fetched(source: Source, query: Query, *, snapshot: int | None, offset: int, progress: bool | None) -> QueryResult:
    wire = query_to_wire(query, source.schema)
    with source.api.rows(source.id, wire, snapshot=snapshot, offset=offset) as chunks:
        try:
            with pa.ipc.open_stream(pa.PythonFile(ChunkFile(chunks), mode="r")) as reader:
                schema = reader.schema
                batches = list(_watched(reader, wanted=progress))
        except pa.ArrowInvalid as error:
            raise TruncatedStreamError(f"The rows of {source.name!r} did not arrive whole: {error}.") from error
    encoded = (schema.metadata or {}).get(RESULT_KEY)
    if encoded is None:
        raise TransportError("The engine sent rows without saying what they are.")
    return QueryResult(pa.Table.from_batches(batches, schema.remove_metadata()), ResultInfo.decode(encoded), source)


def _watched(reader: pa.RecordBatchReader, *, wanted: bool | None) -> Iterator[pa.RecordBatch]:
    """Yield the batches; show a bar once there are so many rows that it is worth one."""
    rows = 0
    if wanted is None:
        wanted = shows_progress()
        while wanted and rows < PROGRESS_FROM_ROWS:
            batch = next(reader, None)
            if batch is None:
                return
            rows += batch.num_rows
            yield batch
    if not wanted:
        yield from reader
        return
    with progress_bar("Fetching datapoints", wanted=True) as advance:
        for batch in reader:
            rows += batch.num_rows
            advance(completed=rows)
            yield batch
