"""Queries: what they hold for, in which order, and how their answers stream."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pathlake.errors import FieldNotFoundError, InternalError, QueryError, ResourceLimitError
from pathlake.expr import (
    And,
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
    Order,
    Query,
    Selection,
    TextMatch,
    TextOp,
    TimeOfDay,
)
from pathlake.lake import Lake, LakeSettings, TableRef, open_lake
from pathlake.types import FieldType
from pathlake.types.columns import field_of, zone_column_name
from tests.contract.lake.conftest import NewSettings, new_table
from tests.support.lakes import fetch, info, merge, paths

EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))
ROWS: dict[str, dict[str, object]] = {
    "a": {"i": 1, "f": 1.5, "s": "50% off_x", "l": [1, 5], "ls": ["Ab", "c"], "b": True,
          "t": dt.datetime(2024, 1, 1, 2, 0, tzinfo=EAST), "j": 2},
    "b": {"i": 5, "f": float("inf"), "s": "Off", "l": [9], "ls": ["ab"], "b": False,
          "t": dt.datetime(2024, 6, 30, 23, 59, 59, 999999, tzinfo=dt.UTC), "j": 5},
    "c": {"i": 9, "f": -2.0, "s": "", "l": [], "b": True, "t": dt.datetime(2023, 12, 31, tzinfo=dt.UTC), "j": 1},
    "d": {"s": "é"},
}  # fmt: skip


@pytest.fixture(scope="session")
def filled(lake: Lake) -> TableRef:
    """A table of four datapoints, the last almost without values; tests only read it."""
    table = new_table(lake)
    merge(lake, table, ROWS)
    return table


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Compare("i", Op.EQ, 5), "b"),
        (Compare("i", Op.GE, 5), "bc"),
        (Compare("i", Op.LT, 5.5), "ab"),
        (Not(Compare("i", Op.EQ, 5)), "acd"),
        (Not(Compare("i", Op.GT, 1)), "ad"),
        (Compare("f", Op.GT, 1e308), "b"),
        (Compare("b", Op.EQ, True), "ac"),
        (Not(Compare("b", Op.EQ, True)), "bd"),
        (Compare("s", Op.GT, "Of"), "bd"),
        (Compare("path", Op.LE, "b"), "ab"),
        (IsNull("i"), "d"),
        (Not(IsNull("i")), "abc"),
        (IsNull("l"), "d"),
        (And.of(Compare("i", Op.GT, 1), Not(Compare("f", Op.LT, 0))), "b"),
        (Or.of(Compare("i", Op.EQ, 1), IsNull("i")), "ad"),
        (Not(Or.of(Compare("i", Op.EQ, 1), Compare("j", Op.EQ, 5))), "cd"),
        (Not(And.of(Compare("i", Op.GE, 1), Compare("j", Op.GE, 2))), "cd"),
        (TextMatch("s", TextOp.CONTAINS, "%"), "a"),
        (TextMatch("s", TextOp.CONTAINS, "_"), "a"),
        (TextMatch("s", TextOp.CONTAINS, ""), "abcd"),
        (TextMatch("s", TextOp.STARTSWITH, "O"), "b"),
        (TextMatch("s", TextOp.ENDSWITH, "ff"), "b"),
        (TextMatch("s", TextOp.MATCHES, "^O.f$"), "b"),
        (TextMatch("ls", TextOp.STARTSWITH, "A"), "a"),
        (Not(TextMatch("ls", TextOp.STARTSWITH, "A")), "bcd"),
        (IsIn("i", (1, 9, 77)), "ac"),
        (IsIn("i", ()), ""),
        (Not(IsIn("i", (1, 9))), "bd"),
        (IsIn("l", (5, 6)), "a"),
        (IsIn("path", ("a", "zz")), "a"),
        (Between("i", 1, 5), "ab"),
        (Between("l", 2, 4), ""),
        (Between("l", 2, 5), "a"),
        (Compare("l", Op.EQ, 1), "a"),
        (Not(Compare("l", Op.EQ, 1)), "bcd"),
        (Compare("l", Op.GT, 4), "ab"),
        (CompareFields("i", Op.GT, "j"), "c"),
        (CompareFields("i", Op.EQ, "j"), "b"),
        (Not(CompareFields("i", Op.EQ, "j")), "acd"),
        (CompareFields("i", Op.LT, "f"), "ab"),
        (CompareFields("l", Op.EQ, "i"), "a"),
        (CompareFields("f", Op.LT, "l"), "a"),
        (CompareFields("l", Op.LT, "l"), "a"),
        (DateIn("t", DatePart.YEAR, (2024,)), "ab"),
        (DateIn("t", DatePart.MONTH, (1, 12)), "ac"),
        (DateIn("t", DatePart.DAY, (30,)), "b"),
        (DateIn("t", DatePart.DAY, ()), ""),
        (TimeOfDay("t", 7200, 7200), "a"),
        (TimeOfDay("t", 86_399, 86_399), "b"),
        (Not(TimeOfDay("t", 0, 100)), "abd"),
        (Compare("t", Op.GT, dt.datetime(2023, 12, 31, 20, tzinfo=dt.UTC)), "ab"),
        (Compare("t", Op.EQ, dt.datetime(2023, 12, 31, 20, 30, tzinfo=dt.UTC)), "a"),
        (Compare("last_modified", Op.GT, dt.datetime(2023, 12, 31, tzinfo=dt.UTC)), ""),
    ],
)  # fmt: skip
def test_conditions_hold_for_exactly_these(lake: Lake, filled: TableRef, condition: Condition, expected: str) -> None:
    assert "".join(paths(lake, filled, condition)) == expected
    assert lake.count(filled, Query(condition=condition)) == len(expected)
    assert "".join(paths(lake, filled, Not(condition))) == "".join(sorted(set("abcd") - set(expected)))


def test_date_conditions_use_the_querys_zone_then_the_values_own(lake: Lake, filled: TableRef) -> None:
    in_december = DateIn("t", DatePart.YEAR, (2023,))
    assert paths(lake, filled, in_december) == ["c"]
    assert paths(lake, filled, in_december, zone_minutes=0) == ["a", "c"]
    assert paths(lake, filled, in_december, zone_minutes=330) == ["c"]
    assert paths(lake, filled, TimeOfDay("t", 0, 60), zone_minutes=-1) == []
    assert paths(lake, filled, TimeOfDay("t", 86_340, 86_399), zone_minutes=-1) == ["c"]


def test_a_hundred_thousand_values_are_looked_for_at_once(lake: Lake, table: TableRef) -> None:
    names = [f"p{number}" for number in range(2_000)]
    data = pa.table({"path": names, "i": pa.array(np.arange(2_000)), "s": [f"v{n}" for n in range(2_000)]})
    merge(lake, table, data)
    merge(lake, table, {"lists": {"l": [7, 8]}})
    many = tuple(range(1_000, 101_000))
    assert lake.count(table, Query(condition=IsIn("i", many))) == 1_000
    assert lake.count(table, Query(condition=Not(IsIn("i", many)))) == 1_001
    assert lake.count(table, Query(condition=IsIn("s", tuple(f"v{n}" for n in many)))) == 1_000
    assert paths(lake, table, IsIn("l", (8, *many))) == ["lists"]
    both = And.of(IsIn("i", many), IsIn("s", tuple(f"v{n}" for n in range(60))))
    assert lake.count(table, Query(condition=both)) == 0


def test_numbers_compare_by_their_exact_values(lake: Lake, table: TableRef) -> None:
    merge(lake, table, {"a": {"i": 2**53 + 1, "f": float(2**53)}, "b": {"i": 2**63 - 1, "f": 2.0**63}})
    assert paths(lake, table, CompareFields("i", Op.GT, "f")) == ["a"]
    assert paths(lake, table, CompareFields("f", Op.GT, "i")) == ["b"]
    assert paths(lake, table, CompareFields("i", Op.EQ, "f")) == []
    assert paths(lake, table, Compare("i", Op.EQ, 2**53 + 1)) == ["a"]
    assert paths(lake, table, Compare("i", Op.GT, 2**70)) == []


def test_the_result_has_the_columns_asked_for(lake: Lake, filled: TableRef) -> None:
    select = (Selection("t"), Selection("i", "alias"), Selection("path"), Selection("nowhere"), Selection("path", "p2"))
    rows = lake.query(filled, Query(select=select))
    zone = zone_column_name("t")
    assert rows.arrow_schema.names == ["datapoint_id", "path", "t", zone, "alias", "p2"]
    assert [(name, field.name) for name, field in rows.fields] == [("t", "t"), ("alias", "i"), ("p2", "path")]
    assert rows.snapshot == lake.snapshot_at()
    table = pa.Table.from_batches(list(rows), rows.arrow_schema)
    assert table.column("alias").to_pylist() == [1, 5, 9, None]
    assert table.column("p2").to_pylist() == list("abcd")
    everything = lake.query(filled, Query())
    assert [name for name, _ in everything.fields] == list(lake.schema(filled).names)
    for name, field in everything.fields:
        shown = field_of(everything.arrow_schema.field(name))
        assert (shown.type, shown.multiple) == (field.type, field.multiple)
    everything.close()
    assert everything.arrow_schema.field("t").type == pa.timestamp("us", "UTC")
    assert lake.schema(filled).resolve("l").type is FieldType.INTEGER


def test_order_limit_and_offset(lake: Lake, filled: TableRef) -> None:
    def ordered(*keys: Order, **options: Any) -> str:
        return "".join(row["path"] for row in fetch(lake, filled, Query(order_by=keys), **options))

    assert ordered(Order("i")) == "abcd"
    assert ordered(Order("i", descending=True)) == "cbad"
    assert ordered(Order("f")) == "cabd"
    assert ordered(Order("b", descending=True), Order("s")) == "cabd"
    assert ordered(Order("b")) == "bacd"
    assert ordered(Order("path", descending=True)) == "dcba"
    assert ordered(Order("i"), offset=3) == "d"
    assert ordered(Order("i"), offset=9) == ""
    assert paths(lake, filled, limit=2) == ["a", "b"]
    assert paths(lake, filled, limit=0) == []
    assert lake.count(filled, Query(limit=2)) == 2
    assert [row["path"] for row in fetch(lake, filled, Query(limit=2), offset=1)] == ["b", "c"]
    with pytest.raises(QueryError):
        ordered(Order("l"))


def test_what_makes_no_sense_is_refused(lake: Lake, filled: TableRef) -> None:
    with pytest.raises(FieldNotFoundError, match="'s'"):
        lake.count(filled, Query(condition=Compare("ss", Op.EQ, "x")))
    with pytest.raises(QueryError, match="'i'"):
        lake.query(filled, Query(condition=Compare("i", Op.EQ, "x")))
    for pattern in ("(", "[a", "*", "(?=a)", "a{5000}"):
        with pytest.raises(QueryError, match="'s'") as caught:
            lake.count(filled, Query(condition=Not(TextMatch("s", TextOp.MATCHES, pattern))))
        assert caught.value.details["pattern"] == pattern


def test_text_is_never_sql(lake: Lake, filled: TableRef) -> None:
    for text in ("'; DROP TABLE x; --", '" OR 1=1 --', "\\", "%", "$1", "?", "\x00"):
        assert paths(lake, filled, Compare("s", Op.EQ, text)) == []
        assert paths(lake, filled, IsIn("ls", (text, text * 2))) == []
        assert paths(lake, filled, TextMatch("s", TextOp.STARTSWITH, f"'{text}")) == []


def test_an_answer_shows_one_snapshot_while_others_write(lake: Lake, table: TableRef) -> None:
    count = 250_000
    merge(
        lake, table, pa.table({"path": [f"p{n}" for n in range(count)], "x": pa.array(np.zeros(count, dtype=np.int64))})
    )
    rows = lake.query(table, Query())
    stream = iter(rows)
    first = next(stream)
    merge(
        lake, table, pa.table({"path": [f"p{n}" for n in range(count)], "x": pa.array(np.ones(count, dtype=np.int64))})
    )
    merge(lake, table, {"fresh": {"x": 5}})
    rest = list(stream)
    table_seen = pa.Table.from_batches([first, *rest])
    assert table_seen.num_rows == count
    assert set(table_seen.column("x").to_pylist()) == {0}
    assert 50_000 < first.num_rows <= 130_000
    paged = [row["path"] for start in (0, 2) for row in fetch(lake, table, Query(limit=2, select=()),
             snapshot=rows.snapshot, offset=start)]  # fmt: skip
    assert paged == ["p0", "p1", "p2", "p3"]


def test_a_closed_answer_stops(lake: Lake, table: TableRef) -> None:
    count = 300_000
    merge(lake, table, pa.table({"path": [f"p{n}" for n in range(count)], "x": pa.array(np.arange(count))}))
    rows = lake.query(table, Query())
    stream = iter(rows)
    next(stream)
    closer = threading.Thread(target=rows.close)
    closer.start()
    closer.join()
    with pytest.raises(InternalError):
        next(stream)
    rows.close()
    untouched = lake.query(table, Query())
    untouched.close()
    assert lake.count(table, Query()) == count


def test_a_query_beyond_the_memory_limit_says_so_and_the_lake_lives(
    new_settings: NewSettings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = new_settings()
    settings = LakeSettings(made.catalog_url, made.data_path, memory_limit="300MB", threads=2, s3=made.s3,
                            temp_dir=tmp_path_factory.mktemp("spill"))  # fmt: skip
    lake, table = open_lake(settings), TableRef(1, 1)
    try:
        lake.create_table(table, commit=info())
        count = 100_000
        data = pa.table({"path": [f"p{n}" for n in range(count)], "l": [[n, n + 1] for n in range(count)]})
        merge(lake, table, data)
        heavy = CompareFields("l", Op.LT, "l")
        with pytest.raises(ResourceLimitError, match="memory"):
            _fill(lake, table)
        assert lake.count(table, Query()) == count
        assert lake.count(table, Query(condition=heavy)) == count
    finally:
        lake.close()


def _fill(lake: Lake, table: TableRef) -> None:
    """Ask for one list of all rows' values, which no spilling makes smaller."""
    from pathlake.lake.ducklake import DuckLake

    assert isinstance(lake, DuckLake)
    with lake._database.cursor() as cursor:
        cursor.execute("SELECT list(range) FROM range(100_000_000)").fetchone()
