"""The engine of this machine: find the one that runs on the home, else start it in this process.

The only module of the client that imports the server, and only when there is an engine to start.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

from pathlake.client.config import Target, home_path
from pathlake.client.transport import incompatible
from pathlake.errors import EngineUnreachableError, MissingExtraError
from pathlake.wire import ADDRESS_FILE, EngineAddress
from pathlake.wire.contract import HEALTH_PATH

WAIT_S = 10.0
"""How long to wait for another process that has the home but has not said where it listens."""

_POLL_S = 0.02

_logger = logging.getLogger("pathlake.client")
_starting = threading.Lock()


def local_target() -> Target:
    """Return the engine of this machine's home, started in this process if none runs.

    Raises:
        MissingExtraError: No engine runs, and this installation holds none.
        IncompatibleVersionError: The one that runs is of a version this client does not understand.
        EngineUnreachableError: Another process has the home but does not answer.
        HomeError: The home folder cannot be used.
    """
    home = home_path()
    with _starting:
        deadline = time.monotonic() + WAIT_S
        while True:
            found = _running(home)
            if found is not None:
                return found
            started = _start(home)
            if started is not None:
                return started
            if time.monotonic() > deadline:
                raise _nobody_answers(home)
            time.sleep(_POLL_S)


def _running(home: Path) -> Target | None:
    address = EngineAddress.read(home)
    if address is None or not _answers(address.url):
        return None
    return _target(address)


def _target(address: EngineAddress) -> Target:
    if not address.speaks_our_wire:
        raise incompatible(address.url, version=address.version)
    return Target(address.url, address.token, local=True)


def _answers(url: str) -> bool:
    import httpx

    try:
        with httpx.Client(trust_env=False, timeout=5.0) as client:
            return client.get(url + HEALTH_PATH).status_code == 200
    except (httpx.TransportError, httpx.InvalidURL):
        return False


def _start(home: Path) -> Target | None:
    try:
        from pathlake.server.embedded import start_embedded
    except ImportError as error:
        raise MissingExtraError(
            f"No engine runs on {home} and this installation cannot start one ({error}). "
            "Install it with: pip install 'pathlake[server]', or set PATHLAKE_HOST and PATHLAKE_TOKEN."
        ) from error
    engine = start_embedded(home)
    if engine is None:
        return None
    _logger.debug("the engine of %s listens at %s in process %d", home, engine.url, engine.pid)
    return Target(engine.url, engine.token, local=True)


def _nobody_answers(home: Path) -> EngineUnreachableError:
    file = home / ADDRESS_FILE
    if file.exists() and EngineAddress.read(home) is None:
        return EngineUnreachableError(
            f"Another process runs the engine of {home}, but its address file {file} is damaged. "
            "End that process, or delete the file and restart it."
        )
    return EngineUnreachableError(
        f"Another process has the home {home}, but its engine did not answer within {WAIT_S:.0f} s. "
        "End that process, or choose another home with PATHLAKE_HOME."
    )


def _after_fork() -> None:
    global _starting  # noqa: PLW0603 - a lock another thread of the parent held would never be released here
    _starting = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
