"""Memory: what uploads of a million and of ten million datapoints take at their peak, in client and engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.data import write_rows
from benchmarks.harness import Result, Workshop, column, peak_rss_mib, ratio


def run(workshop: Workshop) -> list[Result]:
    """Take every measurement of this suite."""
    sizes = workshop.options.memory_rows
    files = {}
    for rows in sizes:
        files[rows] = workshop.folder / f"memory-{rows}.parquet"
        write_rows(files[rows], rows=rows)

    def take(rows: int) -> dict[str, Any]:
        return workshop.call("benchmarks.memory:served_upload", rows_file=str(files[rows]), rows=rows)

    # Once each: a peak does not vary as a time does, and the larger size takes minutes.
    found = {rows: [take(rows)] for rows in sizes}
    small, large = sizes
    results: list[Result] = []
    for rows in sizes:
        shown = f"{rows / 1e6:g} M"
        results += [
            Result("memory", f"upload of {shown} x 5, engine's peak", column(found[rows], "engine_mib"), "MiB"),
            Result("memory", f"upload of {shown} x 5, client's peak", column(found[rows], "client_mib"), "MiB"),
            Result("memory", f"upload of {shown} x 5, time", column(found[rows], "seconds"), "s"),
        ]
    for who in ("engine", "client"):
        ratios = ratio(column(found[large], f"{who}_mib"), column(found[small], f"{who}_mib"))
        shown = f"{who}'s peak, {large / 1e6:g} M / {small / 1e6:g} M"
        results.append(Result("memory", shown, ratios, "x", at_most=1.5))
    return results


# -- what runs in processes of its own ---------------------------------------------------------------------------------


def served_upload(*, rows_file: str, rows: int) -> dict[str, Any]:
    """Start `pathlake serve`, upload the file part by part in another process, and read both peaks."""
    home = Path(os.environ["PATHLAKE_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    log = home.parent / f"{home.name}.log"
    program = "from pathlake.cli.main import app; app()"
    command = [sys.executable, "-c", program, "serve", "--port", "0", "--home", str(home)]
    with log.open("wb") as sink:
        engine = subprocess.Popen([*command, "--token", "benchmark-token"], stdout=sink, stderr=subprocess.STDOUT)
    try:
        env = {"PATHLAKE_HOST": _address(log, engine), "PATHLAKE_TOKEN": "benchmark-token"}
        client = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", rows_file, str(rows)],
            env={**os.environ, **env}, check=False, capture_output=True, text=True,
        )  # fmt: skip
        if client.returncode:
            raise RuntimeError(f"{client.stderr[-3000:]}\n{log.read_text()[-3000:]}")
        seconds, client_mib = map(float, client.stdout.split())
        return {"seconds": seconds, "client_mib": client_mib, "engine_mib": peak_rss_mib(engine.pid)}
    finally:
        engine.send_signal(signal.SIGINT)
        engine.wait(timeout=60)


def _address(log: Path, engine: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and engine.poll() is None:
        text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())
        if found := re.search(r"PATHLAKE_HOST=(http://[0-9.:]+)", text):
            return found[1]
        time.sleep(0.02)
    raise RuntimeError(f"pathlake serve did not start:\n{log.read_text()}")


def upload_file(rows_file: str, rows: int) -> None:
    """The client: upload, then say how long it took and what it took at its peak."""
    from pathlake import datasources

    empty = Path(os.environ["HOME"]) / "empty"
    empty.mkdir(exist_ok=True)
    _create_repo("bench/memory")
    ds = datasources.get_or_create("bench/memory", "rows", empty)
    ds.wait_until_ready(progress=False)
    start = time.perf_counter()
    ds.upload_metadata_from_file(rows_file, path_column="path", progress=False)
    seconds = time.perf_counter() - start
    assert ds.count() == rows
    print(seconds, peak_rss_mib())


def _create_repo(name: str) -> None:
    from typer.testing import CliRunner

    from pathlake.cli.main import app

    done = CliRunner().invoke(app, ["repo", "create", name])
    assert done.exit_code == 0, done.output


if __name__ == "__main__":
    upload_file(sys.argv[1], int(sys.argv[2]))
