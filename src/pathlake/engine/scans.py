"""Scans in the background: started, cancelled, waited for, and taken up again."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from pathlake.catalog.base import Catalog, DatasourceRecord, ScanRecord, ScanState
from pathlake.engine.scan_run import ScanRun, now
from pathlake.engine.settings import EngineSettings
from pathlake.errors import DatasourceNotFoundError, NotFoundError, PathlakeError, ScanTimeoutError
from pathlake.lake.base import Lake

_STOP_TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Job:
    """One datasource's active scan in this engine."""

    datasource: DatasourceRecord
    scan_id: int
    stop: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    started: bool = False
    cancelled: bool = False
    again: bool = False


class Scans:
    """Runs at most one scan for each datasource and a few at once, on threads that exist only while there is work."""

    def __init__(self, catalog: Catalog, lake: Lake, *, settings: EngineSettings) -> None:
        self._catalog = catalog
        self._lake = lake
        self._settings = settings
        self._lock = threading.Lock()
        self._jobs: dict[int, _Job] = {}
        self._queue: deque[_Job] = deque()
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def start(self, datasource: DatasourceRecord, *, force_probe: bool = False) -> ScanRecord:
        """Queue a scan and return at once.

        While one of the datasource waits, that one is returned; while one runs, that one is returned and lists the
        files once more before it ends, so that what changed before this call is always seen.

        Args:
            datasource: Whose files.
            force_probe: Read every media header again.
        """
        with self._lock:
            record = self._catalog.create_scan(datasource.id, force_probe=force_probe)
            job = self._jobs.get(datasource.id)
            if job is not None and job.scan_id == record.id:
                job.again = job.again or job.started
            else:
                self._enqueue(datasource, record)
            return record

    def cancel(self, datasource: DatasourceRecord) -> ScanRecord | None:
        """Stop the active scan, wait until it has stopped, and return the latest scan; what was found is kept."""
        with self._lock:
            job = self._jobs.get(datasource.id)
            if job is not None:
                job.cancelled = True
                job.stop.set()
                if not job.started:
                    self._queue.remove(job)
                    self._forget(job)
        if job is not None and job.started:
            job.over.wait(_STOP_TIMEOUT_S)
        record = self._catalog.latest_scan(datasource.id)
        if record is not None and record.active and (job is None or not job.started):
            record = self._catalog.update_scan(record.id, state=ScanState.CANCELLED, finished_at=now(), stage="")
        return record

    def latest(self, datasource: DatasourceRecord) -> ScanRecord | None:
        """Return the latest scan of a datasource, or None."""
        return self._catalog.latest_scan(datasource.id)

    def wait(self, datasource: DatasourceRecord, *, timeout_s: float | None = None) -> ScanRecord:
        """Wait until the active scan has ended, and return the latest scan, however it ended.

        Raises:
            ScanTimeoutError: It has not ended within `timeout_s` seconds; it goes on.
            NotFoundError: The datasource was never scanned.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            with self._lock:
                job = self._jobs.get(datasource.id)
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ended = job is None or job.over.wait(left)
            record = self._catalog.latest_scan(datasource.id)
            if record is None:
                raise NotFoundError(f"The datasource {datasource.name!r} was never scanned.")
            if ended and (not record.active or self._closed):
                return record
            if not ended or (deadline is not None and time.monotonic() >= deadline):
                raise ScanTimeoutError(
                    f"The scan of {datasource.name!r} has not ended within {timeout_s:g} s ({record.seen:,} files seen"
                    f"{', ' + record.stage if record.stage else ''}); it goes on in the background.",
                    {"seen": record.seen, "stage": record.stage},
                )

    def forget(self, datasource: DatasourceRecord) -> None:
        """Stop the scan of a datasource that is about to be deleted, and wait until it has stopped."""
        self.cancel(datasource)

    def resume(self) -> None:
        """Queue the scans that an engine before this one did not end."""
        for record in self._catalog.active_scans():
            try:
                datasource = self._datasource_of(record)
            except DatasourceNotFoundError:
                continue
            with self._lock:
                if datasource.id not in self._jobs:
                    self._enqueue(datasource, record)

    def close(self) -> None:
        """Stop all scans within about a second; they stay active in the catalog, so that they can be resumed."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            jobs = list(self._jobs.values())
            threads = list(self._threads)
            for job in jobs:
                job.stop.set()
                if not job.started:
                    self._forget(job)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_STOP_TIMEOUT_S)

    def _datasource_of(self, record: ScanRecord) -> DatasourceRecord:
        for repo in self._catalog.repos():
            for datasource in self._catalog.datasources(repo.id):
                if datasource.id == record.datasource_id:
                    return datasource
        raise DatasourceNotFoundError(f"There is no datasource {record.datasource_id}.")

    def _enqueue(self, datasource: DatasourceRecord, record: ScanRecord) -> None:
        if self._closed:
            return
        job = _Job(datasource, record.id)
        self._jobs[datasource.id] = job
        self._queue.append(job)
        if len(self._threads) < self._settings.scan_workers:
            thread = threading.Thread(target=self._work, name="pathlake-scan", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue or self._closed:
                    self._threads.discard(threading.current_thread())
                    return
                job = self._queue.popleft()
                job.started = True
            self._run(job)

    def _run(self, job: _Job) -> None:
        run = ScanRun(self._catalog, self._lake, settings=self._settings, datasource=job.datasource, stop=job.stop)
        begun = False
        while True:
            complete, failure = False, None
            try:
                if not begun:
                    run.begin(job.scan_id)
                    begun = True
                complete = run.once()
            except Exception as error:  # noqa: BLE001 - whatever ended it becomes the scan's reason
                failure = error
            with self._lock:
                if job.again and not job.stop.is_set():
                    job.again = False
                    continue
                try:
                    self._end(run, job, complete=complete, failure=failure)
                finally:
                    self._forget(job)
                return

    def _end(self, run: ScanRun, job: _Job, *, complete: bool, failure: Exception | None) -> None:
        """Write how a scan ended. One that the engine's end stopped stays active, so that it is taken up again."""
        stopped_by_engine = job.stop.is_set() and not job.cancelled
        try:
            if complete:
                run.end(ScanState.DONE)
            elif stopped_by_engine:
                run.save()
            elif job.cancelled:
                run.end(ScanState.CANCELLED)
            elif failure is not None:
                run.fail(failure)
        except PathlakeError:
            _log.exception("How the scan of %r ended could not be recorded", job.datasource.name)

    def _forget(self, job: _Job) -> None:
        if self._jobs.get(job.datasource.id) is job:
            del self._jobs[job.datasource.id]
        job.over.set()
