"""What a lake may take for known."""

from __future__ import annotations

from pathlake.lake import TableRef
from pathlake.lake.definitions import Definition, initial_definition
from pathlake.lake.remembered import Remembered
from pathlake.types import Field, FieldType

TABLE = TableRef(1, 1)
OLD = initial_definition()


def with_field(name: str) -> Definition:
    return OLD.with_columns([OLD.new_column(Field(name, FieldType.INTEGER))])


def test_alone_a_definition_holds_until_this_lake_changes_it() -> None:
    known = Remembered(exclusive=True)
    assert known.definition(TABLE, at=5) is None
    known.read_definition(TABLE, OLD, at=5)
    assert known.definition(TABLE, at=9) is OLD
    assert known.definition(TABLE, at=4) is None
    new = with_field("x")
    known.committed(TABLE, 10, definition=new)
    assert known.definition(TABLE, at=9) is OLD
    assert known.definition(TABLE, at=10) is new
    assert known.latest_definition(TABLE) is new
    known.read_definition(TABLE, with_field("old"), at=3)
    assert known.definition(TABLE, at=3) == with_field("old")
    assert known.definition(TABLE, at=4) is None
    known.forget(TABLE)
    assert known.definition(TABLE, at=10) is None
    assert known.definition(TABLE, at=3) is None


def test_beside_others_only_own_commits_are_known() -> None:
    known = Remembered(exclusive=False)
    known.read_definition(TABLE, OLD, at=5)
    assert known.definition(TABLE, at=5) is OLD
    assert known.definition(TABLE, at=6) is None
    assert known.latest_definition(TABLE) is None
    other = TableRef(1, 2)
    known.committed(other, 6, definition=OLD)
    assert known.definition(TABLE, at=6) is OLD
    known.committed(TABLE, 8, definition=with_field("x"))
    assert known.definition(TABLE, at=7) is None
    assert known.definition(TABLE, at=8) == with_field("x")
    assert known.definition(TABLE, at=9) is None


def test_a_commit_of_another_between_is_never_skipped_over() -> None:
    known = Remembered(exclusive=False)
    known.committed(TABLE, 1, definition=OLD)
    # Snapshot 2 was another server's, and 3 this one's with what it read then.
    known.committed(TABLE, 3, definition=OLD)
    assert known.definition(TABLE, at=2) is None
    assert known.definition(TABLE, at=3) is OLD


def test_reserved_ids_are_kept_per_table() -> None:
    known = Remembered(exclusive=True)
    assert known.ids(TABLE) == (0, 0)
    known.keep_ids(TABLE, (5, 1000))
    assert known.ids(TABLE) == (5, 1000)
    assert known.ids(TableRef(1, 2)) == (0, 0)
    known.forget(TABLE)
    assert known.ids(TABLE) == (0, 0)
