"""Run suites, print a table, and keep the numbers as JSON."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Options, Result, Workshop, scratch_folder

SUITES = ("startup", "scan", "metadata", "memory")


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when every target was met, else 1."""
    given = _parser().parse_args(argv)
    if unknown := sorted(set(given.suites) - set(SUITES)):
        print(f"There is no suite {', '.join(unknown)}; there are {', '.join(SUITES)}.", file=sys.stderr)
        return 2
    peer_python = None if given.no_peers else given.peer_python or sys.executable
    if peer_python and not _has_peers(peer_python):
        print(f"DataChain and Lance are not installed in {peer_python}; measuring without them.", file=sys.stderr)
        peer_python = None
    options = Options(
        rows=given.rows,
        files=given.files,
        memory_rows=(given.rows, 10 * given.rows),
        repeats=given.repeats,
        peer_python=peer_python,
    )
    results: list[Result] = []
    for suite in given.suites or SUITES:
        print(f"{suite} ...", file=sys.stderr, flush=True)
        with scratch_folder() as folder:
            results += importlib.import_module(f"benchmarks.{suite}").run(Workshop(options, Path(folder)))
    print(table(results))
    if given.out:
        report = {"machine": machine(peer_python), "options": vars(given), "results": [r.to_json() for r in results]}
        Path(given.out).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if all(result.met is not False for result in results) else 1


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table: medians, and the span of the repeats."""
    lines = ["| suite | what | median | span | unit | target | met |", "|---|---|--:|---|---|---|---|"]
    for result in results:
        span = f"{_number(min(result.values))} - {_number(max(result.values))}" if len(result.values) > 1 else ""
        met = {None: "", True: "yes", False: "**no**"}[result.met]
        what = f"{result.name} ({result.note})" if result.note else result.name
        cells = (result.suite, what, _number(result.median), span, result.unit, result.target, met)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine(peer_python: str | None) -> dict[str, object]:
    """Return what the numbers depend on."""
    packages = ("pathlake", "duckdb", "pyarrow", "pandas", "numpy", "sqlalchemy", "pygit2")
    facts: dict[str, object] = {
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }
    if peer_python:
        script = "import importlib.metadata as m; print(m.version('datachain'), m.version('pylance'))"
        found = subprocess.run([peer_python, "-c", script], check=True, capture_output=True, text=True).stdout.split()
        facts["peers"] = {"datachain": found[0], "lance": found[1]}
    return facts


def _has_peers(python: str) -> bool:
    script = "import importlib.util as u, sys; sys.exit(not (u.find_spec('datachain') and u.find_spec('lance')))"
    return subprocess.run([python, "-c", script], check=False, capture_output=True).returncode == 0


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; all by default")
    parser.add_argument("--rows", type=int, default=1_000_000, help="datapoints; memory also takes ten times as many")
    parser.add_argument("--files", type=int, default=100_000, help="files of the scan suite")
    parser.add_argument("--repeats", type=int, default=3, help="how often each measurement is taken")
    parser.add_argument("--out", help="JSON file to write")
    parser.add_argument("--peer-python", help="interpreter that has datachain and pylance; this one by default")
    parser.add_argument("--no-peers", action="store_true", help="leave DataChain and Lance out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
