"""Datapoint paths: relative to the datasource's root, POSIX, unique in their datasource."""

from __future__ import annotations

from pathlake.errors import InvalidPathError

MAX_PATH_BYTES = 4096


def checked_path(path: object) -> str:
    """Return `path` if it can be a datapoint's path.

    Args:
        path: A string relative to the root of the datasource, segments separated by `/`.

    Raises:
        InvalidPathError: It is no string, empty, absolute, has an empty, `.` or `..` segment, holds NUL or
            broken unicode, or is longer than 4,096 bytes of UTF-8.

    Example:
        >>> checked_path("images/005.jpg")
        'images/005.jpg'
    """
    if not isinstance(path, str):
        raise InvalidPathError(f"A datapoint path must be a string, not {type(path).__name__} ({str(path)[:80]!r}).")
    problem = path_problem(path)
    if problem:
        raise InvalidPathError(
            f"{path[:200]!r} cannot be a datapoint path: {problem}. "
            "Paths are relative to the root of the datasource, like 'images/005.jpg'.",
            {"path": path[:200]},
        )
    return path


def path_problem(path: str) -> str | None:
    """Say in words why `path` cannot be a datapoint's path, or return None."""
    if not path:
        return "it is empty"
    if path.startswith("/"):
        return "it is absolute"
    if "\0" in path:
        return "it holds a NUL character"
    if path.startswith(("./", "../")) or "/." in path or "//" in path or path.endswith("/") or path in (".", ".."):
        for segment in path.split("/"):
            if segment in ("", ".", ".."):
                return "it has an empty segment" if segment == "" else f"it has a {segment!r} segment"
    try:
        length = len(path) if path.isascii() else len(path.encode("utf-8"))
    except UnicodeEncodeError:
        return "it is not valid unicode"
    if length > MAX_PATH_BYTES:
        return f"it is longer than {MAX_PATH_BYTES} bytes"
    return None
