"""Files of a directory in a git commit.

Blobs are read from the object database, never from a work tree, so that what is read is what the commit holds, and a
checkout beside it changes nothing. libgit2 unpacks whole objects only; a small cache of the latest ones makes ranged
reads of one file cheap. libgit2's check that a repository belongs to the user stays on: it is a setting of the whole
process, which is not ours to change.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pathlake.errors import ObjectMissingError, SourceUnavailableError, StorageError
from pathlake.storage.base import FileBatch, FileInfo, SkippedFile
from pathlake.storage.git_clone import is_clone_url, open_repository, public_url, updated_clone
from pathlake.storage.git_revision import default_branch, find_commit, find_directory
from pathlake.storage.ranged import checked_range
from pathlake.types.paths import MAX_PATH_BYTES, checked_path, path_problem

if TYPE_CHECKING:
    import pygit2

    from pathlake.storage.git_packs import PackSizes

_CACHED_BLOB_BYTES = 64 << 20
_CACHED_TREES = 64
_DOT = ord(".")
_Skipped = list[SkippedFile]
_Entry = tuple[bytes, bytes, bytes]
_Ids = list[bytes]
_Paths = list[str]

# A tree object is a row of "<mode> <name>\0<20 bytes of id>". Read raw, names that are no UTF-8 stay readable, and a
# listing takes less time than through pygit2's entries (`benchmarks/listing.py`).
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_FILE_MODES = frozenset({b"100644", b"100755", b"100664"})
_TREE_MODES = frozenset({b"40000", b"040000"})
_SKIPPED_MODES = {
    b"120000": "it is a symbolic link, which git sources do not follow",
    b"160000": "it is a submodule, whose files are in another repository",
}


def open_git(url_or_path: str, *, revision: str, directory: str, cache_dir: Path, fetch: bool = True) -> GitStorage:
    """Open a directory of a git repository at a revision.

    Args:
        url_or_path: A local repository (work tree or bare, read in place), or a clone URL: `https://`, `http://`,
            `ssh://`, `git://`, `file://` or `user@host:path`.
        revision: Branch, tag, or commit (7 digits or more). A branch of the repository itself comes before one
            of its `origin`, and both before a tag.
        directory: Relative to the top of the repository; empty for the top itself.
        cache_dir: Where clones are kept.
        fetch: Whether to bring the clone up to date first. A full commit that is there needs no network.

    Raises:
        InvalidSourceError: `url_or_path` is no repository, or `directory` no directory at that revision.
        RevisionNotFoundError: No such branch, tag or commit, or the repository is empty.
        SourceUnavailableError: There is nothing at the path, or the host does not answer.
        StorageDeniedError: The host wants other credentials, or the repository belongs to another user.

    Example:
        >>> storage = open_git("/work/repo", revision="main", directory="images", cache_dir=Path("/tmp/git"))
        >>> storage.revision
        '9fceb02d0ae598e95dc970b74767f19372d61af8'
    """
    location = _location(url_or_path, cache_dir, revision=revision, fetch=fetch)
    repository = open_repository(location)
    try:
        commit = find_commit(repository, revision, source=public_url(url_or_path))
        clean, tree = find_directory(commit, directory, source=f"{public_url(url_or_path)} at {revision!r}")
        return GitStorage(
            location=location,
            source=public_url(url_or_path),
            revision=str(commit.id),
            directory=clean,
            tree_id=str(tree.id),
            modified_us=commit.commit_time * 1_000_000,
        )
    finally:
        repository.free()


def git_default_branch(url_or_path: str, cache_dir: Path) -> str:
    """Return the branch that a clone of the repository would check out.

    For a local repository that is the branch checked out; where a commit is checked out instead, the default branch
    of its `origin`, else `main` or `master`, else the commit itself.

    Raises:
        RevisionNotFoundError: The repository is empty.
        InvalidSourceError, SourceUnavailableError, StorageDeniedError: As for `open_git`.
    """
    repository = open_repository(_location(url_or_path, cache_dir, revision="", fetch=True))
    try:
        return default_branch(repository, source=public_url(url_or_path))
    finally:
        repository.free()


def _location(url_or_path: str, cache_dir: Path, *, revision: str, fetch: bool) -> Path:
    if is_clone_url(url_or_path):
        return updated_clone(url_or_path, cache_dir, revision=revision, fetch=fetch)
    return Path(url_or_path).expanduser().absolute()


class _Handle:
    """One thread's view of the repository: pygit2's objects must not be used by two threads at once."""

    def __init__(self, location: Path, tree_id: str) -> None:
        import pygit2

        self.repository = open_repository(location)
        self.odb = self.repository.odb
        self.oid = pygit2.Oid
        # libgit2 does not cache large trees, and parsing one of 100,000 entries for each read takes milliseconds.
        self._trees: OrderedDict[str, pygit2.Tree | None] = OrderedDict()
        self._root = self.repository[tree_id].peel(pygit2.Tree)

    def blob_id(self, path: str) -> pygit2.Oid | None:
        """Return the id of the file at `path`, or None where there is none."""
        directory, _, name = path.rpartition("/")
        entry = self._entry(self._tree(directory), name)
        return entry.id if entry is not None and entry.type_str == "blob" and entry.filemode != 0o120000 else None

    def _tree(self, directory: str) -> pygit2.Tree | None:
        if not directory:
            return self._root
        if directory in self._trees:
            self._trees.move_to_end(directory)
            return self._trees[directory]
        import pygit2

        parent, _, name = directory.rpartition("/")
        entry = self._entry(self._tree(parent), name)
        tree = entry if isinstance(entry, pygit2.Tree) else None
        self._trees[directory] = tree
        if len(self._trees) > _CACHED_TREES:
            self._trees.popitem(last=False)
        return tree

    @staticmethod
    def _entry(tree: pygit2.Tree | None, name: str) -> pygit2.Object | None:
        try:
            return None if tree is None else tree / name
        except KeyError:
            return None


class GitStorage:
    """A directory of one git commit; `pathlake.storage.base.Storage` says what every method promises.

    An etag is the id of the blob; every file counts as modified when the commit was made. Files kept by Git LFS are
    the small pointer files that the repository holds. Made by `open_git`.
    """

    def __init__(
        self, *, location: Path, source: str, revision: str, directory: str, tree_id: str, modified_us: int
    ) -> None:
        self._location = location
        self._source = source
        self._revision = revision
        self._directory = directory
        self._tree_id = tree_id
        self._modified_us = modified_us
        self._skipped: list[SkippedFile] = []
        self._idle: list[_Handle] = []
        self._blobs: OrderedDict[str, memoryview] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def url(self) -> str:
        source = self._source if is_clone_url(self._source) else Path(self._source).expanduser().absolute().as_uri()
        return f"git+{source}@{self._revision}:{self._directory}"

    @property
    def revision(self) -> str | None:
        return self._revision

    @property
    def skipped(self) -> list[SkippedFile]:
        return self._skipped

    def check(self) -> None:
        self._check_open()
        repository = open_repository(self._location)
        try:
            if self._tree_id not in repository:
                raise SourceUnavailableError(f"The commit {self._revision} is no longer in {self._source}.")
        finally:
            repository.free()

    def list(self, *, batch_size: int = 10_000) -> Iterator[FileBatch]:
        """Yield the files of each directory in the order of git, then those of its subdirectories."""
        self._check_open()
        self._skipped = []
        return self._batches(self._skipped, batch_size)

    def _batches(self, skipped: _Skipped, batch_size: int) -> Iterator[FileBatch]:
        with self._handle() as handle:
            from pathlake.storage.git_packs import PackSizes

            read, oid_of = handle.odb.read, handle.oid
            packs = PackSizes(Path(handle.repository.path))
            paths: list[str] = []
            ids: list[bytes] = []
            todo = [(oid_of(raw=bytes.fromhex(self._tree_id)), "")]
            while todo:
                tree_id, prefix = todo.pop()
                room = MAX_PATH_BYTES - len(prefix.encode())
                subdirectories: list[tuple[pygit2.Oid, str]] = []
                try:
                    entries = _ENTRY.findall(read(tree_id)[1])
                except KeyError:
                    skipped.append(SkippedFile(prefix[:-1], "the repository lacks the directory's content"))
                    continue
                for mode, name, raw_id in _unique(entries, prefix, skipped):
                    if mode == b"100644" or mode in _FILE_MODES:
                        if name.isascii() and name[0] != _DOT and b"/" not in name and len(name) <= room:
                            path = prefix + name.decode("ascii")
                        elif not (path := _checked(prefix, name, skipped)):
                            continue
                        paths.append(path)
                        ids.append(raw_id)
                        if len(paths) >= batch_size:
                            yield self._batch(handle, paths, ids, packs=packs, skipped=skipped)
                            paths, ids = [], []
                    elif mode in _TREE_MODES:
                        if path := _checked(prefix, name, skipped):
                            subdirectories.append((oid_of(raw=raw_id), path + "/"))
                    else:
                        reason = _SKIPPED_MODES.get(mode, f"it has the unknown mode {mode.decode()}")
                        skipped.append(SkippedFile(prefix + _printable(name), reason))
                todo.extend(reversed(subdirectories))
            if paths:
                yield self._batch(handle, paths, ids, packs=packs, skipped=skipped)

    def _batch(self, handle: _Handle, paths: _Paths, ids: _Ids, *, packs: PackSizes, skipped: _Skipped) -> FileBatch:
        """Return a batch of listed files with their sizes; those whose content is not there are skipped."""
        found = packs.of(ids)
        sizes: list[int] = found.tolist()
        lacking: set[int] = set()
        for place in (found < 0).nonzero()[0].tolist():
            try:
                sizes[place] = handle.odb.read_header(handle.oid(raw=ids[place]))[1]
            except KeyError:
                skipped.append(SkippedFile(paths[place], "the repository lacks its content (a partial clone?)"))
                lacking.add(place)
        if lacking:
            kept = [place for place in range(len(paths)) if place not in lacking]
            paths, sizes, ids = [paths[i] for i in kept], [sizes[i] for i in kept], [ids[i] for i in kept]
        return FileBatch(paths, sizes, [self._modified_us] * len(paths), [one.hex() for one in ids])

    def stat(self, path: str) -> FileInfo:
        with self._handle() as handle:
            blob_id = self._blob_id(handle, path)
            try:
                size = handle.odb.read_header(blob_id)[1]
            except KeyError as error:
                raise self._lacking(path) from error
        return FileInfo(path, size, self._modified_us, str(blob_id))

    def read(self, path: str) -> bytes:
        return bytes(self._content(path))

    def read_range(self, path: str, *, start: int, length: int) -> bytes:
        checked_range(start, length)
        return bytes(self._content(path, keep=True)[start : start + length])

    def stream(
        self, path: str, *, start: int = 0, length: int | None = None, chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        checked_range(start, length)
        content = self._content(path)
        end = len(content) if length is None else min(len(content), start + length)
        for position in range(start, end, chunk_bytes):
            yield bytes(content[position : min(position + chunk_bytes, end)])

    def sign(self, path: str, *, expires_s: int = 3600) -> str | None:  # noqa: ARG002
        return None

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._blobs.clear()
            self._idle.clear()

    def _content(self, path: str, *, keep: bool = False) -> memoryview:
        """Return the bytes of a file as libgit2 holds them, not copied; only the buffer ever crosses threads."""
        import pygit2

        with self._handle() as handle:
            blob_id = self._blob_id(handle, path)
            key = str(blob_id)
            with self._lock:
                found = self._blobs.get(key)
                if found is not None:
                    self._blobs.move_to_end(key)
                    return found
            try:
                content = memoryview(handle.repository[blob_id].peel(pygit2.Blob))
            except KeyError as error:
                raise self._lacking(path) from error
            if keep:
                self._keep(key, content)
            return content

    def _keep(self, key: str, content: memoryview) -> None:
        with self._lock:
            if not self._closed:
                self._blobs[key] = content
                while len(self._blobs) > 1 and sum(map(len, self._blobs.values())) > _CACHED_BLOB_BYTES:
                    self._blobs.popitem(last=False)

    def _blob_id(self, handle: _Handle, path: str) -> pygit2.Oid:
        blob_id = handle.blob_id(checked_path(path))
        if blob_id is None:
            raise ObjectMissingError(
                f"There is no file {path!r} in {self.url}.", {"path": path, "revision": self._revision}
            )
        return blob_id

    def _lacking(self, path: str) -> StorageError:
        return StorageError(f"{self._source} lacks the content of {path!r}; it may be a partial or damaged clone.")

    @contextmanager
    def _handle(self) -> Iterator[_Handle]:
        """Lend a handle of the repository to one thread at a time; as many are open as there are threads at work."""
        import pygit2

        self._check_open()
        with self._lock:
            handle = self._idle.pop() if self._idle else None
        try:
            if handle is None:
                handle = _Handle(self._location, self._tree_id)
            yield handle
        except (pygit2.GitError, OSError) as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(f"{self._source} cannot be read at {self._revision}: {error}.") from error
        except KeyError as error:
            raise SourceUnavailableError(f"The commit {self._revision} is no longer in {self._source}.") from error
        finally:
            with self._lock:
                if handle is not None and not self._closed:
                    self._idle.append(handle)

    def _check_open(self) -> None:
        if self._closed:
            raise SourceUnavailableError(f"The storage {self.url} is closed.")


def _unique(entries: list[_Entry], prefix: str, skipped: _Skipped) -> list[_Entry]:
    """Return a tree's entries without those of a name that came before; git makes no such tree, but others can."""
    by_name = {entry[1]: entry for entry in reversed(entries)}
    if len(by_name) == len(entries):
        return entries
    firsts = []
    for entry in entries:
        if by_name[entry[1]] is entry:
            firsts.append(entry)
        else:
            skipped.append(SkippedFile(prefix + _printable(entry[1]), "its name comes twice in the directory"))
    return firsts


def _checked(prefix: str, name: bytes, skipped: list[SkippedFile]) -> str:
    """Return the path, or nothing where it can be no datapoint; a tree made by hand can hold any name."""
    try:
        path = prefix + name.decode("utf-8")
    except UnicodeDecodeError:
        problem: str | None = "its name is not valid UTF-8"
        path = prefix + _printable(name)
    else:
        problem = "its name holds a slash" if b"/" in name else path_problem(path)
    if problem:
        skipped.append(SkippedFile(path, f"{problem}, so it can be no datapoint"))
        return ""
    return path


def _printable(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
