"""`pathlake demo`: from image files in git to a trained classifier, in one run."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pathlake.cli.output import say, stdout
from pathlake.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

REPO = "you/digits"
DATASOURCE = "digits"
DATASET = "inky-training-digits"

PLAIN_COLUMNS = 110
"""Width of the table where it is not printed to a terminal."""

_TARGET_VARIABLES = ("PATHLAKE_HOST", "PATHLAKE_TOKEN", "DAGSHUB_CLIENT_HOST", "DAGSHUB_USER_TOKEN")


@dataclass(slots=True)
class Steps:
    """What the demo has done so far: each step with its outcome and how long it took."""

    console: Console
    done: list[tuple[str, str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Time a step; what is appended to the list it gives is the step's outcome."""
        outcome: list[str] = []
        # A recorded console would keep every turn of the spinner.
        watched = self.console.is_terminal and not self.console.record
        waiting = self.console.status(title) if watched else contextlib.nullcontext()
        started = time.perf_counter()
        with waiting:
            yield outcome
        self.done.append((title, "\n".join(outcome), time.perf_counter() - started))

    @contextmanager
    def loud_step(self, title: str) -> Iterator[list[str]]:
        """Time a step that shows its own progress."""
        outcome: list[str] = []
        started = time.perf_counter()
        yield outcome
        self.done.append((title, "\n".join(outcome), time.perf_counter() - started))

    def print(self) -> None:
        """Print the steps as a table."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True)
        table.add_column("step", Text("in all"))
        table.add_column("outcome")
        table.add_column("seconds", f"{sum(seconds for *_, seconds in self.done):.2f}", justify="right")
        for title, outcome, seconds in self.done:
            table.add_row(Text(title), Text(outcome, style="dim"), f"{seconds:.2f}")
        self.console.print(table)


def demo(
    *,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep the repository and the home folder in this new folder.", show_default=False),
    ] = None,
) -> None:
    """Write 1,797 handwritten digits into a git repository and train a classifier from a query on it.

    The demo lives in a folder of its own, home included, and leaves nothing behind unless told to keep it.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise ConfigurationError(f"{keep} is not empty; the demo keeps its things in a new folder.")
    folder = Path(tempfile.mkdtemp(prefix="pathlake-demo-")) if keep is None else keep.absolute()
    try:
        with own_home(folder / "home"):
            console = stdout()
            if not console.is_terminal:
                console.width = PLAIN_COLUMNS
            run(folder, console=console)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if keep is not None:
        say(f"\nGo on with it:\n  export PATHLAKE_HOME={folder / 'home'}\n  pathlake ds show {REPO} {DATASOURCE}")


@contextmanager
def own_home(home: Path) -> Iterator[None]:
    """Send the calls of this process and its children to an engine on `home`, and stop that engine at the end."""
    kept = {name: os.environ.pop(name, None) for name in (*_TARGET_VARIABLES, "PATHLAKE_HOME")}
    os.environ["PATHLAKE_HOME"] = str(home)
    try:
        yield
    finally:
        from pathlake.server.embedded import stop_all

        stop_all()
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def run(folder: Path, *, console: Console) -> float:
    """Run the demo in an empty folder and return the classifier's accuracy."""
    from pathlake.cli.demo_steps import run_steps

    steps = Steps(console)
    accuracy = run_steps(folder, steps)
    steps.print()
    console.print(f"Accuracy on digits the classifier has not seen: [bold]{accuracy:.1%}[/]")
    return accuracy
