"""Repos and what their paths refer to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pathlake.catalog.base import Catalog, Connection, Repo, SourceKind
from pathlake.engine.settings import EngineSettings
from pathlake.errors import (
    InvalidNameError,
    InvalidSourceError,
    RepoAlreadyExistsError,
    RepoNotFoundError,
    RevisionNotFoundError,
    StorageError,
)


class Repos:
    """Makes, finds, connects and deletes repos."""

    def __init__(self, catalog: Catalog, settings: EngineSettings) -> None:
        self._catalog = catalog
        self._settings = settings
        self._lock = threading.Lock()

    def create(self, full_name: str, *, description: str = "") -> Repo:
        """Make the repo `owner/name`.

        Raises:
            InvalidNameError: It is not of that form, or has characters that are not allowed.
            RepoAlreadyExistsError: It exists.
        """
        owner, name = split_full_name(full_name)
        return self._catalog.create_repo(owner, name, description=description)

    def get(self, owner: str, name: str) -> Repo:
        """Return a repo.

        Raises:
            RepoNotFoundError: There is none; the message suggests the nearest name.
        """
        return self._catalog.repo(owner, name)

    def require(self, owner: str, name: str, *, create: bool) -> Repo:
        """Return a repo; one that does not exist is made first if `create` says so and the settings allow it."""
        try:
            return self._catalog.repo(owner, name)
        except RepoNotFoundError:
            if not (create and self._settings.create_repos):
                raise
        with self._lock:
            try:
                return self._catalog.create_repo(owner, name)
            except RepoAlreadyExistsError:
                return self._catalog.repo(owner, name)

    def list(self) -> list[Repo]:
        """Return all repos by name."""
        return self._catalog.repos()

    def connection(self, repo: Repo) -> Connection | None:
        """Return what the repo's paths refer to, or None."""
        return self._catalog.connection(repo.id)

    def connect(self, repo: Repo, url: str, *, default_revision: str | None = None) -> Connection:
        """Say what the paths of a repo refer to: a git repository or a plain folder. It is really opened first.

        Args:
            repo: Which repo; a connection it has is replaced.
            url: Absolute path (or `file://` URL) of a git repository or folder, or the clone URL of a repository.
            default_revision: Branch, tag or commit that paths without a revision mean; None means the repository's
                own default branch, whatever it is at the time.

        Raises:
            InvalidSourceError: There is neither a git repository nor a folder, or it cannot be reached.
            RevisionNotFoundError: There is no such revision.
        """
        kind, place = self._kind_of(url)
        if kind is SourceKind.FOLDER:
            if default_revision is not None:
                raise InvalidSourceError(
                    f"{place} is a folder without git, so it has no revision {default_revision!r}."
                )
            from pathlake.storage.folder import open_folder

            _really_open(lambda: open_folder(place).check(), url)
        else:
            _really_open(lambda: self._check_git(place, default_revision), url)
        return self._catalog.connect(repo.id, kind=kind, url=place, default_revision=default_revision)

    def delete(self, repo: Repo) -> None:
        """Delete a repo that has no datasources; one that has them is a `UsageError`."""
        self._catalog.delete_repo(repo.id)

    def default_revision(self, connection: Connection) -> str | None:
        """Return the revision that paths without one mean; None for folders."""
        if connection.kind is not SourceKind.GIT:
            return None
        if connection.default_revision:
            return connection.default_revision
        from pathlake.storage.git import git_default_branch

        return git_default_branch(connection.url, cache_dir=self._settings.git_dir)

    def _check_git(self, place: str, revision: str | None) -> None:
        from pathlake.storage.git import git_default_branch, open_git

        wanted = revision or git_default_branch(place, cache_dir=self._settings.git_dir)
        storage = open_git(place, revision=wanted, directory="", cache_dir=self._settings.git_dir)
        try:
            storage.check()
        finally:
            storage.close()

    def _kind_of(self, url: str) -> tuple[SourceKind, str]:
        scheme = urlsplit(url).scheme if "://" in url else ""
        if scheme and scheme != "file":
            if scheme in ("http", "https", "ssh", "git"):
                return SourceKind.GIT, url
            raise InvalidSourceError(
                f"{url!r} is no git repository. Give a path, or a clone URL that starts with https://, http://, ssh:// "
                "or git://."
            )
        if not scheme and _is_scp_like(url):
            return SourceKind.GIT, url
        path = Path(unquote(urlsplit(url).path) if scheme else url).expanduser()
        if not path.is_absolute():
            raise InvalidSourceError(f"{url!r} is a relative path, and an engine does not know to what. Give it whole.")
        if not path.is_dir():
            raise InvalidSourceError(f"{path} is no directory.")
        return (SourceKind.GIT if is_git(path) else SourceKind.FOLDER), str(path)


def split_full_name(full_name: str) -> tuple[str, str]:
    """Split `owner/name`.

    Raises:
        InvalidNameError: It is not of that form.
    """
    parts = full_name.split("/")
    if len(parts) != 2 or not all(parts):
        raise InvalidNameError(f"{full_name!r} is no repo name. One is written OWNER/NAME.")
    return parts[0], parts[1]


def is_git(path: Path) -> bool:
    """Tell whether a git repository lies at `path` itself: a working tree, or a bare one."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def _is_scp_like(url: str) -> bool:
    head, colon, _ = url.partition(":")
    return bool(colon) and "/" not in head and "@" in head


def _really_open(check: Callable[[], None], url: str) -> None:
    try:
        check()
    except RevisionNotFoundError:
        raise
    except StorageError as error:
        raise InvalidSourceError(f"{url!r} cannot be connected: {error.message}", error.details) from error
