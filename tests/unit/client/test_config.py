"""Which engine the environment, the login file and the home name."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pathlake.client.config import Target, configured_target, forget_login, home_path, read_login, save_login
from pathlake.errors import ConfigurationError, HomeError


def test_nothing_configured_means_the_engine_of_this_machine(fresh_home: Path) -> None:
    assert configured_target() is None
    assert home_path() == fresh_home


def test_our_own_variables_come_before_the_official_ones(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSHUB_CLIENT_HOST", "http://official:1/")
    monkeypatch.setenv("DAGSHUB_USER_TOKEN", "two")
    assert configured_target() == Target("http://official:1", "two")
    monkeypatch.setenv("PATHLAKE_HOST", "https://ours/sub/")
    monkeypatch.setenv("PATHLAKE_TOKEN", "one")
    assert configured_target() == Target("https://ours/sub", "one")


def test_a_kept_login_is_private_and_comes_last(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_login("http://kept:2/", "three")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert configured_target() == read_login() == Target("http://kept:2", "three")
    monkeypatch.setenv("PATHLAKE_HOST", "http://kept:2")
    assert configured_target() == Target("http://kept:2", "three")
    monkeypatch.setenv("PATHLAKE_TOKEN", "four")
    assert configured_target() == Target("http://kept:2", "four")
    assert forget_login()
    assert not forget_login()


def test_a_host_without_a_token_says_what_to_set(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHLAKE_HOST", "http://ours")
    with pytest.raises(ConfigurationError, match="Set PATHLAKE_TOKEN"):
        configured_target()


@pytest.mark.parametrize("host", ["ours", "ftp://ours", "http://", "127.0.0.1:80"])
def test_a_host_that_is_no_address_is_refused(fresh_home: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("PATHLAKE_HOST", host)
    with pytest.raises(ConfigurationError, match="PATHLAKE_HOST must be an address"):
        configured_target()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"host": 1, "token": "x"}'])
def test_a_damaged_login_file_says_what_to_do(fresh_home: Path, text: str) -> None:
    save_login("http://kept", "t").write_text(text)
    with pytest.raises(ConfigurationError, match="pathlake login"):
        configured_target()


def test_a_home_that_cannot_be_made_is_named(fresh_home: Path) -> None:
    fresh_home.write_text("a file")
    with pytest.raises(HomeError, match=str(fresh_home)):
        save_login("http://kept", "t")


def test_a_target_never_shows_its_token() -> None:
    assert "secret" not in repr(Target("http://x", "secret"))
