"""The ASGI app: what holds for every request, around the routes."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route, Router

from pathlake.engine.engine import Engine
from pathlake.errors import AuthenticationError, IncompatibleVersionError, NotFoundError, UsageError
from pathlake.server import arrow, files, graphql, rest
from pathlake.server.answers import json_answer
from pathlake.server.auth import Authenticator, bearer_token
from pathlake.server.errors import as_pathlake_error, status_of
from pathlake.server.services import PRINCIPAL_KEY, Services
from pathlake.server.workers import Workers
from pathlake.wire.contract import (
    HEALTH_PATH,
    VERSION_HEADER,
    WIRE_HEADER,
    WIRE_VERSION,
    error_body,
    graphql_error,
    package_version,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger("pathlake.server")

_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


def create_app(
    engine: Engine,
    *,
    authenticate: Authenticator,
    workers: Workers,
    uploads_dir: Path,
    local_only: bool = False,
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return the HTTP API of an engine as an ASGI app.

    Args:
        engine: An open engine; who opened it closes it.
        authenticate: Tells whose a token is.
        workers: Threads for the engine's blocking calls; who made them stops them.
        uploads_dir: Folder for uploads while they arrive.
        local_only: Refuse requests whose `Host` is not this machine's loopback, so that a web page cannot reach the
            engine under a name of its own (DNS rebinding).
    """
    services = Services(engine, workers, uploads_dir)
    routes: list[Route] = [
        *graphql.routes(services),
        *arrow.routes(services),
        *files.routes(services),
        *rest.routes(services),
    ]
    router = Router(routes, redirect_slashes=False, default=_no_such_address)
    return _Gate(router, authenticate=authenticate, workers=workers, local_only=local_only)


class _Gate:
    """Checks host, wire version and token, turns errors into answers, and logs one line for each request."""

    def __init__(self, router: Router, *, authenticate: Authenticator, workers: Workers, local_only: bool) -> None:
        self._router = router
        self._authenticate = authenticate
        self._workers = workers
        self._local_only = local_only
        self._own_headers = [
            (VERSION_HEADER.lower().encode(), package_version().encode()),
            (WIRE_HEADER.lower().encode(), str(WIRE_VERSION).encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        status = 0
        size = 0

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self._own_headers]
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._answer(scope, receive, counted)
        except Exception as error:
            if status:
                # The status is out: only a cut connection still tells the client that the answer is not whole.
                logger.debug("%s %s was cut off: %s", scope["method"], scope["path"], error)
                raise
            await _error_answer(scope, error)(scope, receive, counted)
        if logger.isEnabledFor(logging.DEBUG):
            took_ms = 1000 * (time.perf_counter() - started)
            logger.debug("%s %s: %d, %d bytes in %.1f ms", scope["method"], scope["path"], status, size, took_ms)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self._local_only:
            _check_host(headers.get(b"host", b"").decode("latin-1"))
        if scope["path"] == HEALTH_PATH:
            await _health()(scope, receive, send)
            return
        _check_wire(headers.get(WIRE_HEADER.lower().encode()))
        header = headers.get(b"authorization")
        token = bearer_token(header.decode("latin-1") if header else None)
        principal = self._authenticate.known(token)
        if principal is None:
            principal = await self._workers.run(lambda: self._authenticate.look_up(token))
        if principal is None:
            raise AuthenticationError("The token is not valid here.")
        scope[PRINCIPAL_KEY] = principal
        # The router answers in plain text where it knows of no app around it, and raises where it does.
        scope["app"] = self
        await self._router(scope, receive, send)


def _error_answer(scope: Scope, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        refused = UsageError(f"{scope['method']} is not possible at {scope['path'][:200]}: {error.detail}.")
        answer = json_answer(error_body(refused), status=error.status_code)
        answer.headers.update(error.headers or {})
        return answer
    ours = as_pathlake_error(error)
    content: dict[str, Any] = error_body(ours)
    if isinstance(ours, AuthenticationError):
        # GraphQL clients look for `errors` whatever the status; without it the official one tries again and again.
        content["errors"] = [graphql_error(ours)]
    answer = json_answer(content, status=status_of(ours))
    if isinstance(ours, AuthenticationError):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _check_host(host: str) -> None:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name.lower() not in _LOCAL_NAMES:
        raise HTTPException(421, "this engine answers only to 127.0.0.1 and localhost")


def _check_wire(wanted: bytes | None) -> None:
    if wanted is not None and wanted != str(WIRE_VERSION).encode():
        raise IncompatibleVersionError(
            f"The client speaks wire version {wanted.decode('latin-1')[:20]} and this engine, Pathlake "
            f"{package_version()}, version {WIRE_VERSION}. Install the same Pathlake on both sides.",
            {"engine": package_version(), "wire": WIRE_VERSION},
        )


def _health() -> Response:
    return json_answer({"status": "ok", "version": package_version(), "wire": WIRE_VERSION})


async def _no_such_address(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotFoundError(f"There is nothing at {scope['path'][:200]}.")
