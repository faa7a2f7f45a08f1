"""Conditions from text, in the Python spelling.

The text is read with Python's own parser and never evaluated. `and`, `or`, `not` and `&`, `|`, `~` both work; the
latter bind tighter than comparisons, as in Python, so a comparison beside them needs parentheses; a text that lacks
them is refused with the right spelling.
"""

from __future__ import annotations

import ast
import datetime as dt
import warnings

from pathlake.errors import QueryError
from pathlake.expr.explain import EVERYTHING_WORD, quoted_field, quoted_value
from pathlake.expr.literals import time_of_day
from pathlake.expr.nodes import (
    EVERYTHING,
    And,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    DatePart,
    IsIn,
    IsNull,
    Op,
    Or,
    Scalar,
    TextMatch,
    TextOp,
    TimeOfDay,
)

MAX_TEXT = 100_000

_OPS: dict[type[ast.cmpop], Op] = {ast.Eq: Op.EQ, ast.Gt: Op.GT, ast.GtE: Op.GE, ast.Lt: Op.LT, ast.LtE: Op.LE}
_MIRRORED = {Op.EQ: Op.EQ, Op.GT: Op.LT, Op.GE: Op.LE, Op.LT: Op.GT, Op.LE: Op.GE}
_SPELLED: dict[type[ast.cmpop], str] = {
    **{kind: str(op) for kind, op in _OPS.items()},
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_TEXT_METHODS = {str(op): op for op in TextOp}
_DATE_METHODS = {f"date_field_in_{part}s": part for part in DatePart}
_METHODS = sorted(
    {*_TEXT_METHODS, *_DATE_METHODS, "between", "date_field_in_timeofday", "is_not_null", "is_null", "isin"}
)


def parse_condition(text: str) -> Condition:
    """Return the condition that `text` spells.

    Fields are bare names or `ds["any name"]`; values are numbers, strings, booleans, `None`, and
    `datetime("2024-01-31T12:00:00+02:00")` (a DATETIME field takes plain strings too). Comparisons may be chained and
    may compare two fields; `in [..]`, `not in [..]`, `is None`, `is not None` and the methods of fields (`contains`,
    `startswith`, `endswith`, `matches`, `is_null`, `is_not_null`, `isin`, `between`, `date_field_in_years`,
    `..._months`, `..._days`, `..._timeofday`) work; `everything` is the condition that always holds.

    Raises:
        QueryError: The text is no condition; the message points at the column.

    Example:
        >>> parse_condition('1 < episode <= 5 and not name.contains("x")') == (
        ...     Compare("episode", Op.GT, 1) & Compare("episode", Op.LE, 5) & ~TextMatch("name", TextOp.CONTAINS, "x")
        ... )
        True
    """
    if not isinstance(text, str):
        raise QueryError(f"A condition's text must be a string, not {type(text).__name__}.")
    if not text.strip():
        raise QueryError('The condition is empty. Write one like: episode > 5 and name.contains("x")')
    if len(text) > MAX_TEXT:
        raise QueryError(f"The condition is longer than {MAX_TEXT:,} characters.")
    return _Reader(text.replace("\r", " ").replace("\n", " ").strip()).read()


class _Reader:
    """Reads one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> Condition:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a pattern like "\d" makes Python warn
                tree = ast.parse(self._text, mode="eval")
            return self._condition(tree.body)
        except SyntaxError as error:
            # A text that ends too early is reported at column 0, or on the line after it.
            column = error.offset - 1 if error.offset and error.lineno == 1 else len(self._text)
            raise self._error_at(column, f"This is no condition: {error.msg}.") from None
        except (RecursionError, MemoryError):
            raise QueryError("The condition is nested too deeply.") from None
        except (ValueError, OverflowError) as error:
            if isinstance(error, QueryError):
                raise
            raise QueryError(f"This is no condition: {error}.") from None

    # -- conditions

    def _condition(self, node: ast.expr) -> Condition:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return And.of(*map(self._condition, values))
            case ast.BoolOp(values=values):
                return Or.of(*map(self._condition, values))
            case ast.BinOp(op=ast.BitAnd(), left=left, right=right):
                return And.of(self._condition(left), self._condition(right))
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return Or.of(self._condition(left), self._condition(right))
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                return ~self._condition(operand)
            case ast.Compare():
                return self._comparisons(node)
            case ast.Call():
                return self._call(node)
            case ast.Name(id=name) if name == EVERYTHING_WORD:
                return EVERYTHING
        field = self._field(node)
        if field is not None:
            advice = f"Compare it, for instance: {quoted_field(field)} == True"
            raise self._error(node, f"The field {field!r} alone is no condition. {advice}")
        raise self._error(node, f"{self._source(node)} is no condition.")

    def _comparisons(self, node: ast.Compare) -> Condition:
        operands = [node.left, *node.comparators]
        for operand in operands:
            if isinstance(operand, ast.BinOp) and isinstance(operand.op, ast.BitAnd | ast.BitOr):
                raise self._error(
                    operand,
                    "& and | bind tighter than comparisons, so each comparison needs parentheses (or use `and`, `or`). "
                    f"Write: {self._parenthesised(node)}",
                )
        first = operands[0]
        if isinstance(first, ast.UnaryOp) and isinstance(first.op, ast.Invert):
            rest = self._text[self._column(first.operand) : self._end(node)]
            raise self._error(first, f"~ binds tighter than comparisons. Write: ~({rest})")
        pairs = zip(operands, node.ops, operands[1:], strict=False)
        return And.of(*(self._comparison(left, op, right) for left, op, right in pairs))

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Condition:
        match op:
            case ast.NotEq():
                return ~self._comparison(left, ast.Eq(), right)
            case ast.IsNot():
                return ~self._comparison(left, ast.Is(), right)
            case ast.NotIn():
                return ~self._comparison(left, ast.In(), right)
            case ast.In():
                return self._membership(left, right)
        name, other = self._field(left), self._field(right)
        if isinstance(op, ast.Is):
            if name is None or not (isinstance(right, ast.Constant) and isinstance(right.value, bool | None)):
                raise self._error(right, "`is` goes with None, True and False only; use == for other values.")
            op = ast.Eq()
        kind = _OPS[type(op)]
        if name is not None and other is not None:
            return CompareFields(name, kind, other)
        if name is not None:
            return self._compared(name, kind, right)
        if other is not None:
            return self._compared(other, _MIRRORED[kind], left)
        raise self._error(left, "A comparison needs a field on one of its sides.")

    def _compared(self, name: str, op: Op, node: ast.expr) -> Condition:
        if isinstance(node, ast.Constant) and node.value is None:
            if op is not Op.EQ:
                raise self._error(node, f"None has no order. Write: {quoted_field(name)} is None")
            return IsNull(name)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            advice = f"Write: {quoted_field(name)} in {self._source(node)}"
            raise self._error(node, f"A field is compared with one value. {advice}")
        return Compare(name, op, self._value(node))

    def _membership(self, left: ast.expr, right: ast.expr) -> Condition:
        name, container = self._field(left), self._field(right)
        if container is not None and name is None:
            value, field = quoted_value(self._value(left)), quoted_field(container)
            raise self._error(
                right,
                f"`in` looks a field up in a list. Write {field}.contains({value}), "
                f"or {field} == {value} for a field that holds lists.",
            )
        if name is None:
            raise self._error(left, "`in` needs a field on its left side.")
        if not isinstance(right, ast.List | ast.Tuple | ast.Set):
            raise self._error(right, f"`in` needs a list on its right side, like: {quoted_field(name)} in [1, 2]")
        return IsIn(name, self._values(name, right.elts))

    # -- methods of fields

    def _call(self, node: ast.Call) -> Condition:
        if node.keywords:
            raise self._error(node.keywords[0].value, "Arguments are given by position here, without names.")
        match node.func:
            case ast.Attribute(value=target, attr=method):
                arguments = node.args
            case ast.Name(id=method) if node.args:
                target, *arguments = node.args
            case _:
                raise self._error(node, f"{self._source(node)} is no condition.")
        name = self._field(target)
        if method not in _METHODS:
            raise self._error(node, f"There is no {method}(). Fields have: {', '.join(_METHODS)}.")
        if name is None:
            raise self._error(target, f"{method}() is asked of a field, and {self._source(target)} is none.")
        return self._method(node, name, method, arguments)

    def _method(self, node: ast.Call, name: str, method: str, arguments: list[ast.expr]) -> Condition:
        if method in ("is_null", "is_not_null"):
            self._expect(node, method, arguments, count=0)
            return IsNull(name) if method == "is_null" else ~IsNull(name)
        if method in _TEXT_METHODS:
            self._expect(node, method, arguments, count=1)
            return TextMatch(name, _TEXT_METHODS[method], self._text_value(arguments[0], method))
        if method in _DATE_METHODS:
            return DateIn(name, _DATE_METHODS[method], tuple(self._integer(argument, method) for argument in arguments))
        if method == "date_field_in_timeofday":
            self._expect(node, method, arguments, count=1)
            return self._time_of_day(name, arguments[0])
        if method == "between":
            self._expect(node, method, arguments, count=2)
            return Between(name, self._value(arguments[0]), self._value(arguments[1]))
        if len(arguments) == 1 and isinstance(arguments[0], ast.List | ast.Tuple | ast.Set):
            arguments = arguments[0].elts
        return IsIn(name, self._values(name, arguments))

    def _time_of_day(self, name: str, argument: ast.expr) -> Condition:
        try:
            start_s, end_s = time_of_day(self._text_value(argument, "date_field_in_timeofday"))
        except QueryError as error:
            raise self._error(argument, error.message) from None
        return TimeOfDay(name, start_s, end_s)

    def _expect(self, node: ast.Call, method: str, arguments: list[ast.expr], *, count: int) -> None:
        if len(arguments) != count:
            words = {0: "no argument", 1: "one argument", 2: "two arguments"}[count]
            raise self._error(node, f"{method}() takes {words}, not {len(arguments)}.")

    # -- fields and values

    def _field(self, node: ast.expr) -> str | None:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Subscript(value=ast.Name(id="ds"), slice=ast.Constant(value=str(name))):
                return name
            case ast.Attribute() if dotted(node):
                raise self._error(node, f'Names with dots are written like ds["{dotted(node)}"].')
        return None

    def _values(self, name: str, nodes: list[ast.expr]) -> tuple[Scalar, ...]:
        for node in nodes:
            if isinstance(node, ast.Constant) and node.value is None:
                field = quoted_field(name)
                raise self._error(node, f"None is no value. Write: {field} in [...] or {field} is None")
        return tuple(map(self._value, nodes))

    def _value(self, node: ast.expr) -> Scalar:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return value
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                number = self._value(operand)
                if isinstance(number, int | float) and not isinstance(number, bool):
                    return -number if isinstance(sign, ast.USub) else number
            case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(text))], keywords=[]):
                return self._converted(node, float(text) if text in ("inf", "-inf", "nan") else None)
            case ast.Call(func=ast.Name(id="datetime" | "date"), args=[ast.Constant(value=str(text))], keywords=[]):
                try:
                    return dt.datetime.fromisoformat(text)
                except ValueError:
                    message = f'{text!r} is no moment; write it like datetime("2024-01-31T12:00+02:00").'
                    raise self._error(node, message) from None
        name = self._field(node)
        if name is not None:
            raise self._error(node, f"A value is expected here, and {name} is read as a field. Text goes in quotes.")
        raise self._error(node, f"{self._source(node)} is no value: numbers, strings, True and False are.")

    def _converted(self, node: ast.expr, value: float | None) -> float:
        if value is None:
            raise self._error(node, 'float() is for "inf", "-inf" and "nan"; write other numbers as they are.')
        return value

    def _text_value(self, node: ast.expr, method: str) -> str:
        value = self._value(node)
        if not isinstance(value, str):
            raise self._error(node, f"{method}() takes text in quotes, not {self._source(node)}.")
        return value

    def _integer(self, node: ast.expr, method: str) -> int:
        value = self._value(node)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._error(node, f"{method}() takes integers, not {self._source(node)}.")
        return value

    # -- messages

    def _parenthesised(self, node: ast.Compare) -> str:
        """Respell a comparison whose operands hold & or |, with parentheses where they were meant."""
        pieces: list[str] = []
        parts: list[str] = []
        for index, operand in enumerate([node.left, *node.comparators]):
            if index:
                parts.append(_SPELLED[type(node.ops[index - 1])])
            leaves, joints = self._leaves(operand)
            parts.append(leaves[0])
            for leaf, joint in zip(leaves[1:], joints, strict=True):
                pieces += [self._grouped(parts), joint]
                parts = [leaf]
        return " ".join([*pieces, self._grouped(parts)])

    def _grouped(self, parts: list[str]) -> str:
        return f"({' '.join(parts)})" if len(parts) > 1 else parts[0]

    def _leaves(self, node: ast.expr) -> tuple[list[str], list[str]]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            left, left_joints = self._leaves(node.left)
            right, right_joints = self._leaves(node.right)
            return left + right, [*left_joints, "&" if isinstance(node.op, ast.BitAnd) else "|", *right_joints]
        source = self._source(node)
        return [f"({source})" if isinstance(node, ast.Compare | ast.BoolOp) else source], []

    def _source(self, node: ast.expr) -> str:
        source = ast.get_source_segment(self._text, node) or ast.unparse(node)
        return source if len(source) <= 80 else f"{source[:77]}..."

    def _column(self, node: ast.expr) -> int:
        return len(self._text.encode()[: node.col_offset].decode())

    def _end(self, node: ast.expr) -> int:
        return len(self._text.encode()[: node.end_col_offset].decode())

    def _error(self, node: ast.expr, message: str) -> QueryError:
        return self._error_at(self._column(node), message)

    def _error_at(self, column: int, message: str) -> QueryError:
        start = max(0, column - 60)
        window = self._text[start : column + 60]
        pointer = f"{' ' * (column - start)}^ column {column + 1}"
        return QueryError(f"{message}\n  {window}\n  {pointer}", {"column": column + 1})


def dotted(node: ast.expr) -> str | None:
    """Return `a.b.c` where a node spells just that, or None."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            before = dotted(value)
            return f"{before}.{attr}" if before else None
    return None
