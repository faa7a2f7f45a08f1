"""Collecting metadata in a `with` block, checked as it is given and sent as one commit."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pathlake.client.warnings import SlowLoopWarning, users_frame, warn
from pathlake.errors import AutomaticFieldError, FieldTypeError, InvalidValueError, UsageError
from pathlake.types import AUTOMATIC_NAMES, Field, FieldType, checked_field_name, checked_path
from pathlake.types.values import MAX_INTEGER, MIN_INTEGER, is_missing, normalise_value, value_type

if TYPE_CHECKING:
    from pathlake.client.source import Source
    from pathlake.wire import CommitAnswer

_PART_ROWS = 100_000
_LOOP_TIMES = 20
_LOOP_WINDOW_S = 60.0

_PLAIN = {int: FieldType.INTEGER, float: FieldType.FLOAT, bool: FieldType.BOOLEAN, bytes: FieldType.BLOB}


class MetadataContext:
    """Metadata on its way; `ds.metadata_context()` makes one.

    Values are checked when they are given, so that an error points at the line that gave them. Nothing is sent before
    the block ends, and nothing at all when it raises or nothing was given.

    Example:
        >>> with ds.metadata_context(message="first labels") as ctx:
        ...     ctx.update_metadata("images/005.jpg", {"episode": 5})
        ...     ctx.update_metadata(["images/006.jpg", "images/007.jpg"], {"episode": 6})
        >>> ctx.report.new_datapoints
        3
    """

    def __init__(self, source: Source, *, message: str | None = None) -> None:
        self._source = source
        self._message = message
        self._lock = threading.Lock()
        self._rows: dict[str, int] = {}
        self._values: dict[str, dict[int, Any]] = {}
        self._fields: dict[str, Field] = {}
        self._stored: dict[str, Field] = {}
        self._token: Token[tuple[MetadataContext, ...]] | None = None
        self._report: CommitAnswer | None = None

    @property
    def source(self) -> Source:
        """The datasource the metadata is for."""
        return self._source

    @property
    def report(self) -> CommitAnswer | None:
        """What the commit did; None before the block ended, and when there was nothing to send."""
        return self._report

    def __len__(self) -> int:
        """How many values are on their way."""
        return sum(map(len, self._values.values()))

    def __enter__(self) -> MetadataContext:
        if self._token is not None:
            raise UsageError("This metadata context is open already; make another one with ds.metadata_context().")
        self._stored = {field.name: field for field in self._source.schema}
        self._token = _open_contexts.set((*_open_contexts.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            _open_contexts.reset(self._token)
            self._token = None
        try:
            if kind is None:
                self._send()
        finally:
            self.clear()

    def clear(self) -> None:
        """Forget what was given so far."""
        with self._lock:
            self._rows, self._values, self._fields = {}, {}, {}

    def update_metadata(self, datapoints: str | Iterable[str], metadata: Mapping[str, Any]) -> None:
        """Give values to one datapoint or several.

        A value given before for the same datapoint and field is replaced. None and NaN mean "not given".

        Args:
            datapoints: A path relative to the root of the datasource, or several; files need not have been scanned.
            metadata: Values by field: numbers, booleans, strings, bytes, datetimes, or lists of them.

        Raises:
            InvalidPathError: A path cannot be one.
            FieldTypeError: A value is of another type than its field.
            InvalidValueError: No field can hold a value.
            AutomaticFieldError: Only scans write the field.
        """
        if self._token is None:
            raise UsageError("Metadata is given inside the block: `with ds.metadata_context() as ctx: ...`.")
        paths = [checked_path(datapoints)] if isinstance(datapoints, str) else _checked_paths(datapoints)
        if not isinstance(metadata, Mapping):
            raise UsageError(f"Metadata is a dict of values by field, not {type(metadata).__name__}.")
        if not paths:
            return
        with self._lock:
            given = [
                (name, plain)
                for name, value in metadata.items()
                if (plain := self._checked(paths[0], name, value)) is not None
            ]
            if not given:
                return
            rows = self._rows
            numbers = [rows.setdefault(path, len(rows)) for path in paths]
            for name, plain in given:
                column = self._values.setdefault(name, {})
                for number in numbers:
                    column[number] = plain

    def _checked(self, path: str, name: str, value: Any) -> Any:
        """Return the value to keep, None where nothing is given, having checked it against its field."""
        kind = _PLAIN.get(type(value))
        if kind is None:
            if is_missing(value):
                return None
            try:
                plain = normalise_value(value)
                given = Field(name, *self._type_of(name, value))
            except (FieldTypeError, InvalidValueError) as error:
                raise type(error)(
                    f"{path!r}, field {name!r}: {error.message}", {"path": path, "field": name, **error.details}
                ) from None
        else:
            if kind is FieldType.FLOAT and math.isnan(value):
                return None
            if kind is FieldType.INTEGER and not MIN_INTEGER <= value <= MAX_INTEGER:
                raise InvalidValueError(
                    f"{path!r}, field {name!r}: {value} does not fit into 64 bits.", {"path": path, "field": name}
                )
            plain = value
            known = self._fields.get(name)
            if known is not None and known.type is kind and not known.multiple:
                return plain
            given = Field(name, kind)
        self._agree(path, given, plain)
        return plain

    def _type_of(self, name: str, value: Any) -> tuple[FieldType, bool]:
        known = self._fields.get(name) or self._stored.get(name)
        if known is not None and known.multiple and not isinstance(value, str) and not len(value):
            return known.type, True  # an empty list is of the type its field has
        return value_type(value)

    def _agree(self, path: str, given: Field, value: Any) -> None:
        """Check a value's type against its field's, or make it the field's type."""
        name = given.name
        known = self._fields.get(name)
        if known is None:
            if name in AUTOMATIC_NAMES:
                raise AutomaticFieldError(
                    f"{path!r}: the field {name!r} is filled by scans and cannot be written. Choose another name.",
                    {"path": path, "field": name},
                )
            known = self._stored.get(checked_field_name(name))
            self._fields[name] = given if known is None else known
            if known is None:
                return
        if (known.type, known.multiple) == (given.type, given.multiple):
            return
        if known.multiple == given.multiple:
            if known.type is FieldType.FLOAT and given.type is FieldType.INTEGER:
                return
            if known.type is FieldType.INTEGER and given.type is FieldType.FLOAT:
                if name not in self._stored:
                    self._fields[name] = given
                    return
                if all(map(_is_whole, value if given.multiple else [value])):
                    return
        shown = f"({len(value)} bytes)" if isinstance(value, bytes) else repr(value)[:80]
        raise FieldTypeError(
            f"{path!r}: the field {name!r} is {known.type_name}, but the value {shown} is {given.type_name}. "
            "The type of a field never changes; use another field, or convert the value.",
            {"path": path, "field": name, "stored": known.type_name, "given": given.type_name},
        )

    def _send(self) -> None:
        if not self._values:
            return
        from pathlake.client.upload import planned_upload, send

        one_row = len(self._rows) == 1
        names = list(self._values)
        table = _ContextTable(
            paths=list(self._rows),
            fields=[self._fields[name] for name in names],
            columns=[self._values[name] for name in names],
        )
        self._report = send(self._source, planned_upload(self._source, table, path_column=0), message=self._message)
        if one_row:
            _notice_loop(self._source.id)


@dataclass(frozen=True, slots=True)
class _ContextTable:
    """What a context holds as a table to upload; `fields` and `columns` go together."""

    paths: list[str]
    fields: list[Field]
    columns: list[dict[int, Any]]

    @property
    def names(self) -> Sequence[object]:
        return ["path", *(field.name for field in self.fields)]

    @property
    def rows(self) -> int:
        return len(self.paths)

    @property
    def repeatable(self) -> bool:
        return True

    def parts(self) -> Iterator[_ContextPart]:
        for start in range(0, len(self.paths), _PART_ROWS):
            yield _ContextPart(self, start, min(start + _PART_ROWS, len(self.paths)))

    def declared(self, position: int) -> Field | bool | None:
        return self.fields[position - 1]


@dataclass(frozen=True, slots=True)
class _ContextPart:
    table: _ContextTable
    start: int
    stop: int

    @property
    def rows(self) -> int:
        return self.stop - self.start

    def values(self, position: int) -> list[Any]:
        if position == 0:
            return list(self.table.paths[self.start : self.stop])
        column = self.table.columns[position - 1]
        return [column.get(row) for row in range(self.start, self.stop)]


def current_context(source: Source) -> MetadataContext | None:
    """Return the innermost metadata context of a datasource that is open here, or None."""
    return next((context for context in reversed(_open_contexts.get()) if context.source.is_same(source)), None)


def send_metadata(source: Source, path: str, metadata: Mapping[str, Any]) -> None:
    """Send metadata of one datapoint as a commit of its own."""
    with MetadataContext(source) as context:
        context.update_metadata(path, metadata)


_open_contexts: ContextVar[tuple[MetadataContext, ...]] = ContextVar("pathlake_metadata_contexts", default=())
_recent: dict[tuple[str, str, int], deque[float]] = {}
_noticed: set[tuple[str, str, int]] = set()


def _notice_loop(datasource_id: str) -> None:
    """Warn, once for each line of code, when single datapoints are committed there again and again."""
    frame, _ = users_frame()
    line = (datasource_id, frame.f_code.co_filename, frame.f_lineno)
    now = time.monotonic()
    if len(_recent) > 1000:
        _recent.clear()
    times = _recent.setdefault(line, deque(maxlen=_LOOP_TIMES + 1))
    times.append(now)
    if len(times) > _LOOP_TIMES and now - times[0] < _LOOP_WINDOW_S and line not in _noticed:
        _noticed.add(line)
        warn(
            f"{_LOOP_TIMES + 1} commits of one datapoint each were made here in {now - times[0]:.1f} s. It is far "
            "quicker to open one metadata_context around the loop and call update_metadata in it.",
            SlowLoopWarning,
        )


def _checked_paths(datapoints: Iterable[str]) -> list[str]:
    if isinstance(datapoints, bytes) or not isinstance(datapoints, Iterable):
        return [checked_path(datapoints)]
    return [checked_path(str(path) if type(path).__module__ == "numpy" else path) for path in datapoints]


def _is_whole(value: float) -> bool:
    return math.isfinite(value) and value.is_integer() and -(2.0**63) <= value < 2.0**63
