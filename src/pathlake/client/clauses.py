"""The clauses of a query beside its condition, from what people write: fields, order, moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from pathlake.client.source import Source
from pathlake.errors import QueryError
from pathlake.expr import Order, Selection


def selections(source: Source, selected: Sequence[str | Selection]) -> tuple[Selection, ...] | None:
    """Return the fields of a result; None, for all of them, where none is named. See `Datasource.select`."""
    chosen: list[Selection] = []
    for entry in selected:
        if isinstance(entry, Selection):
            chosen.append(replace(entry, field=source.field(entry.field).name))
        elif entry == "*":
            named = {other if isinstance(other, str) else other.field for other in selected}
            chosen.extend(Selection(field.name) for field in source.refresh().schema if field.name not in named)
        elif isinstance(entry, str):
            chosen.append(Selection(source.field(entry).name))
        else:
            raise QueryError(f"select() takes names of fields, not {entry!r}.")
    names = [entry.name for entry in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise QueryError(f"{twice[0]!r} is selected twice. Give one of them an alias: Selection(field, alias=...).")
    return tuple(chosen) or None


def orders(source: Source, args: Sequence[str | tuple[str, bool | str]]) -> tuple[Order, ...]:
    """Return the keys of an order. See `Datasource.order_by`."""
    keys: list[Order] = []
    for entry in args:
        name, direction = (entry, "asc") if isinstance(entry, str) else _pair(entry)
        if isinstance(direction, str) and direction.lower() not in ("asc", "desc"):
            raise QueryError(f"The direction of {name!r} must be 'asc' or 'desc', not {direction!r}.")
        descending = not direction if isinstance(direction, bool) else direction.lower() == "desc"
        keys.append(Order(source.field(name).name, descending))
    return tuple(keys)


def moment_of(time: float | dt.datetime) -> dt.datetime:
    """Return a datetime, or seconds since 1970-01-01 UTC, as an aware datetime. See `Datasource.as_of`."""
    if isinstance(time, dt.datetime):
        return time.astimezone(dt.UTC)
    if not isinstance(time, int | float) or isinstance(time, bool):
        raise QueryError(f"as_of() takes a datetime or seconds since 1970, not {time!r}.")
    try:
        return dt.datetime.fromtimestamp(time, dt.UTC)
    except (OverflowError, ValueError, OSError):
        raise QueryError(f"as_of({time!r}) lies outside the years 1 to 9999.") from None


def _pair(entry: object) -> tuple[str, bool | str]:
    if isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], bool | str):
        return entry[0], entry[1]
    raise QueryError(f"order_by() takes names of fields or pairs like ('size', 'desc'), not {entry!r}.")
