"""Scans that are cancelled, stopped, killed, waited for, and taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from pathlake.catalog.base import Repo, ScanState
from pathlake.engine import Engine, EngineSettings, media, open_engine, scan_run
from pathlake.engine.sources import open_storage
from pathlake.errors import NotFoundError, ScanTimeoutError
from pathlake.expr import Query
from pathlake.storage.base import FileBatch, Storage
from tests.support.engines import DEADLINE_S, create, done, rows_of, until, write_files

FILES = 50


class Gated:
    """Lists a real storage five files at a time, each batch when the gate lets it pass."""

    def __init__(self) -> None:
        self.passes = threading.Semaphore(0)
        self.arrived = threading.Semaphore(0)
        self.error: Exception | None = None

    def open(self, *args: object, **kwargs: object) -> Storage:
        return cast("Storage", _GatedStorage(open_storage(*args, **kwargs), self))  # type: ignore[arg-type]

    def let(self, batches: int) -> None:
        self.passes.release(batches)

    def let_all(self) -> None:
        self.passes.release(1_000_000)


class _GatedStorage:
    def __init__(self, inner: Storage, gate: Gated) -> None:
        self._inner = inner
        self._gate = gate

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def list(self, *, batch_size: int = 10_000) -> Iterator[FileBatch]:
        for batch in self._inner.list(batch_size=5):
            self._gate.arrived.release()
            while not self._gate.passes.acquire(timeout=DEADLINE_S):
                pass
            if self._gate.error is not None:
                raise self._gate.error
            yield batch


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gated]:
    gated = Gated()
    monkeypatch.setattr(scan_run, "open_storage", gated.open)
    yield gated
    gated.let_all()


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    write_files(folder, {f"{number:04}.txt": "x" for number in range(FILES)})
    return folder


def test_a_cancelled_scan_stops_and_keeps_what_it_found(engine: Engine, repo: Repo, many: Path, gate: Gated) -> None:
    datasource = create(engine, repo, many)
    gate.let(3)
    for _ in range(4):
        assert gate.arrived.acquire(timeout=DEADLINE_S)
    threading.Timer(0.05, gate.let, [1]).start()
    scan = engine.scans.cancel(datasource)
    assert scan is not None
    assert (scan.state, scan.stage) == (ScanState.CANCELLED, "")
    assert scan.finished_at is not None
    found = engine.queries.count(datasource, Query())
    assert 15 <= found < FILES
    gate.let_all()
    engine.scans.start(datasource)
    scan = done(engine, datasource)
    assert (scan.seen, scan.vanished) == (FILES, 0)
    assert engine.queries.count(datasource, Query()) == FILES


def test_a_waiting_scan_is_cancelled_without_having_run(engine: Engine, repo: Repo, many: Path, gate: Gated) -> None:
    sources = [create(engine, repo, many, name=f"ds{number}") for number in range(3)]
    for _ in range(2):
        assert gate.arrived.acquire(timeout=DEADLINE_S)
    latest = engine.scans.latest(sources[2])
    assert latest is not None
    assert latest.state is ScanState.QUEUED
    scan = engine.scans.cancel(sources[2])
    assert scan is not None
    assert scan.state is ScanState.CANCELLED
    assert scan.started_at is None
    gate.let_all()
    assert done(engine, sources[0]).seen == FILES
    assert done(engine, sources[1]).seen == FILES
    assert engine.queries.count(sources[2], Query()) == 0


def test_cancelling_without_a_scan_changes_nothing(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    before = done(engine, datasource)
    assert engine.scans.cancel(datasource) == before


def test_a_listing_that_breaks_off_marks_nothing_missing(engine: Engine, repo: Repo, many: Path, gate: Gated) -> None:
    gate.let_all()
    datasource = create(engine, repo, many)
    done(engine, datasource)
    gate.error = RuntimeError("the cable was pulled")
    engine.scans.start(datasource)
    scan = engine.scans.wait(datasource, timeout_s=DEADLINE_S)
    assert scan.state is ScanState.FAILED
    assert "the cable was pulled" in (scan.error or "")
    assert engine.queries.count(datasource, Query()) == FILES


def test_waiting_ends_at_its_time_limit_and_the_scan_goes_on(
    engine: Engine, repo: Repo, many: Path, gate: Gated
) -> None:
    datasource = create(engine, repo, many)
    with pytest.raises(ScanTimeoutError, match="goes on in the background"):
        engine.scans.wait(datasource, timeout_s=0.05)
    gate.let_all()
    assert done(engine, datasource).seen == FILES


def test_progress_is_seen_while_the_scan_runs(engine: Engine, repo: Repo, many: Path, gate: Gated) -> None:
    datasource = create(engine, repo, many)
    gate.let(2)
    for _ in range(3):
        assert gate.arrived.acquire(timeout=DEADLINE_S)

    def seen() -> int:
        gate.let(1)
        scan = engine.scans.latest(datasource)
        assert scan is not None
        assert scan.stage in ("listing", "")
        return scan.seen

    until(lambda: seen() >= 10)
    gate.let_all()
    done(engine, datasource)


def test_a_running_scan_lists_again_when_asked(engine: Engine, repo: Repo, many: Path, gate: Gated) -> None:
    datasource = create(engine, repo, many)
    gate.let(FILES // 5 - 1)
    for _ in range(FILES // 5):
        assert gate.arrived.acquire(timeout=DEADLINE_S)
    write_files(many, {"0000-late.txt": "x"})
    running = engine.scans.start(datasource)
    gate.let_all()
    scan = done(engine, datasource)
    assert scan.id == running.id
    assert (scan.seen, scan.new, scan.unchanged) == (FILES + 1, FILES + 1, 0)


def test_an_engine_that_closes_stops_its_scans_and_the_next_one_ends_them(
    settings: EngineSettings, many: Path, gate: Gated
) -> None:
    with open_engine(settings) as engine:
        datasource = create(engine, engine.repos.create("simon/baby"), many)
        gate.let(2)
        for _ in range(3):
            assert gate.arrived.acquire(timeout=DEADLINE_S)
        threading.Timer(0.05, gate.let, [1]).start()
        began = time.monotonic()
        engine.close()
        assert time.monotonic() - began < 5
        engine.close()
    gate.let_all()
    with open_engine(settings) as engine:
        latest = engine.scans.latest(datasource)
        assert latest is not None
        scan = done(engine, datasource)
        assert scan.id == latest.id
        assert scan.seen == FILES
        assert len(rows_of(engine, datasource)) == FILES


def test_deleting_a_datasource_ends_its_scan(engine: Engine, repo: Repo, many: Path, gate: Gated) -> None:
    datasource = create(engine, repo, many)
    assert gate.arrived.acquire(timeout=DEADLINE_S)
    threading.Timer(0.05, gate.let, [1]).start()
    engine.datasources.delete(repo, id=datasource.id)
    assert engine.datasources.find(repo) == []
    assert engine.catalog.active_scans() == []
    with pytest.raises(NotFoundError):
        engine.scans.wait(datasource, timeout_s=1)


def test_one_file_that_cannot_be_read_does_not_end_a_scan(
    engine: Engine, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(storage: Storage, path: str, size: int, media_type: str) -> dict[str, object]:
        if path.startswith("bad"):
            raise ValueError("a decoder's own error")
        return {"width": 1}

    monkeypatch.setattr(media, "probe", broken)
    write_files(tmp_path / "images", {f"bad-{n}.png": "x" for n in range(150)} | {"good.png": "x"})
    datasource = create(engine, repo, tmp_path / "images")
    scan = done(engine, datasource)
    assert (scan.probed, scan.probe_failures) == (151, 150)
    assert len(scan.notes) == 100
    assert "a decoder's own error" in scan.notes[0]
    assert rows_of(engine, datasource)["good.png"]["width"] == 1


def test_nothing_runs_when_there_is_nothing_to_do(engine: Engine, repo: Repo, folder: Path) -> None:
    done(engine, create(engine, repo, folder))
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith(("pathlake-scan", "pathlake-probe"))])


def test_a_killed_engine_leaves_a_scan_that_the_next_one_ends(settings: EngineSettings, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    write_files(folder, {f"{number:04}.png": "x" for number in range(300)})
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from pathlake.engine import EngineSettings, media, open_engine, scan_run
        from pathlake.engine.tables import table_of
        scan_run._PROBES_PER_SAVE = 50
        count = 0
        def slow(storage, path, size, media_type):
            global count
            count += 1
            if count > 150:
                time.sleep(600)
            return {"width": 1}
        media.probe = slow
        engine = open_engine(EngineSettings.from_home(sys.argv[1], {}, create_repos=True, local_folders=True))
        repo = engine.repos.create("simon/baby")
        view = engine.datasources.create(repo, "images", url=Path(sys.argv[2]).as_uri(), created_by="simon")
        table = table_of(view.record)
        while not 0 < len(engine.lake.probe_targets(table)) <= 200 or engine.scans.latest(view.record).seen < 300:
            time.sleep(0.01)
        print("reading", flush=True)
        time.sleep(600)
        """
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(settings.home), str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "reading\n"
        os.kill(child.pid, signal.SIGKILL)
    finally:
        child.kill()
        child.communicate()
    with open_engine(settings) as engine:
        repo = engine.repos.get("simon", "baby")
        datasource = engine.datasources.record(repo, name="images")
        scan = done(engine, datasource)
        assert (scan.seen, scan.new) == (300, 300)
        # At least two saves of 50 headers were on disk, and those are not read again; what is no picture fails.
        assert 0 < scan.probe_failures <= 200
        widths = [row.get("width") for row in rows_of(engine, datasource).values()]
        assert widths.count(1) >= 100
