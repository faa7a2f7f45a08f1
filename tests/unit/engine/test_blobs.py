from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from pathlake.engine.blobs import Blobs
from pathlake.errors import BlobNotFoundError, DiskFullError, HomeError


def test_a_blob_is_found_by_the_hash_of_its_bytes(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"mask")
    assert digest == hashlib.sha256(b"mask").hexdigest()
    assert blobs.path(digest) == tmp_path / digest[:2] / digest[2:]
    assert blobs.read(digest) == b"mask"
    assert blobs.size(digest) == 4
    with blobs.open(digest) as file:
        assert file.read() == b"mask"


def test_many_blobs_keep_their_order_and_are_stored_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    contents = [b"a", b"b", b"a", b"", b"c", b"d"]
    assert blobs.put_many(contents) == [hashlib.sha256(one).hexdigest() for one in contents]
    assert sum(1 for file in tmp_path.rglob("*") if file.is_file()) == 5


def test_a_blob_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    path = blobs.path(blobs.put(b"once"))
    before = path.stat().st_ino
    blobs.put(b"once")
    assert path.stat().st_ino == before


@pytest.mark.parametrize(
    "name", ["", "0" * 63, "G" * 64, "A" * 64, "../" * 21 + "x", "0" * 64 + "\n", "0" * 64], ids=repr
)
def test_what_is_no_hash_of_a_blob_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(BlobNotFoundError):
        Blobs(tmp_path).path(name)


def test_concurrent_puts_of_the_same_bytes_leave_one_whole_blob(tmp_path: Path) -> None:
    content = os.urandom(1 << 20)
    barrier = threading.Barrier(8)
    found: list[str] = []

    def put() -> None:
        barrier.wait()
        found.append(Blobs(tmp_path).put(content))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert Blobs(tmp_path).read(found[0]) == content
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [found[0][2:]]


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match="No space is left"):
        Blobs(tmp_path).put_many([bytes([number]) for number in range(10)])
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_folder_that_cannot_be_written_is_a_home_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HomeError, match="PATHLAKE_HOME"):
        Blobs(tmp_path / "file").put(b"x")
