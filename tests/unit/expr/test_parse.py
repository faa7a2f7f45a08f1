from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathlake.errors import QueryError
from pathlake.expr import (
    EVERYTHING,
    Between,
    Compare,
    CompareFields,
    Condition,
    DateIn,
    DatePart,
    IsIn,
    IsNull,
    Op,
    TextMatch,
    TextOp,
    TimeOfDay,
    parse_condition,
)

A, B, C = Compare("a", Op.GT, 5), Compare("b", Op.EQ, True), IsNull("c")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("a > 5", A),
        ("  a > 5\n", A),
        ("a >\n 5", A),
        ("5 < a", A),
        ("5 <= a", Compare("a", Op.GE, 5)),
        ("5 > a", Compare("a", Op.LT, 5)),
        ("5 >= a", Compare("a", Op.LE, 5)),
        ("5 == a", Compare("a", Op.EQ, 5)),
        ("5 != a", ~Compare("a", Op.EQ, 5)),
        ("(a > 5) & (b == True)", A & B),
        ("a > 5 and b == True", A & B),
        ("a > 5 and b is True or c is None", (A & B) | C),
        ("a > 5 and (b is True or c == None)", A & (B | C)),
        ("not a > 5", ~A),
        ("~(a > 5) | c.is_null()", ~A | C),
        ("not a > 5 and b is True", ~A & B),
        ("c.is_not_null()", ~C),
        ("c is not None", ~C),
        ("c != None", ~C),
        ("b is not True", ~B),
        ("b != True", ~B),
        ("b is False", Compare("b", Op.EQ, False)),
        ('ds["a"] > 5', A),
        ("ds['odd name'] == 'x'", Compare("odd name", Op.EQ, "x")),
        ("ds > 5", Compare("ds", Op.GT, 5)),
        ("a == -5", Compare("a", Op.EQ, -5)),
        ("a == --5.5", Compare("a", Op.EQ, 5.5)),
        ("a == +5", Compare("a", Op.EQ, 5)),
        ("a == 0x10", Compare("a", Op.EQ, 16)),
        ('a == float("-inf")', Compare("a", Op.EQ, float("-inf"))),
        ("1 < a < 5", Compare("a", Op.GT, 1) & Compare("a", Op.LT, 5)),
        ("1 <= a != 3", Compare("a", Op.GE, 1) & ~Compare("a", Op.EQ, 3)),
        ("a < b", CompareFields("a", Op.LT, "b")),
        ("a != ds['b c']", ~CompareFields("a", Op.EQ, "b c")),
        ("a in [1, 2.5, 'x', -3]", IsIn("a", (1, 2.5, "x", -3))),
        ("a in (1, 2)", IsIn("a", (1, 2))),
        ("a in {1}", IsIn("a", (1,))),
        ("a in []", IsIn("a", ())),
        ("a not in [1]", ~IsIn("a", (1,))),
        ("a.isin([1, 2])", IsIn("a", (1, 2))),
        ("a.isin(1, 2)", IsIn("a", (1, 2))),
        ("a.between(1, 5)", Between("a", 1, 5)),
        ("a.contains('x')", TextMatch("a", TextOp.CONTAINS, "x")),
        ("ds['a b'].startswith('x')", TextMatch("a b", TextOp.STARTSWITH, "x")),
        ("path.endswith('.jpg')", TextMatch("path", TextOp.ENDSWITH, ".jpg")),
        (r'a.matches("\d+")', TextMatch("a", TextOp.MATCHES, r"\d+")),
        (r"a.matches(r'\d+')", TextMatch("a", TextOp.MATCHES, r"\d+")),
        ("when > '2024-01-31'", Compare("when", Op.GT, "2024-01-31")),
        ("when > datetime('2024-01-31T00:00+00:00')",
         Compare("when", Op.GT, dt.datetime(2024, 1, 31, tzinfo=dt.UTC))),
        ("when.date_field_in_years(2022, 2023)", DateIn("when", DatePart.YEAR, (2022, 2023))),
        ("date_field_in_months(when, 1)", DateIn("when", DatePart.MONTH, (1,))),
        ("when.date_field_in_days(31)", DateIn("when", DatePart.DAY, (31,))),
        ("when.date_field_in_timeofday('11:30-12:30:01')", TimeOfDay("when", 41_400, 45_001)),
        ("everything", EVERYTHING),
        ("ds['everything'] == 1", Compare("everything", Op.EQ, 1)),
    ],
)  # fmt: skip
def test_what_can_be_written(text: str, condition: Condition) -> None:
    assert repr(parse_condition(text)) == repr(condition)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("a > 5 & b == True", "(a > 5) & (b == True)"),
        ("a > 5 | b == True", "(a > 5) | (b == True)"),
        ("a == 1 & b == 2 | c in [3]", "(a == 1) & (b == 2) | (c in [3])"),
        ('a.contains("x") & b == True', 'a.contains("x") & (b == True)'),
        ('b == "ü" & a > 5', '(b == "ü") & (a > 5)'),
        ("a > 5 & (b == 1) & c is None", "(a > 5) & (b == 1) & (c is None)"),
        ("~a == 5", "~(a == 5)"),
        ('"x" in a', 'a.contains("x")'),
        ("a == [1, 2]", "a in [1, 2]"),
        ("a in [1, None]", "a is None"),
        ("a.b > 5", 'ds["a.b"]'),
        ("a", "a == True"),
        ("a and b == 1", "a == True"),
        ("a > None", "a is None"),
    ],
)
def test_near_misses_show_the_right_spelling(text: str, spelling: str) -> None:
    with pytest.raises(QueryError) as error:
        parse_condition(text)
    assert spelling in str(error.value)


@pytest.mark.parametrize("text", ["a > 5 & b == True", "a == 1 & b == 2 | c in [3]", "a > 5 & (b == 1) & c is None"])
def test_the_shown_spelling_is_one_that_works(text: str) -> None:
    with pytest.raises(QueryError) as error:
        parse_condition(text)
    parse_condition(str(error.value).partition("Write: ")[2].partition("\n")[0])


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a > 5 and b", 11),
        ("größe > 5 and b", 15),
        ("a >", 4),
        ("a == foo(1)", 6),
        ("a == b'x'", 6),
        ("a == 1j", 6),
        ("a == 9**9", 6),
        ("a == f'{x}'", 6),
        ("a == (lambda: 1)", 7),
        ("a == -True", 6),
        ("a == float('5')", 6),
        ("a == datetime('soon')", 6),
        ("a is 0", 6),
        ("a is b", 6),
        ("1 == 2", 1),
        ("a in 5", 6),
        ("a in b", 6),
        ("5 in [1]", 1),
        ("a.foo(1)", 1),
        ("a.contains()", 1),
        ("a.contains(5)", 12),
        ("a.contains(text='x')", 17),
        ("a.between(1)", 1),
        ("a.is_null(1)", 1),
        ("a.date_field_in_years('2022')", 23),
        ("a.date_field_in_years(True)", 23),
        ("a.date_field_in_timeofday('noon')", 27),
        ("(1).contains('x')", 2),
        ("a if b else c", 1),
        ("[a > 5]", 1),
        ("__import__('os').system('true')", 1),
        ("a > 5; b", 6),
        ("a := 5", 3),
    ],
)
def test_errors_point_at_the_column(text: str, column: int) -> None:
    with pytest.raises(QueryError) as error:
        parse_condition(text)
    assert error.value.details["column"] == column
    *_, shown, pointer = str(error.value).splitlines()
    assert shown == f"  {text}"
    assert pointer == f"  {' ' * (column - 1)}^ column {column}"


@pytest.mark.parametrize(
    "text", ["", "  ", "a == 1\0", "(" * 5000 + "a", "~" * 50_000 + "a", "a" * 100_001, "a == '\ud800'"]
)
def test_hopeless_texts(text: str) -> None:
    with pytest.raises(QueryError):
        parse_condition(text)


def test_a_long_text_shows_what_is_around_the_column() -> None:
    text = " and ".join(["a > 5"] * 100) + " and b"
    with pytest.raises(QueryError) as error:
        parse_condition(text)
    assert len(str(error.value)) < 400


def test_no_text() -> None:
    with pytest.raises(QueryError, match="must be a string"):
        parse_condition(5)  # type: ignore[arg-type]


@given(st.text(st.sampled_from("ab5 ()[]\"'=<>&|~.,-_ndotrisNue"), max_size=30))
def test_any_text_is_a_condition_or_a_query_error(text: str) -> None:
    try:
        condition = parse_condition(text)
    except QueryError:
        return
    assert isinstance(condition, Condition)
