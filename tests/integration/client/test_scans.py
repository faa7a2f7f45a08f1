"""Scans as the client sees them: waiting, failing, going on after a failure."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pathlake import Datasource, ScanFailedWarning, ScanInProgressWarning
from pathlake.client.scans import warn_of_scan
from pathlake.client.state import ScanInfo
from pathlake.errors import ScanFailedError, ScanTimeoutError
from tests.integration.client.conftest import MakeDatasource


def folder_of(ds: Datasource) -> Path:
    return Path(unquote(urlsplit(ds.source.root_url).path))


def test_a_new_scan_finds_what_changed(ds: Datasource) -> None:
    folder = folder_of(ds)
    (folder / "new.txt").write_text("new")
    (folder / "images" / "005.jpg").unlink()
    ds.scan_source()
    ds.wait_until_ready()
    scan = ds.source.state.scan
    assert scan is not None
    assert (scan.state, scan.new, scan.vanished, scan.seen) == ("DONE", 1, 1, 10)
    paths = {point.path for point in ds.all()}
    assert "new.txt" in paths
    assert "images/005.jpg" not in paths
    assert ds.include_missing().count() == 11
    ds.cancel_scan()  # nothing runs, nothing happens
    assert ds.source.refresh().scan == scan


def test_a_failed_scan_says_why_and_keeps_what_was_found(make: MakeDatasource) -> None:
    ds = make()
    folder = folder_of(ds)
    shutil.move(folder, folder.with_name("elsewhere-" + folder.name))
    ds.scan_source()
    with pytest.raises(ScanFailedError, match=folder.name):
        ds.wait_until_ready()
    with pytest.warns(ScanFailedWarning, match="may be partial") as caught:
        found = ds.all()
    assert caught[0].filename == __file__
    assert len(found) == 10
    shutil.move(folder.with_name("elsewhere-" + folder.name), folder)
    ds.scan_source()
    ds.wait_until_ready()
    assert len(ds.all()) == 10


def test_a_running_scan_makes_results_partial(shared: Datasource) -> None:
    with pytest.warns(ScanInProgressWarning, match="17 files so far") as caught:
        warn_of_scan(shared.source, ScanInfo("1", "RUNNING", seen=17))
    assert caught[0].filename == __file__
    warn_of_scan(shared.source, ScanInfo("1", "DONE"))
    warn_of_scan(shared.source, None)


def test_waiting_ends_when_the_time_is_over(shared: Datasource, monkeypatch: pytest.MonkeyPatch) -> None:
    running = shared.source.state.__class__(
        **{
            **{name: getattr(shared.source.state, name) for name in shared.source.state.__slots__},
            "scan": ScanInfo("1", "RUNNING", stage="listing", seen=3),
        }
    )
    monkeypatch.setattr(shared.source, "refresh", lambda: running)
    with pytest.raises(ScanTimeoutError, match=r"0\.05 s; it has seen 3 files"):
        shared.wait_until_ready(max_wait_time=0.05)
    shared.wait_until_ready(max_wait_time=0.05, fail_on_timeout=False)
