"""The query language as an immutable tree.

A condition names fields and holds plain Python values; it is bound to a schema by `bind`, printed by `explain`,
sent by `codec`, and turned into SQL by the lake. Nothing here does I/O.

Semantics (two-valued, as in pandas): a comparison with a missing value is False; `!=` is the negation of `==`, so it
is True there; `Not(c)` is exactly the complement of `c`. On a field that holds lists an operator holds if it holds
for any element.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass

Scalar = bool | int | float | str | dt.datetime
"""A value that conditions compare with. Datetimes are always aware (UTC or a fixed offset)."""


class Op(enum.StrEnum):
    """A comparison, spelled as in Python."""

    EQ = "=="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="


class TextOp(enum.StrEnum):
    """A test of text, spelled as the method that makes it. All are case-sensitive; all but `matches` literal."""

    CONTAINS = "contains"
    STARTSWITH = "startswith"
    ENDSWITH = "endswith"
    MATCHES = "matches"
    """An RE2 pattern found anywhere in the text."""


class DatePart(enum.StrEnum):
    """A part of a moment, taken in the query's time zone, else the value's own, else UTC."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Condition:
    """A predicate over datapoints. Combine conditions with `&`, `|` and `~`."""

    def __and__(self, other: Condition) -> Condition:
        return And.of(self, other) if isinstance(other, Condition) else NotImplemented

    def __or__(self, other: Condition) -> Condition:
        return Or.of(self, other) if isinstance(other, Condition) else NotImplemented

    def __invert__(self) -> Condition:
        return self.operand if isinstance(self, Not) else Not(self)

    @property
    def children(self) -> tuple[Condition, ...]:
        """The conditions this one is made of."""
        return ()

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of the fields this condition itself reads, its children's not included."""
        return ()

    def walk(self) -> Iterator[Condition]:
        """Yield this condition and all below it, parents first."""
        todo: list[Condition] = [self]
        while todo:
            node = todo.pop()
            yield node
            todo.extend(reversed(node.children))


@dataclass(frozen=True, slots=True)
class Everything(Condition):
    """Holds for every datapoint; its negation for none."""


@dataclass(frozen=True, slots=True)
class Compare(Condition):
    """`field op value`."""

    field: str
    op: Op
    value: Scalar

    @property
    def field_names(self) -> tuple[str, ...]:
        return (self.field,)


@dataclass(frozen=True, slots=True)
class CompareFields(Condition):
    """`left op right`, both fields of the same datapoint; False where either is missing.

    On fields that hold lists: True if it holds for any pair of elements.
    """

    left: str
    op: Op
    right: str

    @property
    def field_names(self) -> tuple[str, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class TextMatch(Condition):
    """A test of a STRING field's text."""

    field: str
    op: TextOp
    text: str

    @property
    def field_names(self) -> tuple[str, ...]:
        return (self.field,)


@dataclass(frozen=True, slots=True)
class IsNull(Condition):
    """The field has no value."""

    field: str

    @property
    def field_names(self) -> tuple[str, ...]:
        return (self.field,)


@dataclass(frozen=True, slots=True)
class IsIn(Condition):
    """The field's value is one of `values`; never true of an empty tuple."""

    field: str
    values: tuple[Scalar, ...]

    @property
    def field_names(self) -> tuple[str, ...]:
        return (self.field,)


@dataclass(frozen=True, slots=True)
class Between(Condition):
    """`low <= field <= high`, both ends included, of one and the same element when the field holds lists."""

    field: str
    low: Scalar
    high: Scalar

    @property
    def field_names(self) -> tuple[str, ...]:
        return (self.field,)


@dataclass(frozen=True, slots=True)
class DateIn(Condition):
    """The year, month (1 to 12) or day of the month (1 to 31) of a DATETIME field is one of `values`."""

    field: str
    part: DatePart
    values: tuple[int, ...]

    @property
    def field_names(self) -> tuple[str, ...]:
        return (self.field,)


@dataclass(frozen=True, slots=True)
class TimeOfDay(Condition):
    """The time of day of a DATETIME field lies within `start` to `end`, both included.

    Seconds since midnight, 0 to 86,399; `start` must not exceed `end`. The end includes its whole last second.
    """

    field: str
    start_s: int
    end_s: int

    @property
    def field_names(self) -> tuple[str, ...]:
        return (self.field,)


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """The exact complement of a condition."""

    operand: Condition

    @property
    def children(self) -> tuple[Condition, ...]:
        return (self.operand,)


EVERYTHING: Condition = Everything()
NOTHING: Condition = Not(EVERYTHING)


@dataclass(frozen=True, slots=True)
class And(Condition):
    """All of the operands hold."""

    operands: tuple[Condition, ...]

    @classmethod
    def of(cls, *conditions: Condition) -> Condition:
        """Join conditions; nested conjunctions are flattened, `EVERYTHING` falls away, `NOTHING` absorbs the rest."""
        flat: list[Condition] = []
        for condition in conditions:
            if condition == NOTHING:
                return NOTHING
            if isinstance(condition, And):
                flat.extend(condition.operands)
            elif condition != EVERYTHING:
                flat.append(condition)
        if not flat:
            return EVERYTHING
        return flat[0] if len(flat) == 1 else cls(tuple(flat))

    @property
    def children(self) -> tuple[Condition, ...]:
        return self.operands


@dataclass(frozen=True, slots=True)
class Or(Condition):
    """At least one of the operands holds."""

    operands: tuple[Condition, ...]

    @classmethod
    def of(cls, *conditions: Condition) -> Condition:
        """Join conditions; nested disjunctions are flattened, `NOTHING` falls away, `EVERYTHING` absorbs the rest."""
        flat: list[Condition] = []
        for condition in conditions:
            if condition == EVERYTHING:
                return EVERYTHING
            if isinstance(condition, Or):
                flat.extend(condition.operands)
            elif condition != NOTHING:
                flat.append(condition)
        if not flat:
            return NOTHING
        return flat[0] if len(flat) == 1 else cls(tuple(flat))

    @property
    def children(self) -> tuple[Condition, ...]:
        return self.operands
