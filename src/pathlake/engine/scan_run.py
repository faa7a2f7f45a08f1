"""One scan: list the files, compare them with the table, read the headers that are new."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from pathlake.catalog.base import Catalog, DatasourceRecord, ScanState
from pathlake.engine.settings import EngineSettings
from pathlake.engine.sources import open_storage
from pathlake.engine.tables import table_of
from pathlake.errors import PathlakeError, SourceUnavailableError, StorageError
from pathlake.lake.base import CommitInfo, Lake, ProbeResult, ProbeTarget, ScanCounts
from pathlake.storage.base import Storage

LISTING = "listing"
READING_HEADERS = "reading headers"
MAX_NOTES = 100

_PROGRESS_EVERY_S = 0.5
_PROBES_PER_SAVE = 2_000
_SAVE_PROBES_EVERY_S = 2.0
_TARGETS_PER_PAGE = 10_000
_BATCHES_AHEAD = 8

_log = logging.getLogger(__name__)


class ScanRun:
    """The work of one scan, on the thread that calls it. `stop` ends it at the next batch or file."""

    def __init__(
        self,
        catalog: Catalog,
        lake: Lake,
        *,
        settings: EngineSettings,
        datasource: DatasourceRecord,
        stop: threading.Event,
    ) -> None:
        self._catalog = catalog
        self._lake = lake
        self._settings = settings
        self._datasource = datasource
        self._table = table_of(datasource)
        self._stop = stop
        self._scan_id = -1
        self._saved_at = 0.0
        self._before = ScanCounts()
        self._now = ScanCounts()
        self._skipped = 0
        self._probed = 0
        self._probe_failures = 0
        self._notes: list[str] = []

    def begin(self, scan_id: int) -> None:
        """Mark the scan as running; one that ran before goes on counting where it was."""
        record = self._catalog.scan(scan_id)
        self._scan_id = scan_id
        self._before = ScanCounts(
            new=record.new, changed=record.changed, returned=record.returned, vanished=record.vanished
        )
        self._probed = record.probed
        self._probe_failures = record.probe_failures
        self._catalog.update_scan(
            scan_id, state=ScanState.RUNNING, started_at=record.started_at or now(), stage=LISTING, error=None
        )

    def once(self) -> bool:
        """List the files and read what headers are to be read; return False if `stop` ended it.

        Raises:
            PathlakeError: The source or the lake failed; what was found until then is kept.
        """
        connection = self._catalog.connection(self._datasource.repo_id) if self._datasource.connected else None
        storage = open_storage(self._datasource, connection, settings=self._settings)
        try:
            self._catalog.update_scan(self._scan_id, revision=storage.revision, stage=LISTING)
            self._notes.clear()
            has_headers = self._list(storage)
            if has_headers and not self._stop.is_set():
                self._read_headers(storage)
        finally:
            storage.close()
        return not self._stop.is_set()

    def save(self, **changes: object) -> None:
        """Write counts to the catalog."""
        self._saved_at = time.monotonic()
        counts = _sum(self._before, self._now)
        self._catalog.update_scan(
            self._scan_id,
            seen=counts.seen,
            new=counts.new,
            changed=counts.changed,
            returned=counts.returned,
            unchanged=counts.unchanged,
            vanished=counts.vanished,
            probed=self._probed,
            probe_failures=self._probe_failures,
            skipped=self._skipped,
            notes=tuple(self._notes),
            **changes,
        )

    def end(self, state: ScanState, *, error: str | None = None) -> None:
        """Mark the scan as over."""
        self.save(state=state, stage="", finished_at=now(), error=error)

    def fail(self, error: Exception) -> None:
        """Mark the scan as failed and say why."""
        if isinstance(error, PathlakeError):
            reason = error.message
            _log.info("The scan of %r failed: %s", self._datasource.name, reason)
        else:
            reason = f"{type(error).__name__}: {error}"
            _log.error("The scan of %r failed unexpectedly", self._datasource.name, exc_info=error)
        self.end(ScanState.FAILED, error=reason)

    def _list(self, storage: Storage) -> bool:
        """Take in the listing; return whether it has files whose headers can be read."""
        from pathlake.engine.media import is_probeable, media_type_of

        types_seen: set[str | None] = set()
        # The database compares what is listed while more is listed: that hides most of the shorter of the two.
        with (
            self._lake.scan(self._table, commit=self._commit("Scan")) as scan,
            ThreadPoolExecutor(1, thread_name_prefix="pathlake-compare") as comparing,
        ):
            compared: deque[Future[None]] = deque()
            for batch in storage.list():
                if self._stop.is_set():
                    return False
                media_types = [media_type_of(path) for path in batch.paths]
                types_seen.update(media_types)
                compared.append(comparing.submit(scan.add, batch, media_types))
                while compared and (compared[0].done() or len(compared) > _BATCHES_AHEAD):
                    compared.popleft().result()
                self._now = scan.counts
                self._progress()
            for one in compared:
                one.result()
            if self._stop.is_set():
                return False
            self._now = scan.finish()
        self._before = _sum(self._before, self._now)
        self._now = ScanCounts(seen=self._now.seen)
        self._skipped = len(storage.skipped)
        for skipped in storage.skipped[:MAX_NOTES]:
            self._note(f"skipped {skipped.path!r}: {skipped.reason}")
        return any(media_type is not None and is_probeable(media_type) for media_type in types_seen)

    def _read_headers(self, storage: Storage) -> None:
        from pathlake.engine.media import is_probeable

        if self._catalog.scan(self._scan_id).force_probe:
            # The wish is struck out together with its fulfilment, so that a resumed scan does not begin again.
            self._lake.reset_probes(self._table)
        self.save(stage=READING_HEADERS, force_probe=False)
        after = -1
        with ThreadPoolExecutor(self._settings.probe_threads, thread_name_prefix="pathlake-probe") as pool:
            while not self._stop.is_set():
                targets = self._lake.probe_targets(self._table, after_id=after, limit=_TARGETS_PER_PAGE)
                if not targets:
                    return
                after = targets[-1].datapoint_id
                self._probe_page(storage, [one for one in targets if is_probeable(one.media_type)], pool=pool)

    def _probe_page(self, storage: Storage, targets: list[ProbeTarget], *, pool: ThreadPoolExecutor) -> None:
        results: list[ProbeResult] = []
        saved_at = time.monotonic()
        try:
            for result in pool.map(lambda target: self._probe(storage, target), targets):
                if result is not None:
                    results.append(result)
                    self._probed += 1
                self._progress()
                if len(results) >= _PROBES_PER_SAVE or (results and time.monotonic() - saved_at > _SAVE_PROBES_EVERY_S):
                    self._save_probes(results)
                    results = []
                    saved_at = time.monotonic()
        finally:
            self._save_probes(results)

    def _save_probes(self, results: list[ProbeResult]) -> None:
        if results:
            self._lake.save_probes(self._table, results, commit=self._commit("Read headers"))

    def _probe(self, storage: Storage, target: ProbeTarget) -> ProbeResult | None:
        """Read one header; None means that it is still to be read."""
        if self._stop.is_set():
            return None
        from pathlake.engine.media import probe

        values: dict[str, Any]
        try:
            values = probe(storage, target.path, target.size, target.media_type)
        except SourceUnavailableError:
            raise
        except StorageError as error:
            # The file may be readable next time, so it stays to be read.
            self._probe_failed(target, error.message)
            return None
        except Exception as error:  # noqa: BLE001 - decoders raise anything, and one file must not end a scan
            self._probe_failed(target, str(error) or type(error).__name__)
            values = {}
        return ProbeResult(target, values)

    def _probe_failed(self, target: ProbeTarget, reason: str) -> None:
        self._probe_failures += 1
        self._note(f"no header in {target.path!r}: {reason}")

    def _note(self, line: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes.append(line[:500])

    def _progress(self) -> None:
        if time.monotonic() - self._saved_at >= _PROGRESS_EVERY_S:
            self.save()

    def _commit(self, message: str) -> CommitInfo:
        return CommitInfo("pathlake", message, "scan", {"scan": self._scan_id})


def now() -> dt.datetime:
    """Return the present moment, aware."""
    return dt.datetime.now(dt.UTC)


def _sum(before: ScanCounts, latest: ScanCounts) -> ScanCounts:
    """Add the counts of two listings of one scan: files the first found as new are no news to the second."""
    new = before.new + latest.new
    changed = before.changed + latest.changed
    returned = before.returned + latest.returned
    return ScanCounts(
        seen=latest.seen,
        new=new,
        changed=changed,
        returned=returned,
        unchanged=max(0, latest.seen - new - changed - returned),
        vanished=before.vanished + latest.vanished,
    )
