"""Git repositories made in the test, without a work tree or the `git` command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

AUTHOR = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000, 60)

Entry = bytes | tuple[int, bytes]
"""A file's content, or a mode and what it points at: a link's target, or the raw id of a submodule's commit."""


def bare_repository(path: Path) -> pygit2.Repository:
    """Make an empty bare repository whose branch, once there is a commit, is `main`."""
    return pygit2.init_repository(str(path), bare=True, initial_head="main")


def commit_files(
    repository: pygit2.Repository, files: Mapping[str, Entry], *, reference: str | None = "refs/heads/main"
) -> str:
    """Commit exactly these files and return the commit's id.

    Args:
        repository: Where.
        files: Content by path.
        reference: Branch to put it on, on top of what is there; None puts it on none.
    """
    tree: dict[str, object] = {}
    for path, entry in files.items():
        *parents, name = path.split("/")
        folder = tree
        for parent in parents:
            folder = folder.setdefault(parent, {})  # type: ignore[assignment]
        folder[name] = entry
    known = repository.references.get(reference) if reference else None
    parents_ids = [known.target] if known is not None else []
    commit = repository.create_commit(reference, AUTHOR, AUTHOR, "files", _write_tree(repository, tree), parents_ids)
    return str(commit)


def _write_tree(repository: pygit2.Repository, tree: Mapping[str, object]) -> pygit2.Oid:
    builder = repository.TreeBuilder()
    for name, entry in tree.items():
        if isinstance(entry, bytes):
            builder.insert(name, repository.create_blob(entry), FileMode.BLOB)
        elif isinstance(entry, tuple):
            mode, content = entry
            oid = pygit2.Oid(raw=content) if mode == FileMode.COMMIT else repository.create_blob(content)
            builder.insert(name, oid, mode)
        else:
            assert isinstance(entry, dict)
            builder.insert(name, _write_tree(repository, entry), FileMode.TREE)
    return builder.write()
