from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pathlake.catalog.base import Repo
from pathlake.engine import Engine, EngineSettings, open_engine
from pathlake.engine.tables import table_of
from pathlake.errors import (
    AlreadyExistsError,
    DatasetAlreadyExistsError,
    DatasetNotFoundError,
    DatasourceAlreadyExistsError,
    DatasourceNotFoundError,
    FieldNotFoundError,
    InvalidNameError,
    InvalidSourceError,
    QueryError,
    RepoNotFoundError,
    UsageError,
)
from pathlake.lake.base import CommitInfo
from pathlake.types import Field, FieldType
from tests.support.engines import create, done, upload


def test_repos_come_into_being_only_where_the_settings_say_so(settings: EngineSettings, tmp_path: Path) -> None:
    with open_engine(settings) as engine:
        with pytest.raises(RepoNotFoundError):
            engine.repos.require("simon", "baby", create=False)
        made = engine.repos.require("simon", "baby", create=True)
        assert engine.repos.require("simon", "baby", create=True) == made
        assert [repo.full_name for repo in engine.repos.list()] == ["simon/baby"]
        with pytest.raises(RepoNotFoundError, match="Did you mean 'simon/baby'"):
            engine.repos.get("simon", "babi")
    shared = replace(EngineSettings.from_home(tmp_path / "other", {}), create_repos=False)
    with open_engine(shared) as engine, pytest.raises(RepoNotFoundError):
        engine.repos.require("simon", "baby", create=True)


@pytest.mark.parametrize("name", ["simon", "simon/", "/baby", "a/b/c", "", "simon/ba by", ".x/y"])
def test_repo_names_are_checked(engine: Engine, name: str) -> None:
    with pytest.raises(InvalidNameError):
        engine.repos.create(name)


def test_datasources_are_found_by_id_and_name(engine: Engine, repo: Repo, folder: Path) -> None:
    one = create(engine, repo, folder, name="one")
    two = create(engine, repo, folder, name="two")
    assert [view.record.name for view in engine.datasources.find(repo)] == ["one", "two"]
    assert [view.record.id for view in engine.datasources.find(repo, name="two")] == [two.id]
    assert [view.record.id for view in engine.datasources.find(repo, id=one.id, name="one")] == [one.id]
    assert engine.datasources.find(repo, id=one.id, name="two") == []
    assert engine.datasources.get(repo, name="one").record == one
    assert engine.datasources.record(repo, id=two.id) == two
    with pytest.raises(DatasourceNotFoundError, match="Did you mean 'one'"):
        engine.datasources.get(repo, name="onee")


def test_a_view_shows_the_fields_and_the_scan(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    done(engine, datasource)
    upload(engine, datasource, path=["001.txt"], episode=[1])
    view = engine.datasources.get(repo, id=datasource.id)
    assert view.repo == repo
    episode = view.schema.resolve("episode")
    assert (episode.type, episode.automatic) == (FieldType.INTEGER, False)
    assert view.schema.resolve("size").automatic
    assert view.scan is not None
    assert view.scan.seen == 3


def test_a_name_is_given_once_in_a_repo(engine: Engine, repo: Repo, folder: Path) -> None:
    create(engine, repo, folder)
    with pytest.raises(DatasourceAlreadyExistsError, match="'images'"):
        create(engine, repo, folder)
    other = engine.repos.create("simon/other")
    create(engine, other, folder)
    with pytest.raises(AlreadyExistsError):
        engine.repos.create("simon/other")


@pytest.mark.parametrize("url", ["s3://bucket/x", "gs://bucket", "azure://a/b", "x", "file:///nowhere/at/all"])
def test_places_that_cannot_be_read_make_no_datasource(engine: Engine, repo: Repo, url: str) -> None:
    with pytest.raises(InvalidSourceError):
        engine.datasources.create(repo, "ds", url=url, created_by="simon")
    assert engine.datasources.find(repo) == []


def test_a_file_is_no_folder(engine: Engine, repo: Repo, folder: Path) -> None:
    with pytest.raises(InvalidSourceError):
        create(engine, repo, folder / "001.txt")


def test_a_shared_engine_opens_no_folder_of_its_machine(tmp_path: Path, folder: Path) -> None:
    with open_engine(EngineSettings.from_home(tmp_path / "home", {})) as engine:
        repo = engine.repos.create("simon/baby")
        with pytest.raises(InvalidSourceError, match="pathlake repo connect"):
            create(engine, repo, folder)


def test_a_name_that_is_not_allowed_leaves_no_table(engine: Engine, repo: Repo, folder: Path) -> None:
    with pytest.raises(InvalidNameError):
        create(engine, repo, folder, name="")
    assert engine.datasources.find(repo) == []


def test_a_lake_that_fails_leaves_no_datasource(
    engine: Engine, repo: Repo, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise QueryError("the lake is on strike")

    with monkeypatch.context() as patch:
        patch.setattr(engine.lake, "create_table", fail)
        with pytest.raises(QueryError, match="on strike"):
            create(engine, repo, folder)
    assert engine.datasources.find(repo) == []
    assert done(engine, create(engine, repo, folder)).seen == 3


def test_what_a_crash_left_half_made_is_removed_at_the_start(settings: EngineSettings, folder: Path) -> None:
    with open_engine(settings) as engine:
        repo = engine.repos.create("simon/baby")
        whole = create(engine, repo, folder, name="whole")
        done(engine, whole)
        half = engine.catalog.create_datasource(
            repo.id, "half", kind=whole.kind, root=whole.root, revision=None, connected=False, created_by="simon"
        )
        engine.lake.create_table(table_of(half), commit=CommitInfo("simon", "", "create"))
    with open_engine(settings) as engine:
        assert [view.record.name for view in engine.datasources.find(repo)] == ["whole"]
        assert done(engine, create(engine, repo, folder, name="half")).seen == 3


def test_a_deleted_datasource_takes_its_metadata_and_datasets_with_it(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    done(engine, datasource)
    upload(engine, datasource, path=["001.txt"], episode=[1])
    engine.datasets.save(datasource, "all", query_text="{}", created_by="simon")
    assert engine.datasources.delete(repo, id=datasource.id).record == datasource
    assert engine.datasources.find(repo) == []
    assert engine.datasets.find(repo) == []
    again = create(engine, repo, folder)
    assert again.id != datasource.id
    done(engine, again)
    assert engine.datasources.view(again, repo).schema.get("episode") is None
    with pytest.raises(DatasourceNotFoundError):
        engine.datasources.delete(repo, id=datasource.id)


def test_a_repo_with_datasources_is_not_deleted(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    with pytest.raises(UsageError):
        engine.repos.delete(repo)
    engine.datasources.delete(repo, id=datasource.id)
    engine.repos.delete(repo)
    assert engine.repos.list() == []


EPISODE = '{"query": {"filter": {"key": "episode", "value": "5", "valueType": "INTEGER", "comparator": "GREATER_THAN"}'


def test_datasets_keep_their_query_to_the_letter(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    engine.metadata.put_fields(datasource, [Field("episode", FieldType.INTEGER)], author="simon")
    text = EPISODE + ', "not": true}, "limit": 3}'
    saved = engine.datasets.save(datasource, "late", query_text=text, created_by="simon")
    assert saved.query == text
    assert engine.datasets.get(repo, name="late") == saved
    assert engine.datasets.find(repo, id=saved.id) == [saved]
    empty = engine.datasets.save(datasource, "all", query_text='{"query": null}', created_by="simon")
    assert empty.query == "{}"
    assert [one.name for one in engine.datasets.find(repo)] == ["late", "all"]
    with pytest.raises(DatasetAlreadyExistsError):
        engine.datasets.save(datasource, "late", query_text="{}", created_by="simon")
    with pytest.raises(DatasetNotFoundError, match="Did you mean 'late'"):
        engine.datasets.get(repo, name="lat")
    assert engine.datasets.delete(repo, id=saved.id) == saved
    assert engine.datasets.find(repo, name="late") == []
    with pytest.raises(DatasetNotFoundError):
        engine.datasets.delete(repo, id=saved.id)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"query": {"nonsense": 1}}', EPISODE])
def test_what_is_no_query_makes_no_dataset(engine: Engine, repo: Repo, folder: Path, text: str) -> None:
    datasource = create(engine, repo, folder)
    with pytest.raises(QueryError):
        engine.datasets.save(datasource, "bad", query_text=text, created_by="simon")
    assert engine.datasets.find(repo) == []


def test_a_dataset_of_an_unknown_field_is_refused(engine: Engine, repo: Repo, folder: Path) -> None:
    datasource = create(engine, repo, folder)
    with pytest.raises(FieldNotFoundError, match="episode"):
        engine.datasets.save(datasource, "bad", query_text=EPISODE + "}}", created_by="simon")
    assert engine.datasets.find(repo) == []
