"""The server for others, in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pathlake.errors import ConfigurationError, HomeError
from pathlake.server.embedded import start_embedded
from pathlake.server.serve import serve
from pathlake.wire import EngineAddress, request_headers
from tests.support.processes import free_ports

SERVE = """
import json, sys
from pathlake.server.serve import serve
token = sys.argv[3] if len(sys.argv) > 3 else None
def tell(serving): print(json.dumps([serving.url, serving.new_token]), flush=True)
serve(sys.argv[1], port=int(sys.argv[2]), token=token, on_start=tell)
print("ended", flush=True)
"""


class Served:
    """A server process, what it said at its start, and its end."""

    def __init__(self, home: Path, *, port: int = 0, token: str | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SERVE, str(home), str(port), *([token] if token else [])],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.url, self.new_token = json.loads(line)

    def status(self, token: str) -> int:
        return httpx.get(self.url + "/api/v1/user", headers=request_headers(token), trust_env=False).status_code

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=30)
        return self.process.returncode, output, errors


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_the_admin_token_is_told_once_and_stays_valid(home: Path) -> None:
    (port,) = free_ports(1)
    first = Served(home, port=port)
    assert first.url == f"http://127.0.0.1:{port}"
    token = first.new_token
    assert first.status(token) == 200
    assert first.status(token + "x") == 401
    address = EngineAddress.read(home)
    assert address is not None
    assert first.status(address.token) == 200, "clients of this machine find it by the address file"
    assert start_embedded(home) is None
    with pytest.raises(HomeError, match="served by process"):
        serve(home, port=0)
    assert first.end(signal.SIGTERM) == (0, "ended\n", "")
    assert EngineAddress.read(home) is None
    stored = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert token.encode() not in stored, "only the token's hash is kept"

    second = Served(home, port=port)
    assert second.new_token is None
    assert second.status(token) == 200
    assert second.end(signal.SIGINT) == (0, "ended\n", "")


def test_a_given_token_is_the_admin_token(home: Path) -> None:
    served = Served(home, token="a-token-of-my-own")
    assert served.new_token is None
    assert served.status("a-token-of-my-own") == 200
    assert served.end(signal.SIGTERM)[0] == 0


def test_a_taken_port_is_a_clear_error_and_leaves_the_home_free(home: Path, tmp_path: Path) -> None:
    other = Served(tmp_path / "other")
    port = int(other.url.rsplit(":", 1)[1])
    with pytest.raises(ConfigurationError, match=str(port)):
        serve(home, port=port)
    mine = start_embedded(home)
    assert mine is not None
    mine.stop()
    assert other.end(signal.SIGTERM)[0] == 0
