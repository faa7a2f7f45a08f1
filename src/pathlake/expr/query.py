"""A whole query: which datapoints, which fields of them, in which order, as of when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from pathlake.expr.nodes import EVERYTHING, And, Condition


@dataclass(frozen=True, slots=True)
class Selection:
    """A field in the result, under its own name or an alias."""

    field: str
    alias: str | None = None

    @property
    def name(self) -> str:
        """The name of the result's column."""
        return self.alias or self.field


@dataclass(frozen=True, slots=True)
class Order:
    """One key of the result's order; missing values come last, ties are broken by `datapoint_id`."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """An immutable query over one datasource.

    Attributes:
        condition: Which datapoints; all by default.
        select: Which fields, in this order; None means all.
        order_by: Keys of the order, most significant first; `datapoint_id` decides in the end.
        limit: How many datapoints at most; None means no limit.
        as_of: The moment whose metadata is asked for (aware); None means now.
        zone_minutes: Offset from UTC that date conditions use, in minutes; None means each value's own.
        include_missing: Whether datapoints whose file vanished from the source take part.
    """

    condition: Condition = EVERYTHING
    select: tuple[Selection, ...] | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    as_of: dt.datetime | None = None
    zone_minutes: int | None = None
    include_missing: bool = False

    def where(self, condition: Condition) -> Query:
        """Return this query narrowed by one more condition."""
        return replace(self, condition=And.of(self.condition, condition))
