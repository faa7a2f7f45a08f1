"""The engine inside a process: its life, its heirs, and that its host does not notice it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import multiprocessing
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from pathlake.errors import HomeError, IncompatibleVersionError
from pathlake.server.embedded import RunningEngine, start_embedded
from pathlake.wire import EngineAddress, request_headers
from tests.support.processes import wait_until

OWNER = """
import sys, time
from pathlake.server.embedded import start_embedded
engine = start_embedded(sys.argv[1])
print("started" if engine else "taken", flush=True)
if engine: sys.stdin.read()
"""


def owner(home: Path, *, code: str = OWNER) -> subprocess.Popen[str]:
    """Start another process that tries to become the engine of `home`."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Let a process end by itself, and return what else it wrote."""
    output, errors = process.communicate(timeout=30)
    return output, errors


def logging_state() -> list[object]:
    return [(log.handlers[:], log.level) for log in (logging.getLogger(), logging.getLogger("uvicorn"))]


def answers(address: EngineAddress | RunningEngine) -> bool:
    try:
        answer = httpx.get(address.url + "/api/v1/user", headers=request_headers(address.token), trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == 200


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_it_starts_once_says_where_it_is_and_leaves_nothing(home: Path) -> None:
    threads = set(threading.enumerate())
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    logging_before = logging_state()
    engine = start_embedded(home)
    assert engine is not None
    try:
        assert start_embedded(home) is engine
        assert start_embedded(home / ".." / "home") is engine
        file = home / "engine.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        written = json.loads(file.read_text())
        assert set(written) == {"url", "token", "pid", "version", "wire", "started"}
        assert written["pid"] == os.getpid()
        assert EngineAddress.read(home) == engine.address
        assert engine.url.startswith("http://127.0.0.1:")
        assert answers(engine)
        assert all(thread.daemon for thread in set(threading.enumerate()) - threads)
        assert {number: signal.getsignal(number) for number in handlers} == handlers
        assert logging_state() == logging_before
    finally:
        engine.stop()
    engine.stop()
    assert set(threading.enumerate()) <= threads
    assert not file.exists()
    assert not answers(engine)
    again = start_embedded(home)
    assert again is not None
    assert again.token != engine.token
    again.stop()


def test_it_runs_beside_an_event_loop_of_its_host(home: Path) -> None:
    async def notebook() -> bool:
        engine = start_embedded(home)
        assert engine is not None
        try:
            return await asyncio.get_running_loop().run_in_executor(None, answers, engine)
        finally:
            engine.stop()

    assert asyncio.run(notebook())


def test_a_second_process_finds_the_home_taken(home: Path) -> None:
    first = owner(home)
    assert said(first) == "started"
    assert start_embedded(home) is None
    address = EngineAddress.read(home)
    assert address is not None
    assert address.pid == first.pid
    assert answers(address)
    output, errors = ended(first)
    assert (first.returncode, output, errors) == (0, "", "")
    assert EngineAddress.read(home) is None
    mine = start_embedded(home)
    assert mine is not None
    mine.stop()


def test_waiting_for_the_home_gets_it_once_it_is_free(home: Path) -> None:
    first = owner(home)
    assert said(first) == "started"
    timer = threading.Timer(0.2, lambda: first.stdin and first.stdin.close())
    timer.start()
    mine = start_embedded(home, wait_s=20)
    assert mine is not None
    mine.stop()
    timer.join()
    first.wait(20)
    for stream in (first.stdout, first.stderr):
        assert stream is not None
        stream.close()


def test_a_killed_owner_is_succeeded(home: Path) -> None:
    first = owner(home)
    assert said(first) == "started"
    left = EngineAddress.read(home)
    first.kill()
    ended(first)
    assert EngineAddress.read(home) == left, "a killed process cannot tidy up"
    mine = start_embedded(home)
    assert mine is not None
    assert EngineAddress.read(home) == mine.address
    assert answers(mine)
    mine.stop()


def test_exactly_one_of_many_wins(home: Path) -> None:
    racers = [owner(home) for _ in range(4)]
    outcomes = [said(racer) for racer in racers]
    try:
        assert sorted(outcomes) == ["started", "taken", "taken", "taken"], [r.stderr for r in racers]
        address = EngineAddress.read(home)
        assert address is not None
        assert answers(address)
    finally:
        for racer in racers:
            ended(racer)


@pytest.mark.parametrize(
    ("ending", "status", "last_line"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("raise ValueError('mine')", 1, "ValueError: mine"),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt"),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(30)", -signal.SIGINT, "KeyboardInterrupt"),
        ("threading.Thread(target=lambda: (time.sleep(0.3), ask())).start()", 0, ""),
        ("import atexit; atexit.register(ask)", 0, ""),
        ("warnings.simplefilter('ignore'); kept = httpx.Client(); kept.get(engine.url + '/healthz')", 0, ""),
    ],
)
def test_its_host_ends_as_it_would_without_it(home: Path, ending: str, status: int, last_line: str) -> None:
    code = f"""
import os, signal, sys, threading, time, warnings, httpx
from pathlake.server.embedded import start_embedded
engine = start_embedded(sys.argv[1])
def ask(): assert httpx.get(engine.url + '/healthz').status_code == 200
ask()
{ending}
"""
    process = owner(home, code=code)
    output, errors = ended(process)
    assert process.returncode == status, errors
    assert output == ""
    assert (errors.strip().splitlines() or [""])[-1] == last_line
    assert "pathlake" not in errors.replace(str(home), "")
    assert not (home / "engine.json").exists()


FORKING = """
import os, signal, sys, time, httpx
from pathlake.server.embedded import start_embedded
from pathlake.wire import request_headers
engine = start_embedded(sys.argv[1])
kept = httpx.Client(trust_env=False)
kept.get(engine.url + "/healthz")
child = os.fork()
if child == 0:
    with httpx.Client(trust_env=False, headers=request_headers(engine.token)) as http:
        status = http.get(engine.url + "/api/v1/user").status_code
    engine.stop()
    print("child", status, start_embedded(sys.argv[1]) is None, flush=True)
    sys.stdin.read()
    os._exit(0)
print("child is", child, flush=True)
sys.stdin.read()
"""


def test_a_forked_child_uses_the_engine_and_keeps_nothing_of_it(home: Path) -> None:
    parent = owner(home, code=FORKING)
    lines = {said(parent), said(parent)}
    child = int(next(line for line in lines if line.startswith("child is")).split()[-1])
    try:
        assert "child 200 True" in lines, "the child reaches its parent's engine and does not become one"
        address = EngineAddress.read(home)
        assert address is not None
        assert answers(address), "the child's stop() does not stop its parent"
        host, port = address.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as held:
            parent.kill()
            parent.wait(10)
            assert _alive(child)
            # With a reset where the parent had not taken it from the queue yet.
            with contextlib.suppress(ConnectionResetError):
                assert held.recv(1) == b"", "an open connection ends with the parent though the child lives"
        assert not answers(address), "nobody listens any more though the child lives"
        mine = start_embedded(home, wait_s=5)
        assert mine is not None, "the lock is free though the child lives"
        mine.stop()
    finally:
        os.kill(child, signal.SIGKILL)
        ended(parent)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _ask(address: EngineAddress) -> bool:
    return answers(address)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_worker_processes_reach_the_engine(home: Path, method: str) -> None:
    engine = start_embedded(home)
    assert engine is not None
    try:
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(_ask, [engine.address] * 4) == [True] * 4
        assert answers(engine)
        assert EngineAddress.read(home) == engine.address
    finally:
        engine.stop()


def test_a_damaged_address_file_is_replaced(home: Path) -> None:
    home.mkdir()
    for damage in ("", "{", "[]", '{"url": 1}', "\0\0", '{"url": "x", "token": "t", "pid": "p"}'):
        (home / "engine.json").write_text(damage)
        assert EngineAddress.read(home) is None
    mine = start_embedded(home)
    assert mine is not None
    assert EngineAddress.read(home) == mine.address
    mine.stop()


def test_uploads_that_a_crash_left_are_removed(home: Path) -> None:
    uploads = home / "tmp" / "uploads"
    uploads.mkdir(parents=True)
    (uploads / "left").write_bytes(b"x")
    mine = start_embedded(home)
    assert mine is not None
    mine.stop()
    assert list(uploads.iterdir()) == []


def test_a_home_that_cannot_be_one_is_a_clear_error(home: Path) -> None:
    home.write_text("a file")
    with pytest.raises(HomeError, match="PATHLAKE_HOME"):
        start_embedded(home)


def test_a_home_of_a_newer_version_is_refused_and_left_free(home: Path) -> None:
    home.mkdir()
    (home / "version").write_text("999\n")
    for _ in range(2):
        with pytest.raises(IncompatibleVersionError, match="newer"):
            start_embedded(home)
    (home / "version").write_text("1\n")
    mine = start_embedded(home)
    assert mine is not None
    mine.stop()


SCANNING = """
import sys
from pathlake.server.embedded import start_embedded
from tests.support.api import Api
from pathlake.wire import documents
engine = start_embedded(sys.argv[1])
with Api(engine.url, engine.token) as api:
    api.ask(documents.CREATE_DATASOURCE, name="many", url="file://" + sys.argv[1] + "-files", dsType="CUSTOM")
"""


def test_a_process_that_ends_during_a_scan_ends_quietly_and_the_next_goes_on(home: Path) -> None:
    files = Path(f"{home}-files")
    for number in range(3_000):
        path = files / str(number % 50) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    process = owner(home, code=SCANNING)
    output, errors = ended(process)
    assert (process.returncode, output, errors) == (0, "", "")
    mine = start_embedded(home)
    assert mine is not None
    try:
        from tests.support.api import Api

        with Api(mine.url, mine.token) as api:
            wait_until(lambda: api.datasource("1")["preprocessingStatus"] == "READY", what="the scan to be taken up")
            assert api.datasource("1")["scan"]["seen"] == 3_000
    finally:
        mine.stop()
