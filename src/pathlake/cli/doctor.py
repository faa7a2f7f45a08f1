"""`pathlake doctor`: whether this machine can run or reach an engine, and what to do where it cannot."""

from __future__ import annotations

import enum
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from pathlake.cli.output import JsonOption, print_json, stdout

if TYPE_CHECKING:
    from collections.abc import Sequence


class Health(enum.StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What was looked at.
        health: How it came out.
        detail: What was found.
        advice: What to do about it; empty where nothing is to be done.
    """

    name: str
    health: Health
    detail: str
    advice: str = ""


def doctor(*, as_json: JsonOption = False) -> None:
    """Check versions, DuckDB's extensions, the home folder, its engine, ports and disk."""
    from pathlake.cli.checks import all_checks

    checks = all_checks()
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        _print(checks)
    if any(check.health is Health.FAIL for check in checks):
        raise typer.Exit(1)


def _print(checks: Sequence[Check]) -> None:
    if not sys.stdout.isatty():
        for check in checks:
            advice = f"  ->  {check.advice}" if check.advice else ""
            sys.stdout.write(f"{check.health.upper():<4}  {check.name}: {check.detail}{advice}\n")
        return
    from rich.table import Table
    from rich.text import Text

    colours = {Health.OK: "green", Health.WARN: "yellow", Health.FAIL: "bold red"}
    table = Table.grid(padding=(0, 2))
    for check in checks:
        detail = Text(check.detail)
        if check.advice:
            detail.append(f"\n{check.advice}", style="dim")
        table.add_row(Text(check.health.upper(), style=colours[check.health]), Text(check.name), detail)
    stdout().print(table)
