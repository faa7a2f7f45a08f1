"""Settings, and DuckDB's errors as ours."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pathlake.errors import (
    ConfigurationError,
    DiskFullError,
    HomeError,
    InternalError,
    PathlakeError,
    ResourceLimitError,
)
from pathlake.lake import LakeSettings, S3Access, open_lake
from pathlake.lake.connection import packaged_extension
from pathlake.lake.failures import mapped, retried


def test_catalog_urls() -> None:
    assert LakeSettings("duckdb:////a/b.ducklake", "d").catalog_file == Path("/a/b.ducklake")
    assert LakeSettings("sqlite:////a/b.sqlite", "d").catalog_file == Path("/a/b.sqlite")
    assert LakeSettings("sqlite:///b.sqlite", "d").catalog_file == Path("b.sqlite")
    assert LakeSettings("postgresql+psycopg://u@h/d", "d").catalog_file is None
    assert LakeSettings("postgresql+psycopg://u@h/d", "d").postgres_url == "postgresql://u@h/d"
    for url in ("mysql://x", "sqlite:///", "duckdb:///", "", "/a/b"):
        with pytest.raises(ConfigurationError):
            _ = LakeSettings(url, "d").catalog_file


def test_secrets_are_never_printed() -> None:
    access = S3Access("http://h", "the-key", "the-secret", session_token="the-token")
    settings = LakeSettings("sqlite:////x", "s3://b/p", s3=access)
    for text in (repr(access), str(access), repr(settings)):
        assert "the-" not in text


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), ResourceLimitError),
        (duckdb.OutOfMemoryException("failed to offload; max_temp_directory_size exceeded"), DiskFullError),
        (duckdb.IOException("IO Error: Could not write file: No space left on device"), DiskFullError),
        (duckdb.TransactionException("database or disk is full"), DiskFullError),
        (MemoryError(), ResourceLimitError),
        (duckdb.BinderException("what"), InternalError),
    ],
)
def test_errors_of_the_database_become_ours(error: Exception, expected: type[PathlakeError]) -> None:
    with pytest.raises(expected) as caught, mapped():
        raise error
    assert caught.value.__cause__ is error


def test_our_own_errors_pass_through() -> None:
    with pytest.raises(ResourceLimitError) as caught, mapped():
        raise ResourceLimitError("as it is")
    assert caught.value.message == "as it is"


def test_a_lost_race_is_run_again_and_another_failure_is_not() -> None:
    runs: list[int] = []

    def lose_twice() -> None:
        runs.append(1)
        if len(runs) < 3:
            with mapped():
                raise duckdb.TransactionException("Transaction conflict - attempting to ...")

    retried(lose_twice)
    assert len(runs) == 3

    def fail() -> None:
        runs.append(1)
        with mapped():
            raise duckdb.BinderException("no such thing")

    with pytest.raises(InternalError):
        retried(fail)
    assert len(runs) == 4


def test_extensions_are_loaded_from_their_packages_and_nothing_is_written_to_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs"):
        assert packaged_extension(name) is not None
    assert packaged_extension("no_such_thing") is None
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    open_lake(LakeSettings(f"duckdb:///{tmp_path}/lake/c.ducklake", f"{tmp_path}/lake/data")).close()
    assert list(home.iterdir()) == []
    assert (tmp_path / "lake" / "c.ducklake").exists()


def test_a_setting_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/c.ducklake"
    with pytest.raises(ConfigurationError, match="Memory"):
        open_lake(LakeSettings(url, str(tmp_path), memory_limit="lots"))
    with pytest.raises(ConfigurationError, match="bucket"):
        open_lake(LakeSettings(url, "s3://bucket/x"))
    with pytest.raises(ConfigurationError, match="PostgreSQL"):
        open_lake(LakeSettings("postgresql://nobody@127.0.0.1:1/none", str(tmp_path)))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(HomeError):
        open_lake(LakeSettings(f"duckdb:///{tmp_path}/file/c.ducklake", str(tmp_path)))


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_catalog_that_is_no_database_is_an_error_of_ours(tmp_path: Path, kind: str) -> None:
    (tmp_path / "catalog").write_bytes(b"this is no database at all, but long enough to look like one" * 20)
    with pytest.raises(PathlakeError, match="cannot be opened"):
        open_lake(LakeSettings(f"{kind}:///{tmp_path}/catalog", str(tmp_path)))
