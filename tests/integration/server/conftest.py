"""A real server on a socket over a real engine, and short ways to talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest

from pathlake.server.embedded import RunningEngine, start_embedded
from tests.support.api import Api
from tests.support.engines import commit_files, make_git, write_files

FILES = {
    "a.txt": "alpha",
    "b.txt": "0123456789",
    "empty.bin": "",
    "page.html": "<script>alert(1)</script>",
    "drawing.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "deep/er/ünï côdé #1?.txt": "odd name",
    "deep/other.txt": "x",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """The engine of a fresh home, for the tests of one module."""
    engine = start_embedded(tmp_path_factory.mktemp("home") / "home")
    assert engine is not None
    yield engine
    engine.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few files."""
    folder = tmp_path_factory.mktemp("files")
    write_files(folder, FILES)
    return folder


@pytest.fixture
def api(running: RunningEngine) -> Iterator[Api]:
    """A client of the module's engine."""
    with Api(running.url, running.token) as api:
        yield api


@pytest.fixture(scope="module")
def files(running: RunningEngine, folder: Path) -> str:
    """Id of a scanned datasource on the folder, in the repo `simon/files`."""
    with Api(running.url, running.token, repo="simon/files") as api:
        return api.create("files", folder)


@pytest.fixture(scope="module")
def git_repo(running: RunningEngine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A repo connected to a git repository with the branches `main` and `feature/x-y`; its name."""
    path = tmp_path_factory.mktemp("git") / "repository"
    repository = make_git(path, {"images/1.txt": "one", "images/sub/2.txt": "two", "top.txt": "on main"})
    repository.branches.local.create("feature/x-y", repository.head.peel(pygit2.Commit))
    commit_files(repository, {"top.txt": "on the feature"}, branch="feature/x-y")
    with Api(running.url, running.token, repo="simon/git") as api:
        api.http.post("/api/v1/repos", json={"full_name": "simon/git"}).raise_for_status()
        api.http.put("/api/v1/repos/simon/git/connection", json={"url": str(path)}).raise_for_status()
    return "simon/git"
