"""Repos and what their paths refer to."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from pathlake.catalog import tables
from pathlake.catalog.base import Connection, Repo, SourceKind
from pathlake.catalog.database import Database, violates_unique
from pathlake.catalog.names import checked_repo_part, checked_text, is_id, storable
from pathlake.errors import RepoAlreadyExistsError, RepoNotFoundError, UsageError, suggestion


class RepoStore:
    """The part of the catalog about repos and connections."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create_repo(self, owner: str, name: str, *, description: str = "") -> Repo:
        """Make a repo.

        Raises:
            InvalidNameError: Owner or name holds more than letters, digits, `-`, `_`, `.`, or is too long.
            RepoAlreadyExistsError: The name is taken.
        """
        values = {
            "owner": checked_repo_part(owner, what="owner"),
            "name": checked_repo_part(name, what="name"),
            "description": storable(description),
            "created_at": dt.datetime.now(dt.UTC),
        }
        try:
            with self._db.write() as connection:
                row = (
                    connection.execute(sa.insert(tables.repos).values(values).returning(tables.repos)).mappings().one()
                )
        except sa.exc.IntegrityError as error:
            raise RepoAlreadyExistsError(f"The repo {owner}/{name} exists already.") from error
        return _repo(row)

    def repo(self, owner: str, name: str) -> Repo:
        """Return a repo by its name.

        Raises:
            RepoNotFoundError: There is none; the message suggests the nearest.
        """
        repos = tables.repos
        with self._db.read() as connection:
            # A text the database cannot keep is no name of anything in it.
            if storable(owner + name) == owner + name:
                query = sa.select(repos).where(repos.c.owner == owner, repos.c.name == name)
                if row := connection.execute(query).mappings().one_or_none():
                    return _repo(row)
            known = connection.execute(sa.select(repos.c.owner + "/" + repos.c.name)).scalars()
            asked = f"{owner}/{name}"
            raise RepoNotFoundError(f"There is no repo {asked!r}.{suggestion(asked, known)}", {"name": asked})

    def repo_by_id(self, repo_id: int) -> Repo:
        """Return a repo by its id.

        Raises:
            RepoNotFoundError: There is none.
        """
        with self._db.read() as connection:
            return repo_row(connection, repo_id)

    def repos(self) -> list[Repo]:
        """Return every repo, by owner and name."""
        query = sa.select(tables.repos)
        with self._db.read() as connection:
            found = [_repo(row) for row in connection.execute(query).mappings()]
        # Sorted here, because databases differ in their order of letters.
        return sorted(found, key=lambda repo: (repo.owner, repo.name))

    def delete_repo(self, repo_id: int) -> None:
        """Delete a repo with its connection.

        Raises:
            RepoNotFoundError: There is none of that id.
            UsageError: It has datasources.
        """
        with self._db.write() as connection:
            repo = repo_row(connection, repo_id)
            sources = tables.datasources
            names = connection.execute(sa.select(sources.c.name).where(sources.c.repo_id == repo_id)).scalars().all()
            refusal = f"The repo {repo.full_name} still has datasources; delete them first."
            if names:
                raise UsageError(refusal, {"datasources": sorted(names)})
            try:
                connection.execute(sa.delete(tables.repos).where(tables.repos.c.id == repo_id))
            except sa.exc.IntegrityError as error:  # a datasource made since, by another process
                raise UsageError(refusal) from error

    def connect(self, repo_id: int, *, kind: SourceKind, url: str, default_revision: str | None) -> Connection:
        """Set what the paths of a repo refer to, in place of what was set before.

        Raises:
            RepoNotFoundError: There is no such repo.
        """
        values = {
            "kind": kind.value,
            "url": checked_text(url, what="The URL of a connection"),
            "default_revision": None if default_revision is None else checked_text(default_revision, what="A revision"),
        }
        connections = tables.connections
        change = sa.update(connections).where(connections.c.repo_id == repo_id).values(values).returning(connections)
        with self._db.write() as connection:
            repo_row(connection, repo_id)
            row = connection.execute(change).mappings().one_or_none()
            if row is None:
                add = sa.insert(connections).values(repo_id=repo_id, **values).returning(connections)
                try:
                    with connection.begin_nested():
                        row = connection.execute(add).mappings().one()
                except sa.exc.IntegrityError as error:
                    if not violates_unique(error):
                        raise RepoNotFoundError(f"There is no repo with the id {repo_id}.") from error
                    row = connection.execute(change).mappings().one()
        return _connection(row)

    def connection(self, repo_id: int) -> Connection | None:
        """Return what the paths of a repo refer to, if that was set.

        Raises:
            RepoNotFoundError: There is no such repo.
        """
        connections = tables.connections
        with self._db.read() as connection:
            repo_row(connection, repo_id)
            row = (
                connection.execute(sa.select(connections).where(connections.c.repo_id == repo_id))
                .mappings()
                .one_or_none()
            )
        return None if row is None else _connection(row)


def repo_row(connection: sa.Connection, repo_id: int) -> Repo:
    """Return a repo by its id, within a transaction.

    Raises:
        RepoNotFoundError: There is none.
    """
    query = sa.select(tables.repos).where(tables.repos.c.id == repo_id)
    row = connection.execute(query).mappings().one_or_none() if is_id(repo_id) else None
    if row is None:
        raise RepoNotFoundError(f"There is no repo with the id {repo_id}.", {"id": repo_id})
    return _repo(row)


def _repo(row: sa.RowMapping) -> Repo:
    return Repo(**row)


def _connection(row: sa.RowMapping) -> Connection:
    values = dict(row)
    return Connection(**{**values, "kind": SourceKind(values["kind"])})
