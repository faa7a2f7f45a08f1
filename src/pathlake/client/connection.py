"""A connection: the engine the calls of this process go to, found when needed and found again when it went away."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pathlake.client.config import Target, configured_target, home_path
from pathlake.client.transport import HttpTransport, Request, Transport
from pathlake.errors import EngineUnreachableError, IncompatibleVersionError, TransportError

_logger = logging.getLogger("pathlake.client")


class Connection:
    """Sends requests to one engine, wherever that is at the moment. Safe to use from many threads.

    When nobody answers, or a connection breaks under a request that may be repeated, the engine is looked for again
    (on this machine another process may have taken over, or this one does) and the request is sent once more.

    Args:
        resolve: Finds the engine; called again when it went away.
        open_transport: Makes a transport to it.
    """

    def __init__(
        self, resolve: Callable[[], Target], *, open_transport: Callable[[Target], Transport] = HttpTransport
    ) -> None:
        self._resolve = resolve
        self._open_transport = open_transport
        self._lock = threading.Lock()
        self._found: tuple[Target, Transport] | None = None
        _connections_alive.add(self)

    @property
    def target(self) -> Target:
        """The engine that requests go to."""
        return self._current()[0]

    def send(self, request: Request) -> bytes:
        """Return the body of the answer; see `Transport.send` for what is raised."""
        transport = self._current()[1]
        try:
            return transport.send(request)
        except TransportError as error:
            return self._again(error, request, transport).send(request)

    @contextmanager
    def stream(self, request: Request) -> Iterator[Iterator[bytes]]:
        """Give the chunks of the answer while they arrive; see `Transport.stream`."""
        transport = self._current()[1]
        with contextlib.ExitStack() as stack:
            try:
                chunks = stack.enter_context(transport.stream(request))
            except TransportError as error:
                chunks = stack.enter_context(self._again(error, request, transport).stream(request))
            yield chunks

    def close(self) -> None:
        """Close what connections are kept open; the next request opens new ones."""
        with self._lock:
            found, self._found = self._found, None
        if found is not None:
            found[1].close()

    def renew_lock(self) -> None:
        """Take a new lock in a forked child: another thread of the parent may have held the old one."""
        self._lock = threading.Lock()

    def _current(self) -> tuple[Target, Transport]:
        found = self._found
        if found is None:
            with self._lock:
                found = self._found
                if found is None:
                    target = self._resolve()
                    found = self._found = (target, self._open_transport(target))
        return found

    def _again(self, error: TransportError, request: Request, failed: Transport) -> Transport:
        """Return the transport to try once more with, or raise `error`."""
        if isinstance(error, IncompatibleVersionError):
            raise error
        if not isinstance(error, EngineUnreachableError) and not request.repeatable:
            raise error
        _logger.debug("%s; looking for the engine again", error)
        with self._lock:
            if self._found is None or self._found[1] is not failed:
                found = self._found
            else:
                target = self._resolve()
                if target == self._found[0]:
                    return failed  # it is where it was; only that one connection broke
                failed.close()
                found = self._found = (target, self._open_transport(target))
        return (found or self._current())[1]


_connections: dict[Target | Path, Connection] = {}
_connections_alive: weakref.WeakSet[Connection] = weakref.WeakSet()
_connections_lock = threading.Lock()


def current_connection() -> Connection:
    """Return the connection to the engine that environment, login file or home name now."""
    configured = configured_target()
    key = configured if configured is not None else home_path()
    with _connections_lock:
        connection = _connections.get(key)
        if connection is None:
            connection = _connections[key] = Connection(_local if configured is None else _always(configured))
    return connection


def close_connections() -> None:
    """Close all connections of this process to engines; the next call finds its engine anew."""
    with _connections_lock:
        connections = list(_connections.values())
    for connection in connections:
        connection.close()


def _always(target: Target) -> Callable[[], Target]:
    return lambda: target


def _local() -> Target:
    from pathlake.client.local import local_target

    return local_target()


def _after_fork() -> None:
    global _connections_lock  # noqa: PLW0603 - a lock another thread of the parent held would stay taken here
    _connections_lock = threading.Lock()
    for connection in list(_connections_alive):
        connection.renew_lock()


os.register_at_fork(after_in_child=_after_fork)
