"""Small files of many small commits are merged while the engine runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pathlake.catalog.base import Repo
from pathlake.engine import Engine
from pathlake.engine.upkeep import Upkeep
from pathlake.errors import InternalError
from pathlake.lake import Lake
from tests.support.engines import create, done, rows_of, upload
from tests.support.processes import wait_until


def test_many_small_files_become_few(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    done(engine, datasource)
    upkeep = Upkeep(engine.lake, look_every_s=0.02, many_files=20)
    for number in range(25):
        upload(engine, datasource, path=[f"{number}.txt"], episode=[number])
    many = engine.lake.small_files()
    before = rows_of(engine, datasource), engine.queries.commits(datasource)
    assert many >= 20
    upkeep.start()
    wait_until(lambda: engine.lake.small_files() < many / 2, what="the small files to be merged")
    upkeep.close()
    upkeep.close()
    assert (rows_of(engine, datasource), engine.queries.commits(datasource)) == before


def test_a_failure_is_no_end(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[int] = []

    def fails(self: Lake) -> int:
        times.append(1)
        raise InternalError("The lake failed: for a moment")

    monkeypatch.setattr(type(engine.lake), "small_files", fails)
    upkeep = Upkeep(engine.lake, look_every_s=0.01)
    upkeep.start()
    wait_until(lambda: len(times) > 2, what="the next looks")
    upkeep.close()
