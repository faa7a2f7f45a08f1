"""What stands in a page's folder before a block runs: the fixtures that `<!-- setup: NAME -->` names."""

from __future__ import annotations

import contextlib
import re
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pygit2
from PIL import Image

from tests.support.processes import background

if TYPE_CHECKING:
    import pytest


class Stage:
    """A folder, its environment, and what has to be ended when the page is over."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.closing = contextlib.ExitStack()

    def set_up(self, name: str) -> None:
        """Run a fixture by its name."""
        FIXTURES[name](self)


def photos(stage: Stage) -> None:
    """A folder `photos` with five JPEG files in two folders, and a sound."""
    for index, path in enumerate(["beach/1.jpg", "beach/2.jpg", "beach/3.jpg", "city/1.jpg", "city/2.jpg"]):
        _image(stage.folder / "photos" / path, size=(640 + 160 * index, 480), colour=(40 * index, 90, 160))
    with wave.open(str(stage.folder / "photos" / "beach" / "waves.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 12_000)


def yoda(stage: Stage) -> None:
    """A git repository `baby-yoda` with `data/images/000.jpg` to `011.jpg` on `main`, and a tag `v1.0`."""
    folder = stage.folder / "baby-yoda"
    for index in range(12):
        _image(folder / "data" / "images" / f"{index:03d}.jpg", size=(320, 240), colour=(20 * index, 120, 60))
    repository = pygit2.init_repository(str(folder), initial_head="main")
    repository.index.add_all()
    repository.index.write()
    author = pygit2.Signature("Din", "din@example.org", 1_700_000_000, 0)
    commit = repository.create_commit(
        "refs/heads/main", author, author, "Add the frames", repository.index.write_tree(), []
    )
    repository.references.create("refs/tags/v1.0", commit)


def csv(stage: Stage) -> None:
    """A file `ratings.csv` for the photos."""
    (stage.folder / "ratings.csv").write_text("path,place,rating\nbeach/1.jpg,Nice,5\ncity/1.jpg,Lyon,3\n")


def server(stage: Stage) -> None:
    """A server on a home of its own; PATHLAKE_HOST and PATHLAKE_TOKEN point to it."""
    log = stage.folder / "server.log"
    home = stage.folder / "server-home"
    command: list[str | Path] = [
        Path(sys.executable).with_name("pathlake"),
        "serve",
        "--port",
        "0",
        "--home",
        home,
        "--token",
        "secret",
    ]
    process = stage.closing.enter_context(background(command, log=log, ready=lambda: b"Ctrl-C" in log.read_bytes()))
    del process
    address = re.search(r" at (http://\S+)", log.read_text())
    assert address is not None
    stage.monkeypatch.setenv("PATHLAKE_HOST", address[1])
    stage.monkeypatch.setenv("PATHLAKE_TOKEN", "secret")


def _image(path: Path, *, size: tuple[int, int], colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


FIXTURES: dict[str, Callable[[Stage], None]] = {"photos": photos, "yoda": yoda, "csv": csv, "server": server}
