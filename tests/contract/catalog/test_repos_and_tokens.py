from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pathlake.catalog import Catalog, SourceKind, open_catalog
from pathlake.errors import (
    AlreadyExistsError,
    InvalidNameError,
    InvalidValueError,
    RepoAlreadyExistsError,
    RepoNotFoundError,
    UsageError,
)


def add_source(catalog: Catalog, repo_id: int, name: str = "images") -> int:
    return catalog.create_datasource(
        repo_id, name, kind=SourceKind.FOLDER, root="file:///d", revision=None, connected=False, created_by="ann"
    ).id


def test_a_repo_comes_back_as_it_was_made(catalog: Catalog) -> None:
    before = dt.datetime.now(dt.UTC)
    made = catalog.create_repo("Ann-1", "cats.v2_x", description="Katzen 🐈, naïve")
    assert made.full_name == "Ann-1/cats.v2_x"
    assert made.created_at.utcoffset() == dt.timedelta(0)
    assert before <= made.created_at <= dt.datetime.now(dt.UTC)
    assert catalog.repo("Ann-1", "cats.v2_x") == made
    assert catalog.repo_by_id(made.id) == made


def test_repos_are_listed_by_name_and_outlive_the_connection(catalog: Catalog, catalog_url: str) -> None:
    for full_name in ("b/y", "a/z", "B/x", "a/b", "_/q"):
        catalog.create_repo(*full_name.split("/"))
    names = ["B/x", "_/q", "a/b", "a/z", "b/y"]
    assert [repo.full_name for repo in catalog.repos()] == names
    again = open_catalog(catalog_url)
    assert [repo.full_name for repo in again.repos()] == names
    again.close()


def test_names_that_differ_in_case_are_different_repos(catalog: Catalog) -> None:
    lower, upper = catalog.create_repo("ann", "cats"), catalog.create_repo("ann", "Cats")
    assert lower.id != upper.id
    assert catalog.repo("ann", "Cats").id == upper.id


def test_a_taken_repo_name_is_refused(catalog: Catalog) -> None:
    catalog.create_repo("ann", "cats")
    with pytest.raises(RepoAlreadyExistsError, match="ann/cats"):
        catalog.create_repo("ann", "cats")
    assert len(catalog.repos()) == 1


@pytest.mark.parametrize(
    "part", ["", ".hidden", "a/b", "a b", "ä", "a\n", "\na", "x" * 101, "a\0", "\ud800", "..", "a:b", "a\\b"]
)
def test_a_name_no_repo_can_have_is_refused(catalog: Catalog, part: str) -> None:
    with pytest.raises(InvalidNameError, match="owner"):
        catalog.create_repo(part, "cats")
    with pytest.raises(InvalidNameError, match="name"):
        catalog.create_repo("ann", part)
    assert catalog.repos() == []


def test_the_longest_repo_name_is_kept_whole(catalog: Catalog) -> None:
    assert catalog.create_repo("o" * 100, "n" * 100).full_name == "o" * 100 + "/" + "n" * 100


@pytest.mark.parametrize("name", ["cat", "CATS", "cats\0", "\udcff", "' OR 1=1 --"])
def test_an_unknown_repo_is_an_error_and_never_a_database_error(catalog: Catalog, name: str) -> None:
    catalog.create_repo("ann", "cats")
    with pytest.raises(RepoNotFoundError):
        catalog.repo("ann", name)


def test_an_unknown_repo_suggests_the_nearest(catalog: Catalog) -> None:
    catalog.create_repo("ann", "baby-yoda")
    with pytest.raises(RepoNotFoundError, match=r"no repo 'ann/baby_yoda'. Did you mean 'ann/baby-yoda'\?"):
        catalog.repo("ann", "baby_yoda")


@pytest.mark.parametrize("repo_id", [0, -1, 999, 2**63 - 1, 2**63, 2**200])
def test_an_id_nothing_has_is_not_found(catalog: Catalog, repo_id: int) -> None:
    for look in (catalog.repo_by_id, catalog.delete_repo, catalog.connection, catalog.datasources, catalog.datasets):
        with pytest.raises(RepoNotFoundError):
            look(repo_id)


def test_a_repo_with_datasources_is_not_deleted(catalog: Catalog) -> None:
    repo = catalog.create_repo("ann", "cats")
    source = add_source(catalog, repo.id)
    with pytest.raises(UsageError, match="datasources"):
        catalog.delete_repo(repo.id)
    catalog.delete_datasource(source)
    catalog.connect(repo.id, kind=SourceKind.GIT, url="/repo", default_revision=None)
    catalog.delete_repo(repo.id)
    with pytest.raises(RepoNotFoundError):
        catalog.repo("ann", "cats")


def test_the_id_of_a_deleted_repo_is_never_given_again(catalog: Catalog) -> None:
    gone = catalog.create_repo("ann", "cats").id
    catalog.delete_repo(gone)
    assert catalog.create_repo("ann", "cats").id > gone


def test_a_connection_takes_the_place_of_the_one_before(catalog: Catalog) -> None:
    repo, other = catalog.create_repo("ann", "cats"), catalog.create_repo("ann", "dogs")
    assert catalog.connection(repo.id) is None
    first = catalog.connect(repo.id, kind=SourceKind.GIT, url="https://x.example/é.git", default_revision="main")
    assert catalog.connection(repo.id) == first
    assert (first.kind, first.url, first.default_revision) == (SourceKind.GIT, "https://x.example/é.git", "main")
    second = catalog.connect(repo.id, kind=SourceKind.FOLDER, url="file:///d", default_revision=None)
    assert catalog.connection(repo.id) == second
    assert (second.kind, second.default_revision) == (SourceKind.FOLDER, None)
    assert catalog.connection(other.id) is None


def test_a_connection_needs_its_repo_and_text_that_can_be_kept(catalog: Catalog) -> None:
    with pytest.raises(RepoNotFoundError):
        catalog.connect(77, kind=SourceKind.GIT, url="/r", default_revision=None)
    repo = catalog.create_repo("ann", "cats")
    with pytest.raises(InvalidValueError, match="URL"):
        catalog.connect(repo.id, kind=SourceKind.GIT, url="/r\0", default_revision=None)
    assert catalog.connection(repo.id) is None


def test_a_token_is_known_by_itself_alone(catalog: Catalog) -> None:
    made = catalog.create_token("ann", label="laptop", token="s3cret-🔑")
    assert catalog.token("s3cret-🔑") == made
    assert (made.login, made.label) == ("ann", "laptop")
    for wrong in ("s3cret", "S3CRET-🔑", "", "\0", "\ud800"):
        assert catalog.token(wrong) is None


def test_a_token_made_twice_or_empty_is_refused(catalog: Catalog) -> None:
    catalog.create_token("ann", label="", token="t")
    with pytest.raises(AlreadyExistsError):
        catalog.create_token("bob", label="", token="t")
    with pytest.raises(UsageError, match="empty"):
        catalog.create_token("ann", label="", token="")
    found = catalog.token("t")
    assert found is not None
    assert found.login == "ann"


def test_the_token_itself_is_in_no_file(tmp_path: Path) -> None:
    catalog = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    catalog.create_token("ann", label="laptop", token="find-me-if-you-can")
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    catalog.close()
    assert b"laptop" in written
    assert b"find-me" not in written
