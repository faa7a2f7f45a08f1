"""Rows out and metadata in, as Arrow IPC streams."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pathlake.errors import QueryError, TruncatedStreamError, UsageError
from pathlake.expr import Query, query_from_wire
from pathlake.lake.base import CommitReport, Rows
from pathlake.server.answers import json_answer, json_body
from pathlake.server.errors import as_pathlake_error
from pathlake.server.services import Services, principal_of
from pathlake.server.spool import Spool
from pathlake.server.streams import StreamAnswer, drain, first_of
from pathlake.server.views import data_time, scan_json
from pathlake.wire.contract import (
    ARROW_STREAM_TYPE,
    LISTS_MODES,
    LISTS_PARAM,
    MAX_GRAPHQL_BYTES,
    MESSAGE_PARAM,
    REPOS_PATH,
    RESULT_KEY,
)
from pathlake.wire.result import CommitAnswer, ResultField, ResultInfo

if TYPE_CHECKING:
    from typing_extensions import Buffer

_DATASOURCE = REPOS_PATH + "/{owner}/{repo}/data-engine/datasources/{datasource}"
_CHUNK_BYTES = 1 << 20
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4" if pa.Codec.is_available("lz4") else None)


def routes(services: Services) -> list[Route]:
    """Return the routes of the Arrow endpoints."""
    handlers = _Arrow(services)
    return [
        Route(_DATASOURCE + "/rows", handlers.rows, methods=["POST"]),
        Route(_DATASOURCE + "/metadata", handlers.metadata, methods=["POST"]),
    ]


class RowChunks:
    """The rows of a query as pieces of an Arrow IPC stream of about a megabyte each."""

    def __init__(self, rows: Rows, schema: pa.Schema) -> None:
        self._rows = rows
        self._batches = iter(rows)
        self._sink = _Sink()
        self._writer: Any = pa.ipc.new_stream(self._sink, schema, options=_OPTIONS)
        self._schema = schema
        self._done = False

    def next_chunk(self) -> bytes | None:
        """Return the next piece, with the end-of-stream marker in the last one."""
        if self._done:
            return None
        while self._sink.size < _CHUNK_BYTES:
            batch = next(self._batches, None)
            if batch is None:
                self._writer.close()
                self._done = True
                break
            self._writer.write_batch(batch)
        return self._sink.take()

    def close(self) -> None:
        """Stop the query."""
        self._rows.close()


class _Sink(io.RawIOBase):
    """What an Arrow writer writes to; keeps the bytes until they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        self.size += len(part)
        return len(part)

    def take(self) -> bytes:
        whole = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        return whole


class _Arrow:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._engine = services.engine

    async def rows(self, request: Request) -> Response:
        body = await json_body(request, self._services, most_bytes=MAX_GRAPHQL_BYTES)
        chunks = await self._services.call(lambda: self._open(request, body))
        first = await first_of(self._services, chunks)
        return StreamAnswer(self._services, first=first, chunks=chunks, headers={"content-type": ARROW_STREAM_TYPE})

    async def metadata(self, request: Request) -> Response:
        lists = request.query_params.get(LISTS_PARAM, "replace")
        message = request.query_params.get(MESSAGE_PARAM, "")
        try:
            if lists not in LISTS_MODES:
                raise UsageError(f"{LISTS_PARAM} is {lists[:40]!r}; it must be one of {', '.join(LISTS_MODES)}.")
            # Asked before the body is read: who uploads gigabytes to a wrong name should not wait for their end.
            datasource = await self._services.call(lambda: self._services.datasource(request))
        except Exception:
            await drain(request)
            raise
        author = principal_of(request).login
        spool = Spool(self._services.uploads_dir)
        try:
            await self._spool(request, spool)

            def ingest() -> CommitReport:
                return self._engine.metadata.ingest(
                    datasource,
                    spool.reader(),
                    author=author,
                    message=message,
                    lists="union" if lists == "union" else "replace",
                )

            report = await self._services.call(ingest)
        finally:
            await self._services.call(spool.close)
        return json_answer(_commit_answer(report).to_json())

    async def _spool(self, request: Request, spool: Spool) -> None:
        failure: Exception | None = None
        try:
            async for chunk in request.stream():
                if failure is not None:
                    continue
                spool.add(chunk)
                if spool.is_due:
                    try:
                        await self._services.call(spool.flush)
                    except OSError as error:
                        # Read on: an answer before the end of the body would be lost with the connection.
                        failure = error
        except ClientDisconnect as error:
            raise TruncatedStreamError("The upload ended before its end; nothing of it was kept.") from error
        if failure is not None:
            raise as_pathlake_error(failure)

    def _open(self, request: Request, body: dict[str, Any]) -> RowChunks:
        query = _query(body)
        snapshot, offset = _whole(body, "snapshot"), _whole(body, "offset") or 0
        datasource = self._services.datasource(request)
        scan = self._engine.scans.latest(datasource)
        read_at = time.time()
        rows = self._engine.queries.rows(datasource, query, snapshot=snapshot, offset=offset)
        try:
            info = ResultInfo(
                fields=tuple(ResultField(name, field) for name, field in rows.fields),
                snapshot=rows.snapshot,
                query_data_time=data_time(query, read_at),
                scan=None if scan is None else scan_json(scan),
            )
            metadata = {**(rows.arrow_schema.metadata or {}), RESULT_KEY: info.encode()}
            return RowChunks(rows, rows.arrow_schema.with_metadata(metadata))
        except BaseException:
            rows.close()
            raise


def _query(body: dict[str, Any]) -> Query:
    found = body.get("query") or {}
    if not isinstance(found, dict):
        raise QueryError(f"The query must be a JSON object, not {type(found).__name__}.")
    return query_from_wire(found)


def _whole(body: dict[str, Any], key: str) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise QueryError(f"{key} must be a whole number that is not negative, not {value!r}.")
    return value


def _commit_answer(report: CommitReport) -> CommitAnswer:
    return CommitAnswer(
        snapshot=report.snapshot,
        rows=report.rows,
        new_datapoints=report.new_datapoints,
        updated_datapoints=report.updated_datapoints,
        new_fields=report.new_fields,
    )
