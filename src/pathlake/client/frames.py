"""Result tables in pandas, and the download addresses in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

if TYPE_CHECKING:
    import pandas as pd

_NEEDS_QUOTING = r"[^A-Za-z0-9_.~/-]"


def joined_urls(base: str, paths: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Return `base` followed by each path, percent-encoded with its slashes kept.

    Only the paths that hold something to encode cost Python's time.
    """
    special: Any = pc.match_substring_regex(paths, _NEEDS_QUOTING)
    if pc.any(special).as_py():
        quoted = pa.array([quote(str(path)) for path in paths.filter(special).to_pylist()], pa.string())
        replace: Any = pc.replace_with_mask
        paths = replace(paths.combine_chunks(), special.combine_chunks(), quoted)
    join: Any = pc.binary_join_element_wise
    joined = join(pa.scalar(base), paths, pa.scalar(""))
    return joined if isinstance(joined, pa.ChunkedArray) else pa.chunked_array([joined])


def to_pandas(table: pa.Table, *, urls: pa.ChunkedArray[Any], zones: Mapping[str, int]) -> pd.DataFrame:
    """Return a result as a frame; see `QueryResult.dataframe`.

    Args:
        table: `path`, `datapoint_id` and the fields.
        urls: The addresses of the files.
        zones: Offset in minutes for DATETIME columns that are shown in a zone other than UTC.
    """
    import pandas as pd

    columns: dict[str, Any] = {
        "path": _series(table.column("path")),
        "datapoint_id": _series(table.column("datapoint_id")),
        "dagshub_download_url": _series(urls),
    }
    for name in sorted(table.column_names[2:]):
        series = _series(table.column(name))
        minutes = zones.get(name)
        if minutes:
            series = series.dt.tz_convert(dt.timezone(dt.timedelta(minutes=minutes)))
        columns[name] = series
    return pd.DataFrame(columns, copy=False)


def _series(column: pa.ChunkedArray[Any]) -> pd.Series[Any]:
    import pandas as pd

    if column.null_count:
        if pat.is_integer(column.type):
            return column.to_pandas(types_mapper=lambda _: pd.Int64Dtype())
        if pat.is_boolean(column.type):
            return column.to_pandas(types_mapper=lambda _: pd.BooleanDtype())
    return column.to_pandas()
