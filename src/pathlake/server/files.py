"""The bytes of files and blobs over HTTP: ranges, validators, and headers that keep browsers from running them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pathlake.engine.media import media_type_of
from pathlake.errors import ObjectMissingError
from pathlake.server.answers import json_answer
from pathlake.server.listing import entry, listing
from pathlake.server.ranges import Validators, chosen_range, is_unchanged
from pathlake.server.services import Services, id_of
from pathlake.server.streams import StreamAnswer, first_of
from pathlake.storage.base import Storage
from pathlake.types import checked_path
from pathlake.wire.contract import DATASOURCE_PARAM, REPOS_PATH

_REPO = REPOS_PATH + "/{owner}/{repo}"
_READS = ["GET", "HEAD"]
_PIECE_BYTES = 1 << 20

_RUN_BY_BROWSERS = frozenset(
    {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml", "text/javascript"}
)


def routes(services: Services) -> list[Route]:
    """Return the routes of files and blobs."""
    handlers = _Files(services)
    return [
        Route(_REPO + "/data-engine/datasources/{datasource}/raw/{path:path}", handlers.raw, methods=_READS),
        Route(_REPO + "/data-engine/blob/{digest}", handlers.blob, methods=_READS),
        Route(_REPO + "/raw/{path:path}", handlers.at_revision, methods=_READS),
        Route(_REPO + "/content/{path:path}", handlers.content, methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class _Object:
    """Something with bytes: what its headers say, and how to read it."""

    name: str
    size: int
    validators: Validators
    media_type: str
    read: Callable[[int, int], Iterator[bytes]]
    """Called with start and length; returns that part in pieces."""
    close: Callable[[], None]
    """Called when it is done with; may be called twice."""
    is_mutable: bool = True


class _Pieces:
    """A part of an object as `streams.Chunks`; without bytes where `length` is 0."""

    def __init__(self, found: _Object, *, start: int, length: int) -> None:
        self._found = found
        self._pieces = found.read(start, length) if length else iter(())

    def next_chunk(self) -> bytes | None:
        """Return the next piece."""
        return next(self._pieces, None)

    def close(self) -> None:
        """Close what the pieces are read from."""
        # A generator that is just being read on another thread refuses to be closed, and ends with its last reader.
        with contextlib.suppress(ValueError, AttributeError):
            self._pieces.close()  # type: ignore[attr-defined]
        self._found.close()


class _Files:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._engine = services.engine

    async def raw(self, request: Request) -> Response:
        path = request.path_params["path"]

        def find() -> _Object:
            storage = self._engine.files.storage(self._services.datasource(request))
            return _file(storage, checked_path(path), close=_nothing)

        return await self._answer(request, await self._services.call(find))

    async def at_revision(self, request: Request) -> Response:
        def find() -> _Object:
            storage, path = self._engine.files.for_revision(self._services.repo(request), request.path_params["path"])
            try:
                return _file(storage, path, close=storage.close)
            except BaseException:
                storage.close()
                raise

        return await self._answer(request, await self._services.call(find))

    async def blob(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        datasource = request.query_params.get(DATASOURCE_PARAM)

        def find() -> _Object:
            repo = self._services.repo(request)
            if datasource is not None:
                self._engine.datasources.record(repo, id=id_of(datasource))
            path = self._engine.blobs.path(digest)
            return _Object(
                name=digest,
                size=path.stat().st_size,
                validators=Validators(f'"{digest}"'),
                media_type="application/octet-stream",
                read=lambda start, length: _blob_pieces(path, start, length),
                close=_nothing,
                is_mutable=False,
            )

        return await self._answer(request, await self._services.call(find))

    async def content(self, request: Request) -> Response:
        """List a directory of the repo, or describe one file, as the official client asks for it."""
        whole = request.path_params["path"].strip("/")
        base_url = str(request.base_url).rstrip("/")

        def find() -> Any:
            repo = self._services.repo(request)
            # A directory is no path of a file, and it may be the root: ask for the revision of something below it.
            storage, below = self._engine.files.for_revision(repo, f"{whole}/-")
            path = below[:-2]
            revision = whole[: len(whole) - len(path)].rstrip("/")
            try:
                if path:
                    with contextlib.suppress(ObjectMissingError):
                        return entry(storage.stat(path), repo=repo, revision=revision, base_url=base_url)
                found = listing(storage, path, repo=repo, revision=revision, base_url=base_url)
                if path and not found:
                    raise ObjectMissingError(f"There is no {path[:200]!r} at {revision!r}.")
                return found
            finally:
                storage.close()

        return json_answer(await self._services.call(find))

    async def _answer(self, request: Request, found: _Object) -> Response:
        headers = _headers(found)
        part = chosen_range(request.headers, size=found.size, validators=found.validators)
        status = 200 if part is None else 206
        start, length = (0, found.size) if part is None else (part.start, part.length)
        if is_unchanged(request.headers, found.validators):
            status, length = 304, 0
        elif part is not None and not part.is_satisfiable:
            status, length = 416, 0
            headers["content-range"] = f"bytes */{found.size}"
            headers["content-length"] = "0"
        else:
            headers["content-length"] = str(length)
            if part is not None:
                headers["content-range"] = f"bytes {start}-{start + length - 1}/{found.size}"
        chunks = _Pieces(found, start=start, length=length)
        first = None
        if length and request.method != "HEAD":
            first = await first_of(self._services, chunks)
        return StreamAnswer(self._services, first=first, chunks=chunks, status=status, headers=headers)


def _headers(found: _Object) -> dict[str, str]:
    headers = {
        "etag": found.validators.etag,
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache" if found.is_mutable else "private, max-age=31536000, immutable",
        "content-type": found.media_type,
        "content-disposition": f"inline; filename*=UTF-8''{quote(found.name, safe='')}",
        # Files are other people's: a browser must neither guess their type nor run what is in them.
        "x-content-type-options": "nosniff",
    }
    if found.validators.last_modified is not None:
        headers["last-modified"] = found.validators.last_modified
    if found.media_type.partition(";")[0] in _RUN_BY_BROWSERS:
        headers["content-security-policy"] = "sandbox; default-src 'none'"
    return headers


def _file(storage: Storage, path: str, *, close: Callable[[], None]) -> _Object:
    info = storage.stat(path)
    return _Object(
        name=path.rpartition("/")[2],
        size=info.size,
        validators=Validators(_quoted_etag(info.etag), info.modified_us // 1_000_000),
        media_type=media_type_of(path) or "application/octet-stream",
        read=lambda start, length: storage.stream(path, start=start, length=length),
        close=close,
    )


def _quoted_etag(etag: str) -> str:
    plain = etag.strip('"')
    if all("!" <= char <= "~" and char != '"' for char in plain):
        return f'"{plain}"'
    return f'"{hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()}"'


def _blob_pieces(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(length, _PIECE_BYTES))):
            length -= len(piece)
            yield piece


def _nothing() -> None:
    """Close nothing: what was read from stays open for others."""
