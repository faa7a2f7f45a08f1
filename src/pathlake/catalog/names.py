"""What may be a name in the catalog, and what text a database can keep."""

from __future__ import annotations

import re
import unicodedata

from pathlake.errors import InvalidNameError, InvalidValueError

MAX_NAME_LENGTH = 200
MAX_REPO_PART_LENGTH = 100

_REPO_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
_MAX_ID = 2**63 - 1


def checked_repo_part(text: str, *, what: str) -> str:
    """Return `text` if it may be the owner or the name of a repo.

    Raises:
        InvalidNameError: It may not; the message says why. `what` is "owner" or "name".
    """
    if len(text) > MAX_REPO_PART_LENGTH:
        raise InvalidNameError(f"A repo's {what} has at most {MAX_REPO_PART_LENGTH} characters, got {len(text)}.")
    if not _REPO_PART.fullmatch(text):
        raise InvalidNameError(
            f"{text!r} cannot be a repo's {what}: it takes ASCII letters, digits, '-', '_' and '.', not empty, "
            "no dot in front."
        )
    return text


def checked_name(text: str, *, what: str) -> str:
    """Return `text` if it may name a datasource or a dataset; `what` says which.

    Raises:
        InvalidNameError: It may not; the message says why.

    Example:
        >>> checked_name("cats and dogs", what="datasource")
        'cats and dogs'
    """
    if not text:
        problem = "it is empty"
    elif len(text) > MAX_NAME_LENGTH:
        problem = f"it has {len(text)} characters, and at most {MAX_NAME_LENGTH} are allowed"
    elif any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        problem = "it holds a control character"
    elif text != text.strip():
        problem = "it starts or ends with white space"
    elif "/" in text:
        problem = "it holds a '/'"
    else:
        return text
    shown = text if len(text) <= MAX_NAME_LENGTH else text[:40] + "..."
    raise InvalidNameError(f"{shown!r} cannot be a {what}'s name: {problem}.")


def is_storable(text: str) -> bool:
    """Whether every database keeps `text` to the letter: no NUL, no lone surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_text(text: str, *, what: str) -> str:
    """Return `text` if a database keeps it to the letter.

    Raises:
        InvalidValueError: It holds a NUL or a lone surrogate.
    """
    if not is_storable(text):
        raise InvalidValueError(f"{what} cannot be kept: {text[:80]!r} holds a NUL or is no valid Unicode.")
    return text


def storable(text: str) -> str:
    """Return `text` with whatever a database cannot keep spelled out, for messages and notes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def is_id(number: int) -> bool:
    """Whether `number` can be an id at all; a greater one would be an error of the database."""
    return 0 < number <= _MAX_ID
