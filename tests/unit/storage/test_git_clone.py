"""Clones of remote repositories, from real servers on this machine."""

from __future__ import annotations

import base64
import http.server
import multiprocessing
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pygit2
import pytest

from pathlake.errors import RevisionNotFoundError, SourceUnavailableError, StorageDeniedError
from pathlake.storage import Storage, git_default_branch, open_git
from pathlake.storage.git_clone import is_clone_url, public_url
from tests.support.repositories import bare_repository, commit_files


@pytest.fixture
def origin(tmp_path: Path) -> pygit2.Repository:
    repository = bare_repository(tmp_path / "origin.git")
    commit_files(repository, {"f": b"1"})
    return repository


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/origin.git"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def opened(url: str, cache: Path, revision: str = "main", *, fetch: bool = True) -> Storage:
    return open_git(url, revision=revision, directory="", cache_dir=cache, fetch=fetch)


def test_tells_clone_urls_from_paths() -> None:
    for url in ("https://h/x", "HTTP://h/x", "ssh://u@h/x", "git://h/x", "file:///x", "git@host.org:team/x.git"):
        assert is_clone_url(url)
    for path in ("/x", "x", "./a@b:c/d", "C:/x", "~/x", "s3://bucket/x", "a b@c:d"):
        assert not is_clone_url(path)


def test_hides_credentials() -> None:
    assert public_url("https://me:pa@ss@host:1/x@y") == "https://host:1/x@y"
    assert public_url("ssh://git@host/x") == "ssh://host/x"
    assert public_url("git@host:x") == "git@host:x"
    assert public_url("/plain@path") == "/plain@path"


def test_fetches_what_is_new_and_forgets_what_is_gone(origin: pygit2.Repository, url: str, cache: Path) -> None:
    first = opened(url, cache)
    assert first.read("f") == b"1"
    commit_files(origin, {"f": b"2"})
    old = commit_files(origin, {"g": b"3"}, reference="refs/heads/a/branch")
    origin.references.create("refs/tags/v1", old)
    assert opened(url, cache, fetch=False).revision == first.revision
    assert opened(url, cache).read("f") == b"2"
    assert opened(url, cache, "a/branch").revision == old
    assert opened(url, cache, "v1").revision == old
    origin.references.delete("refs/heads/a/branch")
    origin.references["refs/tags/v1"].set_target(str(first.revision))
    assert opened(url, cache, "v1").revision == first.revision
    with pytest.raises(RevisionNotFoundError):
        opened(url, cache, "a/branch")
    assert opened(url, cache, old).read("g") == b"3"
    assert first.read("f") == b"1"


def test_follows_a_rewritten_branch(origin: pygit2.Repository, url: str, cache: Path) -> None:
    opened(url, cache)
    rewritten = commit_files(origin, {"f": b"rewritten"}, reference=None)
    origin.references["refs/heads/main"].set_target(rewritten)
    assert opened(url, cache).revision == rewritten


def test_a_known_commit_needs_no_network(origin: pygit2.Repository, url: str, cache: Path) -> None:
    commit = opened(url, cache).revision
    assert commit is not None
    shutil.rmtree(origin.path)
    assert opened(url, cache, commit).read("f") == b"1"
    assert opened(url, cache, fetch=False).read("f") == b"1"
    with pytest.raises(SourceUnavailableError, match=r"origin\.git"):
        opened(url, cache)


def test_the_default_branch_is_that_of_the_remote(origin: pygit2.Repository, url: str, cache: Path) -> None:
    assert git_default_branch(url, cache) == "main"
    commit_files(origin, {"f": b"1"}, reference="refs/heads/team/trunk")
    origin.set_head("refs/heads/team/trunk")
    assert git_default_branch(url, cache) == "team/trunk"


def test_an_empty_remote_says_so(tmp_path: Path, cache: Path) -> None:
    bare_repository(tmp_path / "empty.git")
    with pytest.raises(RevisionNotFoundError, match="no commit yet"):
        opened(f"file://{tmp_path}/empty.git", cache)
    with pytest.raises(RevisionNotFoundError, match="no commit yet"):
        git_default_branch(f"file://{tmp_path}/empty.git", cache)


def test_a_failed_clone_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(SourceUnavailableError, match="cannot be fetched"):
        opened(f"file://{tmp_path}/nothing", cache)
    assert [path for path in cache.iterdir() if path.suffix != ".lock"] == []


def test_leftovers_of_a_killed_clone_do_no_harm(origin: pygit2.Repository, url: str, cache: Path) -> None:
    opened(url, cache)
    (clone,) = (path for path in cache.iterdir() if path.is_dir())
    clone.rename(cache / f"{clone.name}.new-killed")
    assert opened(url, cache).read("f") == b"1"
    assert [path for path in cache.iterdir() if path.is_dir()] == [clone]


def _read(url: str, cache: str) -> bytes:
    return open_git(url, revision="main", directory="", cache_dir=Path(cache)).read("f")


def test_threads_and_processes_clone_at_once(origin: pygit2.Repository, url: str, cache: Path) -> None:
    commit_files(origin, {f"{i}": os.urandom(500) for i in range(300)} | {"f": b"2"})
    with multiprocessing.get_context("spawn").Pool(2) as pool, ThreadPoolExecutor(4) as threads:
        others = pool.starmap_async(_read, [(url, str(cache))] * 4)
        assert set(threads.map(lambda _: _read(url, str(cache)), range(8))) == {b"2"}
        assert set(others.get(60)) == {b"2"}
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_clones_over_the_network(origin: pygit2.Repository, tmp_path: Path, cache: Path) -> None:
    port = free_port()
    command = ["git", "daemon", "--export-all", f"--base-path={tmp_path}", "--listen=127.0.0.1", f"--port={port}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as daemon:
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline
            storage = opened(f"git://127.0.0.1:{port}/origin.git", cache)
            assert storage.read("f") == b"1"
            assert storage.url == f"git+git://127.0.0.1:{port}/origin.git@{storage.revision}:"
            # This server does not tell a repository that is not there from one that it does not show.
            with pytest.raises(StorageDeniedError, match=r"nothing\.git"):
                opened(f"git://127.0.0.1:{port}/nothing.git", cache)
        finally:
            os.killpg(daemon.pid, 15)


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers every request with the status that its path begins with."""

    def do_GET(self) -> None:
        status = int(self.path.split("/")[1])
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def web() -> Iterator[str]:
    with serving(Answering) as host:
        yield host


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, StorageDeniedError),
        (403, StorageDeniedError),
        (404, SourceUnavailableError),
        (500, SourceUnavailableError),
    ],
)
@pytest.mark.parametrize("credentials", ["", "ada:s3cr%40tt@", "t0ken-abc@"])
def test_says_what_a_server_refused_without_the_password(
    web: str, cache: Path, status: int, error: type[Exception], credentials: str
) -> None:
    with pytest.raises(error) as caught:
        opened(f"http://{credentials}{web}/{status}/x.git", cache)
    assert f"http://{web}/{status}/x.git" in str(caught.value)
    for secret in ("s3cr", "t0ken"):
        assert secret not in str(caught.value)


def test_a_host_that_is_not_there_is_unavailable(cache: Path) -> None:
    port = free_port()
    for url in (f"http://u:secret@127.0.0.1:{port}/x", f"ssh://git@127.0.0.1:{port}/x", "http://no.invalid/x"):
        with pytest.raises(SourceUnavailableError) as caught:
            opened(url, cache)
        assert "secret" not in str(caught.value)


class SmartGit(http.server.BaseHTTPRequestHandler):
    """Git over HTTP for those who know the password, by the program that git brings along."""

    root: Path

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"ada:hunter2").decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = os.environ | {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
        }
        length = int(self.headers.get("Content-Length", 0))
        answer = subprocess.run(
            ["git", "http-backend"], env=environment, input=self.rfile.read(length), capture_output=True, check=True
        ).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  the base class's way to name methods

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_credentials_of_the_url_are_used_and_not_kept(
    origin: pygit2.Repository, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SmartGit, "root", tmp_path, raising=False)
    with serving(SmartGit) as host:
        storage = opened(f"http://ada:hunter2@{host}/origin.git", cache)
        assert storage.read("f") == b"1"
        assert storage.url == f"git+http://{host}/origin.git@{storage.revision}:"
        for credentials in ("", "ada:wrong@"):
            with pytest.raises(StorageDeniedError):
                opened(f"http://{credentials}{host}/origin.git", cache)
            with pytest.raises(StorageDeniedError):
                opened(f"http://{credentials}{host}/origin.git", cache, str(storage.revision), fetch=False)
    for path in cache.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes(), path


def test_a_host_that_never_answers_is_not_waited_for(cache: Path) -> None:
    before = pygit2.settings.server_timeout
    pygit2.settings.server_timeout = 300
    try:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            with pytest.raises(SourceUnavailableError):
                opened(f"http://127.0.0.1:{silent.getsockname()[1]}/x", cache)
    finally:
        pygit2.settings.server_timeout = before


def test_a_cache_that_cannot_be_written_is_named(origin: pygit2.Repository, url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceUnavailableError, match="cannot be kept in"):
        opened(url, tmp_path / "file" / "cache")
