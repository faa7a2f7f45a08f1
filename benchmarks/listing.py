"""How a listing compares with the bare walk that it cannot do without.

    python benchmarks/listing.py [FILES]

Makes FILES small files (100,000) in a temporary folder and in a packed git repository, then lists both through
`pathlake.storage` and by a bare loop: `os.scandir` + `stat`, and pygit2's tree entries + object headers. The bare
loops keep nothing, the listings build paths, sizes, times and etags. Takes the best of five, in one process, so that
all of them read warm caches; states ratios.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pygit2

from pathlake.storage import Storage, open_folder, open_git

PER_DIRECTORY = 1_000


def make_folder(root: Path, files: int) -> None:
    for i in range(files):
        if i % PER_DIRECTORY == 0:
            (root / f"d{i // PER_DIRECTORY:05}").mkdir(parents=True)
        (root / f"d{i // PER_DIRECTORY:05}" / f"{i:08}.txt").write_bytes(b"content %d" % i)


def make_repository(path: Path, files: int) -> None:
    repository = pygit2.init_repository(str(path), bare=True)
    top = repository.TreeBuilder()
    for start in range(0, files, PER_DIRECTORY):
        inner = repository.TreeBuilder()
        for i in range(start, min(start + PER_DIRECTORY, files)):
            inner.insert(f"{i:08}.txt", repository.create_blob(b"content %d" % i), pygit2.enums.FileMode.BLOB)
        top.insert(f"d{start // PER_DIRECTORY:05}", inner.write(), pygit2.enums.FileMode.TREE)
    author = pygit2.Signature("Ada", "ada@example.org")
    repository.create_commit("refs/heads/main", author, author, "files", top.write(), [])
    repository.pack()


def bare_folder(root: Path) -> int:
    count, todo = 0, [str(root)]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                else:
                    count += entry.stat().st_size > 0
    return count


def bare_git(path: Path) -> int:
    repository = pygit2.Repository(str(path))
    count, odb, todo = 0, repository.odb, [repository.revparse_single("main").peel(pygit2.Tree)]
    while todo:
        for entry in todo.pop():
            if isinstance(entry, pygit2.Tree):
                todo.append(entry)
            else:
                count += odb.read_header(entry.id)[1] > 0
    return count


def listed(storage: Storage) -> int:
    return sum(len(batch) for batch in storage.list())


def best_s(run: Callable[[], int], *, files: int) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert run() == files
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as temporary:
        root, repository, cache = (Path(temporary, name) for name in ("folder", "repository", "cache"))
        make_folder(root, files)
        make_repository(repository, files)
        runs: dict[str, tuple[Callable[[], int], Callable[[], int]]] = {
            "folder": (lambda: bare_folder(root), lambda: listed(open_folder(root))),
            "git": (
                lambda: bare_git(repository),
                lambda: listed(open_git(str(repository), revision="main", directory="", cache_dir=cache)),
            ),
        }
        for name, (bare, ours) in runs.items():
            bare_s, ours_s = best_s(bare, files=files), best_s(ours, files=files)
            print(f"{name}: {files:,} files, bare {bare_s:.3f} s, listing {ours_s:.3f} s, ratio {ours_s / bare_s:.2f}")


if __name__ == "__main__":
    main()
