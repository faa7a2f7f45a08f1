"""Files and blobs: ranges, validators, safe headers, revisions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from pathlake.server.embedded import RunningEngine
from pathlake.wire.contract import blob_path, file_path, raw_path
from tests.integration.server.conftest import FILES
from tests.support.api import Api


@pytest.fixture
def b(files: str) -> str:
    """Address of the ten bytes `0123456789`."""
    return file_path("simon", "files", datasource=files, path="b.txt")


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_file_comes_whole(api: Api, files: str, name: str) -> None:
    answer = api.http.get(file_path("simon", "files", datasource=files, path=name))
    assert answer.status_code == 200
    assert answer.text == FILES[name]
    assert answer.headers["content-length"] == str(len(FILES[name].encode()))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"].startswith("inline; filename*=UTF-8''")
    head = api.http.head(file_path("simon", "files", datasource=files, path=name))
    assert head.content == b""
    assert head.headers["content-length"] == answer.headers["content-length"]
    assert head.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize(
    ("asked", "status", "content", "content_range"),
    [
        ("bytes=0-0", 206, "0", "bytes 0-0/10"),
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=-30", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=5-500", 206, "56789", "bytes 5-9/10"),
        ("bytes=10-", 416, "", "bytes */10"),
        ("bytes=-0", 416, "", "bytes */10"),
        ("bytes=99999999999999999-", 416, "", "bytes */10"),
        ("bytes=0-1,4-5", 200, "0123456789", None),
        ("bytes=4-2", 200, "0123456789", None),
        ("bytes=-", 200, "0123456789", None),
        ("lines=1-2", 200, "0123456789", None),
        ("bytes=a-b", 200, "0123456789", None),
    ],
)
def test_ranges(api: Api, b: str, asked: str, status: int, content: str, content_range: str | None) -> None:
    answer = api.http.get(b, headers={"Range": asked})
    assert (answer.status_code, answer.text) == (status, content)
    assert answer.headers.get("content-range") == content_range


def test_a_range_of_nothing_cannot_be_met(api: Api, files: str) -> None:
    answer = api.http.get(
        file_path("simon", "files", datasource=files, path="empty.bin"), headers={"Range": "bytes=0-"}
    )
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */0")


def test_validators(api: Api, b: str) -> None:
    whole = api.http.get(b)
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    assert api.http.get(b, headers={"If-None-Match": etag}).status_code == 304
    assert api.http.get(b, headers={"If-None-Match": f'"x", W/{etag}'}).status_code == 304
    assert api.http.get(b, headers={"If-None-Match": "*"}).content == b""
    assert api.http.get(b, headers={"If-None-Match": '"x"', "If-Modified-Since": modified}).status_code == 200
    assert api.http.get(b, headers={"If-Modified-Since": modified}).status_code == 304
    assert api.http.get(b, headers={"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}).status_code == 200
    assert api.http.get(b, headers={"If-Modified-Since": "nonsense"}).status_code == 200
    part = {"Range": "bytes=1-2"}
    assert api.http.get(b, headers={**part, "If-Range": etag}).status_code == 206
    assert api.http.get(b, headers={**part, "If-Range": modified}).status_code == 206
    assert api.http.get(b, headers={**part, "If-Range": '"old"'}).text == "0123456789"
    assert api.http.get(b, headers={**part, "If-Range": f"W/{etag}"}).status_code == 200
    assert api.http.get(b, headers={**part, "If-None-Match": etag}).status_code == 304


def test_what_a_browser_would_run_is_sandboxed(api: Api, files: str) -> None:
    for name, media_type in (("page.html", "text/html"), ("drawing.svg", "image/svg+xml")):
        answer = api.http.get(file_path("simon", "files", datasource=files, path=name))
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["content-security-policy"].startswith("sandbox")
    plain = api.http.get(file_path("simon", "files", datasource=files, path="a.txt"))
    assert "content-security-policy" not in plain.headers


@pytest.mark.parametrize(
    "path", ["%2e%2e/secret", "deep/%2e%2e/%2e%2e/secret", "/etc/passwd", "a%00.txt", "a.txt/", "%2Fetc"]
)
def test_no_path_leaves_the_datasource(api: Api, files: str, folder: Path, path: str) -> None:
    (folder.parent / "secret").write_text("secret")
    base = file_path("simon", "files", datasource=files, path="")
    answer = api.http.get(base + path)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["code"] in ("invalid_path", "not_found", "object_missing")


def test_a_link_out_of_the_datasource_is_not_followed(api: Api, files: str, folder: Path) -> None:
    (folder / "link.txt").symlink_to("/etc/hostname")
    answer = api.http.get(file_path("simon", "files", datasource=files, path="link.txt"))
    assert answer.status_code in (403, 404, 502)
    (folder / "link.txt").unlink()


def test_a_file_that_is_gone_is_missing(api: Api, files: str) -> None:
    answer = api.http.get(file_path("simon", "files", datasource=files, path="gone.txt"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "object_missing")


def test_blobs_come_by_their_hash_for_ever(api: Api, files: str) -> None:
    api.owner, api.name = "simon", "files"
    data = bytes(range(256)) * 5000
    assert api.upload(files, pa.table({"path": ["a.txt"], "mask": [data]})).status_code == 200
    digest = hashlib.sha256(data).hexdigest()
    for address in (
        blob_path("simon", "files", digest=digest),
        blob_path("simon", "files", digest=digest, datasource=files),
    ):
        answer = api.http.get(address)
        assert answer.content == data
        assert answer.headers["etag"] == f'"{digest}"'
        assert "immutable" in answer.headers["cache-control"]
    part = api.http.get(blob_path("simon", "files", digest=digest), headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"\x01\x02\x03")
    for wrong in ("0" * 64, "..", digest.upper(), "x"):
        answer = api.http.get(blob_path("simon", "files", digest=wrong))
        assert answer.status_code == 404, wrong
    assert api.http.get(blob_path("simon", "files", digest=digest, datasource=999)).status_code == 404
    assert api.http.get(blob_path("simon", "gone", digest=digest)).status_code == 404


def test_files_of_a_revision(api: Api, git_repo: str) -> None:
    def raw(revision: str, path: str) -> tuple[int, str]:
        answer = api.http.get(raw_path("simon", "git", revision=revision, path=path))
        return answer.status_code, answer.text if answer.status_code == 200 else answer.json()["error"]["code"]

    assert raw("main", "top.txt") == (200, "on main")
    assert raw("feature/x-y", "top.txt") == (200, "on the feature")
    assert raw("main", "images/sub/2.txt") == (200, "two")
    assert raw("main", "gone.txt") == (404, "object_missing")
    assert raw("gone", "top.txt") == (404, "revision_not_found")
    assert raw("main", "../top.txt")[0] in (400, 404)
    part = api.http.get(raw_path("simon", "git", revision="main", path="top.txt"), headers={"Range": "bytes=3-"})
    assert (part.status_code, part.text) == (206, "main")
    unconnected = api.http.get(raw_path("simon", "files", revision="main", path="a.txt"))
    assert unconnected.json()["error"]["code"] == "repo_not_connected"


def test_a_large_file_streams(running: RunningEngine, api: Api, files: str, folder: Path) -> None:
    data = bytes(range(256)) * (40 << 12)
    (folder / "large.bin").write_bytes(data)
    address = file_path("simon", "files", datasource=files, path="large.bin")
    assert hashlib.sha256(api.http.get(address).content).digest() == hashlib.sha256(data).digest()
    with api.http.stream("GET", address) as answer:
        next(answer.iter_raw())
    # The connection that was left in the middle costs nothing to the next request.
    assert api.http.get(address, headers={"Range": "bytes=-1"}).content == b"\xff"
    (folder / "large.bin").unlink()
