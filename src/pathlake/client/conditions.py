"""Conditions bound to a datasource: joined with `&`, `|` and `~`, said in words, and asked directly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from pathlake.errors import QueryError, WrongOperatorError, WrongOrderError
from pathlake.expr import Condition, bind_condition, explain

if TYPE_CHECKING:
    import datetime as dt

    from pathlake.client.datasource import Datasource
    from pathlake.client.result import QueryResult
    from pathlake.expr import Selection


class BoundCondition:
    """A condition on the datapoints of a datasource. Use it in `ds[...]`, or ask it directly.

    The verbs (`all`, `head`, `count`, `save_dataset`, ...) ask the handle that the condition's columns came from,
    narrowed by the condition: `(ds["type"] == "image").count()` is `ds[ds["type"] == "image"].count()`.

    Example:
        >>> q = (ds["episode"] > 5) & ~(ds["has_baby_yoda"] == True)
        >>> q
        <Condition episode > 5 and not has_baby_yoda is True>
        >>> ds[q].count()
        12
    """

    __slots__ = ("_condition", "_handle")

    def __init__(self, handle: Datasource, condition: Condition) -> None:
        self._handle = handle
        self._condition = condition

    @classmethod
    def bound(cls, handle: Datasource, condition: Condition) -> BoundCondition:
        """Return `condition` bound to the fields of the datasource.

        Raises:
            QueryError: A value does not fit its field.
            FieldNotFoundError: A field does not exist.
        """
        return cls(handle, bind_condition(condition, handle.source.schema))

    @property
    def condition(self) -> Condition:
        """The condition itself, as the query language has it."""
        return self._condition

    @property
    def datasource(self) -> Datasource:
        """The handle the condition's columns came from, narrowed by the condition."""
        return self._handle[self]

    @property
    def handle(self) -> Datasource:
        """The handle the condition's columns came from."""
        return self._handle

    def explain(self) -> str:
        """Say the condition in one line of words."""
        return explain(self._condition)

    def __repr__(self) -> str:
        return f"<Condition {self.explain()}>"

    def __hash__(self) -> int:
        return hash((self._handle.source.id, self._condition))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, BoundCondition):
            return self._handle.source.is_same(other._handle.source) and self._condition == other._condition
        raise self._compared("==", other)

    def __ne__(self, other: object) -> bool:
        if isinstance(other, BoundCondition):
            return not self == other
        raise self._compared("!=", other)

    # -- joining -------------------------------------------------------------------------------------------------

    def __and__(self, other: object) -> BoundCondition:
        condition = self._other("&", other)
        return BoundCondition(joined_handle(self._handle, condition._handle), self._condition & condition._condition)

    def __or__(self, other: object) -> BoundCondition:
        condition = self._other("|", other)
        return BoundCondition(joined_handle(self._handle, condition._handle), self._condition | condition._condition)

    def __rand__(self, other: object) -> NoReturn:
        raise self._misplaced("&", other)

    def __ror__(self, other: object) -> NoReturn:
        raise self._misplaced("|", other)

    def __invert__(self) -> BoundCondition:
        return BoundCondition(self._handle, ~self._condition)

    # -- asking directly -----------------------------------------------------------------------------------------

    def all(self, *, progress: bool | None = None) -> QueryResult:
        """Return all datapoints the condition holds for; see `Datasource.all`."""
        return self.datasource.all(progress=progress)

    def fetch(self, *, progress: bool | None = None) -> QueryResult:
        """Return the datapoints the condition holds for; see `Datasource.fetch`."""
        return self.datasource.fetch(progress=progress)

    def head(self, size: int = 100) -> QueryResult:
        """Return the first datapoints the condition holds for; see `Datasource.head`."""
        return self.datasource.head(size)

    def sample(
        self,
        n: int | None = None,
        seed: int | None = None,
        *,
        start: int | None = None,
        end: int | None = None,
    ) -> QueryResult:
        """Return some of the datapoints the condition holds for; see `Datasource.sample`."""
        return self.datasource.sample(n, seed, start=start, end=end)

    def count(self) -> int:
        """Return how many datapoints the condition holds for."""
        return self.datasource.count()

    def select(self, *selected: str | Selection) -> Datasource:
        """Choose fields; see `Datasource.select`."""
        return self.datasource.select(*selected)

    def order_by(self, *args: str | tuple[str, bool | str]) -> Datasource:
        """Order the datapoints; see `Datasource.order_by`."""
        return self.datasource.order_by(*args)

    def limit(self, size: int | None) -> Datasource:
        """Limit how many datapoints are given; see `Datasource.limit`."""
        return self.datasource.limit(size)

    def as_of(self, time: float | dt.datetime) -> Datasource:
        """Ask for the metadata of another time; see `Datasource.as_of`."""
        return self.datasource.as_of(time)

    def with_time_zone(self, tz_val: str) -> Datasource:
        """Set the zone that date conditions use; see `Datasource.with_time_zone`."""
        return self.datasource.with_time_zone(tz_val)

    def save_dataset(self, name: str) -> Datasource:
        """Keep the condition under a name; see `Datasource.save_dataset`."""
        return self.datasource.save_dataset(name)

    # -- what looks like a query but cannot be one ---------------------------------------------------------------

    def __bool__(self) -> bool:
        text = self.explain()
        raise WrongOperatorError(
            f"The condition ({text}) is neither true nor false: it is a question about many datapoints. "
            "Write ~(q) instead of `not q`, (q1) & (q2) instead of `q1 and q2`, (q1) | (q2) instead of `q1 or q2`, "
            '(ds["a"] > 1) & (ds["a"] < 5) or ds["a"].between(1, 5) instead of `1 < ds["a"] < 5`, '
            "and ds[q].count() > 0 instead of `if q`."
        )

    def __contains__(self, item: object) -> bool:
        raise WrongOperatorError('Python\'s `in` cannot be a query. Write ds["column"].contains(...) or .isin([...]).')

    def __iter__(self) -> NoReturn:
        raise WrongOperatorError(
            f"A condition cannot be iterated over. Write `for dp in ds[q].all()`; q is ({self.explain()})."
        )

    def __lt__(self, other: object) -> NoReturn:
        raise self._compared("<", other)

    def __le__(self, other: object) -> NoReturn:
        raise self._compared("<=", other)

    def __gt__(self, other: object) -> NoReturn:
        raise self._compared(">", other)

    def __ge__(self, other: object) -> NoReturn:
        raise self._compared(">=", other)

    def _other(self, operator: str, other: object) -> BoundCondition:
        found: Any = getattr(other, "as_condition", None)
        if callable(found):
            other = found()
        if not isinstance(other, BoundCondition):
            raise self._misplaced(operator, other)
        return other

    def _misplaced(self, operator: str, other: object) -> WrongOrderError:
        return WrongOrderError(
            f"`{operator}` joins two conditions, but here it got ({self.explain()}) and {other!r}. It binds tighter "
            f"than comparisons do, so put each of them in parentheses: (ds[...] > ...) {operator} (ds[...] == ...)."
        )

    def _compared(self, operator: str, other: object) -> WrongOrderError:
        return WrongOrderError(
            f"The condition ({self.explain()}) is compared with {other!r} by `{operator}`. Put each comparison in "
            "parentheses and join them with & or |."
        )


def joined_handle(left: Datasource, right: Datasource) -> Datasource:
    """Return the handle that a condition on both asks.

    That is the common one; where the two ask different questions of the same datasource, the datasource without
    any query, so that nothing is filtered that the condition does not say.

    Raises:
        QueryError: They are handles on different datasources.
    """
    if not left.source.is_same(right.source):
        raise QueryError(
            f"A condition on the datasource {right.source.name!r} of {right.source.repo} cannot be used with "
            f"{left.source.name!r} of {left.source.repo}: each datasource has datapoints of its own."
        )
    return left if left.get_query() == right.get_query() else left.without_query()
