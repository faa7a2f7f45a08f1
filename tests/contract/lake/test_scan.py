"""Listings taken in: new, changed, vanished and returned files; media headers."""

from __future__ import annotations

import datetime as dt

import pytest

from pathlake.errors import InternalError
from pathlake.expr import Compare, Op, Query
from pathlake.lake import Lake, ProbeResult, ScanCounts, TableRef
from pathlake.storage.base import FileBatch
from pathlake.types.columns import zone_column_name
from tests.support.lakes import fetch, files, info, merge, paths, scan
from tests.support.processes import wait_until


def test_listed_files_are_datapoints_with_automatic_fields(lake: Lake, table: TableRef) -> None:
    listing = FileBatch(["b.png", "a.png"], [7, 0], [1_700_000_000_123_456, -1], ["e1", "e2"])
    with lake.scan(table, commit=info(kind="scan")) as taken:
        taken.add(listing, ["image/png", None])
        counts = taken.finish()
        assert taken.counts == counts
    assert counts == ScanCounts(seen=2, new=2)
    first, second = fetch(lake, table)
    assert (first["path"], first["size"], first["media_type"], first["etag"]) == ("b.png", 7, "image/png", "e1")
    assert first["last_modified"] == dt.datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=dt.UTC)
    assert first[zone_column_name("last_modified")] == 0
    assert (second["size"], second["media_type"]) == (0, None)


def test_a_scan_without_changes_makes_no_commit(lake: Lake, table: TableRef) -> None:
    scan(lake, table, files(["a", "b", "c"]))
    before = lake.history(table)
    counts = scan(lake, table, files(["a", "b", "c"]))
    assert counts == ScanCounts(seen=3, unchanged=3)
    assert lake.history(table) == before


def test_new_changed_vanished_and_returned_files(lake: Lake, table: TableRef) -> None:
    scan(lake, table, files(["same", "changing", "leaving"]))
    merge(lake, table, {name: {"x": name} for name in ("same", "changing", "leaving")})
    ids = {row["path"]: row["datapoint_id"] for row in fetch(lake, table)}

    listing = files(["changing"], etag="2", size=99)
    for other in (files(["same"]), files(["fresh"])):
        listing.paths += other.paths
        listing.sizes += other.sizes
        listing.modified_us += other.modified_us
        listing.etags += other.etags
    assert scan(lake, table, listing) == ScanCounts(seen=3, new=1, changed=1, unchanged=1, vanished=1)
    assert sorted(paths(lake, table)) == ["changing", "fresh", "same"]
    assert sorted(paths(lake, table, include_missing=True)) == ["changing", "fresh", "leaving", "same"]
    assert lake.count(table, Query()) == 3
    assert lake.count(table, Query(include_missing=True)) == 4
    [changed] = fetch(lake, table, Query(condition=Compare("path", Op.EQ, "changing")))
    assert (changed["size"], changed["x"]) == (99, "changing")

    # A value for a file that is gone is kept, and the file stays hidden.
    merge(lake, table, {"leaving": {"x": "while away"}})
    assert "leaving" not in paths(lake, table)

    counts = scan(lake, table, files(["same", "changing", "leaving", "fresh"]))
    assert (counts.returned, counts.changed, counts.vanished) == (1, 1, 0)
    back = {row["path"]: row for row in fetch(lake, table)}
    assert back["leaving"]["x"] == "while away"
    assert {name: back[name]["datapoint_id"] for name in ids} == ids


def test_metadata_that_came_before_its_file_is_neither_missing_nor_lost(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"early": {"x": 1}, "never": {"x": 2}})
    scan(lake, table, files(["other"]))
    assert sorted(paths(lake, table)) == ["early", "never", "other"]
    counts = scan(lake, table, files(["other", "early"]))
    assert (counts.new, counts.unchanged, counts.vanished) == (1, 1, 0)
    early = next(row for row in fetch(lake, table) if row["path"] == "early")
    assert (early["x"], early["size"]) == (1, 3)
    assert scan(lake, table, files(["other"])).vanished == 1
    assert sorted(paths(lake, table)) == ["never", "other"]


def test_a_scan_that_stops_marks_nothing_missing(lake: Lake, table: TableRef) -> None:
    scan(lake, table, files(["a", "b"]))

    def broken() -> None:
        with lake.scan(table, commit=info(kind="scan")) as taken:
            taken.add(files(["c"]), [None])
            raise ConnectionError

    with pytest.raises(ConnectionError):
        broken()
    assert sorted(paths(lake, table)) == ["a", "b", "c"]


def test_files_are_seen_while_the_scan_goes_on(lake: Lake, table: TableRef) -> None:
    with lake.scan(table, commit=info(kind="scan")) as taken:
        taken.add(files([f"f{number}" for number in range(2500)]), [None] * 2500)

        def seen() -> bool:
            taken.add(files(["f0"]), [None])
            return lake.count(table, Query()) == 2500

        wait_until(seen, what="the first files to be seen", timeout_s=10)
        # Metadata does not wait for a scan, nor a scan for metadata.
        merge(lake, table, {"f3": {"x": 1}, "later": {"x": 2}})
        taken.add(files(["later"]), [None])
        taken.finish()
    assert lake.count(table, Query()) == 2501
    assert lake.count(table, Query(condition=Compare("x", Op.GE, 1))) == 2


def test_many_files_come_in_a_few_commits_and_all_get_ids(lake: Lake, table: TableRef) -> None:
    count = 30_000
    names = [f"d{number % 7}/f{number}.jpg" for number in range(count)]
    with lake.scan(table, commit=info(kind="scan")) as taken:
        for start in range(0, count, 5_000):
            taken.add(files(names[start : start + 5_000]), ["image/jpeg"] * 5_000)
        assert taken.finish().new == count
    rows = fetch(lake, table, Query(select=()))
    assert [row["path"] for row in rows] == names
    assert len({row["datapoint_id"] for row in rows}) == count
    assert len(lake.history(table)) < 8
    again = scan(lake, table, *(files(names[start : start + 10_000]) for start in range(0, count, 10_000)),
                 media_type="image/jpeg")  # fmt: skip
    assert again == ScanCounts(seen=count, unchanged=count)


def test_a_file_listed_twice_is_one_datapoint(lake: Lake, table: TableRef) -> None:
    listing = FileBatch(["a", "b", "a", "a", "c"], [1, 2, 3, 4, 5], [0] * 5, list("vwxyz"))
    scan(lake, table, listing, files(["b"]))
    merge(lake, table, {"d": {"x": 1}, "e": {"x": 2}})
    rows = fetch(lake, table)
    assert sorted(row["path"] for row in rows) == ["a", "b", "c", "d", "e"]
    assert len({row["datapoint_id"] for row in rows}) == 5
    assert next(row["size"] for row in rows if row["path"] == "a") == 4


def test_files_and_media_types_belong_together(lake: Lake, table: TableRef) -> None:
    with lake.scan(table, commit=info(kind="scan")) as taken, pytest.raises(InternalError):
        taken.add(files(["a", "b"]), ["image/png"])


def test_headers_are_read_once_per_content(lake: Lake, table: TableRef) -> None:
    scan(lake, table, files(["a.png", "b.png"]))
    scan_all = files(["a.png", "b.png", "c.txt"])
    with lake.scan(table, commit=info(kind="scan")) as taken:
        taken.add(scan_all, ["image/png", "image/png", "text/plain"])
        taken.finish()
    targets = lake.probe_targets(table)
    assert [(target.path, target.size, target.media_type) for target in targets] == [
        ("a.png", 3, "image/png"),
        ("b.png", 3, "image/png"),
    ]
    assert lake.probe_targets(table, limit=1) == targets[:1]
    assert lake.probe_targets(table, after_id=targets[0].datapoint_id) == targets[1:]
    assert lake.schema(table).get("width") is None

    results = [ProbeResult(targets[0], {"width": 20, "height": 10}), ProbeResult(targets[1], {})]
    lake.save_probes(table, results, commit=info("Headers", kind="scan"))
    assert lake.probe_targets(table) == []
    assert lake.schema(table).names == ("size", "last_modified", "media_type", "etag", "width", "height")
    assert [(row["width"], row["height"]) for row in fetch(lake, table)] == [(20, 10), (None, None), (None, None)]
    assert lake.count(table, Query(condition=Compare("width", Op.GT, 5))) == 1

    before = len(lake.history(table))
    with lake.scan(table, commit=info(kind="scan")) as taken:
        taken.add(files(["a.png"], etag="2"), ["image/png"])
        taken.finish()
    assert [target.path for target in lake.probe_targets(table)] == ["a.png"]
    # What was read of the old content, and of a file that is gone by now, is dropped.
    lake.save_probes(table, [ProbeResult(targets[0], {"width": 1}), ProbeResult(targets[1], {"width": 2})],
                     commit=info(kind="scan"))  # fmt: skip
    assert [row["width"] for row in fetch(lake, table, Query(include_missing=True))] == [20, None, None]
    assert len(lake.history(table)) == before + 2
    lake.save_probes(table, [], commit=info(kind="scan"))

    lake.reset_probes(table)
    scan(lake, table, files(["a.png", "b.png"], etag="2"))
    assert len(lake.probe_targets(table)) == 2
