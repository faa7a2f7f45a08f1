"""The catalog seam: repos, connections, datasources, scans, saved datasets and tokens."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class SourceKind(enum.StrEnum):
    """What stands behind a datasource."""

    GIT = "git"
    """A directory of the git repository connected to the repo, at a revision."""
    FOLDER = "folder"
    """A folder of this machine."""
    BUCKET = "bucket"
    """A prefix of a bucket."""


class ScanState(enum.StrEnum):
    """Where a scan stands. QUEUED and RUNNING are active; an engine that starts takes active ones up again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Repo:
    """A named home of datasources, `owner/name`."""

    id: int
    owner: str
    name: str
    description: str
    created_at: dt.datetime

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Connection:
    """The git repository (path or clone URL) or folder that paths of a repo refer to; a repo has at most one."""

    id: int
    repo_id: int
    kind: SourceKind
    url: str
    default_revision: str | None


@dataclass(frozen=True, slots=True)
class DatasourceRecord:
    """A datasource as the catalog keeps it.

    Attributes:
        root: Directory within the repo's connection ("" for its root), or a `file:///...` URL.
        revision: Branch, tag or commit as the user gave it; None for folders.
    """

    id: int
    repo_id: int
    name: str
    kind: SourceKind
    root: str
    revision: str | None
    connected: bool
    """Whether `root` is relative to the repo's connection."""
    created_by: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """One scan of a datasource. Times are aware, UTC."""

    id: int
    datasource_id: int
    state: ScanState
    revision: str | None
    """The git commit the files were read at."""
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    seen: int
    new: int
    changed: int
    returned: int
    unchanged: int
    vanished: int
    probed: int
    probe_failures: int
    skipped: int
    stage: str
    """`listing`, `reading headers` or empty."""
    force_probe: bool
    error: str | None
    notes: tuple[str, ...]
    """The first skipped files and failed headers, each in one line."""

    @property
    def active(self) -> bool:
        """Whether the scan is waiting or running."""
        return self.state in (ScanState.QUEUED, ScanState.RUNNING)


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A saved query. `query` is the JSON text of a `QueryInput`, kept to the letter."""

    id: int
    repo_id: int
    datasource_id: int
    name: str
    query: str
    created_by: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token's keeper; the token itself is never stored, only its SHA-256."""

    id: int
    login: str
    label: str
    created_at: dt.datetime


class Catalog(Protocol):
    """What exists, by name. Safe to use from many threads and, on PostgreSQL, many processes.

    Names are unique within their repo, compared exactly. Looking up what does not exist raises the matching
    `NotFoundError`, whose message suggests the nearest name; creating what exists the matching `AlreadyExistsError`.
    """

    def create_repo(self, owner: str, name: str, *, description: str = "") -> Repo:
        """Make a repo; owner and name are letters, digits, `-`, `_`, `.`, at most 100 of them, no leading dot."""
        ...

    def repo(self, owner: str, name: str) -> Repo: ...

    def repo_by_id(self, repo_id: int) -> Repo: ...

    def repos(self) -> list[Repo]: ...

    def delete_repo(self, repo_id: int) -> None:
        """Delete a repo that has no datasources; one that has them is a `UsageError`."""
        ...

    def connect(self, repo_id: int, *, kind: SourceKind, url: str, default_revision: str | None) -> Connection:
        """Set what the paths of a repo refer to, in place of what was set before."""
        ...

    def connection(self, repo_id: int) -> Connection | None: ...

    def create_datasource(
        self,
        repo_id: int,
        name: str,
        *,
        kind: SourceKind,
        root: str,
        revision: str | None,
        connected: bool,
        created_by: str,
    ) -> DatasourceRecord: ...

    def datasource(self, repo_id: int, *, id: int | None = None, name: str | None = None) -> DatasourceRecord:
        """Return the datasource with that id and that name, whichever is given."""
        ...

    def datasources(self, repo_id: int) -> list[DatasourceRecord]: ...

    def delete_datasource(self, datasource_id: int) -> None:
        """Delete a datasource with its scans and datasets."""
        ...

    def create_scan(self, datasource_id: int, *, force_probe: bool = False) -> ScanRecord:
        """Queue a scan, or return the active one of the datasource (made to force probes if asked)."""
        ...

    def update_scan(self, scan_id: int, **changes: object) -> ScanRecord:
        """Set attributes of `ScanRecord` by name. An unknown name is a `TypeError`."""
        ...

    def scan(self, scan_id: int) -> ScanRecord: ...

    def latest_scan(self, datasource_id: int, *, state: ScanState | None = None) -> ScanRecord | None:
        """Return the newest scan of a datasource, or the newest one in that state."""
        ...

    def latest_scans(self, datasource_ids: Sequence[int]) -> dict[int, ScanRecord]: ...

    def active_scans(self) -> list[ScanRecord]: ...

    def save_dataset(self, datasource_id: int, name: str, *, query: str, created_by: str) -> DatasetRecord:
        """Keep a query under a name; the name may not be taken in the repo."""
        ...

    def datasets(self, repo_id: int) -> list[DatasetRecord]: ...

    def dataset(self, repo_id: int, *, id: int | None = None, name: str | None = None) -> DatasetRecord: ...

    def delete_dataset(self, repo_id: int, dataset_id: int) -> DatasetRecord: ...

    def create_token(self, login: str, *, label: str, token: str) -> TokenRecord: ...

    def token(self, token: str) -> TokenRecord | None:
        """Return the keeper of `token`, or None when no such token was made."""
        ...

    def close(self) -> None: ...
