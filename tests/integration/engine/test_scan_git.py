from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pathlake.catalog.base import Repo, ScanState, SourceKind
from pathlake.engine import Engine
from pathlake.errors import (
    InvalidSourceError,
    ObjectMissingError,
    RepoNotConnectedError,
    RevisionNotFoundError,
)
from tests.support.engines import commit_files, done, make_git, rescan, rows_of, upload

FILES = {"path/to/dir/001.txt": "one", "path/to/dir/002.txt": "two", "other/003.txt": "three", "README": "x"}


@pytest.fixture
def source(tmp_path: Path, engine: Engine, repo: Repo) -> Path:
    path = tmp_path / "source"
    make_git(path, FILES)
    connection = engine.repos.connect(repo, str(path))
    assert connection.kind is SourceKind.GIT
    return path


def test_a_directory_at_a_branch_is_scanned_at_its_commit(engine: Engine, repo: Repo, source: Path) -> None:
    view = engine.datasources.create(repo, "ds", url="repo://simon/baby/main:path/to/dir", created_by="simon")
    assert view.root_url == "repo://simon/baby/main:path/to/dir"
    scan = done(engine, view.record)
    assert scan.revision is not None
    assert len(scan.revision) == 40
    assert {path: row["size"] for path, row in rows_of(engine, view.record).items()} == {"001.txt": 3, "002.txt": 3}


def test_without_a_revision_the_default_branch_is_meant(engine: Engine, repo: Repo, source: Path) -> None:
    view = engine.datasources.create(repo, "ds", url="repo://simon/baby/path/to/dir", created_by="simon")
    assert view.root_url == "repo://simon/baby/main:path/to/dir"
    whole = engine.datasources.create(repo, "whole", url="repo://simon/baby/main:", created_by="simon")
    assert done(engine, whole.record).seen == 4


def test_files_are_read_at_the_commit_of_the_latest_good_scan(
    engine: Engine, repo: Repo, source: Path, tmp_path: Path
) -> None:
    import pygit2

    repository = pygit2.Repository(str(source))
    view = engine.datasources.create(repo, "ds", url="repo://simon/baby/main:path/to/dir", created_by="simon")
    datasource = view.record
    first = done(engine, datasource).revision
    upload(engine, datasource, path=["001.txt"], episode=[1])
    commit = commit_files(repository, {"path/to/dir/001.txt": "ONE!", "path/to/dir/004.txt": "four"})
    assert b"".join(engine.files.stream(datasource, "001.txt")) == b"one"

    scan = rescan(engine, datasource)
    assert (scan.revision, scan.seen, scan.new, scan.changed, scan.vanished) == (commit, 2, 1, 1, 1)
    assert scan.revision != first
    assert b"".join(engine.files.stream(datasource, "001.txt")) == b"ONE!"
    assert rows_of(engine, datasource)["001.txt"]["episode"] == 1
    with pytest.raises(ObjectMissingError):
        engine.files.stat(datasource, "002.txt")

    repository.branches.local.create("spare", repository.head.peel(pygit2.Commit))
    repository.set_head("refs/heads/spare")
    repository.branches.local["main"].delete()
    engine.scans.start(datasource)
    failed = engine.scans.wait(datasource, timeout_s=30)
    assert failed.state is ScanState.FAILED
    assert "main" in (failed.error or "")
    assert len(rows_of(engine, datasource)) == 2
    assert b"".join(engine.files.stream(datasource, "001.txt")) == b"ONE!"


def test_branches_with_slashes_tags_and_commits(engine: Engine, repo: Repo, source: Path) -> None:
    import pygit2

    repository = pygit2.Repository(str(source))
    head = repository.head.peel(pygit2.Commit)
    repository.branches.local.create("feature/x-y", head)
    commit_files(repository, {"d/a#b.txt": "branch"}, branch="feature/x-y")
    repository.references.create("refs/tags/v1", head.id)
    for number, revision in enumerate(["feature/x-y", "v1", str(head.id)]):
        directory = "d" if number == 0 else "other"
        view = engine.datasources.create(
            repo, f"ds{number}", url=f"repo://simon/baby/{revision}:{directory}", created_by="simon"
        )
        assert view.root_url == f"repo://simon/baby/{revision}:{directory}"
        assert done(engine, view.record).seen == 1

    storage, path = engine.files.for_revision(repo, "feature/x-y/d/a#b.txt")
    assert (path, storage.read(path)) == ("d/a#b.txt", b"branch")
    storage, path = engine.files.for_revision(repo, f"{head.id}/README")
    assert storage.read(path) == b"x"
    with pytest.raises(RevisionNotFoundError):
        engine.files.for_revision(repo, "nowhere/README")


def test_wrong_directories_and_revisions_are_refused_before_anything_is_written(
    engine: Engine, repo: Repo, source: Path
) -> None:
    def create(place: str) -> None:
        engine.datasources.create(repo, "ds", url=f"repo://{place}", created_by="simon")

    with pytest.raises(InvalidSourceError, match="Did you mean 'path/to/dir'"):
        create("simon/baby/main:path/to/dirr")
    with pytest.raises(InvalidSourceError, match="not a directory"):
        create("simon/baby/main:README")
    with pytest.raises(RevisionNotFoundError, match="Did you mean 'main'"):
        create("simon/baby/mian:path/to/dir")
    with pytest.raises(InvalidSourceError, match="simon/other"):
        create("simon/other/main:path")
    assert engine.datasources.find(repo) == []


def test_a_repo_without_git_says_how_to_connect_one(
    engine: Engine, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RepoNotConnectedError, match="pathlake repo connect simon/baby PATH_OR_URL") as caught:
        engine.datasources.create(repo, "ds", url="repo://simon/baby/main:path/to/dir", created_by="simon")
    assert "local folder of that name" not in caught.value.message
    (tmp_path / "path" / "to" / "dir").mkdir(parents=True)
    with pytest.raises(RepoNotConnectedError, match=r"local folder of that name.*'\./path/to/dir'"):
        engine.datasources.create(repo, "ds", url="repo://simon/baby/main:path/to/dir", created_by="simon")
    assert engine.datasources.find(repo) == []


def test_a_file_url_is_read_in_place(engine: Engine, repo: Repo, tmp_path: Path) -> None:
    repository = make_git(tmp_path / "origin", FILES)
    engine.repos.connect(repo, (tmp_path / "origin").as_uri())
    view = engine.datasources.create(repo, "ds", url="repo://simon/baby/main:other", created_by="simon")
    assert done(engine, view.record).seen == 1
    commit_files(repository, {"other/003.txt": "three", "other/005.txt": "five"})
    assert rescan(engine, view.record).new == 1
    shutil.rmtree(tmp_path / "origin")
    engine.scans.start(view.record)
    assert engine.scans.wait(view.record, timeout_s=30).state is ScanState.FAILED
    assert len(rows_of(engine, view.record)) == 2


def test_a_connected_folder_has_paths_and_no_revisions(engine: Engine, repo: Repo, folder: Path) -> None:
    connection = engine.repos.connect(repo, str(folder))
    assert connection.kind is SourceKind.FOLDER
    view = engine.datasources.create(repo, "more", url="repo://simon/baby/more", created_by="simon")
    assert view.root_url == "repo://simon/baby/more"
    assert done(engine, view.record).seen == 1
    assert b"".join(engine.files.stream(view.record, "003.txt")) == b"three"
    storage, path = engine.files.for_revision(repo, "main/more/003.txt")
    assert storage.read(path) == b"three"
    (folder / "etc").symlink_to("/etc")
    for url, words in [
        ("repo://simon/baby/mor", "Did you mean 'more'"),
        ("repo://simon/baby/main:more", "no revisions"),
        ("repo://simon/baby/etc", "leads out"),
        ("repo://simon/baby/001.txt", "not a directory"),
    ]:
        with pytest.raises(InvalidSourceError, match=words):
            engine.datasources.create(repo, "ds", url=url, created_by="simon")


def test_what_cannot_be_connected_is_refused(engine: Engine, repo: Repo, source: Path, tmp_path: Path) -> None:
    for url in [str(tmp_path / "nowhere"), "relative/path", "ftp://host/x", str(source / "README")]:
        with pytest.raises(InvalidSourceError):
            engine.repos.connect(repo, url)
    with pytest.raises(RevisionNotFoundError):
        engine.repos.connect(repo, str(source), default_revision="nothing")
    connection = engine.repos.connection(repo)
    assert connection is not None
    assert connection.url == str(source)
