"""Sizes of a repository's objects, many at once, read from its pack files.

Asking libgit2 for the header of each file takes most of a listing's time. An index of a pack (version 2) is a sorted
table of ids, and an object that is no delta begins with its type and size, so that numpy looks up thousands at once;
the rest, deltas and objects outside packs, is left to libgit2. The formats are those of `gitformat-pack` in git's
documentation.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

UNKNOWN = -1
"""In the place of a size that is to be asked elsewhere."""

_ID_BYTES = 20
_INDEX_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_FANOUT_END = len(_INDEX_MAGIC) + 256 * 4
_WHOLE_TYPES = (1, 2, 3, 4)
_LARGEST_SHIFT = 60

_Array = np.ndarray[Any, np.dtype[Any]]


class PackSizes:
    """The packs of one repository as they are now; what is packed later is found by nobody.

    Args:
        git_dir: The repository's own directory, like `.git`; one of a linked work tree will do.
    """

    def __init__(self, git_dir: Path) -> None:
        self._packs: list[_Pack] = []
        with contextlib.suppress(OSError):
            common = git_dir / "commondir"
            if common.is_file():
                git_dir = git_dir / common.read_text().strip()
            for index in sorted((git_dir / "objects" / "pack").glob("*.idx")):
                # A pack that went away or cannot be read so is no failure: libgit2 is asked instead.
                with contextlib.suppress(OSError, ValueError):
                    self._packs.append(_Pack(index))

    def of(self, ids: Sequence[bytes]) -> _Array:
        """Return the size of each object in bytes as int64, `UNKNOWN` for those that no pack holds whole.

        Args:
            ids: Ids of 20 bytes each.
        """
        sizes: _Array = np.full(len(ids), UNKNOWN, np.int64)
        wanted = np.frombuffer(b"".join(ids), np.uint8).reshape(-1, _ID_BYTES)
        left: _Array = np.arange(len(ids))
        for pack in self._packs:
            if not len(left):
                break
            sizes[left] = pack.sizes(wanted[left])
            left = left[sizes[left] == UNKNOWN]
        return sizes


class _Pack:
    """One pack and its index, mapped into memory."""

    def __init__(self, index: Path) -> None:
        table = _mapped(index)
        if table[: len(_INDEX_MAGIC)] != _INDEX_MAGIC:
            raise ValueError("not an index of version 2")
        self._ends = np.frombuffer(table, ">u4", 256, len(_INDEX_MAGIC)).astype(np.int64)
        count = int(self._ends[-1])
        self._ids = np.frombuffer(table, np.uint8, count * _ID_BYTES, _FANOUT_END).reshape(count, _ID_BYTES)
        # The first 8 bytes of an id as a number, which sorts as the ids do.
        self._heads = np.ndarray((count,), ">u8", table, _FANOUT_END, (_ID_BYTES,))
        offsets_at = _FANOUT_END + count * (_ID_BYTES + 4)
        self._offsets = np.frombuffer(table, ">u4", count, offsets_at)
        far_at = offsets_at + count * 4
        self._far_offsets = np.frombuffer(table, ">u8", (len(table) - far_at - 2 * _ID_BYTES) // 8, far_at)
        self._content = np.frombuffer(_mapped(index.with_suffix(".pack")), np.uint8)

    def sizes(self, wanted: _Array) -> _Array:
        """Return the sizes of the objects whose ids are the rows of `wanted`."""
        sizes: _Array = np.full(len(wanted), UNKNOWN, np.int64)
        places = self._places(wanted)
        found = np.flatnonzero(places >= 0)
        if len(found):
            sizes[found] = self._sizes_at(self._offsets_of(places[found]))
        return sizes

    def _places(self, wanted: _Array) -> _Array:
        """Return where in the index each id is, -1 where it is not: a binary search of all at once."""
        first = wanted[:, 0].astype(np.int64)
        high = self._ends[first]
        low = np.where(first > 0, self._ends[first - 1], 0)
        heads = np.ascontiguousarray(wanted[:, :8]).view(">u8")[:, 0].astype(np.uint64)
        last = len(self._ids) - 1
        while (going := low < high).any():
            middle = (low + high) // 2
            less = going & (self._heads[np.minimum(middle, last)].astype(np.uint64) < heads)
            low = np.where(less, middle + 1, low)
            high = np.where(going & ~less, middle, high)
        places = np.minimum(low, last)
        same = (self._ids[places] == wanted).all(axis=1) if last >= 0 else np.zeros(len(wanted), bool)
        return np.where(same, places, -1)

    def _offsets_of(self, places: _Array) -> _Array:
        near = self._offsets[places].astype(np.int64)
        far = np.flatnonzero(near >> 31)
        if len(far):
            near[far] = self._far_offsets[near[far] & 0x7FFFFFFF].astype(np.int64)
        return near

    def _sizes_at(self, offsets: _Array) -> _Array:
        """Read object headers: 3 bits of type, then the size in groups of 7 bits after the first 4."""
        byte = self._content[offsets].astype(np.int64)
        whole = np.isin(byte >> 4 & 7, _WHOLE_TYPES)
        sizes = byte & 15
        more = np.flatnonzero(byte & 128)
        shift = 4
        while len(more) and shift < _LARGEST_SHIFT:
            offsets = offsets + 1
            byte = self._content[offsets[more]].astype(np.int64)
            sizes[more] |= (byte & 127) << shift
            more = more[byte & 128 != 0]
            shift += 7
        whole[more] = False
        return np.where(whole, sizes, UNKNOWN)


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
