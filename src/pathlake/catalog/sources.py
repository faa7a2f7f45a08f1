"""Datasources."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from pathlake.catalog import tables
from pathlake.catalog.base import DatasourceRecord, SourceKind
from pathlake.catalog.database import Database, violates_unique
from pathlake.catalog.names import checked_name, checked_text, is_id, is_storable, storable
from pathlake.catalog.repos import repo_row
from pathlake.errors import (
    DatasourceAlreadyExistsError,
    DatasourceNotFoundError,
    RepoNotFoundError,
    UsageError,
    suggestion,
)


class DatasourceStore:
    """The part of the catalog about datasources."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create_datasource(
        self,
        repo_id: int,
        name: str,
        *,
        kind: SourceKind,
        root: str,
        revision: str | None,
        connected: bool,
        created_by: str,
    ) -> DatasourceRecord:
        """Make a datasource.

        Raises:
            InvalidNameError: The name is not allowed.
            RepoNotFoundError: There is no such repo.
            DatasourceAlreadyExistsError: The name is taken in the repo.
        """
        sources = tables.datasources
        values = {
            "repo_id": repo_id,
            "name": checked_name(name, what="datasource"),
            "kind": kind.value,
            "root": checked_text(root, what="The root of a datasource"),
            "revision": None if revision is None else checked_text(revision, what="A revision"),
            "connected": connected,
            "created_by": storable(created_by),
            "created_at": dt.datetime.now(dt.UTC),
        }
        full_name = "the repo"
        try:
            with self._db.write() as connection:
                full_name = repo_row(connection, repo_id).full_name
                row = connection.execute(sa.insert(sources).values(values).returning(sources)).mappings().one()
        except sa.exc.IntegrityError as error:
            if not violates_unique(error):
                raise RepoNotFoundError(f"There is no repo with the id {repo_id}.") from error
            raise DatasourceAlreadyExistsError(
                f"{full_name} has a datasource named {name!r} already.", {"name": name}
            ) from error
        return _datasource(row)

    def datasource(self, repo_id: int, *, id: int | None = None, name: str | None = None) -> DatasourceRecord:
        """Return the datasource with that id and that name, whichever is given.

        Raises:
            RepoNotFoundError: There is no such repo.
            DatasourceNotFoundError: The repo has no such datasource; the message suggests the nearest name.
            UsageError: Neither was given.
        """
        if id is None and name is None:
            raise UsageError("Give the id or the name of the datasource.")
        sources = tables.datasources
        query = sa.select(sources).where(sources.c.repo_id == repo_id)
        if id is not None:
            query = query.where(sources.c.id == id)
        if name is not None:
            query = query.where(sources.c.name == name)
        possible = (id is None or is_id(id)) and (name is None or is_storable(name))
        with self._db.read() as connection:
            repo = repo_row(connection, repo_id)
            row = connection.execute(query).mappings().one_or_none() if possible else None
            if row is not None:
                return _datasource(row)
            known = connection.execute(sa.select(sources.c.name).where(sources.c.repo_id == repo_id)).scalars().all()
        asked = " and ".join(
            ([f"the id {id}"] if id is not None else []) + ([f"the name {name!r}"] if name is not None else [])
        )
        hint = suggestion(name, known) if name is not None and name not in known else ""
        raise DatasourceNotFoundError(f"{repo.full_name} has no datasource with {asked}.{hint}")

    def datasources(self, repo_id: int) -> list[DatasourceRecord]:
        """Return the datasources of a repo, oldest first.

        Raises:
            RepoNotFoundError: There is no such repo.
        """
        sources = tables.datasources
        with self._db.read() as connection:
            repo_row(connection, repo_id)
            query = sa.select(sources).where(sources.c.repo_id == repo_id).order_by(sources.c.id)
            return [_datasource(row) for row in connection.execute(query).mappings()]

    def delete_datasource(self, datasource_id: int) -> None:
        """Delete a datasource with its scans and datasets.

        Raises:
            DatasourceNotFoundError: There is none of that id.
        """
        sources = tables.datasources
        with self._db.write() as connection:
            source_row(connection, datasource_id)
            connection.execute(sa.delete(sources).where(sources.c.id == datasource_id))


def source_row(connection: sa.Connection, datasource_id: int) -> DatasourceRecord:
    """Return a datasource by its id alone, within a transaction.

    Raises:
        DatasourceNotFoundError: There is none.
    """
    query = sa.select(tables.datasources).where(tables.datasources.c.id == datasource_id)
    row = connection.execute(query).mappings().one_or_none() if is_id(datasource_id) else None
    if row is None:
        raise DatasourceNotFoundError(f"There is no datasource with the id {datasource_id}.", {"id": datasource_id})
    return _datasource(row)


def _datasource(row: sa.RowMapping) -> DatasourceRecord:
    values = dict(row)
    return DatasourceRecord(**{**values, "kind": SourceKind(values["kind"])})
