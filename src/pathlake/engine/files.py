"""The bytes of datapoints, and of any file of what a repo is connected to."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from pathlake.catalog.base import Catalog, DatasourceRecord, Repo, ScanState, SourceKind
from pathlake.engine.places import FOLDER_REVISION
from pathlake.engine.repos import Repos
from pathlake.engine.settings import EngineSettings
from pathlake.engine.sources import open_connection, open_storage
from pathlake.errors import RepoNotConnectedError, RevisionNotFoundError
from pathlake.storage.base import FileInfo, Storage
from pathlake.types import checked_path

_OPEN_STORAGES = 32


class Files:
    """Reads files. Those of a git datasource are read at the commit of its latest scan that ended well."""

    def __init__(self, catalog: Catalog, repos: Repos, *, settings: EngineSettings) -> None:
        self._catalog = catalog
        self._repos = repos
        self._settings = settings
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[object, ...], Storage] = OrderedDict()

    def stat(self, datasource: DatasourceRecord, path: str) -> FileInfo:
        """Return size, time and etag of a datapoint's file.

        Raises:
            InvalidPathError: `path` can never be one.
            ObjectMissingError: There is no such file.
            SourceUnavailableError, StorageDeniedError: As they say.
        """
        return self.storage(datasource).stat(checked_path(path))

    def stream(
        self, datasource: DatasourceRecord, path: str, *, start: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Yield the bytes of a datapoint's file from `start` on, in chunks; `length` None means to its end."""
        return self.storage(datasource).stream(checked_path(path), start=start, length=length)

    def storage(self, datasource: DatasourceRecord) -> Storage:
        """Return the storage that a datasource's files are read from; it stays open, so do not close it."""
        connection = self._catalog.connection(datasource.repo_id) if datasource.connected else None
        revision = self._scanned_revision(datasource) if datasource.kind is SourceKind.GIT else None
        key = (datasource.id, connection.url if connection else None, datasource.root, revision)
        if datasource.kind is SourceKind.GIT and revision is None:
            return open_storage(datasource, connection, settings=self._settings, fetch=False)
        with self._lock:
            found = self._open.get(key)
            if found is None:
                found = open_storage(datasource, connection, settings=self._settings, revision=revision, fetch=False)
                self._keep(key, found)
            return found

    def for_revision(self, repo: Repo, revision_and_path: str) -> tuple[Storage, str]:
        """Find a file by `REVISION/path`; a revision may have slashes, and the longest one that exists is meant.

        Returns:
            The storage at that revision, whose root is that of the repo, and the path in it. Close the storage
            when done.

        Raises:
            RepoNotConnectedError: The repo has no git repository or folder.
            RevisionNotFoundError: No leading part is a revision.
            InvalidPathError: What follows the revision can never be a path.
        """
        connection = self._repos.connection(repo)
        if connection is None:
            raise RepoNotConnectedError(
                f"{repo.full_name} is not connected to a git repository or folder. "
                f"Connect one with `pathlake repo connect {repo.full_name} PATH_OR_URL`."
            )
        parts = revision_and_path.strip("/").split("/")
        if connection.kind is SourceKind.FOLDER:
            if parts[0] != FOLDER_REVISION or len(parts) < 2:
                raise RevisionNotFoundError(
                    f"{repo.full_name} is a folder without revisions; its files are at {FOLDER_REVISION}/PATH."
                )
            path = checked_path("/".join(parts[1:]))
            return open_connection(connection, directory="", revision=None, settings=self._settings), path
        cuts = range(len(parts) - 1, 0, -1)
        for fetch in (False, True):
            for cut in cuts:
                try:
                    storage = open_connection(
                        connection,
                        directory="",
                        revision="/".join(parts[:cut]),
                        settings=self._settings,
                        fetch=fetch and cut == cuts[0],
                    )
                except RevisionNotFoundError:
                    continue
                return storage, checked_path("/".join(parts[cut:]))
        raise RevisionNotFoundError(
            f"No branch, tag or commit of {repo.full_name} begins {revision_and_path[:200]!r}.",
            {"revision": parts[0]},
        )

    def close(self) -> None:
        """Close the storages that are kept open."""
        with self._lock:
            storages = list(self._open.values())
            self._open.clear()
        for storage in storages:
            storage.close()

    def _keep(self, key: tuple[object, ...], storage: Storage) -> None:
        self._open[key] = storage
        if len(self._open) > _OPEN_STORAGES:
            # Not closed: a stream of it may still be read elsewhere. It goes when the last reader does.
            self._open.popitem(last=False)

    def _scanned_revision(self, datasource: DatasourceRecord) -> str | None:
        done = self._catalog.latest_scan(datasource.id, state=ScanState.DONE)
        if done is not None and done.revision:
            return done.revision
        latest = self._catalog.latest_scan(datasource.id)
        return latest.revision if latest is not None else None
