"""Every catalog that the contract suite runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pathlake.catalog import Catalog, open_catalog
from tests.support.servers import PostgresServer


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a fresh catalog may be made, once in each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/home/catalog.db"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url(server.create_database())


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Catalog]:
    """A fresh catalog."""
    opened = open_catalog(catalog_url)
    yield opened
    opened.close()
