"""Accounts and repos over plain JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.api import Api

OFFICIAL_REPO_KEYS = {
    "id", "owner", "name", "full_name", "description", "private", "fork", "empty", "mirror", "size", "html_url",
    "clone_url", "stars_count", "forks_count", "watchers_count", "open_issues_count", "default_branch", "created_at",
    "updated_at",
}  # fmt: skip


def test_user(api: Api) -> None:
    user = api.http.get("/api/v1/user").json()
    assert isinstance(user["id"], int)
    assert user["login"] == user["username"]
    assert isinstance(user["full_name"], str)
    assert api.http.get(f"/api/v1/users/{user['login']}").json() == user
    assert api.http.get("/api/v1/users/nobody").status_code == 404


def test_a_repo_is_made_listed_connected_and_deleted(api: Api, tmp_path: Path) -> None:
    made = api.http.post("/api/v1/repos", json={"full_name": "rest/one", "description": "A repo"})
    assert made.status_code == 201
    assert set(made.json()) >= OFFICIAL_REPO_KEYS
    assert made.json()["owner"]["login"] == "rest"
    again = api.http.post("/api/v1/repos", json={"full_name": "rest/one"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "repo_exists")

    connected = api.http.put("/api/v1/repos/rest/one/connection", json={"url": str(tmp_path)})
    assert connected.json() == {"kind": "folder", "url": str(tmp_path), "default_revision": None}
    listed = {repo["full_name"]: repo for repo in api.http.get("/api/v1/repos").json()}
    assert listed["rest/one"] == {
        "full_name": "rest/one",
        "description": "A repo",
        "connection": connected.json(),
        "datasources": 0,
    }
    assert api.http.get("/api/v1/repos/rest/one").json()["default_branch"] == "main"
    assert api.http.delete("/api/v1/repos/rest/one").status_code == 200
    assert api.http.get("/api/v1/repos/rest/one").status_code == 404


def test_the_default_branch_is_that_of_the_repository(api: Api, git_repo: str) -> None:
    found = api.http.get(f"/api/v1/repos/{git_repo}").json()
    assert found["default_branch"] == "main"
    assert found["description"] == ""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "usage"),
        ({"full_name": 7}, "usage"),
        ({"full_name": "noslash"}, "invalid_name"),
        ({"full_name": "a/../b"}, "invalid_name"),
        ({"full_name": "a/.hidden"}, "invalid_name"),
    ],
)
def test_bad_names_are_refused(api: Api, body: dict[str, object], code: str) -> None:
    answer = api.http.post("/api/v1/repos", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_place_that_is_not_there_cannot_be_connected(api: Api, git_repo: str, tmp_path: Path) -> None:
    gone = api.http.put(f"/api/v1/repos/{git_repo}/connection", json={"url": str(tmp_path / "gone")})
    assert (gone.status_code, gone.json()["error"]["code"]) == (400, "invalid_source")
    revision = api.http.put(
        f"/api/v1/repos/{git_repo}/connection", json={"url": str(tmp_path), "default_revision": "main"}
    )
    assert revision.json()["error"]["code"] == "invalid_source"
    assert api.http.get(f"/api/v1/repos/{git_repo}").json()["default_branch"] == "main"


def test_a_repo_with_datasources_stays(api: Api, files: str) -> None:
    answer = api.http.delete("/api/v1/repos/simon/files")
    assert answer.status_code == 400
    assert api.datasource_count("simon/files") == 1


def test_what_the_official_client_sends_along_is_accepted(api: Api, git_repo: str) -> None:
    assert api.http.post("/api/internal/trackAnalyticsEvent", data={"event": "x", "repo_id": "1"}).status_code == 200
    assert api.http.post(f"/api/v1/repos/{git_repo}/annotations/start").status_code == 200
    assert api.http.get(f"/api/v1/repos/{git_repo}/storage").json() == []


def test_content_is_listed(api: Api, git_repo: str) -> None:
    base = f"/api/v1/repos/{git_repo}/content"
    root = api.http.get(f"{base}/main").json()
    assert [(one["path"], one["type"]) for one in root] == [("images", "dir"), ("top.txt", "file")]
    below = api.http.get(f"{base}/main/images", params={"include_size": "false"}).json()
    assert [(one["path"], one["type"], one["size"]) for one in below] == [
        ("images/sub", "dir", 0),
        ("images/1.txt", "file", 3),
    ]
    single = api.http.get(f"{base}/feature/x-y/top.txt").json()
    assert (single["path"], single["size"]) == ("top.txt", 14)
    assert api.http.get(single["download_url"]).text == "on the feature"
    assert api.http.get(f"{base}/main/nothing").status_code == 404
    assert api.http.get(f"{base}/gone/top.txt").status_code == 404
