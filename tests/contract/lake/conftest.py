"""Every lake that the contract suite runs on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pathlake.lake import CommitInfo, Lake, LakeSettings, S3Access, TableRef, open_lake
from tests.support.servers import PostgresServer, S3Server

KINDS = ["duckdb", "sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.s3])]

_ids = itertools.count(1)

NewSettings = Callable[[], LakeSettings]


@pytest.fixture(scope="session", params=KINDS)
def new_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewSettings:
    """Makes an empty place for a lake: a file and a folder, or PostgreSQL and a bucket."""

    def on_disk() -> LakeSettings:
        folder = tmp_path_factory.mktemp("lake")
        return LakeSettings(f"{request.param}:///{folder}/catalog", f"{folder}/data", threads=2)

    if request.param in ("duckdb", "sqlite"):
        return on_disk
    return _on_servers(request, tmp_path_factory)


@pytest.fixture(scope="session")
def new_server_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewSettings:
    """Makes an empty place for a lake in PostgreSQL and a bucket."""
    return _on_servers(request, tmp_path_factory)


def _on_servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewSettings:
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    store: S3Server = request.getfixturevalue("seaweed")

    def on_servers() -> LakeSettings:
        url = postgres.url(postgres.create_database())
        access = S3Access(store.endpoint, store.access_key_id, store.secret_access_key, region=store.region)
        spill: Path = tmp_path_factory.mktemp("spill")
        return LakeSettings(url, f"s3://{store.create_bucket()}/lake", s3=access, threads=2, temp_dir=spill)

    return on_servers


@pytest.fixture(scope="session")
def lake(new_settings: NewSettings) -> Iterator[Lake]:
    """A lake that all tests share, each with a table of its own."""
    opened = open_lake(new_settings())
    yield opened
    opened.close()


def new_table(lake: Lake) -> TableRef:
    """Make a table that nobody else uses."""
    number = next(_ids)
    ref = TableRef(number % 3, number)
    lake.create_table(ref, commit=CommitInfo("ann", "Make it", "create"))
    return ref


@pytest.fixture
def table(lake: Lake) -> TableRef:
    """A fresh table in the shared lake."""
    return new_table(lake)
