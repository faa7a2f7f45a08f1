"""The URLs that name what a datasource stands on: `repo://owner/repo/REVISION:dir` and `file:///folder`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from pathlake.catalog.base import DatasourceRecord, Repo
from pathlake.errors import InvalidPathError, InvalidSourceError
from pathlake.types import checked_path

_BUCKETS = ("s3", "gs", "azure", "az")
FOLDER_REVISION = "main"
"""What repos connected to a plain folder report as their default branch: clients ask for files at some revision."""


@dataclass(frozen=True, slots=True)
class RepoPlace:
    """A directory of what a repo is connected to, at a revision or at the default one."""

    owner: str
    name: str
    revision: str | None
    directory: str


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder of the engine's machine, by its absolute path."""

    path: str


def parse_place(url: str) -> RepoPlace | FolderPlace:
    """Read a source's URL.

    Raises:
        InvalidSourceError: It names no place that Pathlake can read; the message says what can be written.

    Example:
        >>> parse_place("repo://simon/baby/main:path/to/dir")
        RepoPlace(owner='simon', name='baby', revision='main', directory='path/to/dir')
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise InvalidSourceError(
            f"{url!r} is no source URL. Write repo://OWNER/REPO/REVISION:DIRECTORY or file:///ABSOLUTE/FOLDER."
        )
    if scheme == "file":
        return FolderPlace(_folder(url))
    if scheme in _BUCKETS:
        raise InvalidSourceError(
            f"{url!r} is a bucket, and this version of Pathlake reads folders and git repositories only. Use a folder, "
            "or a path in a repo that `pathlake repo connect` connected."
        )
    if scheme != "repo":
        raise InvalidSourceError(
            f"{url!r} has the scheme {scheme!r}, which Pathlake does not read. It reads repo:// and file:// sources."
        )
    owner, _, rest = rest.partition("/")
    name, _, rest = rest.partition("/")
    if not owner or not name:
        raise InvalidSourceError(f"{url!r} names no repo. Write repo://OWNER/REPO/REVISION:DIRECTORY.")
    revision, colon, directory = rest.partition(":")
    if not colon:
        return RepoPlace(owner, name, None, _directory(rest, url))
    if not revision:
        raise InvalidSourceError(f"{url!r} has an empty revision before the colon.")
    return RepoPlace(owner, name, revision, _directory(directory, url))


def folder_url(path: str) -> str:
    """Return the `file://` URL of an absolute path."""
    return "file://" + quote(path, safe="/")


def root_url(record: DatasourceRecord, repo: Repo) -> str:
    """Return the URL of a datasource's root, as every client reads it."""
    if not record.connected:
        return record.root
    revision = f"{record.revision}:" if record.revision is not None else ""
    return f"repo://{repo.full_name}/{revision}{record.root}"


def _folder(url: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost"):
        raise InvalidSourceError(f"{url!r} names another machine. A folder URL has three slashes, like file:///data.")
    if not path.startswith("/") or "\0" in path:
        raise InvalidSourceError(f"{url!r} is no absolute folder. Write file:///ABSOLUTE/FOLDER.")
    clean = "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
    if ".." in clean.split("/"):
        raise InvalidSourceError(f"{url!r} has a '..' in it; give the folder's own path.")
    if clean == "/":
        raise InvalidSourceError(
            'The root of the file system cannot be a datasource. Name a folder; for the root of the repo write "".'
        )
    return clean


def _directory(text: str, url: str) -> str:
    directory = text.strip("/")
    if not directory or directory == ".":
        return ""
    try:
        return checked_path(directory.removeprefix("./"))
    except InvalidPathError as error:
        raise InvalidSourceError(f"{url!r} names no directory of a repo: {error.message}") from error
