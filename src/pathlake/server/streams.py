"""Answers that are made while they are sent, with back-pressure and without memory that grows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from pathlake.server.services import Services

Message = MutableMapping[str, Any]


class Chunks(Protocol):
    """Bytes in pieces. `next_chunk` blocks; `close` may be called from another thread while it does."""

    def next_chunk(self) -> bytes | None:
        """Return the next piece, or None after the last."""
        ...

    def close(self) -> None:
        """Stop and free what is held. Safe to call twice."""
        ...


class StreamAnswer(Response):
    """Sends `first` and then what `chunks` gives, reading one piece ahead.

    A client that goes away closes the chunks at once, also while one is being made. A failure midway leaves the
    answer without its end, which cuts the connection: the client can tell that it is not whole.
    """

    def __init__(
        self,
        services: Services,
        *,
        first: bytes | None,
        chunks: Chunks,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._services = services
        self._first = first
        self._chunks = chunks
        self.status_code = status
        self.background = None
        self.init_headers(headers)

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send_chunks(send, gone)
        finally:
            gone.cancel()
            await asyncio.shield(self._services.call(self._chunks.close))

    async def _send_chunks(self, send: Callable[[Message], Awaitable[None]], gone: asyncio.Future[None]) -> None:
        chunk = self._first
        while chunk is not None and not gone.done():
            ahead = asyncio.ensure_future(self._services.call(self._chunks.next_chunk))
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            either: set[asyncio.Future[Any]] = {ahead, gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not ahead.done():
                await self._services.call(self._chunks.close)
                # Nobody waits for the piece that was being made, nor for the error that closing gave it.
                await asyncio.gather(ahead, return_exceptions=True)
                return
            chunk = ahead.result()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def first_of(services: Services, chunks: Chunks) -> bytes | None:
    """Return the first piece; a failure here is still in time for a proper status, and closes the chunks."""
    try:
        return await services.call(chunks.next_chunk)
    except BaseException:
        await asyncio.shield(services.call(chunks.close))
        raise


async def drain(request: Request) -> None:
    """Read what is left of a request's body, so that an early answer is not lost with the connection."""
    while True:
        message = await request.receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


async def _until_gone(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
