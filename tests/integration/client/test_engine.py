"""The engine behind the client: found, started, shared, taken over, refused."""

from __future__ import annotations

import http.server
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pathlake import Datasource, datasources
from pathlake.client.connection import close_connections, current_connection
from pathlake.errors import (
    AuthenticationError,
    EngineUnreachableError,
    IncompatibleVersionError,
    InternalError,
    TransportError,
    TruncatedStreamError,
)
from pathlake.server.embedded import stop_all
from pathlake.wire import EngineAddress

OWNER = """
import sys
from pathlake import datasources
ds = datasources.get_or_create("simon/baby", "shared", sys.argv[1])
ds.wait_until_ready()
with ds.metadata_context() as ctx:
    ctx.update_metadata("a.txt", {"episode": 1})
print("ready", flush=True)
sys.stdin.readline()
"""

BLOCKED = """
import sys
sys.modules["pathlake.server.embedded"] = None
from pathlake import datasources, errors
try:
    datasources.get_datasources("simon/baby")
except errors.MissingExtraError as error:
    print(error)
"""


@pytest.fixture
def home(fresh_home: Path) -> Iterator[Path]:
    """A home of this test alone."""
    yield fresh_home
    close_connections()
    stop_all()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    return folder


@contextmanager
def owner(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs the engine of the home until it is told to end."""
    command = [sys.executable, "-c", OWNER, str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def opened(folder: Path) -> Datasource:
    ds = datasources.get_or_create("simon/baby", "shared", folder)
    ds.wait_until_ready()
    return ds


def test_two_processes_share_one_engine(home: Path, folder: Path) -> None:
    with owner(folder) as process:
        ds = opened(folder)
        address = EngineAddress.read(home)
        assert address is not None
        assert address.pid == process.pid
        assert current_connection().target.url == address.url
        assert ds.all()["a.txt"]["episode"] == 1


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_owner_ends_the_next_request_takes_over(home: Path, folder: Path, ending: signal.Signals) -> None:
    with owner(folder) as process:
        ds = opened(folder)
        process.send_signal(ending)
        process.wait(timeout=30)
        with ds.metadata_context() as ctx:
            ctx.update_metadata("a.txt", {"label": "x"})
        assert ds.all()["a.txt"].metadata["episode"] == 1
        assert ds.all()["a.txt"]["label"] == "x"
        address = EngineAddress.read(home)
        assert address is not None
        assert address.pid == os.getpid()


def test_an_owner_that_ends_well_hands_over(home: Path, folder: Path) -> None:
    with owner(folder) as process:
        ds = opened(folder)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=30)
        assert ds.count() == 1


def test_a_forked_child_talks_to_its_parents_engine(home: Path, folder: Path) -> None:
    ds = opened(folder)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with ds.metadata_context() as ctx:
                ctx.update_metadata("a.txt", {"episode": 2})
            os.write(writing, str(ds.all()["a.txt"]["episode"]).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert answer.read() == "2"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ds.all()["a.txt"]["episode"] == 2


def test_many_threads_at_once(home: Path, folder: Path) -> None:
    ds = opened(folder)
    close_connections()
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(datasources.get_datasource("simon/baby", "shared").count()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1] * 8
    assert ds.count() == 1


@pytest.mark.parametrize("text", ["", "{broken", '{"url": 5}', '{"url": "http://127.0.0.1:1"}'])
def test_a_damaged_address_file_that_nobody_holds_is_replaced(home: Path, folder: Path, text: str) -> None:
    home.mkdir()
    (home / "engine.json").write_text(text)
    assert opened(folder).count() == 1


def test_a_damaged_address_file_of_a_living_engine_is_named(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathlake.client.local.WAIT_S", 0.2)
    with owner(folder):
        (home / "engine.json").write_text("{broken")
        with pytest.raises(EngineUnreachableError, match=r"engine\.json is damaged"):
            datasources.get_datasources("simon/baby")


def test_an_engine_of_another_version_is_refused_with_both_named(home: Path, folder: Path) -> None:
    with owner(folder):
        written = json.loads((home / "engine.json").read_text())
        (home / "engine.json").write_text(json.dumps(written | {"wire": 99, "version": "9.9.9"}))
        with pytest.raises(IncompatibleVersionError, match=r"9\.9\.9 and this client is .*pip install"):
            datasources.get_datasources("simon/baby")


def test_without_the_server_extra_the_command_is_named(home: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    assert "pip install 'pathlake[server]'" in ran.stdout


# -- a host that is configured


def test_a_configured_host_is_asked_with_its_token(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with owner(folder):
        address = EngineAddress.read(home)
        assert address is not None
        monkeypatch.setenv("PATHLAKE_HOME", str(home.with_name("another")))
        monkeypatch.setenv("DAGSHUB_CLIENT_HOST", address.url + "/")
        monkeypatch.setenv("DAGSHUB_USER_TOKEN", address.token)
        assert datasources.get_datasource("simon/baby", "shared").count() == 1
        assert not home.with_name("another").exists()
        monkeypatch.setenv("DAGSHUB_USER_TOKEN", "wrong")
        with pytest.raises(AuthenticationError):
            datasources.get_datasources("simon/baby")


def test_a_host_where_nobody_listens(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHLAKE_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("PATHLAKE_TOKEN", "t")
    with pytest.raises(EngineUnreachableError, match=r"127\.0\.0\.1:9"):
        datasources.get_datasources("simon/baby")


class Strange(http.server.BaseHTTPRequestHandler):
    """A server that is no Pathlake, or a broken one: `answer` says what it sends."""

    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, body = type(self).answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def strange(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Strange]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Strange) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("PATHLAKE_HOST", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("PATHLAKE_TOKEN", "t")
        yield Strange
        close_connections()
        server.shutdown()
        thread.join()


OURS = {"X-Pathlake-Wire": "1", "X-Pathlake-Version": "1.2.3"}


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ((200, {}, b"<html>"), TransportError, "no Pathlake engine"),
        ((404, {}, b"<html>not here"), TransportError, "404.*not here"),
        ((200, OURS | {"X-Pathlake-Wire": "2"}, b"{}"), IncompatibleVersionError, r"1\.2\.3"),
        ((500, OURS, b"broken"), InternalError, "broken"),
        ((200, OURS, b'{"data": null}'), TransportError, "without data"),
        ((200, OURS | {"Content-Length": "999"}, b'{"data"'), TruncatedStreamError, "broke off"),
        (
            (426, {}, json.dumps({"error": {"code": "incompatible_version", "message": "Too old."}}).encode()),
            IncompatibleVersionError,
            "Too old",
        ),
    ],
)
def test_answers_that_make_no_sense(
    strange: type[Strange], answer: tuple[int, dict[str, str], bytes], error: type[Exception], says: str
) -> None:
    strange.answer = answer
    with pytest.raises(error, match=says):
        datasources.get_datasources("simon/baby")


def test_debug_logging_shows_queries_and_times_but_no_token(
    home: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ds = opened(folder)
    with caplog.at_level(logging.DEBUG, logger="pathlake.client"):
        (ds["size"] > 0).all()
    text = caplog.text
    assert '"comparator": "GREATER_THAN"' in text
    assert "bytes in" in text
    assert current_connection().target.token not in text
