"""Threads and processes on one catalog: nothing is lost, doubled or answered with a database's own error."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from pathlake.catalog import Catalog, ScanState, SourceKind, open_catalog
from pathlake.errors import (
    DatasetAlreadyExistsError,
    DatasourceAlreadyExistsError,
    DatasourceNotFoundError,
    PathlakeError,
    RepoAlreadyExistsError,
)

THREADS = 8


def outcomes(action: Callable[[int], object], *, times: int = THREADS) -> list[object]:
    """Run `action` in threads that start together; the class of a Pathlake error stands for a failure."""
    start = threading.Barrier(times)

    def attempt(number: int) -> object:
        start.wait()
        try:
            return action(number)
        except PathlakeError as error:
            return type(error)

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(attempt, range(times)))


def add_source(catalog: Catalog, repo_id: int, name: str) -> int:
    return catalog.create_datasource(
        repo_id, name, kind=SourceKind.FOLDER, root="file:///d", revision=None, connected=False, created_by="ann"
    ).id


def test_of_many_who_create_the_same_one_wins(catalog: Catalog) -> None:
    repos = Counter(map(str, outcomes(lambda _: type(catalog.create_repo("ann", "cats")))))
    assert repos[str(RepoAlreadyExistsError)] == THREADS - 1
    repo = catalog.repo("ann", "cats")
    made = outcomes(lambda _: add_source(catalog, repo.id, "images"))
    assert made.count(DatasourceAlreadyExistsError) == THREADS - 1
    source = catalog.datasource(repo.id, name="images").id
    assert source in made
    saved = outcomes(lambda i: catalog.save_dataset(source, "train", query=str(i), created_by="ann").query)
    assert saved.count(DatasetAlreadyExistsError) == THREADS - 1
    assert catalog.dataset(repo.id, name="train").query in saved
    connected = outcomes(lambda i: catalog.connect(repo.id, kind=SourceKind.GIT, url=str(i), default_revision=None).url)
    assert sorted(map(str, connected)) == sorted(map(str, range(THREADS)))


def test_of_many_who_scan_the_same_all_get_one_scan(catalog: Catalog) -> None:
    source = add_source(catalog, catalog.create_repo("ann", "cats").id, "images")
    for _ in range(5):
        ids = set(outcomes(lambda i: catalog.create_scan(source, force_probe=i % 2 == 0).id))
        assert len(ids) == 1
        scan = catalog.latest_scan(source)
        assert scan is not None
        assert ids == {scan.id}
        assert scan.force_probe
        catalog.update_scan(scan.id, state=ScanState.DONE)


def test_threads_that_read_and_write_at_once_lose_nothing(catalog: Catalog) -> None:
    repo = catalog.create_repo("ann", "cats")

    def work(number: int) -> int:
        for i in range(15):
            source = add_source(catalog, repo.id, f"s{number}-{i}")
            scan = catalog.create_scan(source)
            for seen in range(3):
                assert catalog.update_scan(scan.id, seen=seen).seen == seen
            catalog.save_dataset(source, f"d{number}-{i}", query="{}", created_by="ann")
            assert catalog.datasource(repo.id, id=source).name == f"s{number}-{i}"
            if i % 3 == 0:
                catalog.delete_datasource(source)
            catalog.repos()
        return number

    assert outcomes(work) == list(range(THREADS))
    expected = {f"s{n}-{i}" for n in range(THREADS) for i in range(15) if i % 3}
    assert {source.name for source in catalog.datasources(repo.id)} == expected
    assert len(catalog.datasets(repo.id)) == len(expected)
    assert all(scan.seen == 2 for scan in catalog.active_scans())


def test_a_datasource_deleted_under_a_writer_is_not_found(catalog: Catalog) -> None:
    repo = catalog.create_repo("ann", "cats")
    for round_number in range(5):
        source = add_source(catalog, repo.id, "images")
        actions: list[Callable[[], object]] = [
            lambda source=source: catalog.delete_datasource(source),  # type: ignore[misc]
            lambda source=source: catalog.create_scan(source).state,  # type: ignore[misc]
            lambda source=source: catalog.save_dataset(source, "d", query="", created_by="a").name,  # type: ignore[misc]
        ]
        seen = outcomes(lambda i, actions=actions: actions[i](), times=3)  # type: ignore[misc]
        assert seen[0] is None, round_number
        assert seen[1] in (ScanState.QUEUED, DatasourceNotFoundError)
        assert seen[2] in ("d", DatasourceNotFoundError)
        assert catalog.datasets(repo.id) == []
        assert catalog.active_scans() == []


def open_and_create(url: str, number: int) -> str:
    """What one process of the next test does."""
    catalog = open_catalog(url)
    try:
        catalog.create_repo("ann", f"from-{number}")
        try:
            return str(catalog.create_repo("ann", "the-one").id)
        except RepoAlreadyExistsError:
            return "taken"
    finally:
        catalog.close()


@pytest.mark.slow
def test_processes_may_make_the_same_fresh_catalog_together(catalog_url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as processes:
        answers = list(processes.map(open_and_create, [catalog_url] * 4, range(4)))
    assert answers.count("taken") == 3
    catalog = open_catalog(catalog_url)
    assert [repo.name for repo in catalog.repos()] == ["from-0", "from-1", "from-2", "from-3", "the-one"]
    catalog.close()
