"""Two servers over one PostgreSQL and one bucket behave as one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pathlake.expr import Query
from pathlake.lake import Lake, TableRef, open_lake
from tests.contract.lake.conftest import NewSettings
from tests.support.lakes import fetch, files, info, merge, paths, scan

pytestmark = [pytest.mark.postgres, pytest.mark.s3]


@pytest.fixture
def servers(new_server_settings: NewSettings) -> Iterator[tuple[Lake, Lake]]:
    """Two lakes over one catalog, opened at the same moment over nothing."""
    settings = new_server_settings()
    with ThreadPoolExecutor() as pool:
        opened = [pool.submit(open_lake, settings) for _ in range(2)]
        first, second = (future.result() for future in opened)
    yield first, second
    first.close()
    second.close()


def test_each_sees_what_the_other_wrote(servers: tuple[Lake, Lake]) -> None:
    first, second = servers
    table = TableRef(1, 1)
    first.create_table(table, commit=info())
    merge(first, table, {"a": {"x": 1}})
    assert [row["x"] for row in fetch(second, table)] == [1]
    merge(second, table, {"a": {"y": "new"}, "b": {"x": 2}})
    assert first.schema(table).get("y") is not None
    merge(first, table, {"c": {"y": "known", "z": 1.5}})
    merge(second, table, {"d": {"z": 2}})
    rows = fetch(first, table)
    assert [(row["path"], row["x"], row["y"], row["z"]) for row in sorted(rows, key=lambda row: row["path"])] == [
        ("a", 1, "new", None),
        ("b", 2, None, None),
        ("c", None, "known", 1.5),
        ("d", None, None, 2.0),
    ]
    assert len({row["datapoint_id"] for row in rows}) == 4
    assert fetch(second, table) == rows
    assert first.history(table) == second.history(table)


def test_both_may_write_at_once(servers: tuple[Lake, Lake]) -> None:
    table = TableRef(1, 1)
    servers[0].create_table(table, commit=info())

    def work(writer: int) -> None:
        lake = servers[writer % 2]
        own = TableRef(2, 10 + writer)
        lake.create_table(own, commit=info())
        for number in range(6):
            merge(lake, table, {f"w{writer}-{number}": {"x": number, f"f{writer}": 1}})
            merge(lake, own, {f"p{number}": {"x": number}})
        scan(lake, own, files([f"p{number}" for number in range(4)]))

    with ThreadPoolExecutor() as pool:
        list(pool.map(work, range(4)))
    for lake in servers:
        rows = fetch(lake, table)
        assert len(rows) == len({row["datapoint_id"] for row in rows}) == 24
        for writer in range(4):
            assert lake.count(TableRef(2, 10 + writer), Query()) == 6
            assert [row[f"f{writer}"] for row in rows].count(1) == 6


def test_maintenance_of_one_does_not_disturb_the_other(servers: tuple[Lake, Lake]) -> None:
    first, second = servers
    table = TableRef(1, 1)
    first.create_table(table, commit=info())
    for number in range(5):
        merge(first, table, {f"p{number}": {"x": number}})
    with ThreadPoolExecutor() as pool:
        maintained = pool.submit(first.maintain)
        for number in range(5, 12):
            merge(second, table, {f"p{number}": {"x": number}})
        maintained.result()
    assert sorted(paths(first, table)) == sorted(f"p{number}" for number in range(12))
