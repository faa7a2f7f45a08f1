"""What a lake remembers of its tables so that small reads and writes need not ask: definitions and reserved ids."""

from __future__ import annotations

import bisect
import threading
from collections import OrderedDict

from pathlake.lake.base import TableRef
from pathlake.lake.definitions import Definition

_KEPT_SNAPSHOTS = 20_000
_KEPT_DEFINITIONS = 8
_KEPT_OLD = 256


class Remembered:
    """Definitions by snapshot, and the block of datapoint ids reserved for each table.

    A definition read at one snapshot holds at a later one if every commit in between is one of this lake's own that
    did not change it. Where nobody else writes (`exclusive`), all commits are.
    """

    def __init__(self, *, exclusive: bool) -> None:
        self._exclusive = exclusive
        self._lock = threading.Lock()
        self._definitions: dict[TableRef, list[tuple[int, Definition]]] = {}
        self._old: OrderedDict[tuple[TableRef, int], Definition] = OrderedDict()
        self._own: OrderedDict[int, None] = OrderedDict()
        self._ids: dict[TableRef, tuple[int, int]] = {}

    def definition(self, table: TableRef, *, at: int) -> Definition | None:
        """Return the definition as of snapshot `at` if it is known to be this one."""
        with self._lock:
            known = self._definitions.get(table)
            if known:
                index = bisect.bisect_right(known, at, key=lambda entry: entry[0]) - 1
                if index >= 0:
                    since, definition = known[index]
                    if self._exclusive or self._all_own(since, at):
                        return definition
            return self._old.get((table, at))

    def latest_definition(self, table: TableRef) -> Definition | None:
        """Return the newest definition if nobody else can have changed it."""
        with self._lock:
            known = self._definitions.get(table)
            return known[-1][1] if known and self._exclusive else None

    def read_definition(self, table: TableRef, definition: Definition, *, at: int) -> None:
        """Keep a definition that was read at snapshot `at`."""
        with self._lock:
            known = self._definitions.setdefault(table, [])
            if not known or (known[-1][0] < at and not self._exclusive):
                known.append((at, definition))
                del known[:-_KEPT_DEFINITIONS]
            else:
                self._old[table, at] = definition
                while len(self._old) > _KEPT_OLD:
                    self._old.popitem(last=False)

    def committed(self, table: TableRef, snapshot: int, *, definition: Definition) -> None:
        """Keep that this lake made `snapshot`, and the definition that holds since then."""
        with self._lock:
            known = self._definitions.setdefault(table, [])
            if not known or known[-1][1] != definition or not self._all_own(known[-1][0], snapshot - 1):
                known.append((snapshot, definition))
                del known[:-_KEPT_DEFINITIONS]
            self._own[snapshot] = None
            while len(self._own) > _KEPT_SNAPSHOTS:
                self._own.popitem(last=False)

    def _all_own(self, since: int, at: int) -> bool:
        if self._exclusive:
            return True
        if at - since > _KEPT_SNAPSHOTS:
            return False
        return all(snapshot in self._own for snapshot in range(since + 1, at + 1))

    def ids(self, table: TableRef) -> tuple[int, int]:
        """Return the reserved block of ids, as its next and its end; both 0 when there is none."""
        with self._lock:
            return self._ids.get(table, (0, 0))

    def keep_ids(self, table: TableRef, block: tuple[int, int]) -> None:
        """Keep what is left of a reserved block."""
        with self._lock:
            self._ids[table] = block

    def forget(self, table: TableRef) -> None:
        """Forget a table that is no more."""
        with self._lock:
            self._definitions.pop(table, None)
            self._ids.pop(table, None)
            for key in [key for key in self._old if key[0] == table]:
                del self._old[key]
