from __future__ import annotations

import datetime as dt
import os
import shutil
import struct
import zlib
from dataclasses import replace
from pathlib import Path

from pathlake.catalog.base import Repo, ScanState
from pathlake.engine import Engine
from pathlake.expr import Query
from tests.support.engines import create, done, rescan, rows_of, upload, write_files


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + b"\0" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_a_new_datasource_is_scanned_by_itself(engine: Engine, repo: Repo, folder: Path) -> None:
    os.utime(folder / "001.txt", (1_700_000_000, 1_700_000_000))
    view = engine.datasources.create(repo, "images", url=folder.as_uri(), created_by="simon")
    assert view.root_url == folder.as_uri()
    assert view.scan is not None
    scan = done(engine, view.record)
    assert (scan.seen, scan.new, scan.stage, scan.error) == (3, 3, "", None)
    assert scan.started_at is not None
    assert scan.finished_at is not None
    assert scan.finished_at >= scan.started_at >= scan.created_at
    rows = rows_of(engine, view.record)
    assert list(rows) == ["001.txt", "002.txt", "more/003.txt"]
    first = rows["001.txt"]
    assert first["size"] == 3
    assert first["last_modified"] == dt.datetime.fromtimestamp(1_700_000_000, dt.UTC)
    assert first["media_type"] == "text/plain"
    assert first["etag"]


def test_new_changed_vanished_and_returned_files_are_told_apart(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    done(engine, datasource)
    upload(engine, datasource, path=["001.txt", "002.txt"], episode=[1, 2])
    ids = {path: row["datapoint_id"] for path, row in rows_of(engine, datasource).items()}

    write_files(folder, {"004.txt": "four", "002.txt": "changed"})
    (folder / "001.txt").unlink()
    scan = rescan(engine, datasource)
    assert (scan.seen, scan.new, scan.changed, scan.unchanged, scan.vanished) == (3, 1, 1, 1, 1)
    rows = rows_of(engine, datasource)
    assert list(rows) == ["002.txt", "more/003.txt", "004.txt"]
    assert rows["002.txt"]["size"] == 7
    assert rows["002.txt"]["episode"] == 2
    missing = rows_of(engine, datasource, replace(Query(), include_missing=True))
    assert missing["001.txt"]["episode"] == 1

    write_files(folder, {"001.txt": "one"})
    scan = rescan(engine, datasource)
    assert (scan.seen, scan.new, scan.returned, scan.vanished) == (4, 0, 1, 0)
    back = rows_of(engine, datasource)["001.txt"]
    assert back["episode"] == 1
    assert back["datapoint_id"] == ids["001.txt"]

    scan = rescan(engine, datasource)
    assert (scan.seen, scan.unchanged, scan.new, scan.changed, scan.returned, scan.vanished) == (4, 4, 0, 0, 0, 0)


def test_metadata_may_come_before_its_file(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    done(engine, datasource)
    report = upload(engine, datasource, path=["later.txt"], episode=[7])
    assert report.new_datapoints == 1
    assert rows_of(engine, datasource)["later.txt"]["episode"] == 7
    rescan(engine, datasource)
    assert rows_of(engine, datasource, replace(Query(), include_missing=True))["later.txt"]["episode"] == 7
    write_files(folder, {"later.txt": "here"})
    rescan(engine, datasource)
    row = rows_of(engine, datasource)["later.txt"]
    assert (row["episode"], row["size"]) == (7, 4)


def test_headers_are_read_once_and_again_when_asked(engine: Engine, repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_files(folder, {"a.png": png(7, 5), "b.png": b"no picture", "c.txt": "text"})
    datasource = create(engine, repo, folder)
    scan = done(engine, datasource)
    assert (scan.probed, scan.probe_failures) == (2, 1)
    assert any("b.png" in note for note in scan.notes)
    rows = rows_of(engine, datasource)
    assert (rows["a.png"]["width"], rows["a.png"]["height"]) == (7, 5)
    assert "width" not in rows["b.png"]

    assert rescan(engine, datasource).probed == 0

    write_files(folder, {"b.png": png(3, 2)})
    assert rescan(engine, datasource).probed == 1
    assert rows_of(engine, datasource)["b.png"]["width"] == 3

    engine.scans.start(datasource, force_probe=True)
    scan = done(engine, datasource)
    assert (scan.probed, scan.probe_failures) == (2, 0)


def test_a_source_that_is_gone_fails_the_scan_and_keeps_what_was_found(
    engine: Engine, repo: Repo, folder: Path
) -> None:
    datasource = create(engine, repo, folder)
    done(engine, datasource)
    shutil.move(folder, folder.with_name("elsewhere"))
    engine.scans.start(datasource)
    scan = engine.scans.wait(datasource, timeout_s=30)
    assert scan.state is ScanState.FAILED
    assert str(folder) in (scan.error or "")
    assert scan.finished_at is not None
    assert len(rows_of(engine, datasource)) == 3
    shutil.move(folder.with_name("elsewhere"), folder)
    assert rescan(engine, datasource).unchanged == 3


def test_names_that_are_no_paths_are_skipped_and_reported(engine: Engine, repo: Repo, folder: Path) -> None:
    (folder / os.fsdecode(b"bad\xff.txt")).write_text("x")
    (folder / "out").symlink_to("/etc/hostname")
    datasource = create(engine, repo, folder)
    scan = done(engine, datasource)
    assert (scan.seen, scan.skipped) == (3, 2)
    assert any("out" in note for note in scan.notes)


def test_two_datasources_on_one_folder_are_independent(engine: Engine, repo: Repo, folder: Path) -> None:
    one = create(engine, repo, folder, name="one")
    two = create(engine, repo, folder, name="two")
    done(engine, one)
    done(engine, two)
    upload(engine, one, path=["001.txt"], episode=[1])
    assert rows_of(engine, one)["001.txt"]["episode"] == 1
    assert "episode" not in rows_of(engine, two)["001.txt"]
    engine.datasources.delete(repo, id=one.id)
    assert len(rows_of(engine, two)) == 3


def test_files_are_read_whole_and_in_part(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    done(engine, datasource)
    assert engine.files.stat(datasource, "more/003.txt").size == 5
    assert b"".join(engine.files.stream(datasource, "more/003.txt")) == b"three"
    assert b"".join(engine.files.stream(datasource, "more/003.txt", start=1, length=3)) == b"hre"


def test_a_scan_asked_for_while_one_runs_sees_what_came_before_it(engine: Engine, repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    write_files(folder, {f"{number:05}.txt": "x" for number in range(3000)})
    datasource = create(engine, repo, folder)
    for number in range(5):
        write_files(folder, {f"late-{number}.txt": "x"})
        engine.scans.start(datasource)
        scan = done(engine, datasource)
        assert scan.seen == 3001 + number
    assert engine.queries.count(datasource, Query()) == 3005
