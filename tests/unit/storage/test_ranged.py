"""The file object over ranged reads."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pathlake.errors import ObjectMissingError
from pathlake.storage import RangedReader, open_folder
from pathlake.storage.ranged import BLOCK_BYTES

CONTENT = bytes(range(251)) * 4_000


@pytest.fixture
def reader(tmp_path: Path) -> RangedReader:
    (tmp_path / "x").write_bytes(CONTENT)
    return RangedReader(open_folder(tmp_path), "x", len(CONTENT))


def test_costs_one_block_for_a_header(reader: RangedReader) -> None:
    assert reader.read(4) + reader.read(4) == CONTENT[:8]
    reader.seek(0)
    reader.read(100)
    assert reader.bytes_read == BLOCK_BYTES


def test_reads_across_blocks_and_from_the_end(reader: RangedReader) -> None:
    reader.seek(BLOCK_BYTES - 3)
    assert reader.read(6) == CONTENT[BLOCK_BYTES - 3 : BLOCK_BYTES + 3]
    assert reader.seek(-10, io.SEEK_END) == len(CONTENT) - 10
    assert reader.read() == CONTENT[-10:]
    assert reader.read(5) == b""
    assert reader.seek(-3, io.SEEK_CUR) == len(CONTENT) - 3
    assert reader.readall() == CONTENT[-3:]
    assert reader.seek(10**12) == 10**12
    assert reader.read(1) == b""
    reader.seek(0)
    assert reader.read() == CONTENT


def test_is_a_raw_stream_for_the_standard_library(reader: RangedReader) -> None:
    assert reader.readable()
    assert reader.seekable()
    assert not reader.writable()
    assert io.BufferedReader(reader).read() == CONTENT


def test_refuses_nonsense(reader: RangedReader) -> None:
    with pytest.raises(ValueError, match="negative"):
        reader.seek(-1)
    with pytest.raises(ValueError, match="whence"):
        reader.seek(0, 7)
    reader.close()
    for attempt in (reader.read, reader.tell, lambda: reader.seek(0)):
        with pytest.raises(ValueError, match="closed"):
            attempt()


def test_a_file_shorter_than_listed_just_ends(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"short")
    reader = RangedReader(open_folder(tmp_path), "x", 10**6)
    assert reader.read(1) == b"s"
    assert reader.read(500_000) == b"hort"
    assert reader.read(1) == b""


def test_a_file_that_is_gone_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissingError):
        RangedReader(open_folder(tmp_path), "x", 10).read(1)
