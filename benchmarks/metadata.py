"""Metadata: upload, read back, count, change one row, at a million datapoints, HTTP included."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.data import write_rows
from benchmarks.harness import Result, Workshop, column, ratio

REPO, NAME = "bench/rows", "rows"
WARM_TIMES = 5
ONE_ROW_TIMES = 31


def run(workshop: Workshop) -> list[Result]:
    """Take every measurement of this suite."""
    options = workshop.options
    rows_file = workshop.folder / f"rows-{options.rows}.parquet"
    write_rows(rows_file, rows=options.rows)
    rows = f"{options.rows / 1e6:g} M"
    home = workshop.new_home()

    def upload() -> dict[str, Any]:
        shutil.rmtree(home, ignore_errors=True)
        return workshop.call("benchmarks.metadata:upload", home=home, rows_file=str(rows_file))

    def read() -> dict[str, Any]:
        return workshop.call("benchmarks.metadata:read", home=home, rows=options.rows)

    def count() -> dict[str, Any]:
        return workshop.call("benchmarks.metadata:count", home=home)

    def one_row() -> dict[str, Any]:
        return workshop.call("benchmarks.metadata:one_row", home=home)

    def update() -> dict[str, Any]:
        return workshop.call("benchmarks.metadata:update", home=home, rows_file=str(rows_file))

    peers: dict[str, Any] = {}
    if options.peer_python:
        peers = {"datachain": lambda: _datachain(workshop, rows_file), "lance": lambda: _lance(workshop, rows_file)}
    found = workshop.interleaved(upload=upload, read=read, count=count, one_row=one_row, update=update, **peers)

    uploads = column(found["upload"], "seconds")
    counts = column(found["count"], "median_s", scale=1000)
    frames = column(found["read"], "median_s")
    one_rows = column(found["one_row"], "median_s", scale=1000)
    results = [
        Result("metadata", f"upload {rows} x 5 from a dataframe", uploads, "s", at_most=5.0),
        Result("metadata", "the same upload again, every value changed", column(found["update"], "seconds"), "s"),
        Result("metadata", f"all().dataframe, {rows} x 8 columns", frames, "s", at_most=2.0),
        Result("metadata", "  the first one of a process", column(found["read"], "first_s"), "s"),
        Result("metadata", f"count of a two-field filter, {rows}", counts, "ms", at_most=60.0),
        Result("metadata", "  the first one of a process", column(found["count"], "first_s", scale=1000), "ms"),
        Result("metadata", "one-row metadata_context", one_rows, "ms", at_most=80.0),
        Result("metadata", "  the slowest of them", column(found["one_row"], "slowest_s", scale=1000), "ms"),
    ]
    if not peers:
        return results
    saves, merges = column(found["datachain"], "save_s"), column(found["lance"], "merge_s")
    results += [
        Result("metadata", f"DataChain save, {rows} x 5", saves, "s"),
        Result("metadata", f"Lance merge_insert, {rows} x 5", merges, "s"),
        Result("metadata", "DataChain save / upload", ratio(saves, uploads), "x", at_least=2.0),
        Result("metadata", "Lance merge_insert / upload", ratio(merges, uploads), "x"),
        Result("metadata", "DataChain to_pandas", column(found["datachain"], "frame_s"), "s"),
        Result("metadata", "Lance to_pandas", column(found["lance"], "frame_s"), "s", note="no HTTP, 6 columns"),
        Result("metadata", "DataChain count", column(found["datachain"], "count_s", scale=1000), "ms"),
        Result("metadata", "Lance count", column(found["lance"], "count_s", scale=1000), "ms"),
        Result("metadata", "Lance one-row merge_insert", column(found["lance"], "one_row_s", scale=1000), "ms"),
    ]
    return results


def _datachain(workshop: Workshop, rows_file: Path) -> dict[str, Any]:
    folder = workshop.folder / "datachain"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    env = {"DATACHAIN_ROOT_DIR": str(folder), "DATACHAIN_NO_ANALYTICS": "1", "TQDM_DISABLE": "1"}
    python = workshop.options.peer_python
    return workshop.call("benchmarks.peers:datachain_save", python=python, env=env, rows_file=str(rows_file))


def _lance(workshop: Workshop, rows_file: Path) -> dict[str, Any]:
    folder = workshop.folder / "lance"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # Its default memory pool of 100 MB is too small for a merge of a million rows.
    env = {"LANCE_MEM_POOL_SIZE": str(4 << 30)}
    python = workshop.options.peer_python
    return workshop.call(
        "benchmarks.peers:lance_merge", python=python, env=env, rows_file=str(rows_file), folder=str(folder)
    )


# -- what runs in processes of its own ---------------------------------------------------------------------------------


def _datasource() -> Any:
    import os

    from pathlake import datasources

    empty = Path(os.environ["HOME"]) / "empty"
    empty.mkdir(exist_ok=True)
    ds = datasources.get_or_create(REPO, NAME, empty)
    ds.wait_until_ready(progress=False)
    return ds


def upload(*, rows_file: str) -> dict[str, Any]:
    """Upload all rows into a fresh datasource; the engine runs, the dataframe is loaded."""
    import pandas as pd

    frame = pd.read_parquet(rows_file)
    ds = _datasource()
    start = time.perf_counter()
    ds.upload_metadata_from_dataframe(frame, path_column="path")
    seconds = time.perf_counter() - start
    assert ds.count() == len(frame)
    return {"seconds": seconds}


def update(*, rows_file: str) -> dict[str, Any]:
    """Upload all rows again with other values of every field."""
    import pandas as pd

    frame = pd.read_parquet(rows_file)
    frame = frame.assign(
        episode=frame["episode"] + 1,
        score=-frame["score"],
        has_baby_yoda=~frame["has_baby_yoda"],
        label=frame["label"] + "b",
        caption=frame["caption"] + "!",
    )
    ds = _datasource()
    start = time.perf_counter()
    ds.upload_metadata_from_dataframe(frame, path_column="path")
    seconds = time.perf_counter() - start
    assert ds.count() == len(frame)
    return {"seconds": seconds}


def read(*, rows: int) -> dict[str, Any]:
    """Read everything as a dataframe: path, datapoint_id, dagshub_download_url and the five fields."""
    from benchmarks.data import FIELDS

    ds = _datasource().select(*FIELDS)
    columns: list[str] = []

    def take() -> None:
        frame = ds.all(progress=False).dataframe
        assert len(frame) == rows
        columns[:] = list(frame.columns)

    first_s, median_s, _ = _timed(take, times=WARM_TIMES)
    assert len(columns) == 8, columns
    return {"first_s": first_s, "median_s": median_s}


def count() -> dict[str, Any]:
    """Count a filter of two fields."""
    ds = _datasource()
    query = ds[(ds["episode"] > 5) & (ds["has_baby_yoda"] == True)]  # noqa: E712 - a query
    first_s, median_s, _ = _timed(query.count, times=4 * WARM_TIMES)
    return {"first_s": first_s, "median_s": median_s}


def one_row() -> dict[str, Any]:
    """Change one row, a commit each time, and see that the last change is there."""
    ds = _datasource()
    path = "images/000000/000000007.jpg"
    turn = iter(range(10_000, 20_000))
    last = 0

    def change() -> None:
        nonlocal last
        last = next(turn)
        with ds.metadata_context() as ctx:
            ctx.update_metadata(path, {"episode": last, "has_baby_yoda": True})

    _, median_s, slowest_s = _timed(change, times=ONE_ROW_TIMES)
    assert ds[ds["episode"] == last].count() == 1
    return {"median_s": median_s, "slowest_s": slowest_s}


def _timed(call: Any, *, times: int) -> tuple[float, float, float]:
    """Return the time of a first call, and median and maximum of `times` more."""
    taken = []
    for _ in range(times + 1):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return taken[0], statistics.median(taken[1:]), max(taken[1:])
