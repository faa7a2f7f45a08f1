from __future__ import annotations

import pytest
from hypothesis import given

from pathlake.expr import EVERYTHING, NOTHING, And, Compare, Everything, IsNull, Not, Op, Or, Query
from tests.support.conditions import CONDITIONS

A, B, C = (Compare(name, Op.EQ, 1) for name in "abc")


def test_conjunctions_flatten() -> None:
    assert And((A, B, C)) == A & B & C
    assert And((A, B, C)) == A & (B & C)


def test_disjunctions_flatten() -> None:
    assert Or((A, B, C)) == A | B | C


def test_mixed_connectives_stay_nested() -> None:
    assert And((Or((A, B)), C)) == (A | B) & C


def test_double_negation_falls_away() -> None:
    assert ~~A == A
    assert Not(A) == ~A


@pytest.mark.parametrize(
    ("joined", "expected"),
    [
        (EVERYTHING & A, A),
        (A & NOTHING, NOTHING),
        (EVERYTHING | A, EVERYTHING),
        (A | NOTHING, A),
        (And.of(), EVERYTHING),
        (Or.of(), NOTHING),
        (~EVERYTHING, NOTHING),
        (~NOTHING, EVERYTHING),
    ],
)
def test_everything_and_nothing(joined: object, expected: object) -> None:
    assert joined == expected


def test_walk_yields_parents_first() -> None:
    tree = (A | ~B) & C
    assert list(tree.walk()) == [tree, Or((A, Not(B))), A, Not(B), B, C]


def test_conditions_combine_with_conditions_only() -> None:
    with pytest.raises(TypeError):
        A & 5  # type: ignore[operator]


def test_where_narrows() -> None:
    query = Query().where(A).where(IsNull("b"))
    assert query.condition == A & IsNull("b")
    assert Query().condition == Everything()


@given(CONDITIONS)
def test_conditions_are_hashable_values(condition: object) -> None:
    assert len({condition, condition}) == 1
