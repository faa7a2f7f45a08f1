"""What only git has: revisions, directories of a commit, links and submodules, names a tree made by hand can hold."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode, ObjectType

from pathlake.errors import (
    InvalidSourceError,
    RevisionNotFoundError,
    SourceUnavailableError,
    StorageDeniedError,
    StorageError,
)
from pathlake.storage import Storage, git_default_branch, open_git
from tests.support.repositories import AUTHOR, bare_repository, commit_files


@pytest.fixture
def repository(tmp_path: Path) -> pygit2.Repository:
    return bare_repository(tmp_path / "repo")


def opened(repository: pygit2.Repository, revision: str = "main", directory: str = "") -> Storage:
    cache = Path(repository.path).parent / "cache"
    return open_git(repository.path, revision=revision, directory=directory, cache_dir=cache)


def paths(storage: Storage) -> list[str]:
    return [path for batch in storage.list() for path in batch.paths]


def reasons(storage: Storage) -> dict[str, str]:
    return {one.path: one.reason for one in storage.skipped}


def test_finds_every_kind_of_revision(repository: pygit2.Repository) -> None:
    first = commit_files(repository, {"f": b"1"})
    second = commit_files(repository, {"f": b"2"}, reference="refs/heads/feature/with/slash")
    repository.references.create("refs/tags/v1", first)
    repository.create_tag("v2-annotated", pygit2.Oid(hex=second), ObjectType.COMMIT, AUTHOR, "second")
    repository.create_tag("nested", repository.references["refs/tags/v2-annotated"].target, ObjectType.TAG, AUTHOR, "x")
    repository.references.create("refs/remotes/origin/theirs", second)
    for revision, commit in {
        "main": first,
        "feature/with/slash": second,
        "v1": first,
        "v2-annotated": second,
        "nested": second,
        "theirs": second,
        "origin/theirs": second,
        "refs/heads/main": first,
        "HEAD": first,
        first: first,
        second[:7]: second,
        second[:12].upper(): second,
    }.items():
        storage = opened(repository, revision)
        assert storage.revision == commit
        assert storage.read("f") == (b"1" if commit == first else b"2")


def test_a_local_branch_comes_before_one_of_the_origin_and_both_before_a_tag(repository: pygit2.Repository) -> None:
    commits = {
        name: commit_files(repository, {name: b"x"}, reference=name)
        for name in ("refs/tags/x", "refs/remotes/origin/x", "refs/heads/x")
    }
    for name in ("refs/heads/x", "refs/remotes/origin/x", "refs/tags/x"):
        assert opened(repository, "x").revision == commits[name]
        repository.references.delete(name)


def test_stays_at_its_commit(repository: pygit2.Repository) -> None:
    commit_files(repository, {"f": b"1"})
    storage = opened(repository)
    commit_files(repository, {"g": b"2"})
    assert paths(storage) == ["f"]
    assert storage.read("f") == b"1"
    assert paths(opened(repository)) == ["g"]


@pytest.mark.parametrize(
    "revision", ["mian", "", "0000000", "0" * 40, "a..b", "main~1", "main^", "ma in", "../x", "x\0y"]
)
def test_an_unknown_revision_is_named(repository: pygit2.Repository, revision: str) -> None:
    commit_files(repository, {"f": b"1"})
    with pytest.raises(RevisionNotFoundError, match=re.escape(repr(revision))) as caught:
        opened(repository, revision)
    assert ("Did you mean 'main'?" in caught.value.message) == (revision in ("mian", "main~1", "main^", "ma in"))


def test_a_tree_or_blob_is_no_revision(repository: pygit2.Repository) -> None:
    commit = commit_files(repository, {"f": b"1"})
    tree = repository[commit].peel(pygit2.Tree)
    repository.references.create("refs/tags/tree", tree.id)
    for revision in ("tree", str(tree.id), str(tree["f"].id)):
        with pytest.raises(RevisionNotFoundError, match="no commit"):
            opened(repository, revision)


def test_an_empty_repository_says_so(repository: pygit2.Repository, tmp_path: Path) -> None:
    for revision in ("main", "HEAD"):
        with pytest.raises(RevisionNotFoundError, match="no commit yet"):
            opened(repository, revision)
    with pytest.raises(RevisionNotFoundError, match="no commit yet"):
        git_default_branch(repository.path, tmp_path / "cache")


def test_the_default_branch(repository: pygit2.Repository, tmp_path: Path) -> None:
    def default() -> str:
        return git_default_branch(repository.path, tmp_path / "cache")

    commit = commit_files(repository, {"f": b"1"}, reference="refs/heads/team/work")
    assert default() == "team/work"  # HEAD is unborn, and there is one branch
    commit_files(repository, {"f": b"1"})
    assert default() == "main"
    repository.set_head("refs/heads/team/work")
    assert default() == "team/work"
    repository.set_head(pygit2.Oid(hex=commit))
    assert default() == "main"
    repository.references.delete("refs/heads/main")
    assert default() == commit


def test_a_directory_must_be_one(repository: pygit2.Repository) -> None:
    module = (FileMode.COMMIT, b"\1" * 20)
    commit_files(
        repository,
        {"data/images/1.png": b"1", "data/readme": b"2", "data/link": (FileMode.LINK, b"images"), "module": module},
    )
    assert paths(opened(repository, directory="data/images")) == ["1.png"]
    assert paths(opened(repository, directory="/data//images/./")) == ["1.png"]
    for top in ("", ".", "/"):
        assert set(paths(opened(repository, directory=top))) == {"data/images/1.png", "data/readme"}
    for directory, words in {
        "data/imagse": "no directory 'data/imagse'.* Did you mean 'data/images'",
        "dta": "no directory 'dta'.* Did you mean 'data'",
        "data/readme": "'data/readme' .*is a file, not a directory",
        "data/readme/x": "'data/readme' .*is a file, not a directory",
        "data/link": "symbolic link",
        "module": "submodule",
        "../data": r"'\.\.' segment",
        "\udcff": "no directory",
    }.items():
        with pytest.raises(InvalidSourceError, match=words):
            opened(repository, directory=directory)


def test_links_and_submodules_are_skipped(repository: pygit2.Repository) -> None:
    commit_files(
        repository,
        {
            "f": b"1",
            "run": (FileMode.BLOB_EXECUTABLE, b"2"),
            "d/l": (FileMode.LINK, b"../f"),
            "m": (FileMode.COMMIT, b"\1" * 20),
        },
    )
    storage = opened(repository)
    assert paths(storage) == ["f", "run"]
    assert "symbolic link" in reasons(storage)["d/l"]
    assert "submodule" in reasons(storage)["m"]
    for path in ("d/l", "m"):
        with pytest.raises(StorageError, match="no file"):
            storage.read(path)


def raw_tree(repository: pygit2.Repository, entries: list[tuple[bytes, bytes, pygit2.Oid]]) -> pygit2.Oid:
    """Write a tree that git itself would never make."""
    raw = b"".join(mode + b" " + name + b"\0" + oid.raw for mode, name, oid in entries)
    return repository.odb.write(ObjectType.TREE, raw)


def test_names_that_can_be_no_datapoint_are_skipped(repository: pygit2.Repository) -> None:
    blob = repository.create_blob(b"x")
    inner = raw_tree(repository, [(b"100644", b"inside", blob)])
    tree = raw_tree(
        repository,
        [
            (b"100644", b"..", blob),
            (b"40000", b"..", inner),
            (b"100644", b"a/b", blob),
            (b"100644", b"caf\xe9", blob),
            (b"100644", b"fine\n", blob),
            (b"100644", b"long" * 1025, blob),
            (b"100600", b"odd", blob),
            (b"40000", b"dir\xff", inner),
        ],
    )
    commit = repository.create_commit("refs/heads/main", AUTHOR, AUTHOR, "hostile", tree, [])
    storage = opened(repository, str(commit))
    assert paths(storage) == ["fine\n"]
    assert [one.path for one in storage.skipped] == ["..", "..", "a/b", "caf\\xe9", "long" * 1025, "odd", "dir\\xff"]
    assert "unknown mode" in reasons(storage)["odd"]


def test_what_the_repository_lacks_is_skipped_and_named(repository: pygit2.Repository) -> None:
    blob = repository.create_blob(b"x")
    gone = pygit2.Oid(hex="1" * 40)
    tree = raw_tree(repository, [(b"100644", b"f", blob), (b"100644", b"lost", gone), (b"40000", b"lostdir", gone)])
    repository.create_commit("refs/heads/main", AUTHOR, AUTHOR, "partial", tree, [])
    storage = opened(repository)
    assert paths(storage) == ["f"]
    assert set(reasons(storage)) == {"lost", "lostdir"}
    for attempt in (storage.read, storage.stat):
        with pytest.raises(StorageError, match="partial or damaged"):
            attempt("lost")


def test_what_is_known_of_a_file_comes_from_the_commit(repository: pygit2.Repository) -> None:
    commit_files(repository, {"a": b"same", "b": b"same", "c": b"other"})
    storage = opened(repository)
    a, b, c = (storage.stat(path) for path in "abc")
    assert a.etag == b.etag == str(pygit2.hash(b"same"))
    assert a.etag != c.etag
    assert a.modified_us == AUTHOR.time * 1_000_000
    assert storage.url == f"git+{Path(repository.path).as_uri()}@{storage.revision}:"


def test_pointer_files_of_lfs_are_listed_as_they_are(repository: pygit2.Repository) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
    commit_files(repository, {"big.bin": pointer})
    assert opened(repository).stat("big.bin").size == len(pointer)
    assert opened(repository).read("big.bin") == pointer


def test_ranged_reads_of_one_file_unpack_it_once(
    repository: pygit2.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 4096
    commit_files(repository, {"x": content, "y": content[::-1]})
    unpacked: list[object] = []
    plain = pygit2.Repository.__getitem__

    def counted(self: pygit2.Repository, key: str | pygit2.Oid) -> pygit2.Object:
        unpacked.append(key)
        return plain(self, key)

    monkeypatch.setattr(pygit2.Repository, "__getitem__", counted)
    storage = opened(repository)
    unpacked.clear()
    for start in range(0, len(content), 65_536):
        assert storage.read_range("x", start=start, length=10) == content[start : start + 10]
    assert len(unpacked) == 2  # the handle's tree and the file


def test_the_cache_of_unpacked_files_is_bounded(repository: pygit2.Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathlake.storage.git._CACHED_BLOB_BYTES", 1000)
    commit_files(repository, {f"{i}": bytes([i]) * 300 for i in range(20)} | {"big": b"b" * 5000})
    storage = opened(repository)
    for i in range(20):
        assert storage.read_range(f"{i}", start=299, length=5) == bytes([i])
    kept = vars(storage)["_blobs"]
    assert len(kept) == 3
    assert storage.read_range("big", start=4999, length=5) == b"b"
    assert len(kept) == 1


def test_work_trees_are_opened_in_place(tmp_path: Path) -> None:
    repository = pygit2.init_repository(str(tmp_path / "work"), initial_head="main")
    commit_files(repository, {"data/f": b"committed"})
    (tmp_path / "work" / "data").mkdir()
    (tmp_path / "work" / "data" / "f").write_bytes(b"changed, not committed")
    for place in (tmp_path / "work", tmp_path / "work" / ".git"):
        storage = open_git(str(place), revision="main", directory="data", cache_dir=tmp_path / "cache")
        storage.check()
        assert storage.read("f") == b"committed"
    assert not (tmp_path / "cache").exists()
    with pytest.raises(InvalidSourceError, match=re.escape(f"inside the git repository '{tmp_path}/work'")):
        open_git(str(tmp_path / "work" / "data"), revision="main", directory="", cache_dir=tmp_path / "cache")


def test_what_is_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "broken" / ".git").mkdir(parents=True)
    for name, error, words in (
        ("gone", SourceUnavailableError, "does not exist"),
        ("plain", InvalidSourceError, "is no git repository"),
        ("file", InvalidSourceError, "is no git repository"),
        ("broken", SourceUnavailableError, "cannot be opened"),
    ):
        with pytest.raises(error, match=words):
            open_git(str(tmp_path / name), revision="main", directory="", cache_dir=tmp_path / "cache")


def test_a_repository_of_another_user_is_denied_with_advice(
    repository: pygit2.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_files(repository, {"f": b"1"})

    class Refusing:
        def __init__(self, path: str, flags: int) -> None:
            raise pygit2.GitError(f"repository path '{path}' is not owned by current user")

    monkeypatch.setattr(pygit2, "Repository", Refusing)
    with pytest.raises(StorageDeniedError, match=r"safe\.directory"):
        opened(repository)


def test_a_repository_that_vanishes_is_unavailable(repository: pygit2.Repository) -> None:
    commit_files(repository, {"f": b"1"})
    storage = opened(repository)
    shutil.rmtree(repository.path)
    with pytest.raises(SourceUnavailableError):
        storage.check()
    with pytest.raises(SourceUnavailableError):
        list(storage.list())
