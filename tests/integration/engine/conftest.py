"""A real engine over a fresh home, and a folder for it to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pathlake.catalog.base import Repo
from pathlake.engine import Engine, EngineSettings, open_engine
from tests.support.engines import write_files


@pytest.fixture
def settings(tmp_path: Path) -> EngineSettings:
    return EngineSettings.from_home(tmp_path / "home", {}, create_repos=True, local_folders=True)


@pytest.fixture
def engine(settings: EngineSettings) -> Iterator[Engine]:
    with open_engine(settings) as opened:
        yield opened


@pytest.fixture
def repo(engine: Engine) -> Repo:
    return engine.repos.create("simon/baby")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "images"
    write_files(path, {"001.txt": "one", "002.txt": "two", "more/003.txt": "three"})
    return path
