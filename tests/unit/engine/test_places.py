from __future__ import annotations

import datetime as dt

import pytest

from pathlake.catalog.base import DatasourceRecord, Repo, SourceKind
from pathlake.engine.places import FolderPlace, RepoPlace, folder_url, parse_place, root_url
from pathlake.errors import InvalidSourceError

NOW = dt.datetime.now(dt.UTC)
REPO = Repo(1, "simon", "baby", "", NOW)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("repo://simon/baby/main:path/to/dir", RepoPlace("simon", "baby", "main", "path/to/dir")),
        ("repo://simon/baby/feature/x:dir", RepoPlace("simon", "baby", "feature/x", "dir")),
        ("repo://simon/baby/main:", RepoPlace("simon", "baby", "main", "")),
        ("repo://simon/baby/main:/dir/", RepoPlace("simon", "baby", "main", "dir")),
        ("repo://simon/baby/path/to/dir", RepoPlace("simon", "baby", None, "path/to/dir")),
        ("repo://simon/baby", RepoPlace("simon", "baby", None, "")),
        ("repo://simon/baby/", RepoPlace("simon", "baby", None, "")),
        ("repo://simon/baby/main:with space/ünï", RepoPlace("simon", "baby", "main", "with space/ünï")),
        ("file:///data/images", FolderPlace("/data/images")),
        ("file:///data//images/./x/", FolderPlace("/data/images/x")),
        ("file://localhost/data%20here/%23", FolderPlace("/data here/#")),
    ],
)
def test_urls_name_their_places(url: str, place: RepoPlace | FolderPlace) -> None:
    assert parse_place(url) == place


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://bucket/prefix", "is a bucket"),
        ("gs://bucket", "is a bucket"),
        ("azure://account/container", "is a bucket"),
        ("ftp://host/dir", "'ftp'"),
        ("path/to/dir", "no source URL"),
        ("", "no source URL"),
        ("repo://simon", "names no repo"),
        ("repo://simon/baby/:dir", "empty revision"),
        ("repo://simon/baby/main:a/../../b", "names no directory"),
        ("repo://simon/baby/main:a\0b", "names no directory"),
        ("file:///", "root of the file system"),
        ("file://host/data", "another machine"),
        ("file://", "no absolute folder"),
        ("file:///data/../etc", "'..'"),
        ("file:///data%00", "no absolute folder"),
    ],
)
def test_urls_that_name_no_place_say_why(url: str, words: str) -> None:
    with pytest.raises(InvalidSourceError, match=words):
        parse_place(url)


@pytest.mark.parametrize("path", ["/data", "/with space/#?%/ü", "/a:b"])
def test_folder_urls_are_read_back(path: str) -> None:
    assert parse_place(folder_url(path)) == FolderPlace(path)


@pytest.mark.parametrize(
    ("root", "revision", "connected", "url"),
    [
        ("path/to/dir", "main", True, "repo://simon/baby/main:path/to/dir"),
        ("", "feature/x", True, "repo://simon/baby/feature/x:"),
        ("dir", None, True, "repo://simon/baby/dir"),
        ("file:///data/images", None, False, "file:///data/images"),
    ],
)
def test_root_urls_are_those_of_the_official_client(root: str, revision: str | None, connected: bool, url: str) -> None:
    kind = SourceKind.GIT if revision else SourceKind.FOLDER
    record = DatasourceRecord(1, 1, "ds", kind, root, revision, connected, "simon", NOW)
    assert root_url(record, REPO) == url
