"""The documentation's code runs as it is written, on a git repository and a folder, in a fresh home."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compat.docs import documentation
from tests.support.repositories import bare_repository, commit_files

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
REPO = "simon/baby-yoda-segmentation-dataset"


def test_the_copy_of_the_docs_has_the_blocks_that_are_run() -> None:
    found = documentation.blocks()
    counts = {name: len(found[name]) for name in ("Creating", "Getting", "Getting data", "Example query", "Caveats")}
    assert counts == {"Creating": 1, "Getting": 2, "Getting data": 2, "Example query": 2, "Caveats": 2}
    creating = documentation.without_bucket(found["Creating"][0])
    assert "s3://" not in creating
    assert 'get_or_create("simon/baby-yoda-segmentation-dataset", "path-ds", "path/to/dir", "main")' in creating


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the docs' code gave, run once in a process of its own with a terminal that answers `y`."""
    base = tmp_path_factory.mktemp("docs")
    repository = bare_repository(base / "baby-yoda.git")
    commit_files(repository, {f"path/to/dir/images/{i:03}.jpg": b"x" * i for i in range(3)} | {"README.md": b"no"})
    folder = base / "folder"
    (folder / "images").mkdir(parents=True)
    for i in range(8):
        (folder / "images" / f"{i:03}.jpg").write_bytes(b"y" * i)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PATHLAKE_", "DAGSHUB_", "PYTHON"))
    }
    (base / "user").mkdir()
    environment |= {
        "HOME": str(base / "user"),
        "PATHLAKE_HOME": str(base / "home"),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "compat" / "dagshub" / "src"), str(ROOT / "src")]),
    }
    for arguments in (["create", "user/repo"], ["create", REPO], ["connect", REPO, str(base / "baby-yoda.git")]):
        command = [sys.executable, "-c", "from pathlake.cli.main import app; app()", "repo", *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    owner_side, user_side = pty.openpty()
    try:
        os.write(owner_side, b"y\n")
        ran = subprocess.run(
            [sys.executable, "-W", "error", str(HERE / "story.py"), str(folder)],
            env=environment,
            stdin=user_side,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    finally:
        os.close(owner_side)
        os.close(user_side)
    assert ran.returncode == 0, ran.stderr
    answer = next(line for line in ran.stdout.splitlines() if "SEEN" in line)
    found: dict[str, Any] = json.loads(answer.partition("SEEN")[2])
    return found


def test_creating_and_getting(seen: dict[str, Any]) -> None:
    assert seen["from"] == str(ROOT / "compat/dagshub/src/dagshub/__init__.py")
    assert seen["created"] == ["path-ds", f"repo://{REPO}/main:path/to/dir"]
    assert seen["listed"] == ["bucket-ds", "path-ds"]
    assert seen["got"] == "bucket-ds"


def test_adding_metadata(seen: dict[str, Any]) -> None:
    nothing = {"episode": None, "has_baby_yoda": None, "squirrel_detected": None}
    yoda = nothing | {"episode": 5, "has_baby_yoda": True}
    assert seen["metadata"] == {
        **{f"images/{i:03}.jpg": nothing for i in range(5)},
        **{f"images/{i:03}.jpg": yoda for i in (5, 6, 7)},
        "data/file1.png": nothing | {"squirrel_detected": True},
        "data/file2.png": nothing | {"squirrel_detected": False},
    }


def test_getting_data(seen: dict[str, Any]) -> None:
    assert (seen["head"], seen["all"]) == (10, 10)
    assert seen["columns"][:3] == ["path", "datapoint_id", "dagshub_download_url"]
    assert seen["columns"][3:] == sorted(seen["columns"][3:])
    assert {"episode", "has_baby_yoda", "squirrel_detected", "size"} <= set(seen["columns"])


def test_querying(seen: dict[str, Any]) -> None:
    assert seen["queried"] == ["images/000.jpg", "images/009.jpg", "images/010.jpg"]
    assert all(url.startswith("http://127.0.0.1:") and url.endswith(".jpg") for url in seen["urls"])
    assert seen["composed"] == ["images/010.jpg"]
    assert seen["same"]
    assert seen["caveats"] == [["images/010.jpg"], ["images/010.jpg"]]


def test_saving_and_deleting(seen: dict[str, Any]) -> None:
    assert seen["reopened"] == ["images/005.jpg", "images/006.jpg", "images/007.jpg"]
    assert seen["left"] == []
