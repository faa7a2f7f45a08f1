"""A directory of a repo as the official client lists it."""

from __future__ import annotations

from typing import Any

from pathlake.catalog.base import Repo
from pathlake.storage.base import FileInfo, Storage
from pathlake.wire.contract import quoted, raw_path, repo_path

_VERSIONING = "git"


def entry(info: FileInfo, *, repo: Repo, revision: str, base_url: str) -> dict[str, Any]:
    """Return one file as the official client's `ContentAPIEntry`."""
    return {
        "path": info.path,
        "type": "file",
        "size": max(0, info.size),
        "hash": info.etag,
        "versioning": _VERSIONING,
        "download_url": base_url + raw_path(repo.owner, repo.name, revision=revision, path=info.path),
    }


def listing(storage: Storage, directory: str, *, repo: Repo, revision: str, base_url: str) -> list[dict[str, Any]]:
    """Return the files and directories right below `directory`, directories first, by name; may be empty."""
    prefix = f"{directory}/" if directory else ""
    folders: set[str] = set()
    found: list[dict[str, Any]] = []
    for batch in storage.list():
        for path, size, modified_us, etag in zip(batch.paths, batch.sizes, batch.modified_us, batch.etags, strict=True):
            if not path.startswith(prefix):
                continue
            name, slash, _ = path[len(prefix) :].partition("/")
            if slash:
                folders.add(prefix + name)
            else:
                info = FileInfo(path, size, modified_us, etag)
                found.append(entry(info, repo=repo, revision=revision, base_url=base_url))
    base = f"{base_url}{repo_path(repo.owner, repo.name)}/content/{quoted(revision)}"
    below = [
        {
            "path": folder,
            "type": "dir",
            "size": 0,
            "hash": "",
            "versioning": _VERSIONING,
            "download_url": f"{base}/{quoted(folder)}",
        }
        for folder in sorted(folders)
    ]
    return below + sorted(found, key=lambda one: str(one["path"]))
