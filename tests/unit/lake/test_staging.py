"""Metadata on its way in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pathlake.errors import InvalidPathError, InvalidValueError, UsageError
from pathlake.lake.staging import Layout, checked_paths, pieces
from pathlake.types import FieldType, path_problem
from pathlake.types.columns import mark_field, zone_column_name


def test_pieces_hold_so_many_rows_whatever_the_batches() -> None:
    table = pa.table({"n": pa.array(np.arange(1000))})
    for batch_rows in (1, 7, 100, 999, 1000, 5000):
        cut = list(pieces(table.to_batches(batch_rows), table.schema, rows=300))
        assert [piece.num_rows for piece in cut] == [300, 300, 300, 100]
        assert pa.concat_tables(cut).column("n").to_pylist() == list(range(1000))


def test_pieces_of_large_values_hold_fewer_rows() -> None:
    table = pa.table({"s": ["x" * 1000] * 100})
    cut = list(pieces(table.to_batches(), table.schema, rows=1000, max_bytes=10_000))
    assert len(cut) >= 10
    assert all(0 < piece.num_rows <= 11 for piece in cut)
    assert sum(piece.num_rows for piece in cut) == 100
    huge = list(pieces(table.to_batches(), table.schema, rows=1000, max_bytes=10))
    assert [piece.num_rows for piece in huge] == [1] * 100


def test_no_batches_are_no_pieces() -> None:
    schema = pa.schema([pa.field("n", pa.int64())])
    assert list(pieces([], schema)) == []
    assert list(pieces(pa.Table.from_batches([], schema).to_batches(), schema)) == []


@pytest.mark.parametrize("position", [0, 1, 999])
@pytest.mark.parametrize("bad", ["", "/a", "a//b", "a/", "./a", "a/.", "../a", "a/..", ".", "..", "a\0", "x" * 4097])
def test_one_bad_path_among_many_is_found(bad: str, position: int) -> None:
    names = [f".h/a{number}.x" for number in range(1000)]
    names[position] = bad
    assert path_problem(bad)
    with pytest.raises(InvalidPathError):
        checked_paths(pa.chunked_array([names[:500], names[500:]]))


def test_paths_come_in_every_kind_of_string() -> None:
    names = [".a", "b/..c", "é"]
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
        given = pa.chunked_array([pa.array(names).cast(kind)])
        assert checked_paths(given).to_pylist() == names


def test_broken_text_is_no_path() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")])
    with pytest.raises(InvalidPathError, match="unicode"):
        checked_paths(pa.chunked_array([broken]))


def test_a_layout_tells_values_from_their_zones() -> None:
    schema = pa.schema(
        [
            pa.field(zone_column_name("t"), pa.int16()),
            mark_field("t", FieldType.DATETIME, False),
            pa.field("path", pa.string()),
            mark_field("b", FieldType.BLOB, True),
            pa.field("nothing", pa.null()),
        ]
    )
    layout = Layout.of(schema)
    assert layout.path_index == 2
    assert [(column.field.name, column.index, column.zone_index) for column in layout.columns] == [
        ("t", 1, 0),
        ("b", 3, None),
    ]
    assert layout.columns[1].field.type is FieldType.BLOB
    with pytest.raises(UsageError):
        Layout.of(pa.schema([pa.field("x", pa.int64())]))
    with pytest.raises(InvalidValueError, match="'x'"):
        Layout.of(pa.schema([pa.field("path", pa.string()), pa.field("x", pa.struct([]))]))
