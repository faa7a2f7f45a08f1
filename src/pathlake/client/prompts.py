"""Questions before something is deleted."""

from __future__ import annotations

import sys

from pathlake.errors import UsageError


def confirmed(action: str, *, force: bool) -> bool:
    """Ask whether to do something that cannot be undone; `force` answers yes.

    Raises:
        UsageError: Nobody can answer.
    """
    if force:
        return True
    refusal = UsageError(f"Nobody is here to confirm: {action}. Pass force=True to do it without asking.")
    if sys.stdin is None or (not sys.stdin.isatty() and not _in_notebook()):
        raise refusal
    try:
        answer = input(f"{action}? This cannot be undone. [y/N] ")
    except EOFError:
        raise refusal from None
    return answer.strip().lower() in ("y", "yes")


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    instance = shell.get_ipython() if shell is not None else None
    return instance is not None and type(instance).__name__ == "ZMQInteractiveShell"
