"""A home of its own for each module, with the engine of this machine on it, and datasources on small folders."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pathlake import Datasource, datasources
from pathlake.client.connection import close_connections
from pathlake.server.embedded import stop_all

REPO = "simon/baby"

_numbers = itertools.count(1)

MakeDatasource = Callable[..., Datasource]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a machine nobody used Pathlake on; its engine stops when the module ends."""
    base = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSHUB_CLIENT_HOST", "DAGSHUB_USER_TOKEN", "PATHLAKE_HOST", "PATHLAKE_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(base))
        patch.setenv("PATHLAKE_HOME", str(base / "home"))
        yield base / "home"
        close_connections()
        stop_all()


@pytest.fixture(scope="module")
def make(home: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeDatasource:
    """Makes a datasource on a folder with `images/000.jpg` to `images/009.jpg`, of 0 to 9 bytes, scanned."""

    def made(*, name: str | None = None, files: int = 10) -> Datasource:
        number = next(_numbers)
        folder = tmp_path_factory.mktemp("folder") / "images"
        folder.mkdir()
        for size in range(files):
            (folder / f"{size:03}.jpg").write_bytes(b"x" * size)
        ds = datasources.create_datasource(REPO, name or f"ds-{number}", folder.parent)
        ds.wait_until_ready()
        return ds

    return made


@pytest.fixture
def ds(make: MakeDatasource) -> Datasource:
    """One such datasource, for this test alone."""
    return make()


@pytest.fixture(scope="module")
def shared(make: MakeDatasource) -> Datasource:
    """One such datasource for all tests of a module that find it as they leave it."""
    return make()
