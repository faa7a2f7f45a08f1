"""What `import pathlake` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pathlake

HEAVY = ("duckdb", "fastapi", "httpx", "numpy", "pandas", "pyarrow", "starlette", "tensorflow", "torch")
PROGRAM = f"""
import sys, time
started = time.perf_counter()
import pathlake
took = time.perf_counter() - started
print(took, [name for name in {HEAVY!r} if name in sys.modules])
"""


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert pathlake.__all__ == sorted(pathlake.__all__)
    for name in pathlake.__all__:
        assert getattr(pathlake, name) is not None
    assert dir(pathlake) == pathlake.__all__


def test_every_error_is_reachable_by_the_errors_module() -> None:
    assert pathlake.errors.FieldNotFoundError.code == "field_not_found"
    assert issubclass(pathlake.errors.UsageError, pathlake.PathlakeError)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="datasorces"):
        getattr(pathlake, "datasorces")  # noqa: B009 - mypy knows that it is not there


def test_importing_is_quick_and_brings_nothing_heavy() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout.split(" ", 1)
        for _ in range(5)
    ]
    assert {heavy.strip() for _, heavy in runs} == {"[]"}
    assert min(float(took) for took, _ in runs) < 0.3
