"""What the engine knows, in the words of the wire."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from pathlake.catalog.base import ScanRecord, ScanState, SourceKind
from pathlake.engine.datasources import DatasourceView
from pathlake.engine.engine import Engine
from pathlake.errors import DatasourceNotFoundError, NotFoundError
from pathlake.expr import Query
from pathlake.server.services import id_of
from pathlake.wire.result import field_to_json

HEADERS_STAGE = "reading headers"


def moment(at: dt.datetime | None) -> str | None:
    """Return a moment in ISO 8601, UTC."""
    return None if at is None else at.astimezone(dt.UTC).isoformat()


def scan_json(scan: ScanRecord) -> dict[str, Any]:
    """Return a scan with the keys of the GraphQL type `Scan`."""
    return {
        "id": str(scan.id),
        "state": scan.state.name,
        "stage": scan.stage,
        "revision": scan.revision,
        "createdAt": moment(scan.created_at),
        "startedAt": moment(scan.started_at),
        "finishedAt": moment(scan.finished_at),
        "seen": scan.seen,
        "new": scan.new,
        "changed": scan.changed,
        "returned": scan.returned,
        "unchanged": scan.unchanged,
        "vanished": scan.vanished,
        "probed": scan.probed,
        "probeFailures": scan.probe_failures,
        "skipped": scan.skipped,
        "error": scan.error,
        "notes": list(scan.notes),
    }


def preprocessing_status(scan: ScanRecord | None) -> str:
    """Return where a datasource stands, in the official client's words.

    | latest scan | status |
    | --- | --- |
    | none yet, waiting, or listing files | `IN_PROGRESS` |
    | reading media headers | `AUTO_SCAN_IN_PROGRESS` |
    | done, or cancelled (what it found is kept) | `READY` |
    | failed | `FAILED` |
    """
    if scan is None:
        return "IN_PROGRESS"
    if scan.active:
        return "AUTO_SCAN_IN_PROGRESS" if scan.stage == HEADERS_STAGE else "IN_PROGRESS"
    return "FAILED" if scan.state is ScanState.FAILED else "READY"


def datasource_type(view: DatasourceView) -> str:
    """Return what stands behind a datasource, in the official client's words."""
    if view.record.kind is SourceKind.BUCKET:
        return "BUCKET"
    return "REPOSITORY" if view.record.connected else "CUSTOM"


def datasource_json(engine: Engine, view: DatasourceView) -> dict[str, Any]:
    """Return a datasource with the keys of the GraphQL type `Datasource`."""

    def integration(_info: object) -> str:
        lost = view.record.connected and engine.repos.connection(view.repo) is None
        return "MISSING" if lost else "VALID"

    return {
        "id": str(view.record.id),
        "name": view.record.name,
        "rootUrl": view.root_url,
        "integrationStatus": integration,
        "preprocessingStatus": preprocessing_status(view.scan),
        "type": datasource_type(view),
        "metadataFields": [field_to_json(field) for field in view.schema],
        "origin": None,
        "createdBy": view.record.created_by,
        "createdAt": moment(view.record.created_at),
        "scan": None if view.scan is None else scan_json(view.scan),
    }


def number_of(id: str, error: type[NotFoundError]) -> int:
    """Read an id, which travels as text; what is no number names nothing."""
    try:
        return id_of(id)
    except DatasourceNotFoundError:
        raise error(f"Nothing has the id {id[:40]!r}.", {"id": id[:40]}) from None


def data_time(query: Query, read_at: float) -> int:
    """Return when the data of an answer was read, in whole seconds.

    Rounded up: clients ask again `asOf` this second, and must then see what was committed just before.
    """
    return math.floor(query.as_of.timestamp()) if query.as_of is not None else math.ceil(read_at)
