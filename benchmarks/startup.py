"""Start-up: importing, and from the first call of a process to its first answer."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import Result, Workshop, column

TIMES = 7


def run(workshop: Workshop) -> list[Result]:
    """Take every measurement of this suite; each of them starts a process of its own several times."""
    used = workshop.new_home()
    workshop.call("benchmarks.startup:first_answer", home=used)
    taken: dict[str, list[dict[str, Any]]] = {"import": [], "fresh": [], "used": []}
    for _ in range(max(TIMES, workshop.options.repeats)):
        taken["import"].append(workshop.call("benchmarks.startup:imported"))
        taken["fresh"].append(workshop.call("benchmarks.startup:first_answer"))
        taken["used"].append(workshop.call("benchmarks.startup:first_answer", home=used))
    return [
        Result("startup", "import pathlake", column(taken["import"], "import_s", scale=1000), "ms", at_most=300.0),
        Result("startup", "from pathlake import datasources", column(taken["import"], "names_s", scale=1000), "ms"),
        Result("startup", "first call to first answer, home in use before", column(taken["used"], "seconds"), "s",
               at_most=1.5),
        Result("startup", "first call to first answer, no home yet", column(taken["fresh"], "seconds"), "s",
               at_most=1.5),
    ]  # fmt: skip


# -- what runs in processes of its own ---------------------------------------------------------------------------------


def imported() -> dict[str, Any]:
    """Import the package, then the names people use."""
    start = time.perf_counter()
    import pathlake  # noqa: F401

    middle = time.perf_counter()
    from pathlake import datasources  # noqa: F401

    return {"import_s": middle - start, "names_s": time.perf_counter() - start}


def first_answer() -> dict[str, Any]:
    """Get or create a datasource on three files and show its head: the engine starts on the way."""
    from pathlake import datasources

    folder = Path(os.environ["HOME"]) / "three"
    if not folder.exists():
        folder.mkdir()
        for name in "abc":
            (folder / f"{name}.txt").write_text(name)
    start = time.perf_counter()
    ds = datasources.get_or_create("bench/start", "three", folder)
    created_s = time.perf_counter() - start
    ds.head()
    return {"seconds": time.perf_counter() - start, "created_s": created_s}
