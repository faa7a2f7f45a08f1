"""What only folders have: links, special files, permissions, files that come and go."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pathlake.errors import ObjectMissingError, SourceUnavailableError, StorageDeniedError, StorageError
from pathlake.storage import Storage, open_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "d" / "e").mkdir(parents=True)
    (folder / "a").write_bytes(b"a")
    (folder / "d" / "b").write_bytes(b"bb")
    (folder / "d" / "e" / "c").write_bytes(b"ccc")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_bytes(b"key")
    return folder


PLAIN = ["a", "d/b", "d/e/c"]


def paths(storage: Storage) -> list[str]:
    return [path for batch in storage.list() for path in batch.paths]


def reasons(storage: Storage) -> dict[str, str]:
    return {one.path: one.reason for one in storage.skipped}


def test_follows_links_to_files_inside(root: Path) -> None:
    (root / "link").symlink_to("d/b")
    (root / "d" / "absolute").symlink_to(root / "a")
    storage = open_folder(root)
    assert sorted(paths(storage)) == sorted([*PLAIN, "link", "d/absolute"])
    assert storage.skipped == []
    assert storage.read("link") == b"bb"
    assert storage.stat("link").size == 2
    assert storage.read_range("d/absolute", start=0, length=9) == b"a"


def test_follows_links_to_directories_inside(root: Path) -> None:
    (root / "again").symlink_to("d")
    storage = open_folder(root)
    assert sorted(paths(storage)) == sorted([*PLAIN, "again/b", "again/e/c"])
    assert storage.read("again/e/c") == b"ccc"
    assert storage.stat("again/b").size == 2


def test_a_root_that_is_a_link_is_as_good(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    (root / "link").symlink_to(root / "d" / "b")
    storage = open_folder(tmp_path / "alias")
    storage.check()
    assert sorted(paths(storage)) == sorted([*PLAIN, "link"])
    assert storage.read("link") == b"bb"


def test_never_leaves_the_root_through_links(root: Path, tmp_path: Path) -> None:
    (root / "out").symlink_to(tmp_path / "secret" / "key")
    (root / "outdir").symlink_to("../secret")
    (root / "d" / "twice").symlink_to("../out")
    (tmp_path / "root2").mkdir()  # a name that begins like the root's
    (tmp_path / "root2" / "x").write_bytes(b"x")
    (root / "near").symlink_to(tmp_path / "root2" / "x")
    storage = open_folder(root)
    assert paths(storage) == PLAIN
    assert set(reasons(storage)) == {"out", "outdir", "d/twice", "near"}
    assert all("out of the root" in reason for reason in reasons(storage).values())
    for path in ("out", "outdir/key", "d/twice", "near"):
        for attempt in (storage.read, storage.stat, lambda path: list(storage.stream(path))):
            with pytest.raises(StorageDeniedError, match="out of"):
                attempt(path)


def test_says_which_links_lead_nowhere(root: Path) -> None:
    (root / "broken").symlink_to("nothing")
    (root / "self").symlink_to("self")
    storage = open_folder(root)
    assert paths(storage) == PLAIN
    assert reasons(storage) == dict.fromkeys(("broken", "self"), "it is a link that leads nowhere")
    for path in ("broken", "self", "self/x"):
        with pytest.raises(ObjectMissingError):
            storage.read(path)


def test_links_in_circles_end(root: Path) -> None:
    (root / "up").symlink_to(".")
    (root / "d" / "e" / "up").symlink_to("../..")
    (root / "x").mkdir()
    (root / "y").mkdir()
    (root / "x" / "f").write_bytes(b"f")
    (root / "x" / "to_y").symlink_to("../y")
    (root / "y" / "to_x").symlink_to("../x")
    storage = open_folder(root)
    found = paths(storage)
    assert sorted(found) == sorted([*PLAIN, "x/f", "y/to_x/f"])
    assert {"up", "d/e/up", "x/to_y/to_x", "y/to_x/to_y"} <= set(reasons(storage))


def test_many_links_to_each_other_end(root: Path) -> None:
    shutil.rmtree(root)
    for i in range(6):
        (root / f"d{i}").mkdir(parents=True)
        (root / f"d{i}" / "f").write_bytes(b"f")
        for j in range(6):
            if i != j:
                (root / f"d{i}" / f"l{j}").symlink_to(f"../d{j}")
    storage = open_folder(root)
    found = paths(storage)
    assert len(found) == len(set(found)) == 6 + 6 * 5 + 6 * 20 + 6 * 60 + 6 * 120
    assert all(path.count("/") <= 5 for path in found)


def test_innards_and_half_written_files_are_neither_listed_nor_read(root: Path) -> None:
    for name in (".git/config", "d/.git/config", ".pathlake/token"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"secret")
    (root / "d" / "x.bin.pathlake-part").write_bytes(b"half")
    (root / "sub").mkdir()
    (root / "sub" / ".git").write_bytes(b"gitdir: elsewhere")
    (root / "sneaky").symlink_to(".git/config")
    (root / "sneakydir").symlink_to(".git")
    (root / ".gitignore").write_bytes(b"*")
    storage = open_folder(root)
    assert sorted(paths(storage)) == sorted([".gitignore", *PLAIN])
    assert set(reasons(storage)) == {"sneaky", "sneakydir"}
    for path in (".git/config", "d/x.bin.pathlake-part", "sneaky", "sneakydir/config", "sub/.git", ".pathlake/token"):
        with pytest.raises(ObjectMissingError):
            storage.read(path)
        with pytest.raises(ObjectMissingError):
            storage.stat(path)


def test_special_files_are_skipped_and_never_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)  # a socket's address is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock")
        (root / "topipe").symlink_to("pipe")
        storage = open_folder(root)
        assert paths(storage) == PLAIN
        assert reasons(storage) == {
            "pipe": "it is a pipe",
            "sock": "it is a socket",
            "topipe": "it is a link to no regular file",
        }
        for path in ("pipe", "sock", "topipe", "d"):
            with pytest.raises(ObjectMissingError):
                storage.read(path)
            with pytest.raises(ObjectMissingError):
                storage.stat(path)


def test_names_that_are_no_utf8_are_skipped_with_a_printable_reason(root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
    (root / os.fsdecode(b"dir\xff")).mkdir()
    (root / os.fsdecode(b"dir\xff") / "inside").write_bytes(b"x")
    (root / os.fsdecode(b"link\xff")).symlink_to("a")
    storage = open_folder(root)
    assert paths(storage) == PLAIN
    assert set(reasons(storage)) == {"caf\\xe9.txt", "dir\\xff", "link\\xff"}
    assert all("not valid unicode" in reason for reason in reasons(storage).values())
    for one in storage.skipped:
        one.path.encode()


def test_an_etag_sees_every_change(root: Path) -> None:
    storage = open_folder(root)
    before = storage.stat("a")
    (root / "a").write_bytes(b"ab")
    longer = storage.stat("a")
    os.utime(root / "a", ns=(1, 1))
    touched = storage.stat("a")
    (root / "other").write_bytes(b"cd")
    os.utime(root / "other", ns=(1, 1))
    (root / "other").replace(root / "a")
    replaced = storage.stat("a")
    assert len({before.etag, longer.etag, touched.etag, replaced.etag}) == 4
    assert touched.modified_us == replaced.modified_us == 0
    assert storage.stat("a").etag == replaced.etag


def test_what_vanishes_during_the_walk_does_no_harm(root: Path) -> None:
    (root / "z").mkdir()
    (root / "z" / "late").write_bytes(b"x")
    storage = open_folder(root)
    listing = storage.list(batch_size=1)
    assert next(listing).paths == ["a"]
    shutil.rmtree(root / "d" / "e")
    (root / "z" / "late").unlink()
    assert [batch.paths for batch in listing] == [["d/b"]]
    assert storage.skipped == []


def test_a_root_that_vanishes_during_the_walk_is_an_error(root: Path, tmp_path: Path) -> None:
    listing = open_folder(root).list(batch_size=1)
    next(listing)
    root.rename(tmp_path / "elsewhere")
    with pytest.raises(SourceUnavailableError):
        list(listing)


def test_a_root_that_is_replaced_during_the_walk_is_an_error(root: Path, tmp_path: Path) -> None:
    listing = open_folder(root).list(batch_size=1)
    next(listing)
    root.rename(tmp_path / "elsewhere")
    root.mkdir()
    with pytest.raises(SourceUnavailableError, match="replaced"):
        list(listing)


def test_says_what_is_wrong_with_the_root(root: Path, tmp_path: Path) -> None:
    for place, words in ((tmp_path / "gone", "no folder"), (root / "a", "is not a directory")):
        storage = open_folder(place)
        for attempt in (storage.check, lambda s=storage: list(s.list()), lambda s=storage: s.read("x")):
            with pytest.raises(SourceUnavailableError, match=words):
                attempt()


def refusing(call: Callable[..., object], *, on: str, code: int) -> Callable[..., object]:
    """Wrap an `os` function so that it fails for one name, as it does for users without rights (tests may be root)."""

    def wrapped(target: object, *args: object, **kwargs: object) -> object:
        if os.fsdecode(target).rstrip("/").endswith(on) if isinstance(target, str) else False:
            raise OSError(code, os.strerror(code), target)
        return call(target, *args, **kwargs)

    return wrapped


def test_a_root_that_may_not_be_read_is_denied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", refusing(os.open, on="root", code=errno.EACCES))
    storage = open_folder(root)
    for attempt in (storage.check, lambda: list(storage.list()), lambda: storage.read("a")):
        with pytest.raises(StorageDeniedError, match="may not be read"):
            attempt()


def test_a_directory_that_may_not_be_read_is_skipped(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", refusing(os.open, on="root/d", code=errno.EACCES))
    storage = open_folder(root)
    assert paths(storage) == ["a"]
    assert reasons(storage) == {"d": "the directory may not be read"}


def test_a_failing_disk_ends_the_listing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", refusing(os.open, on="d/e", code=errno.EIO))
    with pytest.raises(StorageError, match="'d/e'"):
        list(open_folder(root).list())


def test_a_file_that_may_not_be_read_is_denied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", refusing(os.open, on="b", code=errno.EACCES))
    with pytest.raises(StorageDeniedError, match="'d/b'"):
        open_folder(root).read("d/b")


def test_leaves_no_file_open(root: Path) -> None:
    (root / "link").symlink_to("d/b")
    (root / "out").symlink_to("/etc")
    before = len(list(Path("/proc/self/fd").iterdir()))
    storage = open_folder(root)
    for _ in range(3):
        paths(storage)
        listing = storage.list(batch_size=1)
        next(listing)
        listing.close()  # type: ignore[attr-defined]
        stream = storage.stream("d/b", chunk_bytes=1)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        storage.read("link")
        storage.check()
        for path in ("nothing", "a/below", "out/passwd", "d", "d/nothing", "link/x"):
            with pytest.raises(StorageError):
                storage.read(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_url_of_a_folder_can_be_parsed(tmp_path: Path) -> None:
    assert open_folder(tmp_path / "a b#c").url == f"file://{tmp_path}/a%20b%23c"
    assert open_folder("~").url == Path.home().as_uri()
    assert open_folder(tmp_path).revision is None
