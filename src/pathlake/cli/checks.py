"""The checks of `pathlake doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from pathlake.cli.doctor import Check, Health
from pathlake.cli.output import human_bytes
from pathlake.cli.serve import DEFAULT_PORT
from pathlake.client.config import Target, configured_target, home_path
from pathlake.errors import PathlakeError
from pathlake.wire import ADDRESS_FILE, LOCK_FILE, EngineAddress
from pathlake.wire.contract import WIRE_VERSION, package_version

INSTALL_ENGINE = "Install the engine with: pip install 'pathlake[server]'"
EXTENSIONS = ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs")
CLIENT_PACKAGES = ("httpx", "numpy", "obstore", "pandas", "pyarrow", "rich", "typer")
ENGINE_PACKAGES = (
    "alembic", "av", "duckdb", "filelock", "graphql-core", "httptools", "mutagen", "pillow", "psycopg", "pygit2",
    "pypdf", "sqlalchemy", "starlette", "uvicorn",
)  # fmt: skip
LEAST_FREE_BYTES = 200 * 10**6
"""Below this much free space even small commits are in danger."""
COMFORTABLE_FREE_BYTES = 5 * 10**9
"""Below this much, a large upload or query may not find the room it spills into."""


def all_checks() -> list[Check]:
    """Run every check that applies here and return them in the order they are read."""
    checks = [*_versions(), _packages("client", CLIENT_PACKAGES, advice="Install Pathlake again: pip install pathlake")]
    try:
        target = configured_target()
    except PathlakeError as error:
        checks.append(Check("server", Health.FAIL, error.message))
        return checks
    if target is not None:
        checks.append(_server(target))
        return checks
    checks.append(_packages("engine", ENGINE_PACKAGES, advice=INSTALL_ENGINE))
    if checks[-1].health is Health.OK:
        checks.extend(_extensions())
    home = home_path()
    checks.append(_home(home))
    checks.extend([_engine(home), _ports(), _disk(home)])
    return checks


def _versions() -> Iterator[Check]:
    new_enough = sys.version_info >= (3, 11)
    yield Check(
        "python",
        Health.OK if new_enough else Health.FAIL,
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "" if new_enough else "Pathlake needs Python 3.11 or newer.",
    )
    yield Check("pathlake", Health.OK, f"{package_version()}, wire {WIRE_VERSION}")


def _packages(name: str, packages: tuple[str, ...], *, advice: str) -> Check:
    found: list[str] = []
    missing: list[str] = []
    for package in packages:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        return Check(f"{name} packages", Health.FAIL, f"not installed: {', '.join(missing)}", advice)
    return Check(f"{name} packages", Health.OK, ", ".join(found))


def _extensions() -> Iterator[Check]:
    import duckdb

    from pathlake.lake.connection import packaged_extension

    with duckdb.connect() as connection:
        for name in EXTENSIONS:
            file = packaged_extension(name)
            origin = "from its package" if file is not None else "from DuckDB's own folder"
            try:
                connection.load_extension(name if file is None else str(file))
            except duckdb.Error as error:
                package = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
                yield Check(f"extension {name}", Health.FAIL, str(error), f"Install it with: pip install {package}")
                continue
            found = connection.execute(
                "SELECT extension_version FROM duckdb_extensions() WHERE extension_name = ? AND loaded", [name]
            ).fetchone()
            version = found[0] if found and found[0] else "unknown"
            yield Check(f"extension {name}", Health.OK, f"loads {origin}, version {version}")


def _home(home: Path) -> Check:
    trouble = _home_trouble(home)
    if trouble is not None:
        return Check("home", Health.FAIL, trouble, "Choose a folder of your own with PATHLAKE_HOME.")
    if not home.exists():
        return Check("home", Health.OK, f"{home}, made at first use")
    status = home.stat()
    if status.st_uid != os.geteuid():
        advice = "Let one user own a home, or choose another with PATHLAKE_HOME."
        return Check("home", Health.WARN, f"{home} belongs to user id {status.st_uid}, not to you", advice)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Check("home", Health.WARN, f"{home} can be written by others", f"Run: chmod go-w {home}")
    return _home_format(home)


def _home_trouble(home: Path) -> str | None:
    if not home.exists():
        parent = next(folder for folder in home.parents if folder.exists())
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            return None
        return f"{home} cannot be made: {parent} cannot be written"
    if not home.is_dir():
        return f"{home} is no folder"
    try:
        with tempfile.TemporaryFile(dir=home):
            return None
    except OSError as error:
        return f"{home} cannot be written: {error.strerror}"


def _home_format(home: Path) -> Check:
    try:
        found = (home / "version").read_text(encoding="utf-8").strip()
    except OSError:
        return Check("home", Health.OK, f"{home}, not used yet")
    try:
        from pathlake.engine.engine import HOME_FORMAT
    except ImportError:
        return Check("home", Health.OK, f"{home}, format {found}")
    if not found.isdigit() or int(found) > HOME_FORMAT:
        detail = f"{home} has format {found[:20]!r}, and this version knows {HOME_FORMAT}"
        advice = "Upgrade with `pip install --upgrade pathlake`, or choose another home with PATHLAKE_HOME."
        return Check("home", Health.FAIL, detail, advice)
    return Check("home", Health.OK, f"{home}, format {found}")


def _engine(home: Path) -> Check:
    name = "engine"
    address = EngineAddress.read(home)
    if address is None:
        if (home / ADDRESS_FILE).exists():
            return Check(
                name,
                Health.WARN,
                f"the address file {home / ADDRESS_FILE} is damaged",
                "Delete it; the next engine writes it anew.",
            )
        if _locked(home):
            return Check(
                name,
                Health.WARN,
                "a process holds the home but does not say where it listens",
                "If it lasts, end that process.",
            )
        return Check(name, Health.OK, "none runs; the first call starts one")
    where = f"{address.url}, process {address.pid}, version {address.version}"
    if not address.speaks_our_wire:
        return Check(
            name, Health.FAIL, f"{where}: speaks wire {address.wire}, this client {WIRE_VERSION}",
            f"Install the same version here (pip install 'pathlake=={address.version}'), or end that process.",
        )  # fmt: skip
    try:
        from pathlake.cli.rest import whoami

        whoami(Target(address.url, address.token, local=True))
    except PathlakeError as error:
        if not _locked(home):
            return Check(name, Health.OK, "none runs (the last one left its address behind); the first call starts one")
        return Check(name, Health.FAIL, f"{where}: {error.message}", f"End process {address.pid}.")
    return Check(name, Health.OK, f"runs at {where}")


def _locked(home: Path) -> bool:
    lock = home / LOCK_FILE
    if not lock.exists():
        return False
    try:
        from pathlake.server.lock import HomeLock
    except ImportError:
        return False
    probe = HomeLock(home)
    try:
        if not probe.acquire():
            return True
    except OSError:
        return False
    probe.release()
    return False


def _server(target: Target) -> Check:
    from pathlake.cli.rest import whoami

    try:
        return Check("server", Health.OK, f"{target.url} answers; you are {whoami(target)}")
    except PathlakeError as error:
        return Check(
            "server", Health.FAIL, error.message, "Check PATHLAKE_HOST and PATHLAKE_TOKEN, or run: pathlake login URL"
        )


def _ports() -> Check:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Check(
            "ports",
            Health.FAIL,
            f"no port of 127.0.0.1 can be taken: {error.strerror}",
            "The engine listens on one; allow it.",
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", DEFAULT_PORT))
        except OSError:
            return Check(
                "ports", Health.WARN, f"port {DEFAULT_PORT} is taken", "`pathlake serve --port` chooses another."
            )
    return Check("ports", Health.OK, f"127.0.0.1 can be listened on, {DEFAULT_PORT} is free")


def _disk(home: Path) -> Check:
    folder = next(place for place in (home, *home.parents) if place.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{human_bytes(free)} free at {folder}"
    if free < LEAST_FREE_BYTES:
        return Check("disk", Health.FAIL, detail, "Free some space, or move the home with PATHLAKE_HOME.")
    if free < COMFORTABLE_FREE_BYTES:
        return Check("disk", Health.WARN, detail, "Large uploads and queries may not find enough room.")
    return Check("disk", Health.OK, detail)
