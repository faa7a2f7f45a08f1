"""What people write as the path of a datasource, as the URL the engine takes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from pathlake.errors import InvalidSourceError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_BUCKETS = frozenset({"s3", "gs", "azure", "az"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a datasource's files are: a URL and the GraphQL name of its kind."""

    url: str
    kind: str


def place_of(repo: str, path: str | os.PathLike[str], *, revision: str | None) -> Place:
    """Return where `path` points to.

    * `s3://...`, `gs://...`, `azure://...`, `repo://...`, `file://...`: as written
    * a `Path`, or text that begins with `/`, `~`, `./` or `../`: a folder of this machine
    * anything else: a directory in what the repo is connected to, at `revision`; "" is its root

    Raises:
        InvalidSourceError: It is no such thing, or a revision is given where there are none.
    """
    is_folder = isinstance(path, PurePath)
    text = os.fspath(path)
    if not isinstance(text, str):
        raise InvalidSourceError(f"The path of a datasource is text or a Path, not {path!r}.")
    if not is_folder and _SCHEME.match(text):
        place = Place(text, _kind_of(text))
    elif is_folder or text in (".", "..", "~") or text.startswith(("/", "~/", "./", "../")) or _DRIVE.match(text):
        place = Place(_folder_url(text), "CUSTOM")
    else:
        directory = text.strip("/")
        middle = f"{revision}:{directory}" if revision else directory
        return Place(f"repo://{repo}/{middle}", "REPOSITORY")
    if revision is not None and not (place.kind == "REPOSITORY"):
        raise InvalidSourceError(
            f"A revision ({revision!r}) belongs to a directory of a git repository, and {text!r} is none. "
            "Leave it out, or give a path relative to the repository."
        )
    return place


def _kind_of(url: str) -> str:
    scheme = urlsplit(url).scheme.lower()
    if scheme in _BUCKETS:
        return "BUCKET"
    return "REPOSITORY" if scheme == "repo" else "CUSTOM"


def _folder_url(text: str) -> str:
    folder = Path(text).expanduser().absolute()
    folder = Path(os.path.normpath(folder))
    if folder == Path(folder.anchor):
        raise InvalidSourceError(
            f"{text!r} is the root of the file system. Name the folder the files are in; "
            'the root of the repo\'s own files is written "".'
        )
    return folder.as_uri()
