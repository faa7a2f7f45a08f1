"""What holds for every request: token, host, wire version, and one error shape."""

from __future__ import annotations

import json
import logging

import httpx
import pytest

from pathlake.errors import error_classes
from pathlake.server.embedded import RunningEngine
from pathlake.server.errors import STATUS
from pathlake.wire import error_of
from tests.support.api import Api


def test_every_error_code_has_a_status() -> None:
    assert set(error_classes()) == set(STATUS)
    assert all(400 <= status < 600 for status in STATUS.values())


def test_health_needs_no_token(running: RunningEngine) -> None:
    answer = httpx.get(running.url + "/healthz", trust_env=False)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": running.address.version, "wire": 1}
    assert answer.headers["x-pathlake-wire"] == "1"
    assert answer.headers["x-pathlake-version"] == running.address.version


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x", "Bearer é"]
)
@pytest.mark.parametrize("path", ["/api/v1/user", "/api/v1/repos/a/b/data-engine/graphql", "/nothing"])
def test_a_wrong_token_is_refused_everywhere(running: RunningEngine, header: str | None, path: str) -> None:
    headers: dict[bytes, bytes] = (
        {} if header is None else {b"Authorization": header.format(token=running.token).encode("latin-1")}
    )
    answer = httpx.post(running.url + path, headers=headers, json={}, trust_env=False)
    assert answer.status_code == 401
    body = answer.json()
    assert body["error"]["code"] == "authentication"
    assert body["errors"][0]["extensions"]["code"] == "authentication"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]:80", ""])
def test_other_hosts_are_refused(api: Api, host: str) -> None:
    answer = api.http.get("/healthz", headers={"Host": host})
    assert answer.status_code == 421
    assert "127.0.0.1" in answer.json()["error"]["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1", "[::1]:8000"])
def test_this_machine_is_served_under_its_names(api: Api, host: str) -> None:
    assert api.http.get("/api/v1/user", headers={"Host": host}).status_code == 200


def test_another_wire_version_is_refused(api: Api) -> None:
    answer = api.http.get("/api/v1/user", headers={"X-Pathlake-Wire": "2"})
    assert answer.status_code == 426
    assert answer.json()["error"]["code"] == "incompatible_version"


def test_unknown_addresses_and_methods_answer_in_json(api: Api) -> None:
    missing = api.http.get("/api/v1/nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    wrong = api.http.delete("/api/v1/user")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "usage")
    assert wrong.headers["allow"]


def test_nothing_lets_another_origin_read(api: Api) -> None:
    answer = api.http.options("/api/v1/user", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff\xfe", b'"text"', b'{"query": 1}', b'{"query": "{x", "variables": []}']
)
@pytest.mark.parametrize("path", ["/data-engine/graphql", "/data-engine/datasources/1/rows"])
def test_a_malformed_body_is_a_clear_error(api: Api, files: str, body: bytes, path: str) -> None:
    answer = api.http.post("/api/v1/repos/simon/files" + path, content=body)
    found = error_of(answer.json())
    assert found is not None
    assert answer.status_code in (200, 400)
    assert found.code in ("usage", "invalid_query")


def test_requests_are_logged_without_tokens(running: RunningEngine, api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="pathlake.server"):
        api.http.get("/api/v1/user")
        api.http.get(f"/api/v1/nothing?token={running.token}")
    text = caplog.text
    assert "GET /api/v1/user: 200" in text
    assert " bytes in " in text
    assert running.token not in text


def test_the_error_shape_round_trips(api: Api) -> None:
    answer = api.http.get("/api/v1/repos/nobody/nothing")
    assert answer.status_code == 404
    error = error_of(json.loads(answer.content))
    assert type(error).__name__ == "RepoNotFoundError"
