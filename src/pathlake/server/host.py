"""One engine with its HTTP server over one home: what the embedded engine and `pathlake serve` have in common."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import shutil
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from pathlake.engine.failures import home_errors
from pathlake.engine.settings import EngineSettings
from pathlake.server import forks
from pathlake.server.auth import Authenticator
from pathlake.server.http import HttpServer, listen
from pathlake.server.lock import HomeLock
from pathlake.server.workers import Workers
from pathlake.wire.address import EngineAddress
from pathlake.wire.contract import WIRE_VERSION, package_version

if TYPE_CHECKING:
    from pathlake.engine.engine import Engine


class Host:
    """Runs an engine and its server until `stop`.

    Args:
        settings: Those of the engine.
        lock: The home's lock, held; released by `stop`.
        authenticate: Makes what tells tokens apart, once the engine is open.
        address: Interface and port to listen on; port 0 takes a free one.
        local_only: Whether requests must name this machine as their host.
        token: Token for the address file.
    """

    def __init__(
        self,
        settings: EngineSettings,
        *,
        lock: HomeLock,
        authenticate: Callable[[Engine], Authenticator],
        address: tuple[str, int],
        local_only: bool,
        token: str,
    ) -> None:
        # Not beside the opening of the lake on another thread: measured, both then take longer.
        from pathlake.engine.engine import open_engine
        from pathlake.server.app import create_app

        self._home = settings.home
        self._lock = lock
        self._stopped = False
        with contextlib.ExitStack() as undo:
            listener = listen(*address)
            undo.callback(listener.close)
            forks.hold(self, lambda: [lock.descriptor, listener.fileno()])
            undo.callback(forks.drop, self)
            self.engine = open_engine(settings)
            undo.callback(self.engine.close)
            uploads = settings.temp_dir / "uploads"
            shutil.rmtree(uploads, ignore_errors=True)
            with home_errors(uploads):
                uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._workers = Workers("pathlake-worker")
            undo.callback(self._workers.stop)
            app = create_app(
                self.engine,
                authenticate=authenticate(self.engine),
                workers=self._workers,
                uploads_dir=uploads,
                local_only=local_only,
            )
            self._http = HttpServer(app, listener=listener, name="pathlake-server")
            self._http.start()
            undo.callback(self._http.stop)
            http = self._http
            forks.hold(self, lambda: [lock.descriptor, *http.descriptors()])
            self.address = EngineAddress(
                url=_url_of(listener, address[0]),
                token=token,
                pid=os.getpid(),
                version=package_version(),
                wire=WIRE_VERSION,
                started=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            )
            with home_errors(self._home):
                self.address.write(self._home)
            undo.pop_all()

    def stop(self) -> None:
        """End requests, scans and threads, remove the address file, and free the home. Safe to call twice.

        In a forked child it does nothing: the engine is the parent's.
        """
        if self._stopped or os.getpid() != self.address.pid:
            return
        self._stopped = True
        EngineAddress.remove(self._home, pid=self.address.pid)
        try:
            self._http.stop()
            self._workers.stop()
            self.engine.close()
        finally:
            forks.drop(self)
            self._lock.release()


def new_token() -> str:
    """Return a token nobody can guess."""
    return secrets.token_urlsafe(32)


def _url_of(listener: socket.socket, host: str) -> str:
    port = listener.getsockname()[1]
    # What listens everywhere is reached here through the loopback interface.
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"
