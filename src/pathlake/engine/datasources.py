"""Datasources: made, found and deleted."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path

from pathlake.catalog.base import Catalog, DatasourceRecord, Repo, ScanRecord, SourceKind
from pathlake.engine.places import FolderPlace, folder_url, parse_place, root_url
from pathlake.engine.repos import Repos
from pathlake.engine.scans import Scans
from pathlake.engine.settings import EngineSettings
from pathlake.engine.sources import open_connection
from pathlake.engine.suggest import nearest_directory
from pathlake.engine.tables import table_of
from pathlake.errors import (
    DatasourceAlreadyExistsError,
    DatasourceNotFoundError,
    InvalidSourceError,
    RepoNotConnectedError,
    SourceUnavailableError,
    StorageDeniedError,
)
from pathlake.lake.base import CommitInfo, Lake
from pathlake.types import Schema


@dataclass(frozen=True, slots=True)
class DatasourceView:
    """A datasource with everything a client shows of it.

    Attributes:
        record: As the catalog keeps it; the use cases of the engine take this.
        repo: The repo it is in.
        root_url: `repo://owner/repo/REVISION:dir`, `repo://owner/repo/dir` (a connected folder) or `file:///abs`.
        schema: Its fields now.
        scan: Its latest scan.
    """

    record: DatasourceRecord
    repo: Repo
    root_url: str
    schema: Schema
    scan: ScanRecord | None


@dataclass(frozen=True, slots=True)
class _Source:
    kind: SourceKind
    root: str
    revision: str | None
    connected: bool


class Datasources:
    """Makes, finds and deletes datasources."""

    def __init__(self, catalog: Catalog, lake: Lake, *, repos: Repos, scans: Scans, settings: EngineSettings) -> None:
        self._catalog = catalog
        self._lake = lake
        self._repos = repos
        self._scans = scans
        self._settings = settings
        self._lock = threading.Lock()

    def create(self, repo: Repo, name: str, *, url: str, created_by: str) -> DatasourceView:
        """Make a datasource and queue its first scan. The source is really opened before anything is written.

        Args:
            repo: The repo it will be in.
            name: Unique in the repo.
            url: `repo://owner/repo/REVISION:dir`, `repo://owner/repo/dir` (default revision) or `file:///abs`.
            created_by: Login of who asked.

        Raises:
            DatasourceAlreadyExistsError: The name is taken.
            InvalidNameError: The name is not allowed.
            InvalidSourceError: The URL names no directory that can be read; suggests the nearest one.
            RevisionNotFoundError: The repository has no such revision; suggests the nearest one.
            RepoNotConnectedError: A path in a repo that has no git repository or folder.
        """
        if any(known.name == name for known in self._catalog.datasources(repo.id)):
            raise DatasourceAlreadyExistsError(
                f"{repo.full_name} has a datasource {name!r} already. Use get_datasource({name!r}) or "
                f"get_or_create({name!r}, ...), or choose another name.",
                {"name": name},
            )
        source = self._checked_source(repo, url)
        with self._lock:
            record = self._catalog.create_datasource(
                repo.id,
                name,
                kind=source.kind,
                root=source.root,
                revision=source.revision,
                connected=source.connected,
                created_by=created_by,
            )
            try:
                self._lake.create_table(
                    table_of(record), commit=CommitInfo(author=created_by, message=f"Create {name}", kind="create")
                )
                self._scans.start(record)
            except BaseException:
                with contextlib.suppress(Exception):
                    self._lake.drop_table(table_of(record))
                self._catalog.delete_datasource(record.id)
                raise
        return self.view(record, repo)

    def find(self, repo: Repo, *, id: int | None = None, name: str | None = None) -> list[DatasourceView]:
        """Return the datasources of a repo; `id` and `name` narrow, both together too. May be empty."""
        if id is None and name is None:
            records = self._catalog.datasources(repo.id)
        else:
            try:
                records = [self._catalog.datasource(repo.id, id=id, name=name)]
            except DatasourceNotFoundError:
                return []
        scans = self._catalog.latest_scans([record.id for record in records])
        return [self._view(record, repo, scan=scans.get(record.id)) for record in records]

    def get(self, repo: Repo, *, id: int | None = None, name: str | None = None) -> DatasourceView:
        """Return one datasource.

        Raises:
            DatasourceNotFoundError: There is none; the message suggests the nearest name.
        """
        return self.view(self._catalog.datasource(repo.id, id=id, name=name), repo)

    def record(self, repo: Repo, *, id: int | None = None, name: str | None = None) -> DatasourceRecord:
        """Return one datasource's record, which costs less than its view and is what the use cases take.

        Raises:
            DatasourceNotFoundError: There is none; the message suggests the nearest name.
        """
        return self._catalog.datasource(repo.id, id=id, name=name)

    def view(self, record: DatasourceRecord, repo: Repo) -> DatasourceView:
        """Return the view of a record."""
        return self._view(record, repo, scan=self._catalog.latest_scan(record.id))

    def delete(self, repo: Repo, *, id: int) -> DatasourceView:
        """Delete a datasource with its metadata, scans and datasets; its files stay as they are.

        Returns:
            What was deleted.

        Raises:
            DatasourceNotFoundError: There is none.
        """
        view = self.get(repo, id=id)
        self._scans.forget(view.record)
        self._catalog.delete_datasource(view.record.id)
        self._lake.drop_table(table_of(view.record))
        return view

    def remove_half_made(self) -> None:
        """Remove what a crash left of datasources whose creation never ended: they have no scan."""
        for repo in self._catalog.repos():
            records = self._catalog.datasources(repo.id)
            scanned = self._catalog.latest_scans([record.id for record in records])
            for record in records:
                if record.id not in scanned:
                    self._lake.drop_table(table_of(record))
                    self._catalog.delete_datasource(record.id)

    def _view(self, record: DatasourceRecord, repo: Repo, *, scan: ScanRecord | None) -> DatasourceView:
        return DatasourceView(record, repo, root_url(record, repo), self._lake.schema(table_of(record)), scan)

    def _checked_source(self, repo: Repo, url: str) -> _Source:
        place = parse_place(url)
        if isinstance(place, FolderPlace):
            return self._checked_folder(place)
        if (place.owner, place.name) != (repo.owner, repo.name):
            raise InvalidSourceError(
                f"{url!r} is a path in {place.owner}/{place.name}, and the datasource is for {repo.full_name}. "
                "A datasource can only stand on a path of its own repo."
            )
        connection = self._repos.connection(repo)
        if connection is None:
            raise RepoNotConnectedError(
                _not_connected(repo, place.directory, local=self._settings.local_folders), {"repo": repo.full_name}
            )
        revision = place.revision
        if connection.kind is SourceKind.GIT:
            revision = revision or self._repos.default_revision(connection)
        elif revision is not None:
            raise InvalidSourceError(
                f"{repo.full_name} is connected to the folder {connection.url}, which has no revisions, so "
                f"{revision!r} means nothing. Leave the revision out, or connect a git repository."
            )
        try:
            storage = open_connection(connection, directory=place.directory, revision=revision, settings=self._settings)
            try:
                storage.check()
            finally:
                storage.close()
        except SourceUnavailableError as error:
            if connection.kind is SourceKind.GIT:
                raise
            near = nearest_directory(connection.url, place.directory)
            raise InvalidSourceError(f"{error.message}{near}", error.details) from error
        return _Source(connection.kind, place.directory, revision, connected=True)

    def _checked_folder(self, place: FolderPlace) -> _Source:
        if not self._settings.local_folders:
            raise InvalidSourceError(
                f"This engine is shared, so it opens no folder of its machine that was not connected, and "
                f"{place.path} is not. An administrator connects one with `pathlake repo connect OWNER/NAME FOLDER`."
            )
        from pathlake.storage.folder import open_folder

        try:
            storage = open_folder(place.path)
            storage.check()
            storage.close()
        except (SourceUnavailableError, StorageDeniedError) as error:
            raise InvalidSourceError(error.message, error.details) from error
        return _Source(SourceKind.FOLDER, folder_url(place.path), None, connected=False)


def _not_connected(repo: Repo, directory: str, *, local: bool) -> str:
    message = (
        f"{directory or 'The root'!r} is a path in {repo.full_name}, and that repo is not connected to a git "
        f"repository or folder. Connect one with `pathlake repo connect {repo.full_name} PATH_OR_URL`."
    )
    folder = Path(directory).absolute()
    if local and directory and folder.is_dir():
        message += f" To use the local folder of that name without a repo, write './{directory}' or '{folder}'."
    elif local:
        message += " A folder of this machine is given by an absolute path, or by one that starts with './'."
    return message
