"""Opening local repositories, and keeping bare clones of remote ones."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

from pathlake.errors import InvalidSourceError, PathlakeError, SourceUnavailableError, StorageDeniedError

if TYPE_CHECKING:
    import pygit2

CONNECT_TIMEOUT_MS = 20_000
SERVER_TIMEOUT_MS = 60_000

_SCHEMES = frozenset({"https", "http", "ssh", "git", "file", "git+ssh", "ssh+git"})
_SCP = re.compile(r"^[\w.+-]+@[\w.-]+:(?!//)\S+$")
_FULL_COMMIT = re.compile(r"^[0-9a-fA-F]{40}$")
_SIGNS_OF_DENIAL = re.compile(
    r"authenticat|credential|\b40[13]\b|permission denied|access denied|not author|unauthor|forbidden|public.?key",
    re.IGNORECASE,
)


def is_clone_url(url_or_path: str) -> bool:
    """Whether this names a repository to clone, not a local path.

    Example:
        >>> is_clone_url("git@example.org:team/data.git"), is_clone_url("/work/data")
        (True, False)
    """
    scheme, separator, _ = url_or_path.partition("://")
    return scheme.lower() in _SCHEMES if separator else _SCP.match(url_or_path) is not None


def public_url(url: str) -> str:
    """Return `url` without user and password, fit for messages and logs.

    Example:
        >>> public_url("https://me:secret@example.org/data.git")
        'https://example.org/data.git'
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url  # of scp-like addresses the user is the account to reach, and a password cannot be given
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def open_repository(location: Path) -> pygit2.Repository:
    """Open the repository at `location`, which is its work tree, its `.git` or a bare repository.

    Raises:
        SourceUnavailableError: There is nothing.
        InvalidSourceError: What is there is no repository; where one is further up, the message says so.
        StorageDeniedError: It may not be read, or belongs to another user.
    """
    import pygit2

    try:
        # Without the flag libgit2 looks further up too, and a plain folder would be read as the repository around it.
        return pygit2.Repository(str(location), pygit2.enums.RepositoryOpenFlag.NO_SEARCH)
    except (pygit2.GitError, OSError) as error:
        raise _open_error(location, error) from error


def updated_clone(url: str, cache_dir: Path, *, revision: str, fetch: bool) -> Path:
    """Return where the bare clone of `url` lies, made or brought up to date as needed.

    One process at a time works on a clone, and a clone is renamed into place when it is whole. Branches keep their
    own names in it; what the remote deleted is deleted, its commits stay readable.

    Args:
        url: Clone URL, which may carry credentials; they are used, but not kept.
        cache_dir: Where clones are kept.
        revision: What is wanted; a full commit that the clone has needs no fetch.
        fetch: Whether to bring a clone that is there up to date.

    Raises:
        SourceUnavailableError: The host does not answer, or has no such repository.
        StorageDeniedError: The host refuses the credentials, or wants some.
    """
    import filelock

    # With its credentials: who may not read the repository shall not find the clone of someone who may.
    clone = cache_dir / hashlib.sha256(url.encode()).hexdigest()[:32]
    if clone.is_dir() and (not fetch or _has_commit(clone, revision)):
        return clone
    try:
        cache_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with filelock.FileLock(f"{clone}.lock"):
            if not clone.is_dir():
                _clone(url, clone)
            elif fetch:
                _fetch(url, clone)
    except OSError as error:
        if isinstance(error, PathlakeError):
            raise
        raise SourceUnavailableError(
            f"The clone of {public_url(url)} cannot be kept in {cache_dir}: {error}."
        ) from error
    return clone


def _clone(url: str, clone: Path) -> None:
    import pygit2

    for leftover in clone.parent.glob(f"{clone.name}.new-*"):  # of a process that was killed: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{clone.name}.new-", dir=clone.parent))
    try:
        pygit2.init_repository(str(temporary), bare=True).free()
        _fetch(url, temporary)
        temporary.rename(clone)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _fetch(url: str, clone: Path) -> None:
    import pygit2

    _limit_waiting()
    repository = open_repository(clone)
    try:
        # An anonymous remote, for a named one would write the credentials of the URL into the clone's settings.
        remote = repository.remotes.create_anonymous(url)
        heads = remote.list_heads(callbacks=_callbacks(), proxy=True)
        remote.fetch(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], callbacks=_callbacks(), proxy=True)
        there = {head.name: head for head in heads if head.name}
        for name in list(repository.references):
            if name.startswith(("refs/heads/", "refs/tags/")) and name not in there:
                repository.references.delete(name)
        head = there.get("HEAD")
        if head is not None:
            branches = [name for name in there if name.startswith("refs/heads/") and there[name].oid == head.oid]
            preferred = [head.symref_target, "refs/heads/main", "refs/heads/master", *branches]
            chosen = next((name for name in preferred if name in branches), None)
            if chosen is not None:
                repository.set_head(chosen)
    except (pygit2.GitError, ValueError, KeyError, OSError) as error:
        if isinstance(error, PathlakeError):
            raise
        raise _network_error(url, error) from error
    finally:
        repository.free()


def _callbacks() -> pygit2.RemoteCallbacks:
    import pygit2
    from pygit2.enums import CredentialType

    class Callbacks(pygit2.RemoteCallbacks):
        """Offers the keys of an SSH user, each once; user and password of a URL libgit2 takes from there by itself."""

        def __init__(self) -> None:
            super().__init__()
            folder = Path("~/.ssh").expanduser()
            self._keys = [folder / name for name in ("id_ed25519", "id_ecdsa", "id_rsa") if (folder / name).is_file()]
            self._agent = "SSH_AUTH_SOCK" in os.environ

        def credentials(
            self, url: str, username_from_url: str | None, allowed_types: CredentialType
        ) -> pygit2.Username | pygit2.UserPass | pygit2.Keypair:
            name = username_from_url or "git"
            if allowed_types & CredentialType.USERNAME:
                return pygit2.Username(name)
            if allowed_types & CredentialType.SSH_KEY:
                if self._agent:
                    self._agent = False
                    return pygit2.KeypairFromAgent(name)
                if self._keys:
                    key = self._keys.pop(0)
                    return pygit2.Keypair(name, f"{key}.pub", str(key), "")
            raise pygit2.GitError(f"authentication required for {public_url(url)}")

    return Callbacks()


def _limit_waiting() -> None:
    """Bound the waiting for a host that never answers, unless the program has set limits of its own."""
    import pygit2

    if not pygit2.settings.server_connect_timeout:
        pygit2.settings.server_connect_timeout = CONNECT_TIMEOUT_MS
    if not pygit2.settings.server_timeout:
        pygit2.settings.server_timeout = SERVER_TIMEOUT_MS


def _has_commit(clone: Path, revision: str) -> bool:
    if not _FULL_COMMIT.match(revision):
        return False
    repository = open_repository(clone)
    try:
        return revision.lower() in repository
    finally:
        repository.free()


def _open_error(location: Path, error: Exception) -> PathlakeError:
    import pygit2

    text = str(error)
    if "not owned" in text or "dubious" in text:
        return StorageDeniedError(
            f"The git repository {str(location)!r} belongs to another user. If you trust it, allow it with: "
            f"git config --global --add safe.directory {location}"
        )
    try:
        names = {entry.name for entry in location.iterdir()} if location.is_dir() else None
        there = names is not None or location.exists()
    except PermissionError:
        return StorageDeniedError(f"The git repository {str(location)!r} may not be read by this user.")
    if not there:
        return SourceUnavailableError(f"There is no git repository at {str(location)!r}: the path does not exist.")
    if names is not None and (".git" in names or {"HEAD", "objects", "refs"} <= names):
        return SourceUnavailableError(f"The git repository {str(location)!r} cannot be opened: {text}.")
    top = pygit2.discover_repository(str(location)) if names is not None else None
    if top:
        root = Path(top).parent if Path(top).name == ".git" else Path(top)
        return InvalidSourceError(
            f"{str(location)!r} is a directory inside the git repository {str(root)!r}, not a repository. "
            "Connect that one, and give the directory as the path of the datasource."
        )
    return InvalidSourceError(f"{str(location)!r} is no git repository.")


def _network_error(url: str, error: Exception) -> PathlakeError:
    shown = public_url(url)
    text = str(error).replace(url, shown)
    credentials, separator, _ = url.partition("://")[2].partition("/")[0].rpartition("@")
    for secret in (credentials, *credentials.split(":", 1)) if separator else ():
        for form in (secret, urllib.parse.unquote(secret)):
            if len(form) > 2:
                text = text.replace(form, "***")
    if _SIGNS_OF_DENIAL.search(text):
        return StorageDeniedError(
            f"{shown} refuses access: {text}. Check the user and the password or token in the URL, or the SSH key."
        )
    return SourceUnavailableError(f"{shown} cannot be fetched: {text}.")
