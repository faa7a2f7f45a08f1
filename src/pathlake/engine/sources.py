"""From a datasource's record to the storage that reads its files."""

from __future__ import annotations

from pathlib import Path

from pathlake.catalog.base import Connection, DatasourceRecord, SourceKind
from pathlake.engine.places import FolderPlace, parse_place
from pathlake.engine.settings import EngineSettings
from pathlake.errors import InvalidSourceError, RepoNotConnectedError
from pathlake.storage.base import Storage


def open_storage(
    record: DatasourceRecord,
    connection: Connection | None,
    *,
    settings: EngineSettings,
    revision: str | None = None,
    fetch: bool = True,
) -> Storage:
    """Open the files of a datasource.

    Args:
        record: Which datasource.
        connection: The connection of its repo, if it has one.
        settings: Those of the engine.
        revision: Read a git source at this commit instead of at the record's revision.
        fetch: Whether a clone of a remote repository is brought up to date first.

    Raises:
        RepoNotConnectedError: The record is a path in its repo, and the repo is not connected.
        RevisionNotFoundError, SourceUnavailableError, StorageDeniedError: As they say.
    """
    if not record.connected:
        place = parse_place(record.root)
        assert isinstance(place, FolderPlace)
        from pathlake.storage.folder import open_folder

        return open_folder(place.path)
    if connection is None:
        raise RepoNotConnectedError(
            f"The repo of the datasource {record.name!r} is no longer connected to a git repository or folder."
        )
    return open_connection(
        connection, directory=record.root, revision=revision or record.revision, settings=settings, fetch=fetch
    )


def open_connection(
    connection: Connection, *, directory: str, revision: str | None, settings: EngineSettings, fetch: bool = True
) -> Storage:
    """Open a directory of what a repo is connected to; `revision` is for git only, where it is needed."""
    if connection.kind is SourceKind.FOLDER:
        from pathlake.storage.folder import open_folder

        return open_folder(_inside(connection.url, directory))
    if connection.kind is not SourceKind.GIT or revision is None:
        raise InvalidSourceError(f"{connection.url!r} cannot be read as a source of files.")
    from pathlake.storage.git import open_git

    return open_git(connection.url, revision=revision, directory=directory, cache_dir=settings.git_dir, fetch=fetch)


def _inside(root: str, directory: str) -> str:
    """Return the path of a directory of a connected folder; one that a link leads out of the folder is refused."""
    path = Path(root, directory)
    if not path.resolve().is_relative_to(Path(root).resolve()):
        raise InvalidSourceError(f"{directory!r} leads out of the connected folder {root}.", {"directory": directory})
    return str(path)
