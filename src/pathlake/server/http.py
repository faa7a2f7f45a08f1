"""The HTTP server on a thread of any process: uvicorn's protocol, without its signal handlers, logging and polling."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn import Server

ASGIApp = Callable[..., Any]

_GRACE_S = 5.0
_POLL_S = 0.01


class HttpServer:
    """Serves an ASGI app on a listening socket from a daemon thread.

    Args:
        app: The ASGI app.
        listener: A bound and listening socket; closed by `stop`.
        name: Name of the thread.
    """

    def __init__(self, app: ASGIApp, *, listener: socket.socket, name: str) -> None:
        self._app = app
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> None:
        """Return once requests are answered."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self, *, timeout_s: float = _GRACE_S + 2) -> None:
        """Refuse new requests, let the running ones end within five seconds, and end the thread."""
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            # A closed loop has nothing left to stop.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stopping.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def descriptors(self) -> list[int]:
        """Return the file descriptors a forked child must let go of: the listener's and the open connections'."""
        found = [self._listener.fileno()]
        server = self._server
        if server is not None:
            for connection in list(server.server_state.connections):
                transport = getattr(connection, "transport", None)
                sock = transport.get_extra_info("socket") if transport is not None else None
                if sock is not None:
                    found.append(sock.fileno())
        return [descriptor for descriptor in found if descriptor >= 0]

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            # Handed to the thread that called `start`; one that comes later ends this thread and is logged.
            if self._ready.is_set():
                logging.getLogger("pathlake.server").error("The server thread failed", exc_info=error)
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        from uvicorn import Config, Server

        config = Config(
            self._app,
            http=_quiet_protocol(),
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            backlog=512,
        )
        config.load()
        server = Server(config)
        server.lifespan = config.lifespan_class(config)
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await server.startup(sockets=[self._listener])
        self._server = server
        tick = 0
        await server.on_tick(tick)
        self._ready.set()
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1.0)
            tick += 10
            await server.on_tick(tick)
        await self._wind_down(server)

    async def _wind_down(self, server: Server) -> None:
        for listening in server.servers:
            listening.close()
        self._listener.close()
        state = server.server_state
        for connection in list(state.connections):
            connection.shutdown()
        deadline = time.monotonic() + _GRACE_S
        while (state.connections or state.tasks) and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(_POLL_S)
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only for sockets that name it; with it on, every
    # answer waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if port:
            # Only for a fixed port: a restart must not wait for old connections to time out.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
        listener.settimeout(0)
    except OSError:
        listener.close()
        raise
    return listener


class _Demoted(logging.Logger):
    """Takes what uvicorn's protocol says of single connections and says it at DEBUG, under our name.

    A connection cut on purpose (rows that failed midway) is an error to uvicorn; it must not appear on the terminal of
    the person in whose process the engine runs.
    """

    def handle(self, record: logging.LogRecord) -> None:
        target = logging.getLogger("pathlake.server.http")
        if target.isEnabledFor(logging.DEBUG):
            record.levelno, record.levelname, record.name = logging.DEBUG, "DEBUG", target.name
            target.handle(record)


def _quiet_protocol() -> type[asyncio.Protocol]:
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    class QuietProtocol(AutoHTTPProtocol):  # type: ignore[valid-type,misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.logger = _Demoted("pathlake.server.http", level=logging.DEBUG)
            self.access_log = False

    return QuietProtocol
