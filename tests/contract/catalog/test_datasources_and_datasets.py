from __future__ import annotations

import pytest

from pathlake.catalog import Catalog, DatasourceRecord, Repo, SourceKind
from pathlake.errors import (
    DatasetAlreadyExistsError,
    DatasetNotFoundError,
    DatasourceAlreadyExistsError,
    DatasourceNotFoundError,
    InvalidNameError,
    InvalidValueError,
    RepoNotFoundError,
    UsageError,
)

QUERY = '{"query": {"filter": {"key": "café", "value": "5"}, "not": true}, "zebra": 1, "apple": 2}'


@pytest.fixture
def repo(catalog: Catalog) -> Repo:
    return catalog.create_repo("ann", "cats")


def add(catalog: Catalog, repo_id: int, name: str = "images") -> DatasourceRecord:
    return catalog.create_datasource(
        repo_id, name, kind=SourceKind.GIT, root="data/ünï", revision="feature/x", connected=True, created_by="ann"
    )


def test_a_datasource_comes_back_as_it_was_made(catalog: Catalog, repo: Repo) -> None:
    made = add(catalog, repo.id)
    assert (made.repo_id, made.name, made.kind, made.root) == (repo.id, "images", SourceKind.GIT, "data/ünï")
    assert (made.revision, made.connected, made.created_by) == ("feature/x", True, "ann")
    assert made.created_at.tzinfo is not None
    assert catalog.datasource(repo.id, name="images") == made
    assert catalog.datasource(repo.id, id=made.id) == made
    assert catalog.datasource(repo.id, id=made.id, name="images") == made


def test_id_and_name_must_both_fit(catalog: Catalog, repo: Repo) -> None:
    first, second = add(catalog, repo.id, "first"), add(catalog, repo.id, "second")
    with pytest.raises(DatasourceNotFoundError, match=f"id {first.id} and the name 'second'"):
        catalog.datasource(repo.id, id=first.id, name=second.name)
    with pytest.raises(UsageError):
        catalog.datasource(repo.id)


@pytest.mark.parametrize("name", ["猫", "e\u0301", "👩‍👩‍👧", "with space", "%_'\";--", "x" * 200, "NULL", "0"])
def test_any_printable_name_is_kept_to_the_letter(catalog: Catalog, repo: Repo, name: str) -> None:
    made = add(catalog, repo.id, name)
    assert catalog.datasource(repo.id, name=name) == made
    assert [source.name for source in catalog.datasources(repo.id)] == [name]
    saved = catalog.save_dataset(made.id, name, query=QUERY, created_by="ann")
    assert catalog.dataset(repo.id, name=name) == saved


def test_names_are_compared_exactly(catalog: Catalog, repo: Repo) -> None:
    names = ["a", "A", "\u00e9", "e\u0301", "a b"]
    ids = {add(catalog, repo.id, name).id for name in names}
    assert len(ids) == len(names)
    assert [source.name for source in catalog.datasources(repo.id)] == names


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        (" a", "white space"),
        ("a\u00a0", "white space"),
        ("a/b", "'/'"),
        ("a\nb", "control"),
        ("a\0", "control"),
        ("a\x7f", "control"),
        ("\ud800", "control"),
        ("a\u2028b", "control"),
        ("x" * 201, "201 characters"),
    ],
)
def test_a_name_that_is_not_allowed_is_refused(catalog: Catalog, repo: Repo, name: str, why: str) -> None:
    with pytest.raises(InvalidNameError, match=why):
        add(catalog, repo.id, name)
    source = add(catalog, repo.id)
    with pytest.raises(InvalidNameError, match=why):
        catalog.save_dataset(source.id, name, query=QUERY, created_by="ann")
    with pytest.raises(DatasourceNotFoundError):
        catalog.datasource(repo.id, name=name)
    with pytest.raises(DatasetNotFoundError):
        catalog.dataset(repo.id, name=name)


def test_a_taken_name_is_refused_in_its_repo_alone(catalog: Catalog, repo: Repo) -> None:
    first = add(catalog, repo.id)
    with pytest.raises(DatasourceAlreadyExistsError, match="ann/cats has a datasource named 'images'"):
        add(catalog, repo.id)
    catalog.save_dataset(first.id, "train", query=QUERY, created_by="ann")
    with pytest.raises(DatasetAlreadyExistsError, match="'train'"):
        catalog.save_dataset(add(catalog, repo.id, "more").id, "train", query="{}", created_by="ann")
    other = catalog.create_repo("ann", "dogs")
    catalog.save_dataset(add(catalog, other.id).id, "train", query="{}", created_by="ann")
    assert catalog.dataset(repo.id, name="train").query == QUERY


def test_what_is_in_another_repo_is_not_found(catalog: Catalog, repo: Repo) -> None:
    other = catalog.create_repo("bob", "dogs")
    source = add(catalog, other.id)
    dataset = catalog.save_dataset(source.id, "train", query=QUERY, created_by="bob")
    with pytest.raises(DatasourceNotFoundError):
        catalog.datasource(repo.id, id=source.id)
    with pytest.raises(DatasetNotFoundError):
        catalog.dataset(repo.id, id=dataset.id)
    with pytest.raises(DatasetNotFoundError):
        catalog.delete_dataset(repo.id, dataset.id)
    assert catalog.dataset(other.id, id=dataset.id) == dataset


def test_a_typo_suggests_the_nearest(catalog: Catalog, repo: Repo) -> None:
    source = add(catalog, repo.id, "baby-yoda-images")
    catalog.save_dataset(source.id, "training", query=QUERY, created_by="ann")
    with pytest.raises(DatasourceNotFoundError, match=r"'baby-yoda-image'. Did you mean 'baby-yoda-images'\?"):
        catalog.datasource(repo.id, name="baby-yoda-image")
    with pytest.raises(DatasetNotFoundError, match=r"Did you mean 'training'\?"):
        catalog.dataset(repo.id, name="Training")


@pytest.mark.parametrize("number", [0, -5, 999, 2**63, -(2**70)])
def test_an_id_nothing_has_is_not_found(catalog: Catalog, repo: Repo, number: int) -> None:
    for error, look in (
        (DatasourceNotFoundError, lambda: catalog.datasource(repo.id, id=number)),
        (DatasourceNotFoundError, lambda: catalog.delete_datasource(number)),
        (DatasourceNotFoundError, lambda: catalog.save_dataset(number, "d", query="{}", created_by="ann")),
        (DatasetNotFoundError, lambda: catalog.dataset(repo.id, id=number)),
        (DatasetNotFoundError, lambda: catalog.delete_dataset(repo.id, number)),
        (RepoNotFoundError, lambda: add(catalog, number if number != repo.id else 998)),
        (RepoNotFoundError, lambda: catalog.dataset(number, name="d")),
    ):
        with pytest.raises(error):
            look()


def test_text_that_no_database_keeps_is_refused_before_it_is_changed(catalog: Catalog, repo: Repo) -> None:
    with pytest.raises(InvalidValueError, match="root"):
        catalog.create_datasource(
            repo.id, "x", kind=SourceKind.GIT, root="a\udcff", revision=None, connected=True, created_by="ann"
        )
    source = add(catalog, repo.id)
    with pytest.raises(InvalidValueError, match="query"):
        catalog.save_dataset(source.id, "d", query='{"a": "\0"}', created_by="ann")
    assert catalog.datasets(repo.id) == []


def test_a_saved_query_is_kept_to_the_letter(catalog: Catalog, repo: Repo) -> None:
    source = add(catalog, repo.id)
    long = '{"query":{"or":[' + ",".join([QUERY] * 20_000) + "]}}"
    for name, query in {"order": QUERY, "long": long, "empty": ""}.items():
        saved = catalog.save_dataset(source.id, name, query=query, created_by="ann")
        assert saved.query == query
        assert catalog.dataset(repo.id, id=saved.id) == saved
        assert saved.created_at.tzinfo is not None


def test_a_deleted_dataset_says_what_it_was(catalog: Catalog, repo: Repo) -> None:
    source = add(catalog, repo.id)
    keep, drop = (catalog.save_dataset(source.id, n, query=QUERY, created_by="ann") for n in ("keep", "drop"))
    assert catalog.delete_dataset(repo.id, drop.id) == drop
    assert catalog.datasets(repo.id) == [keep]
    assert catalog.save_dataset(source.id, "drop", query="{}", created_by="bob").id > drop.id


def test_deleting_a_datasource_takes_its_scans_and_datasets_and_no_others(catalog: Catalog, repo: Repo) -> None:
    gone, stays = add(catalog, repo.id, "gone"), add(catalog, repo.id, "stays")
    scan = catalog.create_scan(stays.id)
    catalog.create_scan(gone.id)
    kept = catalog.save_dataset(stays.id, "kept", query=QUERY, created_by="ann")
    catalog.save_dataset(gone.id, "lost", query=QUERY, created_by="ann")
    catalog.delete_datasource(gone.id)
    assert catalog.datasources(repo.id) == [stays]
    assert catalog.datasets(repo.id) == [kept]
    assert catalog.active_scans() == [scan]
    assert catalog.latest_scan(gone.id) is None
    assert add(catalog, repo.id, "gone").id > stays.id
