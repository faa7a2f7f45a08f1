"""What a forked child must let go of, so that it holds nothing of its parent's engine alive.

A child shares its parent's open files: the lock, the listening socket and every connection. Were it to keep them, the
lock would outlive the parent, and clients of a dead parent would wait for an answer for ever. The child therefore puts
`/dev/null` in their place, which, unlike closing them, can never hit a file that gets the same number later.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

_held: dict[int, Callable[[], list[int]]] = {}
_forgotten: list[Callable[[], None]] = []
_guard = threading.RLock()
_hooked = False


def hold(owner: object, descriptors: Callable[[], list[int]]) -> None:
    """Let every forked child drop what `descriptors` returns at the time of the fork."""
    with _guard:
        _hook()
        _held[id(owner)] = descriptors


def drop(owner: object) -> None:
    """Undo `hold`."""
    with _guard:
        _held.pop(id(owner), None)


def on_child(forget: Callable[[], None]) -> None:
    """Run `forget` in every forked child."""
    with _guard:
        _hook()
        _forgotten.append(forget)


@contextlib.contextmanager
def no_forks() -> Iterator[None]:
    """Make forks of other threads wait until the block has ended."""
    with _guard:
        _hook()
        yield


def _hook() -> None:
    global _hooked  # noqa: PLW0603 - hooks cannot be taken back, so they are set once for the process
    if not _hooked and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
        _hooked = True


def _before() -> None:
    _guard.acquire()


def _after_in_parent() -> None:
    _guard.release()


def _after_in_child() -> None:
    global _guard  # noqa: PLW0603 - the parent's lock is in an unknown state here
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptors in list(_held.values()):
        for descriptor in descriptors():
            with contextlib.suppress(OSError):
                os.dup2(null, descriptor, inheritable=False)
    os.close(null)
    _held.clear()
    _guard = threading.RLock()
    for forget in _forgotten:
        forget()
