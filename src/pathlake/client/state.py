"""What the engine says of datasources, scans, datasets and commits, as values."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pathlake.expr import Query, query_from_wire
from pathlake.types import Schema
from pathlake.wire.result import field_from_json

ACTIVE_STATES = frozenset({"QUEUED", "RUNNING"})


@dataclass(frozen=True, slots=True)
class ScanInfo:
    """A scan of a datasource: where it stands and what it found. Times are aware, UTC.

    Attributes:
        state: QUEUED, RUNNING, DONE, FAILED or CANCELLED.
        stage: `listing`, `reading headers`, or empty.
        revision: The git commit the files were read at; None where there is none.
        seen: Files seen; `new`, `changed`, `returned` and `unchanged` add up to it.
        vanished: Files that were there before and are not any more.
        probed: Media headers read; `probe_failures` could not be.
        skipped: Files found that cannot be datapoints.
        error: Why it failed; None otherwise.
        notes: The first skipped files and failed headers, each in one line.
    """

    id: str
    state: str
    stage: str = ""
    revision: str | None = None
    created_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    seen: int = 0
    new: int = 0
    changed: int = 0
    returned: int = 0
    unchanged: int = 0
    vanished: int = 0
    probed: int = 0
    probe_failures: int = 0
    skipped: int = 0
    error: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it is waiting or running."""
        return self.state in ACTIVE_STATES

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> ScanInfo:
        """Read a scan of the engine's JSON."""
        return cls(
            id=str(data["id"]),
            state=str(data["state"]).upper(),
            stage=data.get("stage") or "",
            revision=data.get("revision"),
            created_at=_moment(data.get("createdAt")),
            started_at=_moment(data.get("startedAt")),
            finished_at=_moment(data.get("finishedAt")),
            seen=data.get("seen", 0),
            new=data.get("new", 0),
            changed=data.get("changed", 0),
            returned=data.get("returned", 0),
            unchanged=data.get("unchanged", 0),
            vanished=data.get("vanished", 0),
            probed=data.get("probed", 0),
            probe_failures=data.get("probeFailures", 0),
            skipped=data.get("skipped", 0),
            error=data.get("error"),
            notes=tuple(data.get("notes") or ()),
        )


@dataclass(frozen=True, slots=True)
class DatasourceState:
    """A datasource as the engine describes it at one moment.

    Attributes:
        repo: `owner/name`.
        root_url: What stands behind it: `repo://owner/name/revision:dir`, `file:///folder`.
        type: REPOSITORY, BUCKET, or CUSTOM for a folder.
        status: READY, IN_PROGRESS, AUTO_SCAN_IN_PROGRESS or FAILED.
        schema: Its fields, automatic ones included.
        scan: The latest scan.
    """

    repo: str
    id: str
    name: str
    root_url: str
    type: str
    status: str
    integration_status: str = "VALID"
    schema: Schema = field(default_factory=Schema)
    created_by: str = ""
    created_at: dt.datetime | None = None
    scan: ScanInfo | None = None

    @classmethod
    def from_wire(cls, repo: str, data: Mapping[str, Any]) -> DatasourceState:
        """Read a datasource of the engine's JSON."""
        scan = data.get("scan")
        return cls(
            repo=repo,
            id=str(data["id"]),
            name=data["name"],
            root_url=data["rootUrl"],
            type=data["type"],
            status=data["preprocessingStatus"],
            integration_status=data["integrationStatus"],
            schema=Schema(tuple(field_from_json(entry) for entry in data.get("metadataFields") or ())),
            created_by=data.get("createdBy", ""),
            created_at=_moment(data.get("createdAt")),
            scan=ScanInfo.from_wire(scan) if scan else None,
        )


@dataclass(frozen=True, slots=True)
class DatasetState:
    """A saved query.

    Attributes:
        query_text: The query as the engine keeps it, the JSON text of a `QueryInput`.
    """

    id: str
    name: str
    datasource: DatasourceState
    query_text: str
    created_by: str = ""
    created_at: dt.datetime | None = None

    @property
    def query(self) -> Query:
        """The saved query."""
        return query_from_wire(json.loads(self.query_text or "{}") or {})

    @classmethod
    def from_wire(cls, repo: str, data: Mapping[str, Any]) -> DatasetState:
        """Read a dataset of the engine's JSON."""
        return cls(
            id=str(data["id"]),
            name=data["name"],
            datasource=DatasourceState.from_wire(repo, data["datasource"]),
            query_text=data["datasetQuery"],
            created_by=data.get("createdBy", ""),
            created_at=_moment(data.get("createdAt")),
        )


@dataclass(frozen=True, slots=True)
class Commit:
    """One change set of a datasource's metadata.

    Attributes:
        kind: `upload`, `scan`, `fields`, `delete` or `create`.
        counts: What it changed.
    """

    id: str
    at: dt.datetime
    author: str
    message: str
    kind: str
    counts: Mapping[str, Any]

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Commit:
        """Read a commit of the engine's JSON."""
        at = _moment(data["at"])
        assert at is not None
        return cls(
            id=str(data["id"]),
            at=at,
            author=data["author"],
            message=data["message"],
            kind=data["kind"],
            counts=data.get("extra") or {},
        )


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
