"""What every storage promises."""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from pathlake.errors import InvalidPathError, ObjectMissingError, SourceUnavailableError, UsageError
from pathlake.storage import FileInfo, RangedReader, Storage
from tests.contract.storage.conftest import MakeStorage

CONTENT = bytes(range(256)) * 1000

FILES = {
    "a.txt": b"a",
    "b/empty": b"",
    "b/deep/er/c.bin": CONTENT,
    ".hidden": b"hidden",
    "b/.hidden/x": b"x",
    "B.txt": b"upper",
    "names/with space.txt": b"1",
    "names/Größe-日本-🍏.jpg": b"2",
    "names/new\nline": b"3",
    "names/quote\"'`$;&\\%41#?.txt": b"4",
    "names/-rf": b"5",
    "names/..twodots": b"6",
    "names/trailing.": b"7",
    "names/e\u0301 decomposed": b"8",
    "names/\u00e9 composed": b"9",
}


def listed(storage: Storage, *, batch_size: int = 10_000) -> dict[str, FileInfo]:
    found: dict[str, FileInfo] = {}
    for batch in storage.list(batch_size=batch_size):
        assert len(batch) == len(batch.paths) == len(batch.sizes) == len(batch.modified_us) == len(batch.etags)
        for row in zip(batch.paths, batch.sizes, batch.modified_us, batch.etags, strict=True):
            assert row[0] not in found
            found[row[0]] = FileInfo(*row)
    return found


def test_lists_every_file_once_with_its_size(make_storage: MakeStorage) -> None:
    storage = make_storage(FILES)
    found = listed(storage)
    assert {path: info.size for path, info in found.items()} == {path: len(data) for path, data in FILES.items()}
    assert all(info.etag and info.modified_us > 1_500_000_000_000_000 for info in found.values())
    assert storage.skipped == []


def test_is_a_storage(make_storage: MakeStorage) -> None:
    storage = make_storage({"a": b"1"})
    assert isinstance(storage, Storage)
    assert re.match(r"(git\+)?file:///", storage.url)
    assert storage.sign("a") is None
    storage.check()


def test_lists_in_the_same_order_every_time(make_storage: MakeStorage) -> None:
    names = [f"d{i % 7}/f{i}" for i in range(200)] + [f"f{i}" for i in range(50)]
    random.Random(1).shuffle(names)
    storage = make_storage(dict.fromkeys(names, b"x"))
    order = list(listed(storage))
    assert list(listed(storage)) == order
    inside = [path for path in order if path.startswith("d3/")]
    assert inside == sorted(inside)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_lists_in_batches(make_storage: MakeStorage, batch_size: int) -> None:
    storage = make_storage({f"d{i % 3}/{i:03}": b"x" for i in range(100)})
    sizes = [len(batch) for batch in storage.list(batch_size=batch_size)]
    assert sum(sizes) == 100
    assert all(size == batch_size for size in sizes[:-1])
    assert 0 < sizes[-1] <= batch_size


def test_an_empty_source_has_no_batches(make_storage: MakeStorage) -> None:
    assert list(make_storage({}).list()) == []


def test_stat_says_what_the_listing_says(make_storage: MakeStorage) -> None:
    storage = make_storage(FILES)
    for path, info in listed(storage).items():
        assert storage.stat(path) == info


def test_reads_what_was_written(make_storage: MakeStorage) -> None:
    storage = make_storage(FILES)
    for path, content in FILES.items():
        assert storage.read(path) == content
        assert b"".join(storage.stream(path)) == content


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 10), (250, 10), (0, 10**9), (255_990, 100), (256_000, 1), (10**12, 5), (7, 0), (1, 255_999)],
)
def test_reads_ranges(make_storage: MakeStorage, start: int, length: int) -> None:
    storage = make_storage({"x": CONTENT})
    expected = CONTENT[start : start + length]
    assert storage.read_range("x", start=start, length=length) == expected
    chunks = list(storage.stream("x", start=start, length=length, chunk_bytes=1000))
    assert b"".join(chunks) == expected
    assert all(0 < len(chunk) <= 1000 for chunk in chunks)
    assert b"".join(storage.stream("x", start=start)) == CONTENT[start:]


def test_refuses_ranges_no_file_has(make_storage: MakeStorage) -> None:
    storage = make_storage({"x": b"123"})
    with pytest.raises(UsageError, match="-1"):
        storage.read_range("x", start=-1, length=2)
    with pytest.raises(UsageError, match="-2"):
        storage.read_range("x", start=0, length=-2)
    with pytest.raises(UsageError):
        list(storage.stream("x", start=-5))


@pytest.mark.parametrize("path", ["no", "b", "b/deep", "b/no", "a.txt/below", "no/no", "A.TXT", "b/deep/er/c.bin/x"])
def test_a_file_that_is_not_there_is_missing(make_storage: MakeStorage, path: str) -> None:
    storage = make_storage(FILES)
    for attempt in (
        lambda: storage.stat(path),
        lambda: storage.read(path),
        lambda: storage.read_range(path, start=0, length=1),
        lambda: list(storage.stream(path)),
    ):
        with pytest.raises(ObjectMissingError, match=re.escape(repr(path))):
            attempt()


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../beside", "b/../a.txt", "./a.txt", "b//empty", "b/", "a\0", "\udc80"]
)
def test_what_is_no_datapoint_path_is_refused(make_storage: MakeStorage, path: str) -> None:
    storage = make_storage(FILES)
    for attempt in (lambda: storage.stat(path), lambda: storage.read(path), lambda: list(storage.stream(path))):
        with pytest.raises(InvalidPathError):
            attempt()


def test_many_threads_read_at_once(make_storage: MakeStorage) -> None:
    files = {f"d{i % 5}/{i}": bytes([i]) * (i * 100 + 1) for i in range(100)}
    storage = make_storage(files)

    def look(path: str) -> bool:
        middle = storage.read_range(path, start=len(files[path]) // 2, length=50)
        return storage.read(path) == files[path] and middle == files[path][len(files[path]) // 2 :][:50]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look, list(files) * 5))


def test_two_listings_at_once_do_not_disturb_each_other(make_storage: MakeStorage) -> None:
    storage = make_storage({f"d{i % 3}/{i:03}": b"x" for i in range(60)})
    pairs = list(zip(storage.list(batch_size=7), storage.list(batch_size=7), strict=True))
    assert all(one.paths == two.paths for one, two in pairs)


def test_a_listing_may_be_left_in_the_middle(make_storage: MakeStorage) -> None:
    storage = make_storage({f"{i:03}": b"x" for i in range(60)})
    listing = storage.list(batch_size=7)
    assert len(next(listing)) == 7
    listing.close()  # type: ignore[attr-defined]
    assert len(listed(storage)) == 60


def test_close_may_be_called_twice_and_ends_the_use(make_storage: MakeStorage) -> None:
    storage = make_storage({"x": b"1"})
    assert storage.read("x") == b"1"
    storage.close()
    storage.close()
    with pytest.raises(SourceUnavailableError, match="closed"):
        storage.read("x")


def test_the_longest_path_is_listed_and_read(make_storage: MakeStorage) -> None:
    # 3,500 bytes leave room for the place of the root itself within the 4,096 of a system call.
    path = "/".join(["d" * 200] * 17 + ["f" * 80])
    storage = make_storage({path: b"far away"})
    assert list(listed(storage)) == [path]
    assert storage.read(path) == b"far away"


def test_deep_trees_are_no_trouble(make_storage: MakeStorage) -> None:
    path = "/".join("d" for _ in range(900)) + "/f"
    storage = make_storage({path: b"deep"})
    assert list(listed(storage)) == [path]
    assert storage.stat(path).size == 4


def test_a_ranged_reader_is_a_file(make_storage: MakeStorage) -> None:
    storage = make_storage({"x": CONTENT})
    with RangedReader(storage, "x", len(CONTENT)) as reader:
        plain = random.Random(3)
        for _ in range(200):
            start, length = plain.randrange(len(CONTENT) + 10), plain.choice([0, 1, 100, 70_000, 200_000])
            assert reader.seek(start) == start
            assert reader.read(length) == CONTENT[start : start + length]
            assert reader.tell() == start + len(CONTENT[start : start + length])
