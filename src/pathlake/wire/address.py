"""The address file of a home: where its engine listens, and the token that opens it.

`HOME/engine.json` is readable by its owner alone, written by the process that holds `HOME/engine.lock`, and removed
when that engine stops. A file that is left behind names a process that is gone; whoever finds nobody at the address
tries to become the engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from pathlake.wire.contract import WIRE_VERSION

ADDRESS_FILE = "engine.json"
LOCK_FILE = "engine.lock"


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where the engine of a home listens.

    Attributes:
        url: `http://127.0.0.1:PORT`, without a slash at the end.
        token: Bearer token that opens everything.
        pid: Process that runs the engine.
        version: Pathlake's version there.
        wire: Version of the HTTP contract it speaks.
        started: When it started, ISO 8601 UTC.
    """

    url: str
    token: str
    pid: int
    version: str
    wire: int
    started: str

    @property
    def speaks_our_wire(self) -> bool:
        """Whether that engine and this package understand each other."""
        return self.wire == WIRE_VERSION

    def write(self, home: Path) -> None:
        """Write the address file in one step, mode 0600."""
        target = home / ADDRESS_FILE
        temporary = home / f".{ADDRESS_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(self), file)
            temporary.replace(target)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise

    @staticmethod
    def remove(home: Path, *, pid: int) -> None:
        """Remove the address file if it names process `pid`."""
        found = EngineAddress.read(home)
        if found is None or found.pid == pid:
            with contextlib.suppress(OSError):
                (home / ADDRESS_FILE).unlink()

    @staticmethod
    def read(home: Path) -> EngineAddress | None:
        """Return what the address file says, or None when there is none or it makes no sense."""
        try:
            found = json.loads((home / ADDRESS_FILE).read_text(encoding="utf-8"))
            return EngineAddress(
                url=str(found["url"]).rstrip("/"),
                token=str(found["token"]),
                pid=int(found["pid"]),
                version=str(found["version"]),
                wire=int(found["wire"]),
                started=str(found["started"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
