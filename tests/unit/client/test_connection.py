"""The transport seam: what a connection does when the engine goes away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from pathlake.client.config import Target
from pathlake.client.connection import Connection
from pathlake.client.transport import Request
from pathlake.errors import EngineUnreachableError, IncompatibleVersionError, TransportError, UsageError


@dataclass
class FakeTransport:
    """Answers with what it was told to, an error or bytes, in order."""

    answers: list[bytes | Exception]
    sent: list[Request] = field(default_factory=list)
    closed: bool = False

    def send(self, request: Request) -> bytes:
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @contextmanager
    def stream(self, request: Request) -> Iterator[Iterator[bytes]]:
        yield iter([self.send(request)])

    def close(self) -> None:
        self.closed = True


Opened = list[FakeTransport]


def test_an_engine_that_is_where_it_was_keeps_its_transport() -> None:
    transport = FakeTransport([TransportError("broke"), b"again"])
    connection = Connection(lambda: Target("http://engine", "t"), open_transport=lambda _: transport)
    assert connection.send(Request("GET", "/")) == b"again"
    assert not transport.closed


def connected(*scripts: list[bytes | Exception]) -> tuple[Connection, Opened]:
    opened: Opened = []
    waiting = [FakeTransport(script) for script in scripts]

    def open_transport(target: Target) -> FakeTransport:
        opened.append(waiting[len(opened)])
        return opened[-1]

    resolve: Callable[[], Target] = lambda: Target(f"http://engine-{len(opened)}", "t", local=True)  # noqa: E731
    return Connection(resolve, open_transport=open_transport), opened


def gone() -> EngineUnreachableError:
    return EngineUnreachableError("nobody")


def test_a_request_goes_to_the_engine_that_was_found_once() -> None:
    connection, opened = connected([b"one", b"two"])
    assert [connection.send(Request("GET", "/")), connection.send(Request("GET", "/"))] == [b"one", b"two"]
    assert len(opened) == 1


@pytest.mark.parametrize("repeatable", [True, False])
def test_when_nobody_answers_the_engine_is_looked_for_again(repeatable: bool) -> None:
    connection, opened = connected([gone()], [b"taken over"])
    assert connection.send(Request("POST", "/", repeatable=repeatable)) == b"taken over"
    assert connection.target.url == "http://engine-1"
    assert [transport.closed for transport in opened] == [True, False]


def test_a_broken_request_is_repeated_only_where_that_does_no_harm() -> None:
    connection, _ = connected([TransportError("broke")], [b"again"])
    assert connection.send(Request("POST", "/")) == b"again"
    connection, opened = connected([TransportError("broke")], [b"again"])
    with pytest.raises(TransportError, match="broke"):
        connection.send(Request("POST", "/", repeatable=False))
    assert len(opened) == 1


def test_it_is_tried_once_more_and_not_for_ever() -> None:
    connection, opened = connected([gone()], [gone()])
    with pytest.raises(EngineUnreachableError):
        connection.send(Request("GET", "/"))
    assert len(opened) == 2


@pytest.mark.parametrize("error", [UsageError("no"), IncompatibleVersionError("no")])
def test_what_the_engine_said_is_no_reason_to_ask_again(error: Exception) -> None:
    connection, opened = connected([error])
    with pytest.raises(type(error)):
        connection.send(Request("GET", "/"))
    assert len(opened) == 1


def test_a_stream_is_opened_again_too() -> None:
    connection, _ = connected([gone()], [b"rows"])
    with connection.stream(Request("GET", "/")) as chunks:
        assert list(chunks) == [b"rows"]


def test_closing_lets_the_next_request_find_the_engine_anew() -> None:
    connection, opened = connected([b"one"], [b"two"])
    connection.send(Request("GET", "/"))
    connection.close()
    assert opened[0].closed
    assert connection.send(Request("GET", "/")) == b"two"
