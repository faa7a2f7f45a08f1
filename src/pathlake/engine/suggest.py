"""Which directory of a connected folder was probably meant. Git sources suggest by themselves."""

from __future__ import annotations

import os
from pathlib import Path

from pathlake.errors import suggestion


def nearest_directory(root: str, directory: str) -> str:
    """Return `" Did you mean 'path/to/dir'?"` for a directory below `root` that does not exist, or an empty string.

    Looks at what lies in its nearest ancestor that exists.
    """
    parts = directory.split("/")
    for depth in range(len(parts) - 1, -1, -1):
        ancestor = Path(root, *parts[:depth])
        try:
            with os.scandir(ancestor) as entries:
                names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
        except OSError:
            continue
        return suggestion("/".join(parts[: depth + 1]), ["/".join([*parts[:depth], name]) for name in names])
    return ""
