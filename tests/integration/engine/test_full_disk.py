"""A home on a file system that really runs full."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pathlake.engine import EngineSettings, open_engine
from pathlake.errors import DiskFullError
from pathlake.expr import Query
from tests.support.engines import create, done, rows_of, upload

SIZE_MIB = 32


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def noise(size: int) -> bytes:
    return np.random.default_rng(1).bytes(size)


def test_a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest(small_disk: Path, folder: Path) -> None:
    settings = EngineSettings.from_home(small_disk / "home", {}, local_folders=True)
    with open_engine(settings) as engine:
        datasource = create(engine, engine.repos.create("simon/baby"), folder)
        done(engine, datasource)
        upload(engine, datasource, path=["001.txt"], episode=[1])
        before = rows_of(engine, datasource), engine.queries.commits(datasource)

        with pytest.raises(DiskFullError):
            upload(engine, datasource, path=["001.txt"], mask=pa.array([noise(SIZE_MIB << 20)], pa.binary()))
        assert (rows_of(engine, datasource), engine.queries.commits(datasource)) == before

        numbers = np.frombuffer(noise(8 * 6_000_000), dtype=np.int64)
        paths = [f"{number}.txt" for number in range(len(numbers) // 6)]
        columns = {f"f{number}": pa.array(numbers[number::6]) for number in range(6)}
        with pytest.raises(DiskFullError):
            upload(engine, datasource, path=paths, **columns)
        assert (rows_of(engine, datasource), engine.queries.commits(datasource)) == before

        upload(engine, datasource, path=["002.txt"], episode=[2])
    with open_engine(settings) as engine:
        assert rows_of(engine, datasource)["002.txt"]["episode"] == 2
        assert engine.queries.count(datasource, Query()) == 3


def test_a_disk_that_is_full_from_the_start_says_so(small_disk: Path) -> None:
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(DiskFullError, match="Free some space"):
        open_engine(EngineSettings.from_home(small_disk / "home", {}))
