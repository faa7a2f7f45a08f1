"""Datasources and saved datasets: made, found, reopened elsewhere, deleted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pathlake import Datasource, datasets, datasources
from pathlake.errors import (
    DatasetAlreadyExistsError,
    DatasetNotFoundError,
    DatasourceAlreadyExistsError,
    DatasourceNotFoundError,
    InvalidNameError,
    InvalidSourceError,
    NotFoundError,
    RepoNotConnectedError,
    RepoNotFoundError,
    SourceUnavailableError,
    UsageError,
)
from tests.integration.client.conftest import REPO, MakeDatasource

REOPEN = f"""
import json
from pathlake import datasets
ds = datasets.get_dataset({REPO!r}, "reopened")
print(json.dumps([ds.explain(), [point.path for point in ds.all()], ds.is_query_different_from_dataset]))
"""


def test_datasources_are_found_by_name_and_id(make: MakeDatasource, tmp_path: Path) -> None:
    made = make(name="found")
    assert datasources.get_datasource(REPO, name="found").source.id == made.source.id
    assert datasources.get_datasource(REPO, id=int(made.source.id)).source.name == "found"
    assert datasources.get(REPO, "found", made.source.id).source.root_url == made.source.root_url
    assert datasources.get_or_create(REPO, "found", tmp_path).source.id == made.source.id
    assert "found" in [entry.source.name for entry in datasources.get_datasources(REPO)]


def test_what_is_not_there_is_suggested(shared: Datasource, make: MakeDatasource) -> None:
    make(name="unmistakable")
    with pytest.raises(DatasourceNotFoundError, match="Did you mean 'unmistakable'"):
        datasources.get_datasource(REPO, "unmistakeable")
    with pytest.raises(DatasourceNotFoundError, match="999"):
        datasources.get_datasource(REPO, id=999)
    with pytest.raises(DatasetNotFoundError):
        datasets.get_dataset(REPO, "nothing")
    with pytest.raises(RepoNotFoundError, match="Did you mean 'simon/baby'"):
        datasources.get_datasource("simon/babi", "x")
    with pytest.raises(UsageError):
        datasources.get_datasource(REPO)
    with pytest.raises(UsageError):
        datasets.get_dataset(REPO)


@pytest.mark.parametrize("repo", ["simon", "a/b/c", "/b", "", None, 5])
def test_a_repo_is_named_owner_and_name(repo: str) -> None:
    with pytest.raises(InvalidNameError, match="owner/name"):
        datasources.get_datasources(repo)


def test_places_that_cannot_be_read(shared: Datasource, tmp_path: Path) -> None:
    before = datasources.get_datasources(REPO)
    with pytest.raises(DatasourceAlreadyExistsError):
        datasources.create_datasource(REPO, shared.source.name, tmp_path)
    with pytest.raises((SourceUnavailableError, InvalidSourceError)):
        datasources.create_datasource(REPO, "gone", tmp_path / "gone")
    with pytest.raises(InvalidSourceError):
        datasources.create_datasource(REPO, "bucket", "s3://bucket/prefix")
    with pytest.raises(RepoNotConnectedError, match="pathlake repo connect"):
        datasources.create_datasource(REPO, "unconnected", "path/to/dir", "main")
    with pytest.raises(InvalidNameError):
        datasources.create_datasource(REPO, "", tmp_path)
    assert len(datasources.get_datasources(REPO)) == len(before)


def test_a_saved_dataset_is_reopened_in_another_process(ds: Datasource) -> None:
    query = ds[(ds["size"] > 3) & ds["path"].contains(".jpg")].order_by(("size", "desc")).limit(3)
    saved = query.save_dataset("reopened")
    assert saved.assigned_dataset is not None
    assert saved.get_query() == query.get_query()
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", REOPEN],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    explained, paths, different = json.loads(ran.stdout)
    assert explained == query.explain()
    assert paths == ["images/009.jpg", "images/008.jpg", "images/007.jpg"]
    assert different is False


def test_a_dataset_knows_whether_its_query_was_changed(ds: Datasource) -> None:
    assert ds.is_query_different_from_dataset is None
    (ds["size"] > 3).save_dataset("changed")
    opened = datasets.get_dataset(REPO, "changed")
    assert opened.is_query_different_from_dataset is False
    narrowed = opened[opened["size"] < 9]
    assert narrowed.is_query_different_from_dataset is True
    assert narrowed.count() == 5
    assert narrowed.clear_query().is_query_different_from_dataset is False
    assert narrowed.clear_query(False).get_query() == ds.get_query()
    with pytest.raises(DatasetAlreadyExistsError):
        narrowed.save_dataset("changed")
    assert "changed" in [entry.assigned_dataset.name for entry in datasets.get_datasets(REPO) if entry.assigned_dataset]


def test_deleting_asks_where_somebody_can_answer(ds: Datasource, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = ds.save_dataset("short-lived")
    for delete in (ds.delete_source, saved.delete_dataset):
        with pytest.raises(UsageError, match="force=True"):
            delete()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    saved.delete_dataset()
    assert datasets.get_dataset(REPO, "short-lived").count() == 10
    monkeypatch.setattr("builtins.input", lambda _: "y")
    saved.delete_dataset()
    with pytest.raises(DatasetNotFoundError):
        datasets.get_dataset(REPO, "short-lived")
    with pytest.raises(UsageError, match="not opened from a dataset"):
        ds.delete_dataset()
    ds.delete_source(force=True)
    with pytest.raises(DatasourceNotFoundError):
        datasources.get_datasource(REPO, ds.source.name)
    with pytest.raises(NotFoundError):
        ds.all()
