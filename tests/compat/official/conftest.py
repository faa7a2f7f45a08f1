"""The official client in an environment of its own, and a real engine for it to talk to."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pygit2
import pytest

from pathlake.server.embedded import RunningEngine, start_embedded
from pathlake.wire import request_headers
from tests.support.engines import commit_files, make_git

CLIENT = "dagshub==0.7.3"
FLOWS = Path(__file__).with_name("flows.py")
REPO = "simon/baby-yoda"


def cache_folder() -> Path:
    """Return where the environment is kept between runs: `PATHLAKE_TEST_CACHE`, else the user's cache."""
    given = os.environ.get("PATHLAKE_TEST_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pathlake-tests"


@pytest.fixture(scope="session")
def official_python() -> Path:
    """The Python of an environment that holds the official client; made at the first run, which takes a minute."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"official-{CLIENT.partition('==')[2]}-py{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, ready = folder / "bin" / "python", folder / "ready"
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            venv.create(folder, with_pip=True, clear=True)
            done = subprocess.run(
                [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            ready.touch()
    return python


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """An engine with one repo, connected to a git repository with the branches `main` and `other/branch`."""
    path = tmp_path_factory.mktemp("official-git") / "repository"
    repository = make_git(path, {"images/1.txt": "one", "images/sub/2.txt": "two two", "top.txt": "top"})
    repository.branches.local.create("other/branch", repository.head.peel(pygit2.Commit))
    commit_files(repository, {"images/3.txt": "three"}, branch="other/branch")
    running = start_embedded(tmp_path_factory.mktemp("official-home"))
    assert running is not None
    with httpx.Client(base_url=running.url, headers=request_headers(running.token), trust_env=False) as http:
        http.post("/api/v1/repos", json={"full_name": REPO}).raise_for_status()
        http.put(f"/api/v1/repos/{REPO}/connection", json={"url": str(path)}).raise_for_status()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def seen(official_python: Path, engine: RunningEngine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the official client saw while it did all of `flows.py`."""
    work = tmp_path_factory.mktemp("official-work")
    done = subprocess.run(
        [official_python, FLOWS, REPO, "main"],
        cwd=work,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(work),
            "XDG_CACHE_HOME": str(work / "cache"),
            "DAGSHUB_CLIENT_HOST": engine.url,
            "DAGSHUB_USER_TOKEN": engine.token,
            "NO_PROXY": "127.0.0.1",
            "TZ": "UTC",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert results, done.stdout[-3000:]
    found: dict[str, Any] = json.loads(results[-1].removeprefix("RESULT "))
    found["stderr"] = done.stderr
    return found
