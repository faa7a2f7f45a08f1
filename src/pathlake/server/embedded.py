"""The engine of this machine: the server on a thread of the caller's process, one per home."""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from pathlake.engine.settings import EngineSettings
from pathlake.server import forks
from pathlake.server.auth import OneToken
from pathlake.server.host import Host, new_token
from pathlake.server.lock import HomeLock
from pathlake.wire.address import EngineAddress

_running: dict[Path, RunningEngine] = {}
_starting = threading.Lock()
_registered = False


@dataclass(frozen=True, slots=True)
class RunningEngine:
    """An engine this process runs.

    Attributes:
        address: Where it listens and the token that opens it, as the address file says it.
        home: Its home folder.
    """

    address: EngineAddress
    home: Path
    _host: Host = field(repr=False)

    @property
    def url(self) -> str:
        """Where it listens, `http://127.0.0.1:PORT`."""
        return self.address.url

    @property
    def token(self) -> str:
        """Bearer token that opens it."""
        return self.address.token

    @property
    def pid(self) -> int:
        """This process."""
        return self.address.pid

    def stop(self) -> None:
        """Stop the engine: running requests end, its threads end, and the next process may take over the home.

        Safe to call twice; without effect in a forked child.
        """
        if os.getpid() != self.pid:
            return
        with _starting:
            if _running.get(self.home) is self:
                del _running[self.home]
        self._host.stop()


def start_embedded(home: str | Path, *, wait_s: float = 0.0) -> RunningEngine | None:
    """Become the engine of a home, unless another process is.

    The engine runs on daemon threads and stops when the process exits. It sets no signal handler, configures no
    logging, and needs no event loop of the caller. Where to reach it stands in `HOME/engine.json`
    (`pathlake.wire.EngineAddress`), which the owner of the home alone can read.

    Args:
        home: The home folder; made if there is none.
        wait_s: How long to wait for another process to let go of the home, in seconds.

    Returns:
        The running engine, the same one again for a home this process serves already; None while another process
        holds the home. Then `EngineAddress.read(home)` says where it is, as soon as that one is ready.

    Raises:
        HomeError: The home cannot be made or written.
        IncompatibleVersionError: The home was made by a newer version.

    Example:
        >>> engine = start_embedded("/tmp/home")
        >>> engine.url
        'http://127.0.0.1:40123'
        >>> engine.stop()
    """
    folder = Path(home).expanduser().resolve()
    with _starting:
        running = _running.get(folder)
        if running is not None:
            return running
        _register()
        lock = HomeLock(folder)
        # A child forked between the lock and its registration would keep the lock beyond this process.
        with forks.no_forks():
            if not lock.acquire(wait_s=wait_s):
                return None
            try:
                token = new_token()
                host = Host(
                    EngineSettings.from_home(folder, create_repos=True, local_folders=True),
                    lock=lock,
                    authenticate=lambda _: OneToken(token),
                    address=("127.0.0.1", 0),
                    local_only=True,
                    token=token,
                )
            except BaseException:
                lock.release()
                raise
        running = RunningEngine(address=host.address, home=folder, _host=host)
        _running[folder] = running
        return running


def stop_all() -> None:
    """Stop every engine this process runs."""
    for running in list(_running.values()):
        running.stop()


def _register() -> None:
    global _registered  # noqa: PLW0603 - exit handlers are for the process, so they are set once
    if not _registered:
        atexit.register(stop_all)
        forks.on_child(_forget)
        _registered = True


def _forget() -> None:
    global _starting  # noqa: PLW0603 - the parent's lock may be held by a thread that is not here
    _running.clear()
    _starting = threading.Lock()
