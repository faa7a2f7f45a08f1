"""Saved datasets: queries under a name."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from pathlake.catalog import tables
from pathlake.catalog.base import DatasetRecord
from pathlake.catalog.database import Database, violates_unique
from pathlake.catalog.names import checked_name, checked_text, is_id, is_storable, storable
from pathlake.catalog.repos import repo_row
from pathlake.catalog.sources import source_row
from pathlake.errors import (
    DatasetAlreadyExistsError,
    DatasetNotFoundError,
    DatasourceNotFoundError,
    UsageError,
    suggestion,
)


class DatasetStore:
    """The part of the catalog about saved datasets."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def save_dataset(self, datasource_id: int, name: str, *, query: str, created_by: str) -> DatasetRecord:
        """Keep a query under a name.

        Raises:
            InvalidNameError: The name is not allowed.
            DatasourceNotFoundError: There is no such datasource.
            DatasetAlreadyExistsError: The name is taken in the repo.
        """
        datasets = tables.datasets
        values = {
            "datasource_id": datasource_id,
            "name": checked_name(name, what="dataset"),
            "query": checked_text(query, what="The query of a dataset"),
            "created_by": storable(created_by),
            "created_at": dt.datetime.now(dt.UTC),
        }
        try:
            with self._db.write() as connection:
                repo_id = source_row(connection, datasource_id).repo_id
                insert = sa.insert(datasets).values(repo_id=repo_id, **values).returning(datasets)
                row = connection.execute(insert).mappings().one()
        except sa.exc.IntegrityError as error:
            if not violates_unique(error):
                raise DatasourceNotFoundError(f"There is no datasource with the id {datasource_id}.") from error
            raise DatasetAlreadyExistsError(
                f"The repo has a dataset named {name!r} already. Choose another name, or delete that one first.",
                {"name": name},
            ) from error
        return DatasetRecord(**row)

    def datasets(self, repo_id: int) -> list[DatasetRecord]:
        """Return the datasets of a repo, oldest first.

        Raises:
            RepoNotFoundError: There is no such repo.
        """
        datasets = tables.datasets
        with self._db.read() as connection:
            repo_row(connection, repo_id)
            query = sa.select(datasets).where(datasets.c.repo_id == repo_id).order_by(datasets.c.id)
            return [DatasetRecord(**row) for row in connection.execute(query).mappings()]

    def dataset(self, repo_id: int, *, id: int | None = None, name: str | None = None) -> DatasetRecord:
        """Return the dataset with that id and that name, whichever is given.

        Raises:
            RepoNotFoundError: There is no such repo.
            DatasetNotFoundError: The repo has no such dataset; the message suggests the nearest name.
            UsageError: Neither was given.
        """
        if id is None and name is None:
            raise UsageError("Give the id or the name of the dataset.")
        with self._db.read() as connection:
            return _found(connection, repo_id, id=id, name=name)

    def delete_dataset(self, repo_id: int, dataset_id: int) -> DatasetRecord:
        """Delete a dataset and return what it was.

        Raises:
            RepoNotFoundError: There is no such repo.
            DatasetNotFoundError: The repo has no dataset of that id.
        """
        with self._db.write() as connection:
            found = _found(connection, repo_id, id=dataset_id, name=None)
            connection.execute(sa.delete(tables.datasets).where(tables.datasets.c.id == dataset_id))
            return found


def _found(connection: sa.Connection, repo_id: int, *, id: int | None, name: str | None) -> DatasetRecord:
    repo = repo_row(connection, repo_id)
    datasets = tables.datasets
    query = sa.select(datasets).where(datasets.c.repo_id == repo_id)
    if id is not None:
        query = query.where(datasets.c.id == id)
    if name is not None:
        query = query.where(datasets.c.name == name)
    if (id is None or is_id(id)) and (name is None or is_storable(name)):
        row = connection.execute(query).mappings().one_or_none()
        if row is not None:
            return DatasetRecord(**row)
    known = connection.execute(sa.select(datasets.c.name).where(datasets.c.repo_id == repo_id)).scalars().all()
    asked = " and ".join(
        ([f"the id {id}"] if id is not None else []) + ([f"the name {name!r}"] if name is not None else [])
    )
    hint = suggestion(name, known) if name is not None and name not in known else ""
    raise DatasetNotFoundError(f"{repo.full_name} has no dataset with {asked}.{hint}")
