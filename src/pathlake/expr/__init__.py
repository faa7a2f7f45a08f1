"""The query language: an immutable tree of conditions, and what is done with it. No I/O."""

from pathlake.expr.bind import bind, bind_condition
from pathlake.expr.codec import condition_to_wire, query_to_wire
from pathlake.expr.decode import condition_from_wire, query_from_wire
from pathlake.expr.explain import explain
from pathlake.expr.literals import time_of_day
from pathlake.expr.nodes import (
    EVERYTHING,
    NOTHING,
    And,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    DatePart,
    Everything,
    IsIn,
    IsNull,
    Not,
    Op,
    Or,
    Scalar,
    TextMatch,
    TextOp,
    TimeOfDay,
)
from pathlake.expr.parse import parse_condition
from pathlake.expr.query import Order, Query, Selection

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "And",
    "Between",
    "Compare",
    "CompareFields",
    "Condition",
    "DateIn",
    "DatePart",
    "Everything",
    "IsIn",
    "IsNull",
    "Not",
    "Op",
    "Or",
    "Order",
    "Query",
    "Scalar",
    "Selection",
    "TextMatch",
    "TextOp",
    "TimeOfDay",
    "bind",
    "bind_condition",
    "condition_from_wire",
    "condition_to_wire",
    "explain",
    "parse_condition",
    "query_from_wire",
    "query_to_wire",
    "time_of_day",
]
