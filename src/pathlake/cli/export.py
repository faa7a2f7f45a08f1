"""Writes tables to files, whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathlake.cli.output import plain
from pathlake.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 10_000


def check_target(file: Path, *, force: bool) -> None:
    """Refuse a file that cannot be written as asked, before any work is done.

    Raises:
        ConfigurationError: The extension is unknown, the folder is missing, or the file exists.
    """
    if file.suffix.lower() not in _WRITERS:
        raise ConfigurationError(f"{file} must end in one of {', '.join(_WRITERS)}, which says how it is written.")
    if not file.parent.is_dir():
        raise ConfigurationError(f"The folder {file.parent} does not exist.")
    if file.is_dir():
        raise ConfigurationError(f"{file} is a folder.")
    if file.exists() and not force:
        raise ConfigurationError(f"{file} exists. --force replaces it.")


def write_table(table: pa.Table, file: Path) -> None:
    """Write a table as the file's extension says; the file appears when it is complete.

    CSV and JSON lines show times in ISO 8601; CSV shows lists as JSON and missing values as empty cells.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _WRITERS[file.suffix.lower()](table, beside)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _write_parquet(table: pa.Table, file: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, file, compression="zstd")


def _write_csv(table: pa.Table, file: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv as pc

    columns = [_as_text(column) if pa.types.is_nested(column.type) else column for column in table.columns]
    pc.write_csv(pa.table(columns, names=table.column_names), file)


def _write_jsonl(table: pa.Table, file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
            for row in batch.to_pylist():
                out.write(json.dumps(row, ensure_ascii=False, default=_text_of) + "\n")


def _as_text(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    import pyarrow as pa

    chunks = [
        pa.array([None if value is None else plain(value) for value in chunk.to_pylist()], pa.string())
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, pa.string())


def _text_of(value: object) -> str:
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat() if callable(isoformat) else value)


_WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".jsonl": _write_jsonl,
}
