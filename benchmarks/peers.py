"""The same jobs done by DataChain and Lance. Runs under the interpreter that has them, without Pathlake."""

from __future__ import annotations

import statistics
import time
from typing import Any


def datachain_save(*, rows_file: str) -> dict[str, Any]:
    """Save a dataframe as a dataset, then count a filter of two fields and read all of it back."""
    import datachain as dc
    import pandas as pd

    frame = pd.read_parquet(rows_file)
    start = time.perf_counter()
    saved = dc.read_pandas(frame).save("rows")
    save_s = time.perf_counter() - start
    query = saved.filter((dc.C("episode") > 5) & (dc.C("has_baby_yoda") == True))  # noqa: E712 - a column expression
    count_s = _each(query.count, times=5)
    start = time.perf_counter()
    back = saved.to_pandas()
    frame_s = time.perf_counter() - start
    assert len(back) == len(frame)
    return {"save_s": save_s, "count_s": count_s, "count": query.count(), "frame_s": frame_s}


def lance_merge(*, rows_file: str, folder: str) -> dict[str, Any]:
    """Merge a dataframe into an empty dataset, then the same three questions."""
    import lance
    import pandas as pd
    import pyarrow as pa

    frame = pd.read_parquet(rows_file)
    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    dataset = lance.write_dataset(pa.Table.from_pylist([], schema=schema), f"{folder}/rows.lance")
    start = time.perf_counter()
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    dataset.merge_insert("path").when_matched_update_all().when_not_matched_insert_all().execute(table)
    merge_s = time.perf_counter() - start
    count_s = _each(lambda: dataset.count_rows(filter="episode > 5 AND has_baby_yoda = true"), times=5)
    start = time.perf_counter()
    back = dataset.to_table().to_pandas()
    frame_s = time.perf_counter() - start
    assert len(back) == len(frame)
    one = table.slice(5, 1)
    row = dataset.merge_insert("path").when_matched_update_all().when_not_matched_insert_all()
    return {
        "merge_s": merge_s,
        "count_s": count_s,
        "frame_s": frame_s,
        "one_row_s": _each(lambda: row.execute(one), times=9),
    }


def _each(call: Any, *, times: int) -> float:
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
