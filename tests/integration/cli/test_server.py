"""`serve`, `login` and `doctor`, as processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import background

PATHLAKE = Path(sys.executable).with_name("pathlake")


def run(*arguments: str | Path, typed: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in (PATHLAKE, *arguments)],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **env},
    )


@pytest.fixture
def served(tmp_path: Path, fresh_home: Path) -> Iterator[str]:
    """The output of a server on a home of its own that has just begun."""
    log = tmp_path / "serve.log"
    command: list[str | Path] = [PATHLAKE, "serve", "--port", "0", "--home", tmp_path / "served"]
    with background(command, log=log, ready=lambda: b"Ctrl-C" in log.read_bytes()) as process:
        yield log.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "Stopped." in log.read_text()


def address(output: str) -> tuple[str, str]:
    found = re.search(r"PATHLAKE_HOST=(\S+) PATHLAKE_TOKEN=(\S+)", output)
    assert found is not None, output
    return found[1], found[2]


def test_a_server_prints_how_to_reach_it_and_that_works(served: str) -> None:
    host, token = address(served)
    assert f"Admin token, shown this once:  {token}" in served
    assert f"DAGSHUB_CLIENT_HOST={host} DAGSHUB_USER_TOKEN={token}" in served
    for names in (("PATHLAKE_HOST", "PATHLAKE_TOKEN"), ("DAGSHUB_CLIENT_HOST", "DAGSHUB_USER_TOKEN")):
        assert (
            run("repo", "create", f"team/{names[0].lower()}", **dict(zip(names, (host, token), strict=True))).returncode
            == 0
        )
    found = run("repo", "list", "--json", PATHLAKE_HOST=host, PATHLAKE_TOKEN=token)
    assert [repo["full_name"] for repo in json.loads(found.stdout)] == [
        "team/dagshub_client_host",
        "team/pathlake_host",
    ]


def test_a_wrong_token_is_refused_with_advice(served: str) -> None:
    host, _ = address(served)
    found = run("repo", "list", PATHLAKE_HOST=host, PATHLAKE_TOKEN="guess")
    assert found.returncode == 1
    assert "pathlake login" in found.stderr
    checked = run("doctor", PATHLAKE_HOST=host, PATHLAKE_TOKEN="guess")
    assert checked.returncode == 1
    assert "FAIL  server:" in checked.stdout


def test_a_login_is_kept_used_and_forgotten(served: str, fresh_home: Path) -> None:
    host, token = address(served)
    assert run("login", host, "--token", "guess").returncode == 1
    assert not (fresh_home / "login.json").exists()
    assert run("login", host, "--token", "-", typed=f"{token}\n").returncode == 0
    assert (fresh_home / "login.json").stat().st_mode & 0o077 == 0
    assert run("repo", "create", "team/one").returncode == 0
    assert host in run("login").stderr
    assert "OK    server:" in run("doctor").stdout
    assert run("login", "--forget").stderr == "Forgotten.\n"
    assert run("login", "--forget").stderr == "Nothing was kept.\n"
    assert run("login").returncode == 1


def test_a_second_start_shows_no_token(tmp_path: Path, fresh_home: Path) -> None:
    log = tmp_path / "serve.log"
    command: list[str | Path] = [PATHLAKE, "serve", "--port", "0", "--home", tmp_path / "served"]
    shown = []
    for _ in range(2):
        with background(command, log=log, ready=lambda: b"Ctrl-C" in log.read_bytes()):
            shown.append(log.read_text())
    assert "Admin token" in shown[0]
    assert "Admin token" not in shown[1]
    assert "PATHLAKE_TOKEN=YOUR_TOKEN" in shown[1]
    assert address(shown[0])[1] not in shown[1]


def test_a_home_is_served_once(tmp_path: Path, served: str) -> None:
    found = run("serve", "--port", "0", "--home", tmp_path / "served")
    assert found.returncode == 1
    assert "already" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_port_that_is_taken_is_said(tmp_path: Path, served: str) -> None:
    port = address(served)[0].rpartition(":")[2]
    found = run("serve", "--port", port, "--home", tmp_path / "other")
    assert found.returncode == 1
    assert port in found.stderr


def test_the_doctor_finds_a_healthy_machine_and_says_so_in_json(fresh_home: Path) -> None:
    found = run("doctor", "--json")
    checks = json.loads(found.stdout)
    by_name = {check["name"]: check for check in checks}
    assert {"python", "pathlake", "engine packages", "extension ducklake", "home", "engine", "ports", "disk"} <= set(
        by_name
    )
    assert by_name["engine"]["detail"] == "none runs; the first call starts one"
    assert found.returncode == (1 if any(check["health"] == "fail" for check in checks) else 0)
    assert not fresh_home.exists()


def test_the_doctor_fails_where_something_would_fail(tmp_path: Path, fresh_home: Path) -> None:
    (tmp_path / "file").touch()
    found = run("doctor", PATHLAKE_HOME=str(tmp_path / "file"))
    assert found.returncode == 1
    assert "FAIL  home:" in found.stdout


def test_the_doctor_sees_the_engine_of_another_process(tmp_path: Path, served: str) -> None:
    found = run("doctor", PATHLAKE_HOME=str(tmp_path / "served"))
    assert "OK    engine: runs at http://127.0.0.1:" in found.stdout


def test_the_command_says_its_version_and_starts_quickly(fresh_home: Path) -> None:
    found = run("--version")
    assert re.fullmatch(r"pathlake \d+\.\d+\.\d+\S*\n", found.stdout)


def test_a_reader_that_leaves_early_is_no_error(fresh_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for index in range(3000):
        (folder / f"{index:05d}-{'x' * 60}.txt").touch()
    assert run("ds", "create", "me/mine", "many", folder, "--wait").returncode == 0
    piped = subprocess.run(
        ["bash", "-c", f"{PATHLAKE} ds query me/mine many --limit 0 | head -1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert piped.stdout.startswith("path\t")
    assert piped.stderr == ""
