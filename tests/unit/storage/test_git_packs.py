"""Sizes from pack files are those that libgit2 tells, or are left to it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pygit2
import pytest

from pathlake.storage import open_git
from pathlake.storage.git_packs import UNKNOWN, PackSizes
from tests.support.repositories import bare_repository, commit_files

SIZES = [0, 1, 15, 16, 127, 128, 2047, 2048, 70_000, 300_000]


def contents() -> dict[str, bytes]:
    """Incompressible files of every length of size header, and a family of files that git keeps as deltas."""
    random = np.random.default_rng(0)
    whole = {f"whole/{size}": random.bytes(size) for size in SIZES}
    text = b"".join(b"line %d\n" % number for number in range(2_000))
    return whole | {f"family/{number}": text + b"%d" % number for number in range(40)}


@pytest.fixture
def repository(tmp_path: Path) -> pygit2.Repository:
    made = bare_repository(tmp_path / "repo")
    commit_files(made, contents())
    return made


def git(repository: pygit2.Repository, *arguments: str) -> None:
    subprocess.run(["git", "-C", repository.path, *arguments], check=True, capture_output=True)


def pack(repository: pygit2.Repository) -> Path:
    git(repository, "repack", "-a", "-d", "-f", "-q")
    (index,) = Path(repository.path, "objects", "pack").glob("*.idx")
    return index


def sizes(repository: pygit2.Repository) -> dict[str, int]:
    """What `PackSizes` says of each file."""
    names = sorted(contents())
    ids = [pygit2.hash(contents()[name]).raw for name in names]
    return dict(zip(names, PackSizes(Path(repository.path)).of(ids).tolist(), strict=True))


def listed(repository: pygit2.Repository) -> dict[str, int]:
    storage = open_git(repository.path, revision="main", directory="", cache_dir=Path(repository.path))
    return {path: size for batch in storage.list() for path, size in zip(batch.paths, batch.sizes, strict=True)}


def test_sizes_of_whole_objects_are_found_and_deltas_are_left(repository: pygit2.Repository) -> None:
    pack(repository)
    found = sizes(repository)
    assert [found[f"whole/{size}"] for size in SIZES] == SIZES
    family = [found[f"family/{number}"] for number in range(40)]
    assert family.count(UNKNOWN) >= 30
    assert listed(repository) == {name: len(content) for name, content in contents().items()}


def test_objects_outside_packs_are_left(repository: pygit2.Repository) -> None:
    assert set(sizes(repository).values()) == {UNKNOWN}
    assert PackSizes(Path(repository.path)).of([]).tolist() == []
    assert listed(repository) == {name: len(content) for name, content in contents().items()}


def test_several_packs_and_loose_objects_together(repository: pygit2.Repository) -> None:
    pack(repository)
    commit_files(repository, {**contents(), "second": b"2" * 22})
    git(repository, "repack", "-d", "-q")
    commit_files(repository, {**contents(), "second": b"2" * 22, "loose": b"1"})
    assert len(list(Path(repository.path, "objects", "pack").glob("*.idx"))) == 2
    ids = [pygit2.hash(one).raw for one in (b"2" * 22, b"1", contents()["whole/2048"])]
    assert PackSizes(Path(repository.path)).of([*ids, b"\xff" * 20, b"\0" * 20]).tolist() == [22, -1, 2048, -1, -1]
    assert (listed(repository)["second"], listed(repository)["loose"]) == (22, 1)


def test_offsets_of_large_packs(repository: pygit2.Repository) -> None:
    index = pack(repository)
    index.chmod(0o644)
    # Everything behind the first kilobyte gets an offset of 64 bits, as it would behind the second gigabyte.
    git(repository, "index-pack", "--index-version=2,1024", "-o", str(index), str(index.with_suffix(".pack")))
    assert [sizes(repository)[f"whole/{size}"] for size in SIZES] == SIZES


@pytest.mark.parametrize("content", [b"", b"\xfftOc\x00\x00\x00\x03" + b"\0" * 2000, b"\xfftOc\x00\x00\x00\x02short"])
def test_an_index_of_another_kind_is_left_to_libgit2(repository: pygit2.Repository, content: bytes) -> None:
    folder = Path(repository.path, "objects", "pack")
    folder.mkdir(exist_ok=True)
    (folder / "pack-odd.idx").write_bytes(content)
    assert set(sizes(repository).values()) == {UNKNOWN}


def test_a_linked_work_tree_shares_the_packs(repository: pygit2.Repository, tmp_path: Path) -> None:
    pack(repository)
    git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"), "main")
    linked = pygit2.Repository(str(tmp_path / "linked"))
    assert linked.path != repository.path
    assert sizes(linked)["whole/2048"] == 2048
