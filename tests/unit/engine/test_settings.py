from __future__ import annotations

from pathlib import Path

import pytest

from pathlake.engine.engine import HOME_FORMAT, prepare_home
from pathlake.engine.settings import EngineSettings, default_memory_limit
from pathlake.errors import ConfigurationError, HomeError, IncompatibleVersionError


def test_everything_lives_in_the_home_by_default(tmp_path: Path) -> None:
    settings = EngineSettings.from_home(tmp_path, {})
    assert settings.catalog_url == f"sqlite:///{tmp_path}/catalog.sqlite"
    assert settings.lake_catalog_url == f"duckdb:///{tmp_path}/lake/catalog.ducklake"
    assert settings.lake_data == f"{tmp_path}/lake/data"
    assert settings.memory_limit == default_memory_limit()
    assert not settings.create_repos
    assert not settings.local_folders
    assert not list(tmp_path.iterdir())


def test_the_environment_moves_things_elsewhere(tmp_path: Path) -> None:
    env = {
        "PATHLAKE_CATALOG_URL": "postgresql://h/a",
        "PATHLAKE_LAKE_CATALOG_URL": "postgresql://h/b",
        "PATHLAKE_LAKE_DATA": "s3://bucket/lake",
        "PATHLAKE_MEMORY_LIMIT": "1.5 GB",
    }
    settings = EngineSettings.from_home(tmp_path, env)
    assert settings.catalog_url == env["PATHLAKE_CATALOG_URL"]
    assert settings.lake_catalog_url == env["PATHLAKE_LAKE_CATALOG_URL"]
    assert settings.lake_data == env["PATHLAKE_LAKE_DATA"]
    assert settings.memory_limit == "1.5 GB"


@pytest.mark.parametrize("limit", ["much", "50%", "12", "-1GB", "1GB; DROP TABLE x"])
def test_a_memory_limit_that_is_no_size_is_refused(tmp_path: Path, limit: str) -> None:
    with pytest.raises(ConfigurationError, match="PATHLAKE_MEMORY_LIMIT"):
        EngineSettings.from_home(tmp_path, {"PATHLAKE_MEMORY_LIMIT": limit})


def test_a_home_is_made_with_its_format_and_for_its_owner(tmp_path: Path) -> None:
    settings = EngineSettings.from_home(tmp_path / "a" / "home", {})
    prepare_home(settings)
    prepare_home(settings)
    assert (settings.home / "version").read_text() == f"{HOME_FORMAT}\n"
    assert settings.home.stat().st_mode & 0o077 == 0
    assert not list(settings.home.glob(".version-*"))


@pytest.mark.parametrize("found", [str(HOME_FORMAT + 1), "beta"])
def test_the_home_of_a_newer_version_is_left_alone(tmp_path: Path, found: str) -> None:
    (tmp_path / "version").write_text(found)
    with pytest.raises(IncompatibleVersionError, match="newer version"):
        prepare_home(EngineSettings.from_home(tmp_path, {}))
    assert [file.name for file in tmp_path.iterdir()] == ["version"]
    assert (tmp_path / "version").read_text() == found


def test_a_home_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="PATHLAKE_HOME"):
        prepare_home(EngineSettings.from_home(tmp_path / "file" / "home", {}))
