"""Progress bars in a terminal or notebook, and nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[..., None]
"""Called with `completed=` (so far) and, where it is known or changes, `total=` and `text=`."""


def shows_progress() -> bool:
    """Tell whether somebody is watching: standard error is a terminal, or this is a notebook."""
    shell = sys.modules.get("IPython")
    if shell is not None:
        instance = shell.get_ipython()
        if instance is not None and type(instance).__name__ == "ZMQInteractiveShell":
            return True
    return bool(sys.stderr) and sys.stderr.isatty()


@contextmanager
def progress_bar(text: str, *, total: int | None = None, wanted: bool | None = None) -> Iterator[Advance]:
    """Show a bar while the block runs.

    Args:
        text: What is being done, in a few words.
        total: How much there is; None where that is not known.
        wanted: True or False to decide; None shows it only where somebody is watching.

    Yields:
        A function that takes the work done so far.
    """
    if not (shows_progress() if wanted is None else wanted):
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=console.is_terminal) as bar:
        task = bar.add_task(text, total=total)

        def advance(*, completed: int, total: int | None = total, text: str = text) -> None:
            bar.update(task, completed=completed, total=total, description=text)

        yield advance


def _nothing(*, completed: int, total: int | None = None, text: str = "") -> None:
    del completed, total, text
