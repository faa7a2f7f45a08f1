"""Create and find datasources.

Example:
    >>> from pathlake import datasources
    >>> ds = datasources.get_or_create("simon/baby-yoda", "path-ds", "path/to/dir", "main")
"""

from __future__ import annotations

import os

from pathlake.client.api import RepoApi, split_repo
from pathlake.client.connection import current_connection
from pathlake.client.datasource import Datasource
from pathlake.client.places import place_of
from pathlake.client.source import Source
from pathlake.errors import (
    DatasourceAlreadyExistsError,
    DatasourceNotFoundError,
    InvalidNameError,
    RepoNotFoundError,
    UsageError,
    suggestion,
)

__all__ = [
    "Datasource",
    "create",
    "create_datasource",
    "create_from_repo",
    "get",
    "get_datasource",
    "get_datasources",
    "get_or_create",
]


def create_datasource(repo: str, name: str, path: str | os.PathLike[str], revision: str | None = None) -> Datasource:
    """Create a datasource on a path; a scan of its files starts by itself.

    Args:
        repo: `owner/name`.
        name: Name of the datasource, not yet taken in the repo.
        path: A directory in what the repo is connected to ("" for all of it); a folder of this machine, beginning
            with `/`, `~`, `./` or `../` or given as a `Path`; or a URL.
        revision: Branch, tag or commit of a git repository; its default branch where left out.

    Raises:
        DatasourceAlreadyExistsError: The repo has a datasource of that name.
        RepoNotConnectedError: The path is one of the repo's, which has nothing behind it; the message says how to
            connect it.
        InvalidSourceError: The path names no place that can be read.
        RevisionNotFoundError: There is no such revision.
    """
    api = _api(repo)
    _check_name(name)
    place = place_of(api.full_name, path, revision=revision)
    if place.kind == "REPOSITORY" and revision is None and "://" not in str(path) and ":" in str(path):
        # In a URL, what stands before a colon is a revision.
        place = place_of(api.full_name, path, revision=api.default_revision())
    state = api.create_datasource(name, url=place.url, kind=place.kind)
    return Datasource(Source(api, state))


def create(repo: str, name: str, path: str | os.PathLike[str], revision: str | None = None) -> Datasource:
    """Create a datasource on a path; the same as `create_datasource`."""
    return create_datasource(repo, name, path, revision)


def create_from_repo(repo: str, name: str, path: str, revision: str | None = None) -> Datasource:
    """Create a datasource on a directory of what the repo is connected to."""
    return create_datasource(repo, name, path.lstrip("/"), revision)


def get_or_create(repo: str, name: str, path: str | os.PathLike[str], revision: str | None = None) -> Datasource:
    """Return the datasource of that name, or create it on the path; see `create_datasource`.

    Where it exists, `path` and `revision` play no role.
    """
    api = _api(repo)
    _check_name(name)
    try:
        found = api.datasources(name=name)
    except RepoNotFoundError:
        found = []  # on an engine that makes repos, creating the datasource makes this one
    if found:
        return Datasource(Source(api, found[0]))
    try:
        return create_datasource(repo, name, path, revision)
    except DatasourceAlreadyExistsError:
        return get_datasource(repo, name)  # somebody was quicker


def get_datasource(repo: str, name: str | None = None, id: int | str | None = None) -> Datasource:
    """Return a datasource by name or id.

    Raises:
        DatasourceNotFoundError: There is none; the message suggests the nearest name.
        RepoNotFoundError: There is no such repo.
    """
    if name is None and id is None:
        raise UsageError("Say which datasource: by name=... or id=...")
    api = _api(repo)
    found = api.datasources(id=None if id is None else str(id), name=name)
    if found:
        return Datasource(Source(api, found[0]))
    known = [state.name for state in api.datasources()]
    if name is None:
        raise DatasourceNotFoundError(f"{repo} has no datasource with the id {id}.")
    if id is not None and name in known:
        raise DatasourceNotFoundError(f"The datasource {name!r} of {repo} has another id than {id}.")
    listed = f" It has: {', '.join(map(repr, known[:10]))}." if known else " It has none yet."
    raise DatasourceNotFoundError(
        f"{repo} has no datasource {name!r}.{suggestion(name, known) or listed}", {"name": name, "known": known[:100]}
    )


def get(repo: str, name: str | None = None, id: int | str | None = None) -> Datasource:
    """Return a datasource by name or id; the same as `get_datasource`."""
    return get_datasource(repo, name, id)


def get_datasources(repo: str) -> list[Datasource]:
    """Return all datasources of a repo."""
    api = _api(repo)
    return [Datasource(Source(api, state)) for state in api.datasources()]


def _api(repo: str) -> RepoApi:
    owner, name = split_repo(repo)
    return RepoApi(current_connection(), owner, name)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise InvalidNameError(f"A datasource needs a name, not {name!r}.")
