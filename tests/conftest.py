"""Fixtures that every layer's tests may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import PostgresServer, S3Server, postgres, seaweedfs


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A real PostgreSQL, started by the first test of the session (of each worker) that asks for it."""
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 store, started by the first test of the session (of each worker) that asks for it."""
    with seaweedfs(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine nobody used Pathlake on: an empty HOME, a PATHLAKE_HOME that is not there yet, no host set.

    Returns:
        The PATHLAKE_HOME.
    """
    user = tmp_path / "user"
    user.mkdir()
    home = tmp_path / "pathlake-home"
    for name in ("DAGSHUB_CLIENT_HOST", "DAGSHUB_USER_TOKEN", "PATHLAKE_HOST", "PATHLAKE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("PATHLAKE_HOME", str(home))
    return home
