"""Who may talk to the engine: a bearer token, compared in constant time."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pathlake.catalog.base import Catalog
from pathlake.errors import AuthenticationError

_REMEMBERED_S = 10.0
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a request acts for."""

    login: str


class Authenticator(Protocol):
    """Tells whose a token is."""

    def known(self, token: str) -> Principal | None:
        """Return whose `token` is as far as memory tells; waits for nothing, so that it may run on an event loop."""
        ...

    def look_up(self, token: str) -> Principal | None:
        """Return whose `token` is, or None when it is nobody's. May ask a database."""
        ...


class OneToken:
    """Knows a single token: that of the engine of this machine."""

    def __init__(self, token: str, *, login: str | None = None) -> None:
        self._token = token.encode()
        self._principal = Principal(login or machine_login())

    def known(self, token: str) -> Principal | None:
        return self._principal if hmac.compare_digest(token.encode("utf-8", "replace"), self._token) else None

    def look_up(self, token: str) -> Principal | None:
        return self.known(token)


class CatalogTokens:
    """Knows the tokens of the catalog, which keeps their hashes alone.

    A token that was found good is remembered for ten seconds, by its hash, so that not every request asks the
    database.
    """

    def __init__(self, catalog: Catalog, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._catalog = catalog
        self._clock = clock
        self._known: dict[bytes, tuple[float, Principal]] = {}
        self._lock = threading.Lock()

    def known(self, token: str) -> Principal | None:
        with self._lock:
            found = self._known.get(_digest(token))
        return found[1] if found is not None and found[0] > self._clock() else None

    def look_up(self, token: str) -> Principal | None:
        record = self._catalog.token(token)
        if record is None:
            return None
        principal = Principal(record.login)
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[_digest(token)] = (self._clock() + _REMEMBERED_S, principal)
        return principal


class AnyOf:
    """Knows what any of several knows, asked in order."""

    def __init__(self, *ways: Authenticator) -> None:
        self._ways = ways

    def known(self, token: str) -> Principal | None:
        return next((found for way in self._ways if (found := way.known(token)) is not None), None)

    def look_up(self, token: str) -> Principal | None:
        return next((found for way in self._ways if (found := way.look_up(token)) is not None), None)


def bearer_token(header: str | None) -> str:
    """Return the token of an `Authorization` header.

    Raises:
        AuthenticationError: There is no header, or it is no bearer token.
    """
    if not header:
        raise AuthenticationError("A token is missing. Send it as 'Authorization: Bearer TOKEN'.")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationError("The token must be sent as 'Authorization: Bearer TOKEN'.")
    return token.strip()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def machine_login() -> str:
    """Return the name of the person this process belongs to."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "local"
