"""How a measurement is taken: every one in a process of its own, repeats interleaved, results as medians."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CALL_TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for.

    Attributes:
        rows: Datapoints of the metadata suite.
        files: Files of the scan suite.
        memory_rows: The two sizes whose peak memory is compared.
        repeats: How often each measurement is taken.
        peer_python: The interpreter that has DataChain and Lance; None leaves them out.
    """

    rows: int
    files: int
    memory_rows: tuple[int, int]
    repeats: int
    peer_python: str | None


@dataclass(slots=True)
class Result:
    """One line of the report.

    Attributes:
        values: One per repeat, in `unit`.
        at_most: The median must not be above it.
        at_least: The median must not be below it.
    """

    suite: str
    name: str
    values: list[float]
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None where there is none."""
        if self.at_most is None and self.at_least is None:
            return None
        above = self.at_most is None or self.median <= self.at_most
        return above and (self.at_least is None or self.median >= self.at_least)

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"

    def to_json(self) -> dict[str, Any]:
        return {
            "suite": self.suite,
            "name": self.name,
            "median": self.median,
            "values": self.values,
            "unit": self.unit,
            "target": self.target,
            "met": self.met,
            "note": self.note,
        }


@dataclass(slots=True)
class Workshop:
    """A temporary folder, and processes that measure in it."""

    options: Options
    folder: Path
    _homes: int = field(default=0)

    def new_home(self) -> Path:
        """Return a home folder nobody used."""
        self._homes += 1
        return self.folder / f"home-{self._homes}"

    def call(
        self,
        function: str,
        *,
        home: Path | None = None,
        python: str | None = None,
        env: Mapping[str, str] | None = None,
        **arguments: object,
    ) -> dict[str, Any]:
        """Run `module:function` in a process of its own and return the dict it returns.

        Args:
            function: What to run; it takes `arguments` as keywords.
            home: PATHLAKE_HOME of the process; a fresh one by default.
            python: The interpreter; this one by default.
            env: More environment variables.
        """
        chosen = home or self.new_home()
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("PATHLAKE_", "DAGSHUB_"))}
        scratch = {"PATHLAKE_HOME": str(chosen), "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        command = [python or sys.executable, "-m", "benchmarks.worker", function, json.dumps(arguments)]
        done = subprocess.run(
            command, env={**keep, **scratch, **(env or {})}, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=CALL_TIMEOUT_S,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{function} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    def interleaved(self, **measure: Callable[[], dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """Take every measurement once, then all again, so that a slow moment of the machine falls on all of them."""
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in measure}
        for _ in range(self.options.repeats):
            for name, take in measure.items():
                found[name].append(take())
        return found


def column(answers: list[dict[str, Any]], key: str, *, scale: float = 1.0) -> list[float]:
    """Return one number of each answer."""
    return [answer[key] * scale for answer in answers]


def ratio(over: list[float], under: list[float]) -> list[float]:
    """Return the ratio of each repeat to the same repeat of another measurement."""
    return [a / b for a, b in zip(over, under, strict=True)]


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder on the disk that `TMPDIR` names."""
    return tempfile.TemporaryDirectory(prefix="pathlake-benchmarks-", ignore_cleanup_errors=True)


def peak_rss_mib(pid: int | str = "self") -> float:
    """Return the highest resident memory a process ever had, in MiB (Linux).

    `ru_maxrss` will not do: a child inherits its parent's.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmHWM")
