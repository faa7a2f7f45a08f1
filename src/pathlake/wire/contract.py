"""The HTTP contract: addresses, headers, content types and the error shape, one source for both ends.

    GET  /healthz                                      {"status", "version", "wire"}; the only one without a token
    GET  /api/v1/user                                  who the token belongs to
    GET  /api/v1/repos                                 all repos;  POST makes one
    GET  R                                             one repo;   DELETE removes an empty one
    PUT  R/connection                                  what the paths of the repo refer to
    POST R/data-engine/graphql                         everything of `schema.graphql`
    POST R/data-engine/datasources/{id}/rows           `RowsRequest` as JSON -> Arrow IPC stream
    POST R/data-engine/datasources/{id}/metadata       Arrow IPC stream -> `CommitReport` as JSON
    GET  R/data-engine/datasources/{id}/raw/{path}     a file's bytes, ranges kept
    GET  R/data-engine/blob/{hash}                     a blob's bytes
    GET  R/raw/{revision}/{path}                       a file's bytes at a revision of the repo's connection

where R is `/api/v1/repos/{owner}/{repo}`. Every answer says `X-Pathlake-Version` and `X-Pathlake-Wire`; a request that
names another wire version is refused with 426.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pathlake.errors import PathlakeError, error_from_code

WIRE_VERSION = 1

VERSION_HEADER = "X-Pathlake-Version"
WIRE_HEADER = "X-Pathlake-Wire"

ARROW_STREAM_TYPE = "application/vnd.apache.arrow.stream"
JSON_TYPE = "application/json"

HEALTH_PATH = "/healthz"
USER_PATH = "/api/v1/user"
REPOS_PATH = "/api/v1/repos"
ANALYTICS_PATH = "/api/internal/trackAnalyticsEvent"

RESULT_KEY = b"pathlake.result"
"""Key of a rows stream's schema metadata: a `ResultInfo` as JSON."""

MESSAGE_PARAM = "message"
LISTS_PARAM = "lists"
DATASOURCE_PARAM = "datasource"
LISTS_MODES = ("replace", "union")

MAX_PAGE = 10_000
"""Most datapoints one GraphQL page holds."""
MAX_GRAPHQL_BYTES = 64 << 20
"""Largest body of a GraphQL request."""


@functools.cache
def package_version() -> str:
    """Return the installed version of Pathlake."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pathlake")
    except PackageNotFoundError:
        return "0+unknown"


def request_headers(token: str) -> dict[str, str]:
    """Return the headers every request of a client carries."""
    return {
        "Authorization": f"Bearer {token}",
        VERSION_HEADER: package_version(),
        WIRE_HEADER: str(WIRE_VERSION),
    }


def quoted(path: str) -> str:
    """Return `path` percent-encoded for a URL, its slashes kept."""
    return quote(path, safe="/")


def repo_path(owner: str, repo: str) -> str:
    """Return the address of a repo, without host.

    Example:
        >>> repo_path("simon", "baby")
        '/api/v1/repos/simon/baby'
    """
    return f"{REPOS_PATH}/{quote(owner, safe='')}/{quote(repo, safe='')}"


def connection_path(owner: str, repo: str) -> str:
    """Return the address of a repo's connection."""
    return f"{repo_path(owner, repo)}/connection"


def graphql_path(owner: str, repo: str) -> str:
    """Return the address of a repo's GraphQL endpoint."""
    return f"{repo_path(owner, repo)}/data-engine/graphql"


def rows_path(owner: str, repo: str, *, datasource: str | int) -> str:
    """Return the address that answers queries with Arrow."""
    return f"{repo_path(owner, repo)}/data-engine/datasources/{datasource}/rows"


def metadata_path(owner: str, repo: str, *, datasource: str | int) -> str:
    """Return the address that takes metadata as Arrow."""
    return f"{repo_path(owner, repo)}/data-engine/datasources/{datasource}/metadata"


def file_path(owner: str, repo: str, *, datasource: str | int, path: str) -> str:
    """Return the address of one file of a datasource."""
    return f"{repo_path(owner, repo)}/data-engine/datasources/{datasource}/raw/{quoted(path)}"


def blob_path(owner: str, repo: str, *, digest: str, datasource: str | int | None = None) -> str:
    """Return the address of a blob, looked up in one datasource or in all of the repo."""
    base = f"{repo_path(owner, repo)}/data-engine/blob/{quote(digest, safe='')}"
    return base if datasource is None else f"{base}?{DATASOURCE_PARAM}={datasource}"


def raw_path(owner: str, repo: str, *, revision: str, path: str) -> str:
    """Return the address of a file of the repo's connection at a revision."""
    return f"{repo_path(owner, repo)}/raw/{quoted(revision)}/{quoted(path)}"


def error_body(error: PathlakeError) -> dict[str, Any]:
    """Return the JSON of an error outside GraphQL."""
    return {"error": {"code": error.code, "message": error.message, "details": error.details}}


def graphql_error(error: PathlakeError) -> dict[str, Any]:
    """Return one element of the `errors` of a GraphQL answer."""
    return {"message": error.message, "extensions": {"code": error.code, "details": error.details}}


def error_of(body: object) -> PathlakeError | None:
    """Build the error that an answer's JSON holds, in either shape; None where it holds none.

    Example:
        >>> error_of({"error": {"code": "blob_not_found", "message": "No blob.", "details": {}}})
        BlobNotFoundError('No blob.', {})
        >>> error_of({"data": {}}) is None
        True
    """
    if not isinstance(body, Mapping):
        return None
    plain = body.get("error")
    if isinstance(plain, Mapping):
        return _built(plain, plain.get("message"))
    several = body.get("errors")
    if isinstance(several, list) and several and isinstance(several[0], Mapping):
        extensions = several[0].get("extensions")
        return _built(extensions if isinstance(extensions, Mapping) else {}, several[0].get("message"))
    return None


def _built(facts: Mapping[str, Any], message: object) -> PathlakeError:
    details = facts.get("details")
    return error_from_code(
        str(facts.get("code", "error")),
        str(message or "The engine answered with an error that has no message."),
        dict(details) if isinstance(details, Mapping) else {},
    )
