"""What the command prints: tables for people, tab-separated lines for pipes, JSON for programs."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pathlake.errors import PathlakeError

if TYPE_CHECKING:
    from rich.console import Console

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

DEBUG_VARIABLE = "PATHLAKE_DEBUG"

HINTS = {
    "authentication": "Set PATHLAKE_TOKEN, or run `pathlake login URL`.",
    "engine_unreachable": "`pathlake doctor` says where it was looked for.",
    "home": "`pathlake doctor` says what is wrong with it.",
    "repo_not_connected": "`pathlake repo connect OWNER/NAME PATH_OR_URL` connects one.",
    "datasource_not_found": "`pathlake ds list OWNER/NAME` lists those there are.",
    "repo_not_found": "`pathlake repo list` lists those there are.",
}
"""What to do about errors of a code, where the command line has an answer of its own."""


def stdout() -> Console:
    """Return a console on standard output as it is now."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def stderr() -> Console:
    """Return a console on standard error as it is now."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def say(text: str) -> None:
    """Print one line for people on standard error, so that standard output stays the answer."""
    stderr().print(text, markup=False)


def plain(value: object) -> str:
    """Return a value as one cell of text: nothing for a missing one, JSON for a list, ISO 8601 for a time."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds" if not value.microsecond else "microseconds")
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=_jsonable)
    return str(value)


def print_json(value: object) -> None:
    """Print a value as one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_jsonable) + "\n")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "", numeric: Sequence[str] = ()
) -> None:
    """Print rows under their columns.

    Args:
        columns: The heads.
        rows: As many cells each as there are columns.
        empty: Line for people when there are no rows.
        numeric: Columns to set flush right.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        lines = ["\t".join(columns), *("\t".join(_one_line(cell) for cell in row) for row in cells)]
        sys.stdout.write("\n".join(lines) + "\n")
        return
    if not cells and empty:
        say(empty)
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(Text(column), justify="right" if column in numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    stdout().print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names beside values, one a line; missing values are left out."""
    kept = [(name, plain(value)) for name, value in facts if value not in (None, "", (), [])]
    if not sys.stdout.isatty():
        sys.stdout.write("".join(f"{name}\t{_one_line(value)}\n" for name, value in kept))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in kept:
        table.add_row(Text(name, style="dim"), Text(value))
    stdout().print(table)


def human_bytes(count: float) -> str:
    """Return a number of bytes in the unit that suits it.

    Example:
        >>> human_bytes(3_500_000)
        '3.5 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def print_error(error: BaseException) -> None:
    """Print an error as a person needs it: what was wrong, and what to do; the traceback only when asked for."""
    if os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"):
        traceback.print_exception(error)
        return
    from rich.text import Text

    console = stderr()
    console.print(Text("error: ", style="bold red").append(_message(error), style="not bold default"))
    hint = _hint(error)
    if hint:
        console.print(Text("hint:  ", style="bold").append(hint, style="not bold"))


def _message(error: BaseException) -> str:
    if isinstance(error, PathlakeError):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"


def _hint(error: BaseException) -> str:
    if isinstance(error, PathlakeError):
        hint = HINTS.get(error.code, "")
        return "" if hint and hint.split("`")[1:2] and hint.split("`")[1].split(" OWNER")[0] in error.message else hint
    if isinstance(error, OSError):
        return ""
    return f"This is a bug in Pathlake. {DEBUG_VARIABLE}=1 shows where it happened."


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _jsonable(value: Any) -> object:
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if hasattr(value, "item"):  # a numpy scalar
        return value.item()
    return str(value)
