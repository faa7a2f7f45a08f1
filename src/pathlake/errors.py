"""Every error Pathlake raises, in one small tree.

    PathlakeError
    ├── UsageError (ValueError)             what was asked cannot be done as asked
    │   ├── InvalidPathError                a datapoint path that can never be one
    │   ├── InvalidNameError                a repo, datasource, dataset or field name that is not allowed
    │   ├── InvalidValueError               a value no field can hold
    │   ├── AutomaticFieldError             an attempt to write what only a scan writes
    │   ├── QueryError                      a condition that makes no sense
    │   │   ├── WrongOperatorError (TypeError)
    │   │   └── WrongOrderError (TypeError)
    │   ├── AlreadyExistsError
    │   │   ├── RepoAlreadyExistsError
    │   │   ├── DatasourceAlreadyExistsError
    │   │   └── DatasetAlreadyExistsError
    │   ├── InvalidSourceError              a source that names no place Pathlake can read
    │   └── ConfigurationError              a setting that cannot be used
    ├── FieldTypeError (TypeError)          a value of another type than its field
    ├── MediaHeaderError (ValueError)       a media file whose header cannot be read
    ├── NotFoundError (LookupError)
    │   ├── RepoNotFoundError
    │   ├── RepoNotConnectedError
    │   ├── DatasourceNotFoundError
    │   ├── DatasetNotFoundError
    │   ├── FieldNotFoundError
    │   ├── DatapointNotFoundError
    │   ├── BlobNotFoundError
    │   ├── RevisionNotFoundError
    │   └── CommitNotFoundError
    ├── StorageError (OSError)              the place the files live in failed
    │   ├── ObjectMissingError (FileNotFoundError)
    │   ├── StorageDeniedError (PermissionError)
    │   └── SourceUnavailableError          the whole source is gone or unreachable
    ├── HomeError (OSError)                 the home folder cannot be used
    │   └── DiskFullError
    ├── TransportError (ConnectionError)    client and engine could not talk
    │   ├── EngineUnreachableError
    │   ├── TruncatedStreamError
    │   └── IncompatibleVersionError
    ├── AuthenticationError (PermissionError)
    ├── ResourceLimitError (MemoryError)    a query needs more than the engine may use
    ├── ScanFailedError (RuntimeError)
    ├── ScanTimeoutError (TimeoutError)
    ├── MissingExtraError (ImportError)     an optional dependency is not installed
    └── InternalError (RuntimeError)        a bug in Pathlake

An error carries a stable `code` that travels over HTTP, so that the client raises the very class the engine raised.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar


class PathlakeError(Exception):
    """The root of all errors Pathlake raises on purpose.

    Args:
        message: One or two sentences: what was wrong, where, and what to do about it.
        details: JSON-able facts about the error, for programs.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = details or {}

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[type[PathlakeError], tuple[str, dict[str, Any]]]:
        return type(self), (self.message, self.details)


class UsageError(PathlakeError, ValueError):
    """What was asked cannot be done as asked; the message says how it can."""

    code = "usage"


class InvalidPathError(UsageError):
    """A datapoint path that can never be one: empty, absolute, with `..`, with NUL, or too long."""

    code = "invalid_path"


class InvalidNameError(UsageError):
    """A name of a repo, datasource, dataset or field that is not allowed."""

    code = "invalid_name"


class InvalidValueError(UsageError):
    """A value that no field can hold: a dict, a nested list, an integer beyond 64 bits."""

    code = "invalid_value"


class AutomaticFieldError(UsageError):
    """A field that only a scan writes was given by a person."""

    code = "automatic_field"


class QueryError(UsageError):
    """A condition, order or selection that makes no sense for the datasource."""

    code = "invalid_query"


class WrongOperatorError(QueryError, TypeError):
    """A Python operator that cannot be a query (`in`, `not`, `and`, `or`, chained comparisons)."""

    code = "wrong_operator"


class WrongOrderError(QueryError, TypeError):
    """Something that is no condition was combined with one, for lack of parentheses as a rule."""

    code = "wrong_order"


class AlreadyExistsError(UsageError):
    """The name is taken."""

    code = "already_exists"


class RepoAlreadyExistsError(AlreadyExistsError):
    """A repo of that name exists."""

    code = "repo_exists"


class DatasourceAlreadyExistsError(AlreadyExistsError):
    """A datasource of that name exists in the repo."""

    code = "datasource_exists"


class DatasetAlreadyExistsError(AlreadyExistsError):
    """A dataset of that name exists in the repo."""

    code = "dataset_exists"


class InvalidSourceError(UsageError):
    """A source that names no place Pathlake can read: not a directory, an unknown scheme."""

    code = "invalid_source"


class ConfigurationError(UsageError):
    """A setting or environment variable that cannot be used."""

    code = "configuration"


class FieldTypeError(PathlakeError, TypeError):
    """A value of another type than its field has; names path, field and both types."""

    code = "field_type"


class MediaHeaderError(PathlakeError, ValueError):
    """A media file whose header cannot be read: corrupt, cut off, or not of the type its name says."""

    code = "media_header"


class NotFoundError(PathlakeError, LookupError):
    """Something named does not exist."""

    code = "not_found"


class RepoNotFoundError(NotFoundError):
    """No repo of that name."""

    code = "repo_not_found"


class RepoNotConnectedError(NotFoundError):
    """The repo has no git repository or folder behind it, so a path in it means nothing."""

    code = "repo_not_connected"


class DatasourceNotFoundError(NotFoundError):
    """No datasource of that name or id in the repo."""

    code = "datasource_not_found"


class DatasetNotFoundError(NotFoundError):
    """No dataset of that name or id in the repo."""

    code = "dataset_not_found"


class FieldNotFoundError(NotFoundError):
    """No field of that name in the datasource."""

    code = "field_not_found"


class DatapointNotFoundError(NotFoundError):
    """No datapoint at that path or with that id."""

    code = "datapoint_not_found"


class BlobNotFoundError(NotFoundError):
    """No blob of that hash."""

    code = "blob_not_found"


class RevisionNotFoundError(NotFoundError):
    """No branch, tag or commit of that name."""

    code = "revision_not_found"


class CommitNotFoundError(NotFoundError):
    """No commit of the metadata at that time or with that id."""

    code = "commit_not_found"


class StorageError(PathlakeError, OSError):
    """The place the files live in failed."""

    code = "storage"


class ObjectMissingError(StorageError, FileNotFoundError):
    """No file of that path in the storage."""

    code = "object_missing"


class StorageDeniedError(StorageError, PermissionError):
    """The storage refused access."""

    code = "storage_denied"


class SourceUnavailableError(StorageError):
    """The whole source is gone or cannot be reached."""

    code = "source_unavailable"


class HomeError(PathlakeError, OSError):
    """The home folder of the engine cannot be used."""

    code = "home"


class DiskFullError(HomeError):
    """No space is left where the engine writes; nothing of the change was kept."""

    code = "disk_full"


class TransportError(PathlakeError, ConnectionError):
    """Client and engine could not talk to each other."""

    code = "transport"


class EngineUnreachableError(TransportError):
    """No engine answers at the address."""

    code = "engine_unreachable"


class TruncatedStreamError(TransportError):
    """A stream of rows ended before its end marker."""

    code = "truncated_stream"


class IncompatibleVersionError(TransportError):
    """Client, engine and home folder are of versions that do not understand each other."""

    code = "incompatible_version"


class AuthenticationError(PathlakeError, PermissionError):
    """The token is missing or wrong."""

    code = "authentication"


class ResourceLimitError(PathlakeError, MemoryError):
    """A query needs more memory or disk than the engine may use."""

    code = "resource_limit"


class ScanFailedError(PathlakeError, RuntimeError):
    """The scan of a datasource failed; what it had found is kept."""

    code = "scan_failed"


class ScanTimeoutError(PathlakeError, TimeoutError):
    """A scan did not end within the time a caller would wait."""

    code = "scan_timeout"


class MissingExtraError(PathlakeError, ImportError):
    """An optional dependency is not installed; the message names the command that installs it."""

    code = "missing_extra"


class InternalError(PathlakeError, RuntimeError):
    """A bug in Pathlake."""

    code = "internal"


def error_classes() -> dict[str, type[PathlakeError]]:
    """Return every error class by its code, the root included."""
    found: dict[str, type[PathlakeError]] = {}
    todo: list[type[PathlakeError]] = [PathlakeError]
    while todo:
        cls = todo.pop()
        found[cls.code] = cls
        todo.extend(cls.__subclasses__())
    return found


def error_from_code(code: str, message: str, details: dict[str, Any] | None = None) -> PathlakeError:
    """Build the error that `code` names; an unknown code gives the root class."""
    return error_classes().get(code, PathlakeError)(message, details)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest of `known`, or an empty string.

    Example:
        >>> suggestion("episod", ["episode", "size"])
        " Did you mean 'episode'?"
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not near:
        folded = {n.casefold(): n for n in names}
        match = folded.get(name.casefold())
        near = [match] if match else []
    return f" Did you mean {near[0]!r}?" if near else ""
