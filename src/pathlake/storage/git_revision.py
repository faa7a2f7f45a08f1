"""What a revision and a directory mean in a git repository."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pathlake.errors import InvalidSourceError, RevisionNotFoundError, suggestion

if TYPE_CHECKING:
    import pygit2

_COMMIT = re.compile(r"^[0-9a-fA-F]{7,40}$")
_ORIGIN = "refs/remotes/origin/"
_PREFIXES = ("refs/heads/", _ORIGIN, "refs/tags/", "refs/remotes/")


def find_commit(repository: pygit2.Repository, revision: str, *, source: str) -> pygit2.Commit:
    """Return the commit that a branch, tag or commit id names.

    Raises:
        RevisionNotFoundError: None does; the message suggests the nearest branch or tag.
    """
    import pygit2

    found = _lookup(repository, revision, source=source)
    if found is None:
        if repository.is_empty or not list(repository.references):
            raise RevisionNotFoundError(
                f"The git repository {source} is empty: it has no commit yet, so no {revision!r}.",
                {"revision": revision},
            )
        names = revision_names(repository)
        raise RevisionNotFoundError(
            f"There is no branch, tag or commit {revision!r} in {source}.{suggestion(revision, names)}",
            {"revision": revision, "known": names[:100]},
        )
    try:
        return found.peel(pygit2.Commit)
    except (pygit2.GitError, ValueError, KeyError) as error:
        raise RevisionNotFoundError(f"{revision!r} in {source} names no commit.", {"revision": revision}) from error


def revision_names(repository: pygit2.Repository) -> list[str]:
    """Return the branches and tags as people write them, sorted."""
    names: set[str] = set()
    for name in repository.references:
        for prefix in ("refs/heads/", _ORIGIN, "refs/tags/"):
            if name.startswith(prefix) and name != _ORIGIN + "HEAD":
                names.add(name[len(prefix) :])
    return sorted(names)


def default_branch(repository: pygit2.Repository, *, source: str) -> str:
    """Return the name of the branch that HEAD means; of a detached HEAD that of the origin, or the commit.

    Raises:
        RevisionNotFoundError: There is no commit.
    """
    import pygit2

    if not repository.head_is_unborn:
        if not repository.head_is_detached:
            return str(repository.head.shorthand)
        for name in (_ORIGIN + "HEAD", "refs/heads/main", "refs/heads/master"):
            if name in repository.references:
                resolved: str = repository.references[name].resolve().name
                return resolved.removeprefix(_ORIGIN).removeprefix("refs/heads/")
        return str(repository.head.peel(pygit2.Commit).id)
    names = revision_names(repository)
    likely = ["main", "master"] if len(names) > 1 else names
    for name in likely:
        if name in names:
            return name
    raise RevisionNotFoundError(
        f"The git repository {source} has no default branch"
        + (": it has no commit yet." if not names else f"; name one of its revisions: {', '.join(names[:10])}."),
        {"known": names[:100]},
    )


def find_directory(commit: pygit2.Commit, directory: str, *, source: str) -> tuple[str, pygit2.Tree]:
    """Return the directory's clean path and its tree.

    Args:
        commit: Where to look.
        directory: Relative to the top; empty, `.` and `/` mean the top itself.
        source: Names repository and revision in messages.

    Raises:
        InvalidSourceError: It does not exist there or is no directory; the message suggests the nearest name.
    """
    import pygit2

    segments = [segment for segment in directory.split("/") if segment not in ("", ".")]
    if ".." in segments:
        raise InvalidSourceError(
            f"The directory {directory!r} has a '..' segment; give it from the top of the repository."
        )
    tree = commit.tree
    done: list[str] = []
    for segment in segments:
        try:
            entry = tree / segment
        except (KeyError, ValueError, UnicodeError) as error:
            near = [_joined(done, item.name) for item in tree if item.name and isinstance(item, pygit2.Tree)]
            wanted = _joined(done, segment)
            raise InvalidSourceError(
                f"There is no directory {'/'.join(segments)!r} in {source}.{suggestion(wanted, near)}",
                {"directory": directory},
            ) from error
        done.append(segment)
        if not isinstance(entry, pygit2.Tree):
            raise InvalidSourceError(
                f"{'/'.join(done)!r} in {source} is {_kind(entry)}, not a directory.", {"directory": directory}
            )
        tree = entry
    return "/".join(segments), tree


def _lookup(repository: pygit2.Repository, revision: str, *, source: str) -> pygit2.Object | pygit2.Reference | None:
    if revision == "HEAD":
        return None if repository.head_is_unborn else repository.head
    names = [revision] if revision.startswith("refs/") else [prefix + revision for prefix in _PREFIXES]
    for name in names:
        try:
            return repository.lookup_reference(name)
        except (KeyError, ValueError, UnicodeError):  # ValueError: nothing could ever be called that
            continue
    if not _COMMIT.match(revision):
        return None
    try:
        return repository.get(revision.lower())
    except ValueError as error:
        raise RevisionNotFoundError(
            f"{revision!r} is the beginning of several commits of {source}; give more digits.", {"revision": revision}
        ) from error


def _joined(done: list[str], name: str) -> str:
    return "/".join((*done, name))


def _kind(entry: pygit2.Object) -> str:
    if entry.filemode == 0o160000:
        return "a submodule"
    return "a symbolic link" if entry.filemode == 0o120000 else "a file"
