from __future__ import annotations

import os
import shutil
import socket
from collections import namedtuple
from pathlib import Path

import pytest

from pathlake.cli import checks
from pathlake.cli.doctor import Health
from pathlake.wire import ADDRESS_FILE, EngineAddress
from pathlake.wire.contract import WIRE_VERSION

Usage = namedtuple("Usage", "total used free")


def test_a_home_that_is_not_there_yet_is_fine(tmp_path: Path) -> None:
    found = checks._home(tmp_path / "new" / "home")
    assert found.health is Health.OK
    assert "made at first use" in found.detail


def test_a_home_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    found = checks._home(tmp_path / "home")
    assert found.health is Health.FAIL
    assert "is no folder" in found.detail
    assert "PATHLAKE_HOME" in found.advice


def test_a_home_that_cannot_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # root can write everywhere
    found = checks._home(tmp_path)
    assert (found.health, "Permission denied" in found.detail) == (Health.FAIL, True)


def test_a_home_others_can_write_to_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert checks._home(tmp_path).health is Health.WARN


def test_a_home_of_somebody_else_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    found = checks._home(tmp_path)
    assert (found.health, "not to you" in found.detail) == (Health.WARN, True)


def test_a_home_of_a_newer_version_fails(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("999\n")
    found = checks._home(tmp_path)
    assert (found.health, "'999'" in found.detail) == (Health.FAIL, True)


def test_an_address_left_behind_is_no_trouble(tmp_path: Path) -> None:
    _address(port=1).write(tmp_path)
    found = checks._engine(tmp_path)
    assert (found.health, "left its address behind" in found.detail) == (Health.OK, True)


def test_a_damaged_address_file_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / ADDRESS_FILE).write_text("{")
    assert checks._engine(tmp_path).health is Health.WARN


def test_an_engine_of_another_wire_fails(tmp_path: Path) -> None:
    _address(port=1, wire=WIRE_VERSION + 1).write(tmp_path)
    found = checks._engine(tmp_path)
    assert (found.health, "pip install" in found.advice) == (Health.FAIL, True)


def test_an_engine_that_has_the_home_but_does_not_answer_fails(tmp_path: Path) -> None:
    from pathlake.server.lock import HomeLock

    _address(port=1).write(tmp_path)
    lock = HomeLock(tmp_path)
    assert lock.acquire()
    try:
        # Only another process's lock is seen as taken: flock is per open file, so this one is.
        assert checks._engine(tmp_path).health is Health.FAIL
    finally:
        lock.release()


def test_a_taken_port_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(checks, "DEFAULT_PORT", taken.getsockname()[1])
        assert checks._ports().health is Health.WARN


@pytest.mark.parametrize(
    ("free", "health"), [(10**6, Health.FAIL), (10**9, Health.WARN), (10**11, Health.OK)], ids=["full", "low", "fine"]
)
def test_the_disk_is_judged_by_what_is_free(
    free: int, health: Health, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))
    assert checks._disk(tmp_path / "not" / "there").health is health


def test_a_missing_package_fails_with_the_command_that_installs_it() -> None:
    found = checks._packages("engine", ("rich", "no-such-package-at-all"), advice="Install it.")
    assert (found.health, found.detail, found.advice) == (
        Health.FAIL,
        "not installed: no-such-package-at-all",
        "Install it.",
    )


def test_every_extension_loads() -> None:
    found = list(checks._extensions())
    assert [check.name for check in found] == [f"extension {name}" for name in checks.EXTENSIONS]
    assert {check.health for check in found} == {Health.OK}


def test_a_server_that_is_configured_takes_the_place_of_the_engine(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHLAKE_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("PATHLAKE_TOKEN", "secret")
    found = checks.all_checks()
    assert found[-1].name == "server"
    assert found[-1].health is Health.FAIL
    assert "home" not in [check.name for check in found]


def test_a_host_without_a_token_fails(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHLAKE_HOST", "http://127.0.0.1:1")
    found = checks.all_checks()[-1]
    assert (found.health, "PATHLAKE_TOKEN" in found.detail) == (Health.FAIL, True)


def _address(*, port: int, wire: int = WIRE_VERSION) -> EngineAddress:
    return EngineAddress(
        url=f"http://127.0.0.1:{port}",
        token="t",
        pid=1,
        version="9.9.9",
        wire=wire,
        started="2024-01-01T00:00:00+00:00",
    )
