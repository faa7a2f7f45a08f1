"""Metadata files as tables, read part by part: CSV, TSV, JSONL, Parquet, Arrow."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.types as pat

from pathlake.client.tables import PART_ROWS, ArrowTable, Table
from pathlake.errors import InvalidValueError, ObjectMissingError, StorageError, UsageError
from pathlake.types.fields import Field

EXTENSIONS = (
    ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet", ".pq",
    ".feather", ".arrow", ".arrows", ".ipc",
)  # fmt: skip

_BLOCK_BYTES = 8 << 20
_CSV_PROBLEM = re.compile(r"In CSV column #(\d+): CSV conversion error to")


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a metadata file as a table; its extension says what it is.

    Raises:
        ObjectMissingError: There is no such file.
        UsageError: The extension is none of those that are known.
        InvalidValueError: The file is damaged.
    """
    name = path.name.lower()
    extension = next((ending for ending in sorted(EXTENSIONS, key=len, reverse=True) if name.endswith(ending)), None)
    if extension is None:
        raise UsageError(f"{path.name!r} is no metadata file that can be read. Known are: {', '.join(EXTENSIONS)}.")
    try:
        plain = extension.removesuffix(".gz")
        if plain in (".csv", ".tsv"):
            with _csv(path, delimiter="\t" if plain == ".tsv" else ",") as reader:
                yield ArrowTable(reader.schema, reader)
        elif plain in (".jsonl", ".ndjson"):
            yield JsonLines.open(path)
        elif plain in (".parquet", ".pq"):
            import pyarrow.parquet as pq

            # Buffered ahead, the whole file would stay in memory to its end.
            with pq.ParquetFile(path, pre_buffer=False) as file:
                batches = file.iter_batches(batch_size=PART_ROWS)
                yield ArrowTable(file.schema_arrow, pa.RecordBatchReader.from_batches(file.schema_arrow, batches))
        else:
            with pa.memory_map(str(path)) as source:
                yield _arrow(source)
    except FileNotFoundError as error:
        raise ObjectMissingError(f"There is no file {path}.") from error
    except pa.ArrowInvalid as error:
        raise InvalidValueError(f"{path.name!r} cannot be read: {error}") from error
    except (PermissionError, IsADirectoryError, gzip.BadGzipFile) as error:
        raise StorageError(f"{path} cannot be read: {error}.") from error


def _arrow(source: Any) -> Table:
    if source.size() >= 6 and source.read_at(6, 0) == b"ARROW1":
        file = pa.ipc.open_file(source)
        batches = (file.get_batch(index) for index in range(file.num_record_batches))
        return ArrowTable(file.schema, pa.RecordBatchReader.from_batches(file.schema, batches))
    reader = pa.ipc.open_stream(source)
    return ArrowTable(reader.schema, reader)


def _opened(path: Path) -> pa.NativeFile:
    if path.suffix.lower() == ".gz":
        return pa.input_stream(str(path), compression="gzip")
    return pa.OSFile(str(path), "r")


@contextmanager
def _csv(path: Path, *, delimiter: str) -> Iterator[pa.RecordBatchReader]:
    """Open a CSV file with column types that hold for all of it, found by reading it once before."""
    types: dict[str, pa.DataType] = {}
    while not _types_hold(path, delimiter=delimiter, types=types):
        pass  # each round widens the type of one column
    with _opened(path) as stream, _csv_reader(stream, delimiter, types) as reader:
        yield reader


def _types_hold(path: Path, *, delimiter: str, types: dict[str, pa.DataType]) -> bool:
    """Read the file with the types; where one does not hold, put the next wider one in its place."""
    with _opened(path) as stream, _csv_reader(stream, delimiter, types) as reader:
        schema = reader.schema
        for field in schema:
            if pat.is_time(field.type):  # no field holds a time of day
                types[field.name] = pa.string()
                return False
        try:
            for _ in reader:
                pass
        except pa.ArrowInvalid as error:
            problem = _CSV_PROBLEM.search(str(error))
            if problem is None:
                raise
            field = schema.field(int(problem[1]))
            if pat.is_string(field.type):
                raise
            types[field.name] = _wider(field.type)
            return False
    types.update({field.name: field.type for field in schema})
    return True


def _wider(given: pa.DataType) -> pa.DataType:
    if pat.is_null(given):
        return pa.int64()
    return pa.float64() if pat.is_int64(given) else pa.string()


def _csv_reader(stream: Any, delimiter: str, types: dict[str, pa.DataType]) -> pcsv.CSVStreamingReader:
    return pcsv.open_csv(
        stream,
        read_options=pcsv.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pcsv.ConvertOptions(column_types=types, strings_can_be_null=True),
    )


@dataclass(frozen=True, slots=True)
class _LinesPart:
    names: Sequence[str]
    records: list[dict[str, Any]]

    @property
    def rows(self) -> int:
        return len(self.records)

    def values(self, position: int) -> list[Any]:
        name = self.names[position]
        return [record.get(name) for record in self.records]


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A file with a JSON object on each line; keys that a line lacks are missing values."""

    path: Path
    keys: tuple[str, ...]
    lines: int

    @classmethod
    def open(cls, path: Path) -> JsonLines:
        """Read the file once to learn its keys."""
        keys: dict[str, None] = {}
        lines = 0
        for record in _records(path):
            keys.update(dict.fromkeys(record))
            lines += 1
        return cls(path, tuple(keys), lines)

    @property
    def names(self) -> Sequence[object]:
        return self.keys

    @property
    def rows(self) -> int:
        return self.lines

    @property
    def repeatable(self) -> bool:
        return True

    def parts(self) -> Iterator[_LinesPart]:
        records: list[dict[str, Any]] = []
        for record in _records(self.path):
            records.append(record)
            if len(records) == PART_ROWS:
                yield _LinesPart(self.keys, records)
                records = []
        if records:
            yield _LinesPart(self.keys, records)

    def declared(self, position: int) -> Field | bool | None:
        del position  # only the values say
        return False


def _records(path: Path) -> Iterator[dict[str, Any]]:
    opened: IO[str]
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix.lower() == ".gz"
        else path.open(encoding="utf-8") as opened
    ):
        for number, line in enumerate(opened, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise InvalidValueError(f"{path.name!r}, line {number}: this is no JSON: {error}.") from error
            if not isinstance(record, dict):
                raise InvalidValueError(f"{path.name!r}, line {number}: each line must be a JSON object.")
            yield record
