"""Whatever is done to a table in whatever order, every snapshot stays what it was, and equals a plain Python model."""

from __future__ import annotations

import copy
import random
from pathlib import Path

import pytest

from pathlake.expr import Query
from pathlake.lake import Lake, LakeSettings, TableRef, open_lake
from tests.support.lakes import fetch, files, info, merge, scan

STEPS = 60
TABLE, OTHER = TableRef(1, 1), TableRef(1, 2)
ALL = Query(include_missing=True)

Model = dict[str, dict[str, object]]


class Steps:
    """Random changes, done to a lake and to a model of it."""

    def __init__(self, settings: LakeSettings, seed: int) -> None:
        self.settings = settings
        self.random = random.Random(seed)
        self.lake: Lake = open_lake(settings)
        self.model: Model = {}
        self.fields: list[str] = []
        self.at: dict[int, Model] = {}
        for table in (TABLE, OTHER):
            self.lake.create_table(table, commit=info())

    def some_paths(self, most: int) -> list[str]:
        return [f"p{number}" for number in self.random.sample(range(40), self.random.randint(1, most))]

    def merge(self, most: int = 12) -> None:
        if len(self.fields) < 5 and self.random.random() < 0.3:
            self.fields.append(f"x{len(self.fields)}")
        rows: Model = {}
        for path in self.some_paths(most):
            given = [name for name in self.fields if self.random.random() < 0.6]
            rows[path] = {name: self.random.randint(0, 5) for name in given}
        merge(self.lake, TABLE, rows)
        for path, values in rows.items():
            self.model.setdefault(path, {}).update(values)

    def merge_all(self) -> None:
        self.merge(40)

    def delete_values(self) -> None:
        ids = self.ids()
        chosen = [(path, name) for path in sorted(self.model) for name in sorted(self.model[path])]
        chosen = self.random.sample(chosen, min(len(chosen), 4))
        if chosen:
            self.lake.delete_values(TABLE, [(ids[path], name) for path, name in chosen], commit=info())
            for path, name in chosen:
                del self.model[path][name]

    def delete_datapoints(self) -> None:
        ids = self.ids()
        chosen = self.random.sample(sorted(self.model), min(len(self.model), 3))
        if chosen:
            self.lake.delete_datapoints(TABLE, [ids[path] for path in chosen], commit=info())
            for path in chosen:
                del self.model[path]

    def scan(self) -> None:
        paths = self.some_paths(30)
        scan(self.lake, TABLE, files(paths))
        for path in paths:
            self.model.setdefault(path, {})

    def maintain(self) -> None:
        self.lake.maintain()

    def write_elsewhere(self) -> None:
        merge(self.lake, OTHER, {"p": {f"x{self.random.randint(0, 9)}": 1}})

    def reopen(self) -> None:
        self.lake.close()
        self.lake = open_lake(self.settings)

    def ids(self) -> dict[str, int]:
        return {row["path"]: row["datapoint_id"] for row in fetch(self.lake, TABLE, ALL)}

    def found(self, snapshot: int | None = None) -> Model:
        """What the lake holds, without what is not given; missing files included."""
        rows = fetch(self.lake, TABLE, ALL, snapshot=snapshot)
        paths = [row["path"] for row in rows]
        assert len(paths) == len(set(paths)), "a path is there twice"
        return {
            row["path"]: {name: value for name, value in row.items() if name in self.fields and value is not None}
            for row in rows
        }

    def run(self) -> None:
        kinds = [self.merge] * 6 + [self.merge_all, self.delete_values, self.delete_datapoints, self.scan]
        kinds += [self.maintain, self.write_elsewhere, self.reopen]
        for _ in range(STEPS):
            step = self.random.choice(kinds)
            step()
            assert self.found() == self.model, step.__name__
            self.at[self.lake.snapshot_at()] = copy.deepcopy(self.model)
            for snapshot in self.random.sample(sorted(self.at), min(len(self.at), 3)):
                assert self.found(snapshot) == self.at[snapshot], f"{step.__name__} changed snapshot {snapshot}"


@pytest.fixture
def settings(tmp_path: Path) -> LakeSettings:
    return LakeSettings(f"duckdb:///{tmp_path}/c", f"{tmp_path}/data", threads=2)


@pytest.mark.parametrize("seed", range(4))
def test_every_snapshot_stays_what_it_was(settings: LakeSettings, seed: int) -> None:
    steps = Steps(settings, seed)
    try:
        steps.run()
    finally:
        steps.lake.close()
