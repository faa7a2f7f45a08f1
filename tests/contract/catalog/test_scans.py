from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from pathlake.catalog import Catalog, ScanState, SourceKind
from pathlake.errors import AlreadyExistsError, DatasourceNotFoundError, NotFoundError


@pytest.fixture
def sources(catalog: Catalog) -> list[int]:
    repo = catalog.create_repo("ann", "cats")
    return [
        catalog.create_datasource(
            repo.id, f"s{i}", kind=SourceKind.FOLDER, root="file:///d", revision=None, connected=False, created_by="ann"
        ).id
        for i in range(3)
    ]


def test_a_new_scan_is_queued_and_has_seen_nothing(catalog: Catalog, sources: list[int]) -> None:
    scan = catalog.create_scan(sources[0])
    assert (scan.state, scan.active, scan.force_probe, scan.stage) == (ScanState.QUEUED, True, False, "")
    assert (scan.seen, scan.probe_failures, scan.notes, scan.error) == (0, 0, (), None)
    assert scan.created_at.tzinfo is not None
    assert (scan.started_at, scan.finished_at, scan.revision) == (None, None, None)
    assert catalog.scan(scan.id) == scan


def test_an_active_scan_is_joined_and_can_be_made_to_probe(catalog: Catalog, sources: list[int]) -> None:
    first = catalog.create_scan(sources[0])
    assert catalog.create_scan(sources[0]) == first
    forced = catalog.create_scan(sources[0], force_probe=True)
    assert forced == dataclasses.replace(first, force_probe=True)
    catalog.update_scan(first.id, state=ScanState.RUNNING)
    assert catalog.create_scan(sources[0]).id == first.id, "a running scan is active too"
    assert catalog.create_scan(sources[0]).force_probe, "what was asked once stays asked"
    assert catalog.create_scan(sources[1]).id != first.id


@pytest.mark.parametrize("end", [ScanState.DONE, ScanState.FAILED, ScanState.CANCELLED])
def test_an_ended_scan_makes_room_for_another(catalog: Catalog, sources: list[int], end: ScanState) -> None:
    first = catalog.create_scan(sources[0])
    catalog.update_scan(first.id, state=end)
    second = catalog.create_scan(sources[0])
    assert second.id > first.id
    assert not catalog.scan(first.id).active


def test_every_attribute_can_be_set_and_comes_back(catalog: Catalog, sources: list[int]) -> None:
    scan = catalog.create_scan(sources[0])
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    changes: dict[str, object] = {
        "state": ScanState.RUNNING,
        "revision": "0" * 40,
        "started_at": dt.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=zone),
        "finished_at": dt.datetime(1969, 1, 1, tzinfo=dt.UTC),
        "seen": 10**12,
        "new": 1,
        "changed": 2,
        "returned": 3,
        "unchanged": 4,
        "vanished": 5,
        "probed": 6,
        "probe_failures": 7,
        "skipped": 8,
        "stage": "listing",
        "force_probe": True,
        "error": "Grüße",
        "notes": ("a\nb", "ü", "\udcff\0", ""),
    }
    missing = {field.name for field in dataclasses.fields(scan)} - changes.keys()
    assert missing == {"id", "datasource_id", "created_at"}, "an attribute is untested"
    changed = catalog.update_scan(scan.id, **changes)
    assert {name: getattr(changed, name) for name in changes} == changes
    assert catalog.scan(scan.id) == changed
    assert changed.started_at is not None
    assert changed.started_at.utcoffset() == dt.timedelta(0)
    assert changed.created_at == scan.created_at


def test_a_message_that_no_database_keeps_is_spelled_out(catalog: Catalog, sources: list[int]) -> None:
    scan = catalog.create_scan(sources[0])
    changed = catalog.update_scan(scan.id, error="bad name 'a\udcff\0'")
    assert changed.error == "bad name 'a\\udcff\\x00'"


@pytest.mark.parametrize("name", ["nwe", "id", "datasource_id", "created_at", "active"])
def test_an_attribute_that_is_none_is_a_type_error(catalog: Catalog, sources: list[int], name: str) -> None:
    scan = catalog.create_scan(sources[0])
    with pytest.raises(TypeError, match=name):
        catalog.update_scan(scan.id, **{name: 1, "seen": 5})
    assert catalog.scan(scan.id) == scan


def test_no_change_is_no_change(catalog: Catalog, sources: list[int]) -> None:
    scan = catalog.create_scan(sources[0])
    assert catalog.update_scan(scan.id) == scan


@pytest.mark.parametrize("number", [0, -1, 12345, 2**64])
def test_what_does_not_exist_is_not_found(catalog: Catalog, number: int) -> None:
    with pytest.raises(DatasourceNotFoundError):
        catalog.create_scan(number)
    with pytest.raises(NotFoundError):
        catalog.scan(number)
    with pytest.raises(NotFoundError):
        catalog.update_scan(number, seen=1)
    assert catalog.latest_scan(number) is None


def test_a_second_scan_cannot_be_made_active(catalog: Catalog, sources: list[int]) -> None:
    ended = catalog.create_scan(sources[0])
    catalog.update_scan(ended.id, state=ScanState.DONE)
    catalog.create_scan(sources[0])
    with pytest.raises(AlreadyExistsError):
        catalog.update_scan(ended.id, state=ScanState.RUNNING)
    assert catalog.scan(ended.id).state is ScanState.DONE


def test_the_latest_scan_in_a_state_is_found_behind_newer_ones(catalog: Catalog, sources: list[int]) -> None:
    states = (ScanState.DONE, ScanState.DONE, ScanState.FAILED)
    scans = [catalog.update_scan(catalog.create_scan(sources[0]).id, state=state) for state in states]
    assert catalog.latest_scan(sources[0]) == scans[2]
    assert catalog.latest_scan(sources[0], state=ScanState.DONE) == scans[1]
    assert catalog.latest_scan(sources[0], state=ScanState.CANCELLED) is None
    assert catalog.latest_scan(sources[1], state=ScanState.DONE) is None


def test_the_latest_scans_are_found_together(catalog: Catalog, sources: list[int]) -> None:
    for state in (ScanState.DONE, ScanState.FAILED):
        catalog.update_scan(catalog.create_scan(sources[0]).id, state=state)
    newest = catalog.create_scan(sources[0])
    other = catalog.create_scan(sources[1])
    assert catalog.latest_scan(sources[0]) == newest
    assert catalog.latest_scans([*sources, 999, 2**80]) == {sources[0]: newest, sources[1]: other}
    assert catalog.latest_scans([]) == {}
    assert catalog.latest_scans(range(1, 40_000)).keys() == {sources[0], sources[1]}
    assert catalog.active_scans() == [newest, other]
