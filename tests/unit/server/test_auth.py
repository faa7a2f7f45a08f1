"""Tokens: whose they are, and for how long that is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pathlake.catalog.base import Catalog, TokenRecord
from pathlake.errors import AuthenticationError
from pathlake.server.auth import AnyOf, CatalogTokens, OneToken, Principal, bearer_token
from pathlake.server.http import listen


@dataclass
class _Tokens:
    """The one method of a catalog that tokens need."""

    known: dict[str, TokenRecord] = field(default_factory=dict)
    asked: int = 0

    def token(self, token: str) -> TokenRecord | None:
        self.asked += 1
        return self.known.get(token)


def _record(login: str) -> TokenRecord:
    import datetime as dt

    return TokenRecord(1, login, "label", dt.datetime.now(dt.UTC))


def test_a_good_token_is_remembered_for_a_while_and_a_bad_one_never() -> None:
    now = [0.0]
    tokens = _Tokens({"good": _record("simon")})
    catalog: Catalog = tokens  # type: ignore[assignment]
    auth = CatalogTokens(catalog, clock=lambda: now[0])
    assert auth.known("good") is None
    assert auth.look_up("good") == Principal("simon")
    assert auth.known("good") == Principal("simon")
    assert auth.look_up("bad") is None
    assert auth.known("bad") is None
    now[0] = 10.5
    assert auth.known("good") is None
    tokens.known.clear()
    assert auth.look_up("good") is None
    assert tokens.asked == 3


def test_any_of_asks_each() -> None:
    auth = AnyOf(OneToken("one", login="a"), OneToken("two", login="b"))
    assert auth.known("two") == Principal("b")
    assert auth.look_up("one") == Principal("a")
    assert auth.look_up("three") is None


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic abc", "abc"])
def test_what_is_no_bearer_token(header: str | None) -> None:
    with pytest.raises(AuthenticationError):
        bearer_token(header)


def test_the_scheme_is_case_insensitive() -> None:
    assert bearer_token("bearer abc") == "abc"


def test_the_listener_names_its_protocol() -> None:
    """Without it asyncio leaves Nagle's algorithm on, and every answer waits 40 ms."""
    import socket

    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
