"""The few requests the command makes beside the public client: repos, and who one is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pathlake.client.api import split_repo
from pathlake.client.config import Target
from pathlake.client.connection import current_connection
from pathlake.client.transport import HttpTransport, Request
from pathlake.errors import InvalidSourceError
from pathlake.wire.contract import REPOS_PATH, USER_PATH, connection_path, repo_path


@dataclass(frozen=True, slots=True)
class RepoSummary:
    """A repo as the list of repos shows it.

    Attributes:
        full_name: `owner/name`.
        connection: What its paths refer to, or None.
        revision: Revision that paths without one mean; None for the repository's own default, and for folders.
        datasources: How many it has.
    """

    full_name: str
    description: str
    connection: str | None
    kind: str | None
    revision: str | None
    datasources: int

    def to_json(self) -> dict[str, object]:
        """Return this as a JSON object."""
        connection = None
        if self.connection is not None:
            connection = {"kind": self.kind, "url": self.connection, "default_revision": self.revision}
        return {
            "full_name": self.full_name,
            "description": self.description,
            "connection": connection,
            "datasources": self.datasources,
        }


def list_repos() -> list[RepoSummary]:
    """Return all repos, by name."""
    return [_summary(found) for found in _ask("GET", REPOS_PATH)]


def create_repo(full_name: str, *, description: str) -> None:
    """Make a repo."""
    split_repo(full_name)
    _ask("POST", REPOS_PATH, body={"full_name": full_name, "description": description}, repeatable=False)


def connect_repo(full_name: str, place: str, *, revision: str | None) -> dict[str, Any]:
    """Say what the paths of a repo refer to; return the connection."""
    owner, name = split_repo(full_name)
    body = {"url": absolute_place(place), "default_revision": revision}
    answer: dict[str, Any] = _ask("PUT", connection_path(owner, name), body=body)
    return answer


def delete_repo(full_name: str) -> None:
    """Delete a repo that has no datasources."""
    owner, name = split_repo(full_name)
    _ask("DELETE", repo_path(owner, name), repeatable=False)


def whoami(target: Target) -> str:
    """Return the login that a token belongs to at an engine; raises when it is refused."""
    transport = HttpTransport(target)
    try:
        answer = json.loads(transport.send(Request("GET", USER_PATH, label="user")))
        return str(answer.get("login") or answer.get("username") or "")
    finally:
        transport.close()


def absolute_place(place: str) -> str:
    """Return a clone URL as it is, and a path made absolute, so that it means the same to the engine.

    Raises:
        InvalidSourceError: There is nothing at the path.
    """
    if "://" in place:
        return place
    path = Path(place).expanduser().absolute()
    if path.exists():
        return str(path.resolve())
    if "@" in place.split("/", maxsplit=1)[0] and ":" in place:  # git@host:path
        return place
    raise InvalidSourceError(f"There is nothing at {path}.")


def _ask(method: str, path: str, *, body: object = None, repeatable: bool = True) -> Any:
    answer = current_connection().send(
        Request(method, path, json=body, repeatable=repeatable, label=f"{method} {path}")
    )
    return json.loads(answer) if answer.strip() else None


def _summary(found: dict[str, Any]) -> RepoSummary:
    connection = found.get("connection") or {}
    return RepoSummary(
        full_name=str(found["full_name"]),
        description=str(found.get("description") or ""),
        connection=connection.get("url"),
        kind=connection.get("kind"),
        revision=connection.get("default_revision"),
        datasources=int(found.get("datasources") or 0),
    )
