"""Which engine to talk to: what the environment says, else what `pathlake login` kept, else this machine's own."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pathlake.errors import ConfigurationError, HomeError

LOGIN_FILE = "login.json"

_PAIRS = (("PATHLAKE_HOST", "PATHLAKE_TOKEN"), ("DAGSHUB_CLIENT_HOST", "DAGSHUB_USER_TOKEN"))


@dataclass(frozen=True, slots=True)
class Target:
    """An engine's address.

    Attributes:
        url: Base URL without a slash at its end.
        token: What proves who asks; never logged.
        local: Whether it is the engine of this machine, which other processes may take over.
    """

    url: str
    token: str
    local: bool = False

    def __repr__(self) -> str:
        return f"Target({self.url!r})"


def home_path() -> Path:
    """Return the home folder, `PATHLAKE_HOME` or `~/.pathlake`; it need not exist."""
    configured = os.environ.get("PATHLAKE_HOME")
    return Path(configured).expanduser().absolute() if configured else Path.home() / ".pathlake"


def configured_target() -> Target | None:
    """Return the engine that environment or login file name, or None where the engine of this machine is meant.

    `PATHLAKE_HOST` with `PATHLAKE_TOKEN` comes first, then the official client's `DAGSHUB_CLIENT_HOST` with
    `DAGSHUB_USER_TOKEN`, then what `pathlake login` kept. A host without a token takes the kept token of that host.

    Raises:
        ConfigurationError: A host is set that is no URL, or for which there is no token.
    """
    kept = read_login()
    for host_variable, token_variable in _PAIRS:
        host = os.environ.get(host_variable, "").strip()
        if not host:
            continue
        url = checked_host(host, origin=host_variable)
        token = os.environ.get(token_variable, "").strip()
        if not token and kept is not None and kept.url == url:
            token = kept.token
        if not token:
            raise ConfigurationError(
                f"{host_variable} is set to {url} but no token is. Set {token_variable}, or run: pathlake login {url}"
            )
        return Target(url, token)
    return kept


def checked_host(host: str, *, origin: str) -> str:
    """Return `host` as a base URL without a slash at its end; `origin` says in errors where it came from."""
    url = host.strip().rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"{origin} must be an address like https://lake.example.org or http://127.0.0.1:8080, not {host!r}."
        )
    return url


def read_login() -> Target | None:
    """Return what `save_login` kept, or None.

    Raises:
        ConfigurationError: The file is there but cannot be understood.
    """
    path = home_path() / LOGIN_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"The login file {path} cannot be read: {error.strerror or error}.") from error
    try:
        kept = json.loads(text)
        host, token = kept["host"], kept["token"]
        if not isinstance(host, str) or not isinstance(token, str):
            raise TypeError
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"The login file {path} is damaged. Delete it and run: pathlake login HOST") from error
    return Target(checked_host(host, origin=str(path)), token)


def save_login(host: str, token: str) -> Path:
    """Keep host and token for the calls to come, in a file that its owner alone can read.

    Returns:
        Where they were kept.
    """
    url = checked_host(host, origin="The host")
    if not token.strip():
        raise ConfigurationError("The token is empty.")
    home = home_path()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=home, prefix=".login-")  # mkstemp makes it 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"host": url, "token": token.strip()}, file)
        path = home / LOGIN_FILE
        Path(name).replace(path)
    except OSError as error:
        raise HomeError(f"Nothing can be kept in {home}: {error.strerror or error}.") from error
    return path


def forget_login() -> bool:
    """Delete what `save_login` kept; tell whether there was something."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        (home_path() / LOGIN_FILE).unlink()
        return True
    return False
