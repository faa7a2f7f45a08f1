"""The server for others: the engine of a home in the foreground, until a signal ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from pathlake.engine.settings import EngineSettings
from pathlake.errors import ConfigurationError, HomeError
from pathlake.server import forks
from pathlake.server.auth import AnyOf, Authenticator, CatalogTokens, OneToken, machine_login
from pathlake.server.host import Host, new_token
from pathlake.server.lock import HomeLock
from pathlake.wire.address import EngineAddress

if TYPE_CHECKING:
    from pathlake.engine.engine import Engine

ADMIN_LABEL = "admin"
_MADE_MARK = "admin-token-made"


@dataclass(frozen=True, slots=True)
class Serving:
    """What a server that has just begun tells its starter.

    Attributes:
        url: Where it listens.
        new_token: The admin token, in the clear, when this start made it; None later, for only its hash is kept.
    """

    url: str
    new_token: str | None


def serve(
    home: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    on_start: Callable[[Serving], None] | None = None,
) -> None:
    """Serve a home until SIGTERM or SIGINT; running requests are let to end.

    Clients on the same home and machine find the server through the address file and need no token of their own.

    Args:
        home: The home folder; made if there is none.
        host: Interface to listen on. Only with another one than 127.0.0.1 can other machines reach the server.
        port: Port to listen on; 0 takes a free one.
        token: Make this the admin token, instead of one made up at the first start.
        on_start: Called once requests are answered.

    Raises:
        HomeError: The home cannot be used, or another process serves it.
        ConfigurationError: The address cannot be listened on.
        IncompatibleVersionError: The home was made by a newer version.
    """
    folder = Path(home).expanduser().resolve()
    stopping = threading.Event()
    lock = HomeLock(folder)
    with forks.no_forks():
        if not lock.acquire():
            raise HomeError(_taken(folder), {"home": str(folder)})
        made: list[str] = []
        own = new_token()

        def authenticate(engine: Engine) -> Authenticator:
            fresh = _admin_token(engine, folder, given=token)
            if fresh is not None:
                made.append(fresh)
            return AnyOf(OneToken(own), CatalogTokens(engine.catalog))

        try:
            running = Host(
                EngineSettings.from_home(folder, local_folders=True, create_repos=True),
                lock=lock,
                authenticate=authenticate,
                address=(host, port),
                local_only=False,
                token=own,
            )
        except OSError as error:
            lock.release()
            if isinstance(error, HomeError) or hasattr(error, "code"):
                raise
            raise ConfigurationError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
        except BaseException:
            lock.release()
            raise
    previous = _on_signals(stopping)
    try:
        if on_start is not None:
            on_start(Serving(running.address.url, made[0] if made else None))
        stopping.wait()
    finally:
        running.stop()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _admin_token(engine: Engine, home: Path, *, given: str | None) -> str | None:
    """See to it that an admin token exists; return it only if it was made up here."""
    mark = home / _MADE_MARK
    if given is not None:
        if engine.catalog.token(given) is None:
            engine.catalog.create_token(machine_login(), label=ADMIN_LABEL, token=given)
        mark.touch(mode=0o600)
        return None
    if mark.exists():
        return None
    fresh = new_token()
    engine.catalog.create_token(machine_login(), label=ADMIN_LABEL, token=fresh)
    mark.touch(mode=0o600)
    return fresh


def _on_signals(stopping: threading.Event) -> dict[int, Any]:
    if threading.current_thread() is not threading.main_thread():
        return {}

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    return {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}


def _taken(home: Path) -> str:
    address = EngineAddress.read(home)
    who = f"process {address.pid} at {address.url}" if address is not None else "another process"
    return f"The home {home} is served by {who} already. Stop that one first, or serve another home."
