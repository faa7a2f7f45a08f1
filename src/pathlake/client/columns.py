"""A column of a datasource: what `ds["episode"]` is, and the operators that make conditions of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from pathlake.client.conditions import BoundCondition, joined_handle
from pathlake.errors import PathlakeError, QueryError, WrongOperatorError, WrongOrderError
from pathlake.expr import (
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    DatePart,
    IsIn,
    IsNull,
    Not,
    Op,
    Or,
    TextMatch,
    TextOp,
    TimeOfDay,
)
from pathlake.types import Field
from pathlake.types.values import is_missing, normalise_value

if TYPE_CHECKING:
    from pathlake.client.datasource import Datasource

_TIME_RANGE = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*-\s*(\d{1,2}):(\d{2})(?::(\d{2}))?")


class Column:
    """A field of a datasource in a query. Compare it with a value or with another column to get a condition.

    Example:
        >>> ds["episode"] > 5
        <Condition episode > 5>
        >>> ds["label"].isin(["cat", "dog"])
        <Condition label in ['cat', 'dog']>
    """

    __slots__ = ("_field", "_handle")

    def __init__(self, handle: Datasource, field: Field) -> None:
        self._handle = handle
        self._field = field

    @property
    def name(self) -> str:
        """Name of the field."""
        return self._field.name

    @property
    def handle(self) -> Datasource:
        """The handle the column came from."""
        return self._handle

    @property
    def field(self) -> Field:
        """The field: name, type, tags, description."""
        return self._field

    def __repr__(self) -> str:
        return f"<Column {self._field} of {self._handle.source.name!r}>"

    def __hash__(self) -> int:
        return hash((self._handle.source.id, self._field.name))

    # -- comparisons ---------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> BoundCondition:  # type: ignore[override]
        return self.is_null() if self._is_missing(other) else self._compared(Op.EQ, other)

    def __ne__(self, other: object) -> BoundCondition:  # type: ignore[override]
        return ~(self == other)

    def __gt__(self, other: object) -> BoundCondition:
        return self._compared(Op.GT, other)

    def __ge__(self, other: object) -> BoundCondition:
        return self._compared(Op.GE, other)

    def __lt__(self, other: object) -> BoundCondition:
        return self._compared(Op.LT, other)

    def __le__(self, other: object) -> BoundCondition:
        return self._compared(Op.LE, other)

    def is_null(self) -> BoundCondition:
        """Hold where the field has no value."""
        return self._made(IsNull(self.name))

    def is_not_null(self) -> BoundCondition:
        """Hold where the field has a value."""
        return self._made(Not(IsNull(self.name)))

    def isin(self, values: Iterable[object]) -> BoundCondition:
        """Hold where the value is one of `values`; None among them stands for "no value".

        Raises:
            QueryError: `values` is a string or no collection, or one of them does not fit the field.
        """
        if isinstance(values, str | bytes) or not isinstance(values, Iterable):
            raise QueryError(f"{self._text}.isin() takes a list of values, like [{values!r}], not {values!r}.")
        given = list(values)
        found: Condition = IsIn(self.name, tuple(self._plain(value) for value in given if not is_missing(value)))
        if any(is_missing(value) for value in given):
            found = Or.of(found, IsNull(self.name))
        return self._made(found)

    def between(self, low: object, high: object) -> BoundCondition:
        """Hold where `low <= value <= high`."""
        return self._made(Between(self.name, self._operand(low), self._operand(high)))

    # -- text ----------------------------------------------------------------------------------------------------

    def contains(self, item: str) -> BoundCondition:
        """Hold where the text holds `item`, literally and case-sensitively.

        On a field that holds lists, where any element does.
        """
        return self._matched(TextOp.CONTAINS, item)

    def startswith(self, item: str) -> BoundCondition:
        """Hold where the text begins with `item`, literally and case-sensitively."""
        return self._matched(TextOp.STARTSWITH, item)

    def endswith(self, item: str) -> BoundCondition:
        """Hold where the text ends with `item`, literally and case-sensitively."""
        return self._matched(TextOp.ENDSWITH, item)

    def matches(self, pattern: str) -> BoundCondition:
        """Hold where the RE2 pattern is found anywhere in the text; anchor it with `^` and `$` if need be."""
        return self._matched(TextOp.MATCHES, pattern)

    # -- moments -------------------------------------------------------------------------------------------------

    def date_field_in_years(self, *item: int) -> BoundCondition:
        """Hold where the year of the moment is one of the given.

        The year, like the other parts of a date, is the one in the zone of `with_time_zone`, else in the zone the
        value was given with, else in UTC.
        """
        return self._dated(DatePart.YEAR, item)

    def date_field_in_months(self, *item: int) -> BoundCondition:
        """Hold where the month of the moment, 1 to 12, is one of the given."""
        return self._dated(DatePart.MONTH, item)

    def date_field_in_days(self, *item: int) -> BoundCondition:
        """Hold where the day of the month, 1 to 31, is one of the given."""
        return self._dated(DatePart.DAY, item)

    def date_field_in_timeofday(self, item: str) -> BoundCondition:
        """Hold where the time of day lies in a range written `"11:30-12:30"` or `"11:30:15-12:30:00"`, ends included.

        A range may go over midnight: `"22:00-06:00"`.
        """
        found = _TIME_RANGE.fullmatch(item.strip()) if isinstance(item, str) else None
        if found is None:
            raise QueryError(f"A time range is written '11:30-12:30' or '11:30:15-12:30:00', not {item!r}.")
        numbers = [int(part or 0) for part in found.groups()]
        for hour, minute, second in (numbers[:3], numbers[3:]):
            if hour > 23 or minute > 59 or second > 59:
                raise QueryError(f"{item!r} holds a time that does not exist; hours go from 00 to 23.")
        start, end = (hour * 3600 + minute * 60 + second for hour, minute, second in (numbers[:3], numbers[3:]))
        if start <= end:
            return self._made(TimeOfDay(self.name, start, end))
        return self._made(Or.of(TimeOfDay(self.name, start, 86_399), TimeOfDay(self.name, 0, end)))

    # -- what looks like a query but cannot be one ---------------------------------------------------------------

    def __contains__(self, item: object) -> bool:
        raise WrongOperatorError(
            f"Python's `in` cannot be a query. Write {self._text}.contains({item!r}) for text or list elements, "
            f"or {self._text}.isin([...]) for one of several values."
        )

    def __bool__(self) -> bool:
        raise WrongOperatorError(
            f"{self._text} is a column, which is neither true nor false (`if`, `not`, `and`, `or` cannot be used). "
            f"Compare it with something, like {self._text} == True."
        )

    def __iter__(self) -> NoReturn:
        raise WrongOperatorError(
            f"A column cannot be iterated over. To get values: [dp[{self.name!r}] for dp in ds.all()], "
            f"or ds.all().dataframe[{self.name!r}]."
        )

    def __and__(self, other: object) -> NoReturn:
        raise self._misplaced("&", other)

    def __or__(self, other: object) -> NoReturn:
        raise self._misplaced("|", other)

    def __rand__(self, other: object) -> NoReturn:
        raise self._misplaced("&", other)

    def __ror__(self, other: object) -> NoReturn:
        raise self._misplaced("|", other)

    def __invert__(self) -> NoReturn:
        raise WrongOrderError(f"`~` negates a condition, not a column. Write ~({self._text} == ...).")

    def _misplaced(self, operator: str, other: object) -> WrongOrderError:
        seen = f"a condition ({other.explain()})" if isinstance(other, BoundCondition) else repr(other)
        return WrongOrderError(
            f"`{operator}` got {seen} and the column {self._text}, because it binds tighter than comparisons do. "
            f"Put each comparison in parentheses: (ds[...] == ...) {operator} ({self._text} == ...)."
        )

    # -- making conditions ---------------------------------------------------------------------------------------

    @property
    def _text(self) -> str:
        return f"ds[{self.name!r}]"

    def _compared(self, op: Op, other: object) -> BoundCondition:
        if isinstance(other, Column):
            handle = joined_handle(self._handle, other.handle)
            return BoundCondition.bound(handle, CompareFields(self.name, op, other.name))
        return self._made(Compare(self.name, op, self._operand(other)))

    def _operand(self, other: object) -> Any:
        if isinstance(other, BoundCondition):
            raise WrongOrderError(
                f"{self._text} is compared with the condition ({other.explain()}). "
                "Put each comparison in parentheses and join them with & or |."
            )
        if isinstance(other, Column):
            raise QueryError(f"{self._text}.between() takes values; compare columns with >= and <= instead.")
        if self._is_missing(other):
            raise QueryError(
                f"Nothing is greater or less than a missing value ({other!r}). "
                f"Use {self._text}.is_null() or {self._text}.is_not_null()."
            )
        return self._plain(other)

    def _plain(self, value: object) -> Any:
        try:
            found = normalise_value(value)
        except PathlakeError as error:
            # An integer beyond 64 bits is no value a field can hold, yet it compares well.
            if isinstance(value, int):
                return value
            raise QueryError(f"{self._text} cannot be compared with {value!r}: {error}") from error
        if isinstance(found, list | bytes):
            raise QueryError(
                f"{self._text} cannot be compared with {value!r}. Use isin([...]) for one of several values, "
                "and a blob's hash as a string for a blob."
            )
        return found

    @staticmethod
    def _is_missing(other: object) -> bool:
        return not isinstance(other, Column | BoundCondition) and is_missing(other)

    def _matched(self, op: TextOp, text: str) -> BoundCondition:
        if not isinstance(text, str):
            raise QueryError(f"{self._text}.{op}() takes a string, not {text!r}.")
        return self._made(TextMatch(self.name, op, text))

    def _dated(self, part: DatePart, numbers: tuple[int, ...]) -> BoundCondition:
        if not numbers or not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
            raise QueryError(f"{self._text}.date_field_in_{part}s() takes whole numbers, not {numbers!r}.")
        return self._made(DateIn(self.name, part, numbers))

    def _made(self, condition: Condition) -> BoundCondition:
        return BoundCondition.bound(self._handle, condition)
