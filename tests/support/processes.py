"""Child processes of a test session: free ports, readiness, a stop that never leaves one behind."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_LOWEST, _HIGHEST = 20_000, 32_000
"""Below the range the kernel gives to outgoing connections, and 10,000 more is still a port."""


def is_free(port: int) -> bool:
    """Whether nothing listens on `port` of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int, *, also_offset: int = 0) -> list[int]:
    """Return `count` ports that are free, and free again `also_offset` higher.

    Drawn by chance, so that test workers that start at once do not race for the same ones.
    """
    drawn = random.SystemRandom()
    found: list[int] = []
    while len(found) < count:
        port = drawn.randint(_LOWEST, _HIGHEST)
        if port not in found and is_free(port) and (not also_offset or is_free(port + also_offset)):
            found.append(port)
    return found


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = 30.0, poll_s: float = 0.02) -> None:
    """Poll `condition` until it holds.

    Raises:
        TimeoutError: It did not hold within `timeout_s`; the message says `what` was awaited.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"gave up after {timeout_s:.0f} s waiting for {what}")
        time.sleep(poll_s)


@contextlib.contextmanager
def background(
    command: Sequence[str | Path],
    *,
    log: Path,
    ready: Callable[[], bool],
    env: Mapping[str, str] | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    timeout_s: float = 60.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` until the block ends, its output in `log`; enter the block when `ready()` holds.

    Raises:
        RuntimeError: The process ended before it was ready; the message ends with its log.
    """
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=log.parent,
        )

    def is_ready() -> bool:
        if process.poll() is not None:
            tail = log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{command[0]} ended with {process.returncode} before it was ready:\n{tail}")
        return ready()

    try:
        wait_until(is_ready, what=f"{command[0]} (log: {log})", timeout_s=timeout_s)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(stop_signal)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
