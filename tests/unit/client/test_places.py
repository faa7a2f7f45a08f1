"""What people write as a path, and which place it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pathlake.client.places import Place, place_of
from pathlake.errors import InvalidSourceError


@pytest.mark.parametrize(
    ("path", "revision", "url"),
    [
        ("path/to/dir", "main", "repo://o/r/main:path/to/dir"),
        ("path/to/dir/", "feature/x", "repo://o/r/feature/x:path/to/dir"),
        ("path/to/dir", None, "repo://o/r/path/to/dir"),
        ("", "main", "repo://o/r/main:"),
        ("", None, "repo://o/r/"),
        ("repo://o/r/main:x", None, "repo://o/r/main:x"),
    ],
)
def test_directories_of_the_repo(path: str, revision: str | None, url: str) -> None:
    assert place_of("o/r", path, revision=revision) == Place(url, "REPOSITORY")


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    spaced = tmp_path / "a b"
    here = Place(tmp_path.as_uri(), "CUSTOM")
    for written in (str(tmp_path), tmp_path, ".", "./", "~", Path(), "./x/..", tmp_path.as_uri()):
        assert place_of("o/r", written, revision=None) == here, written
    assert place_of("o/r", spaced, revision=None).url.endswith("/a%20b")
    assert place_of("o/r", Path("relative"), revision=None).url == (tmp_path / "relative").as_uri()


def test_buckets_are_told_apart() -> None:
    assert place_of("o/r", "s3://bucket/prefix", revision=None) == Place("s3://bucket/prefix", "BUCKET")


@pytest.mark.parametrize("path", ["/", "//", Path("/"), "/x/.."])
def test_the_root_of_the_file_system_is_refused(path: str | Path) -> None:
    with pytest.raises(InvalidSourceError, match="root of the file system"):
        place_of("o/r", path, revision=None)


@pytest.mark.parametrize("path", ["s3://bucket", "/folder", "file:///folder"])
def test_a_revision_needs_a_directory_of_the_repo(path: str) -> None:
    with pytest.raises(InvalidSourceError, match="revision"):
        place_of("o/r", path, revision="main")


def test_a_path_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidSourceError):
        place_of("o/r", b"bytes", revision=None)  # type: ignore[arg-type]
