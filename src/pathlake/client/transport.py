"""The transport seam: requests to one engine, and the answers, with every failure of the way mapped once."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pathlake.client.config import Target
from pathlake.errors import (
    EngineUnreachableError,
    IncompatibleVersionError,
    InternalError,
    PathlakeError,
    TransportError,
    TruncatedStreamError,
)
from pathlake.wire import VERSION_HEADER, WIRE_HEADER, WIRE_VERSION, error_of, package_version, request_headers

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 900.0
"""Longest silence within one answer: a commit of many millions of rows answers once it is done."""

_logger = logging.getLogger("pathlake.client")


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: HTTP method.
        path: Address without host, percent-encoded.
        json: A body as JSON.
        stream: Makes a body's chunks; called once for each try.
        params: Query parameters.
        headers: Headers beside those that every request carries.
        repeatable: Whether sending it twice does no harm.
        label: What it is, for the log.
    """

    method: str
    path: str
    json: Any = None
    stream: Callable[[], Iterable[bytes]] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    label: str = ""


class Transport(Protocol):
    """Sends requests to one engine. Safe to use from many threads."""

    def send(self, request: Request) -> bytes:
        """Return the whole body of the answer.

        Raises:
            EngineUnreachableError: Nobody listens at the address, so that nothing can have happened.
            TransportError: The way there or back broke.
            PathlakeError: What the engine answered, as the class it raised.
        """
        ...

    def stream(self, request: Request) -> AbstractContextManager[Iterator[bytes]]:
        """Return the chunks of the answer's body while they arrive."""
        ...

    def close(self) -> None:
        """Close what connections are kept open."""
        ...


class HttpTransport:
    """The transport over HTTP, with connections kept open; a forked child starts with fresh ones."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()
        _transports.add(self)

    def send(self, request: Request) -> bytes:
        with self._answer(request) as answer, self._mapped(request):
            return answer.read()

    @contextmanager
    def stream(self, request: Request) -> Iterator[Iterator[bytes]]:
        with self._answer(request) as answer:
            yield self._chunks(answer, request)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def forget(self) -> None:
        """Let go of connections that belong to the parent process, without closing them."""
        if self._client is not None:
            _inherited.append(self._client)
            self._client = None
        self._lock = threading.Lock()  # another thread of the parent may have held the old one

    @contextmanager
    def _answer(self, request: Request) -> Iterator[httpx.Response]:
        started = time.perf_counter()
        with contextlib.ExitStack() as stack:
            with self._mapped(request):
                answer = stack.enter_context(
                    self._ready_client().stream(
                        request.method,
                        self.target.url + request.path,
                        json=request.json,
                        content=request.stream() if request.stream else None,
                        params=dict(request.params) or None,
                        headers={**request_headers(self.target.token), **request.headers},
                    )
                )
                if answer.status_code >= 400:
                    raise _error_in(answer.status_code, answer.read(), self.target)
            _checked_wire(answer.headers, self.target)
            yield answer
            _logger.debug(
                "%s: %d, %d bytes in %.3f s",
                request.label or f"{request.method} {request.path}",
                answer.status_code,
                answer.num_bytes_downloaded,
                time.perf_counter() - started,
            )

    def _chunks(self, answer: httpx.Response, request: Request) -> Iterator[bytes]:
        with self._mapped(request):
            yield from answer.iter_bytes(1 << 20)

    def _ready_client(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = self._made_client()
            return self._client

    def _made_client(self) -> httpx.Client:
        import httpx

        own_machine = self.target.local or httpx.URL(self.target.url).host in ("127.0.0.1", "localhost", "::1")
        return httpx.Client(
            timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
            follow_redirects=True,
            trust_env=not own_machine,  # a proxy never stands between this machine and itself
        )

    @contextmanager
    def _mapped(self, request: Request) -> Iterator[None]:
        import httpx

        url = self.target.url
        what = request.label or f"{request.method} {request.path}"
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise EngineUnreachableError(f"No engine answers at {url}: {error}.", {"url": url}) from error
        except httpx.TimeoutException as error:
            raise TransportError(f"The engine at {url} did not answer in time ({what}).") from error
        except httpx.RemoteProtocolError as error:
            raise TruncatedStreamError(f"The engine at {url} broke off its answer ({what}): {error}.") from error
        except httpx.TransportError as error:
            raise TransportError(f"The connection to the engine at {url} broke ({what}): {error}.") from error
        except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise TransportError(f"The engine at {url} cannot be reached as configured: {error}.") from error


def _error_in(status: int, body: bytes, target: Target) -> PathlakeError:
    try:
        found = error_of(json.loads(body))
    except ValueError:
        found = None
    if found is not None:
        return found
    text = body[:200].decode("utf-8", "replace").strip()
    kind = InternalError if status == 500 else TransportError
    return kind(f"{target.url} answered with status {status}: {text or 'no reason given'}.", {"status": status})


def _checked_wire(headers: Mapping[str, str], target: Target) -> None:
    wire = headers.get(WIRE_HEADER)
    if wire == str(WIRE_VERSION):
        return
    if wire is None:
        raise TransportError(f"What answers at {target.url} is no Pathlake engine.")
    raise incompatible(target.url, version=headers.get(VERSION_HEADER, "unknown"))


def incompatible(url: str, *, version: str) -> IncompatibleVersionError:
    """Return the error for an engine that speaks another version of the HTTP contract."""
    ours = package_version()
    return IncompatibleVersionError(
        f"The engine at {url} is Pathlake {version} and this client is {ours}; they do not understand each other. "
        f"Install the engine's version here (pip install 'pathlake=={version}'), or end the process that runs it.",
        {"engine": version, "client": ours},
    )


_transports: weakref.WeakSet[HttpTransport] = weakref.WeakSet()
_inherited: list[httpx.Client] = []  # kept, so that a child's clean-up does not touch its parent's connections


def _forget_all() -> None:
    for transport in list(_transports):
        transport.forget()


os.register_at_fork(after_in_child=_forget_all)
