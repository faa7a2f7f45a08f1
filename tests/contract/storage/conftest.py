"""Every storage, each made from the same files; a new kind joins by one more entry in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pathlake.storage import Storage, open_folder, open_git
from tests.support.repositories import bare_repository, commit_files

MakeStorage = Callable[[Mapping[str, bytes]], Storage]


def _folder(files: Mapping[str, bytes], tmp_path: Path) -> Storage:
    root = tmp_path / "root"
    root.mkdir()
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return open_folder(root)


def _git(files: Mapping[str, bytes], tmp_path: Path) -> Storage:
    repository = bare_repository(tmp_path / "repo")
    commit_files(repository, {f"top/inner/{path}": content for path, content in files.items()} | {"beside": b"x"})
    # A directory of no files is none to git, so an empty source is an empty repository's top.
    directory = "top/inner" if files else ""
    if not files:
        commit_files(repository, {})
    return open_git(str(tmp_path / "repo"), revision="main", directory=directory, cache_dir=tmp_path / "cache")


def _clone(files: Mapping[str, bytes], tmp_path: Path) -> Storage:
    commit_files(bare_repository(tmp_path / "origin"), files)
    return open_git(f"file://{tmp_path}/origin", revision="main", directory="", cache_dir=tmp_path / "cache")


KINDS: dict[str, Callable[[Mapping[str, bytes], Path], Storage]] = {"folder": _folder, "git": _git, "clone": _clone}


@pytest.fixture(params=list(KINDS))
def make_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStorage]:
    """Make a storage that holds exactly the given files; it is closed at the end."""
    made: list[Storage] = []

    def make(files: Mapping[str, bytes]) -> Storage:
        made.append(KINDS[request.param](files, tmp_path))
        return made[-1]

    yield make
    for storage in made:
        storage.close()
