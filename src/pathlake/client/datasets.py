"""Open saved datasets: a datasource and a query over it, kept under a name.

Example:
    >>> from pathlake import datasets
    >>> ds = datasets.get_dataset("simon/baby-yoda", "my-cool-dataset")
"""

from __future__ import annotations

from pathlake.client.api import RepoApi, split_repo
from pathlake.client.connection import current_connection
from pathlake.client.datasource import Datasource
from pathlake.client.source import Source
from pathlake.client.state import DatasetState
from pathlake.errors import DatasetNotFoundError, UsageError, suggestion

__all__ = ["get", "get_dataset", "get_datasets"]


def get_dataset(repo: str, name: str | None = None, id: int | str | None = None) -> Datasource:
    """Return a saved dataset by name or id, as a handle with its query.

    Raises:
        DatasetNotFoundError: There is none; the message suggests the nearest name.
        RepoNotFoundError: There is no such repo.
    """
    if name is None and id is None:
        raise UsageError("Say which dataset: by name=... or id=...")
    api = _api(repo)
    found = api.datasets(id=None if id is None else str(id), name=name)
    if found:
        return _opened(api, found[-1])
    if name is None:
        raise DatasetNotFoundError(f"{repo} has no dataset with the id {id}.")
    known = [state.name for state in api.datasets()]
    listed = f" It has: {', '.join(map(repr, known[:10]))}." if known else " It has none yet."
    raise DatasetNotFoundError(
        f"{repo} has no dataset {name!r}.{suggestion(name, known) or listed}", {"name": name, "known": known[:100]}
    )


def get(repo: str, name: str | None = None, id: int | str | None = None) -> Datasource:
    """Return a saved dataset by name or id; the same as `get_dataset`."""
    return get_dataset(repo, name, id)


def get_datasets(repo: str) -> list[Datasource]:
    """Return all saved datasets of a repo, as handles with their queries."""
    api = _api(repo)
    return [_opened(api, state) for state in api.datasets()]


def _opened(api: RepoApi, state: DatasetState) -> Datasource:
    return Datasource(Source(api, state.datasource), state.query, dataset=state)


def _api(repo: str) -> RepoApi:
    owner, name = split_repo(repo)
    return RepoApi(current_connection(), owner, name)
