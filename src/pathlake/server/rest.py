"""Accounts and repos: the plain JSON routes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pathlake.catalog.base import Connection, Repo, SourceKind
from pathlake.engine.places import FOLDER_REVISION
from pathlake.errors import NotFoundError, StorageError, UsageError
from pathlake.server.answers import json_answer, json_body
from pathlake.server.services import Services, principal_of
from pathlake.wire.contract import ANALYTICS_PATH, REPOS_PATH, USER_PATH

_REPO = REPOS_PATH + "/{owner}/{repo}"
_MOST_BODY_BYTES = 1 << 20


def routes(services: Services) -> list[Route]:
    """Return the routes of accounts and repos."""
    handlers = _Rest(services)
    return [
        Route(USER_PATH, handlers.user, methods=["GET"]),
        Route("/api/v1/users/{name}", handlers.user_by_name, methods=["GET"]),
        Route(REPOS_PATH, handlers.repos, methods=["GET"]),
        Route(REPOS_PATH, handlers.create_repo, methods=["POST"]),
        Route(_REPO, handlers.repo, methods=["GET"]),
        Route(_REPO, handlers.delete_repo, methods=["DELETE"]),
        Route(_REPO + "/connection", handlers.connect, methods=["PUT"]),
        Route(_REPO + "/storage", handlers.storages, methods=["GET"]),
        # What the official client sends along and needs no answer to.
        Route(_REPO + "/annotations/start", handlers.ignored, methods=["POST"]),
        Route(ANALYTICS_PATH, handlers.ignored, methods=["POST"]),
    ]


class _Rest:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._engine = services.engine

    async def user(self, request: Request) -> Response:
        return json_answer(_user(principal_of(request).login))

    async def user_by_name(self, request: Request) -> Response:
        principal = principal_of(request)
        if request.path_params["name"] != principal.login:
            raise NotFoundError(f"There is no user {request.path_params['name'][:100]!r}.")
        return json_answer(_user(principal.login))

    async def repos(self, _request: Request) -> Response:
        return json_answer(await self._services.call(self._all_repos))

    async def create_repo(self, request: Request) -> Response:
        body = await json_body(request, self._services, most_bytes=_MOST_BODY_BYTES)
        full_name = _text(body, "full_name")
        description = _text(body, "description", default="")
        repo = await self._services.call(lambda: self._engine.repos.create(full_name, description=description))
        return json_answer(await self._repo_answer(repo, request), status=201)

    async def repo(self, request: Request) -> Response:
        repo = await self._services.call(lambda: self._services.repo(request))
        return json_answer(await self._repo_answer(repo, request))

    async def delete_repo(self, request: Request) -> Response:
        def delete() -> str:
            repo = self._services.repo(request)
            self._engine.repos.delete(repo)
            return repo.full_name

        return json_answer({"full_name": await self._services.call(delete)})

    async def connect(self, request: Request) -> Response:
        body = await json_body(request, self._services, most_bytes=_MOST_BODY_BYTES)
        url = _text(body, "url")
        revision = _text(body, "default_revision", default="") or None

        def connect() -> Connection:
            repo = self._services.repo(request)
            return self._engine.repos.connect(repo, url, default_revision=revision)

        return json_answer(_connection(await self._services.call(connect)))

    async def storages(self, request: Request) -> Response:
        await self._services.call(lambda: self._services.repo(request))
        return json_answer([])

    async def ignored(self, request: Request) -> Response:
        async for _ in request.stream():
            pass
        return json_answer({})

    def _all_repos(self) -> list[dict[str, Any]]:
        found = []
        for repo in self._engine.repos.list():
            connection = self._engine.repos.connection(repo)
            found.append(
                {
                    "full_name": repo.full_name,
                    "description": repo.description,
                    "connection": None if connection is None else _connection(connection),
                    "datasources": len(self._engine.catalog.datasources(repo.id)),
                }
            )
        return found

    async def _repo_answer(self, repo: Repo, request: Request) -> dict[str, Any]:
        branch = await self._services.call(lambda: self._default_branch(repo))
        return _repo(repo, branch=branch, base_url=str(request.base_url).rstrip("/"))

    def _default_branch(self, repo: Repo) -> str:
        connection = self._engine.repos.connection(repo)
        if connection is None:
            return FOLDER_REVISION
        try:
            return self._engine.repos.default_revision(connection) or FOLDER_REVISION
        except StorageError:
            # A repository that cannot be reached now must not keep people from the metadata.
            return FOLDER_REVISION


def _user(login: str) -> dict[str, Any]:
    return {"id": 1, "login": login, "username": login, "full_name": login}


def _connection(connection: Connection) -> dict[str, Any]:
    return {
        "kind": str(connection.kind),
        "url": connection.url,
        "default_revision": connection.default_revision if connection.kind is SourceKind.GIT else None,
    }


def _repo(repo: Repo, *, branch: str, base_url: str) -> dict[str, Any]:
    """Return a repo as the official client reads it, which dies of any key that is absent."""
    created = repo.created_at.astimezone(dt.UTC).isoformat(timespec="seconds")
    return {
        "id": repo.id,
        "owner": {**_user(repo.owner), "id": repo.id},
        "name": repo.name,
        "full_name": repo.full_name,
        "description": repo.description,
        "private": True,
        "fork": False,
        "empty": False,
        "mirror": False,
        "size": 0,
        "html_url": f"{base_url}/{repo.full_name}",
        "clone_url": f"{base_url}/{repo.full_name}.git",
        "stars_count": 0,
        "forks_count": 0,
        "watchers_count": 0,
        "open_issues_count": 0,
        "default_branch": branch,
        "created_at": created,
        "updated_at": created,
        "permissions": {"admin": True, "push": True, "pull": True},
    }


def _text(body: dict[str, Any], key: str, *, default: str | None = None) -> str:
    value = body.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise UsageError(f"The request needs {key!r} as a text.")
    return value
