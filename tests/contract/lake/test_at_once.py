"""Readers and writers at the same time, while schemas change under them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pathlake.lake import Lake
from tests.contract.lake.conftest import new_table
from tests.support.lakes import fetch, info, merge

SECONDS = 4.0
"""Long enough for DuckLake of DuckDB 1.5.5 to fail in most runs."""


def test_readers_and_writers_of_schemas_never_disturb_each_other(lake: Lake) -> None:
    tables = [new_table(lake) for _ in range(2)]
    ended = threading.Event()
    until = time.monotonic() + SECONDS

    def repeat(step: Callable[[int], None]) -> int:
        count = 0
        try:
            while time.monotonic() < until and not ended.is_set():
                step(count)
                count += 1
        except BaseException:
            ended.set()
            raise
        return count

    def write(number: int) -> Callable[[int], None]:
        def step(count: int) -> None:
            merge(lake, tables[number], {f"p{row}": {f"x{count}": row} for row in range(20)})

        return step

    def read(_: int) -> None:
        for table in tables:
            for row in fetch(lake, table):
                assert all(value in (None, int(row["path"][1:])) for name, value in row.items() if name[0] == "x")

    def make_and_drop(_: int) -> None:
        table = new_table(lake)
        merge(lake, table, {"a": {"x": 1}})
        lake.drop_table(table)

    def maintain(_: int) -> None:
        lake.maintain()

    with ThreadPoolExecutor(6) as pool:
        steps = [write(0), write(1), read, read, make_and_drop, maintain]
        counts = [running.result() for running in [pool.submit(repeat, step) for step in steps]]
    assert all(counts), counts
    for table, written in zip(tables, counts, strict=False):
        rows = fetch(lake, table)
        assert len(rows) == 20
        assert len([name for name in rows[0] if name[0] == "x"]) == written
    assert lake.history(tables[0])[0].author == info().author
