"""Scans: from creating the datasource to its end, beside the bare walk no scan can do without."""

from __future__ import annotations

import os
import time
from typing import Any

from benchmarks.data import write_folder, write_repository
from benchmarks.harness import Result, Workshop, column, ratio


def run(workshop: Workshop) -> list[Result]:
    """Take every measurement of this suite."""
    files = workshop.options.files
    folder, repository = workshop.folder / "files", workshop.folder / "files.git"
    write_folder(folder, files=files)
    write_repository(repository, files=files)
    shown = f"{files:,} files"
    results: list[Result] = []
    for name, place, bare in (
        ("folder", str(folder), "bare_folder"),
        ("git", str(repository), "bare_git"),
    ):

        def take_bare(bare: str = bare, place: str = place) -> dict[str, Any]:
            return workshop.call(f"benchmarks.scan:{bare}", place=place, files=files)

        def take_scan(name: str = name, place: str = place) -> dict[str, Any]:
            return workshop.call("benchmarks.scan:scan", kind=name, place=place, files=files)

        found = workshop.interleaved(bare=take_bare, scan=take_scan)
        bare_s, scan_s = column(found["bare"], "seconds"), column(found["scan"], "seconds")
        again_s = column(found["scan"], "again_s")
        alone = "os.scandir + stat" if name == "folder" else "pygit2: entries + object headers"
        results += [
            Result("scan", f"{alone}, {shown}", bare_s, "s"),
            Result("scan", f"first scan of the {name}", scan_s, "s"),
            Result("scan", f"second scan of the {name}, nothing changed", again_s, "s"),
            Result("scan", f"first scan / bare walk, {name}", ratio(scan_s, bare_s), "x", at_most=3.0),
            Result("scan", f"second scan / bare walk, {name}", ratio(again_s, bare_s), "x"),
        ]  # fmt: skip
    return results


# -- what runs in processes of its own ---------------------------------------------------------------------------------


def bare_folder(*, place: str, files: int) -> dict[str, Any]:
    """Walk a folder with `os.scandir` and `stat`, keeping nothing."""

    def walk() -> int:
        count, todo = 0, [place]
        while todo:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        count += entry.stat().st_size > 0
        return count

    return {"seconds": _second(walk, files=files)}


def bare_git(*, place: str, files: int) -> dict[str, Any]:
    """Walk the tree of a commit with pygit2 and read the header of every blob, for its size."""
    import pygit2

    def walk() -> int:
        repository = pygit2.Repository(place)
        count, odb, todo = 0, repository.odb, [repository.revparse_single("main").peel(pygit2.Tree)]
        while todo:
            for entry in todo.pop():
                if isinstance(entry, pygit2.Tree):
                    todo.append(entry)
                else:
                    count += odb.read_header(entry.id)[1] > 0
        return count

    return {"seconds": _second(walk, files=files)}


def scan(*, kind: str, place: str, files: int) -> dict[str, Any]:
    """Create a datasource and wait until it is scanned, then scan it again; the engine runs already."""
    from pathlib import Path

    from pathlake import datasources

    empty = Path(os.environ["HOME"]) / "empty"
    empty.mkdir(exist_ok=True)
    datasources.get_or_create("bench/scan", "warm-up", empty).wait_until_ready(progress=False)
    if kind == "git":
        _connect("bench/scan", place)
    start = time.perf_counter()
    source = "" if kind == "git" else Path(place)
    ds = datasources.create("bench/scan", "files", source, "main" if kind == "git" else None)
    ds.wait_until_ready(max_wait_time=None, progress=False)
    seconds = time.perf_counter() - start
    assert ds.count() == files
    start = time.perf_counter()
    ds.scan_source()
    ds.wait_until_ready(max_wait_time=None, progress=False)
    again_s = time.perf_counter() - start
    assert ds.count() == files
    return {"seconds": seconds, "again_s": again_s}


def _connect(repo: str, place: str) -> None:
    from typer.testing import CliRunner

    from pathlake.cli.main import app

    done = CliRunner().invoke(app, ["repo", "connect", repo, place])
    assert done.exit_code == 0, done.output


def _second(walk: Any, *, files: int) -> float:
    """Return the time of the second walk: scans read caches the first one warmed as well."""
    assert walk() == files
    start = time.perf_counter()
    assert walk() == files
    return time.perf_counter() - start
