"""Giving values to datapoints: many rows, one commit."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Literal

import pyarrow as pa

from pathlake.lake.base import CommitInfo, CommitReport, TableRef
from pathlake.lake.definitions import (
    ELEMENT,
    ID_COLUMN,
    MISSING_COLUMN,
    PATH_COLUMN,
    POSITION,
    Column,
    add_columns,
    update_definition,
)
from pathlake.lake.sql import data_table
from pathlake.lake.staging import (
    CHUNK_ROWS,
    GivenColumn,
    Layout,
    checked_paths,
    deduplication,
    has_duplicates,
    pieces,
    prepared,
    without_values,
)
from pathlake.lake.transaction import Transactions, WriteTransaction
from pathlake.types import Field

Lists = Literal["replace", "union"]


def merge(
    transactions: Transactions,
    table: TableRef,
    *,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    commit: CommitInfo,
    lists: Lists,
    tags: dict[str, tuple[str, ...]],
) -> CommitReport:
    """Apply a change set; see `Lake.merge`."""
    layout = Layout.of(schema)
    with transactions.write(table) as transaction:
        change = _Merge(transaction, layout, lists, tags)
        for piece in pieces(batches, schema):
            change.apply(piece)
        return change.finish(commit)


class _Merge:
    """One change set on its way into the table."""

    def __init__(
        self, transaction: WriteTransaction, layout: Layout, lists: Lists, tags: dict[str, tuple[str, ...]]
    ) -> None:
        self._transaction = transaction
        self._layout = layout
        self._lists = lists
        self._tags = tags
        self._before = transaction.definition
        self._rows = 0
        self._distinct = 0
        self._affected = 0
        self._new = 0
        self._several = False
        self._first_paths: pa.Table | None = None
        self._retagged = False

    def apply(self, piece: pa.Table) -> None:
        """Merge one piece of the change set."""
        transaction = self._transaction
        paths = checked_paths(piece.column(self._layout.path_index))
        given = [column for column in self._layout.columns if not without_values(piece, column)]
        self._create_fields([column.field for column in given])
        columns = [(column, transaction.definition.by_name[column.field.name]) for column in given]
        count = len(paths)
        first_id = transaction.free_ids(count)
        data = prepared(piece, paths, columns=columns, first_id=first_id)
        distinct = count
        if has_duplicates(paths):
            with transaction.staged("given", data) as name:
                query = deduplication(columns, source=name, lists=self._lists)
                data = transaction.run(query).to_arrow_table()
            distinct = data.num_rows
        target = data_table(transaction.table)
        if self._rows:
            self._note_paths(data.select(["p"]))
        else:
            self._first_paths = data.select(["p"])
        with transaction.staged("given", data) as name:
            affected = transaction.change(self._statement(name, columns))
        new = 0
        if affected:
            ids = [first_id, first_id + count - 1]
            new = transaction.number(f"SELECT count(*) FROM {target} WHERE {ID_COLUMN} BETWEEN ? AND ?", ids)
        if new:
            transaction.use_ids(count)
        self._affected += affected
        self._new += new
        self._rows += count
        self._distinct += distinct

    def finish(self, commit: CommitInfo) -> CommitReport:
        """Commit, or undo where nothing changed."""
        transaction = self._transaction
        self._tag_fields()
        new_fields = transaction.definition.schema.fields[len(self._before.schema.fields) :]
        distinct = self._count_paths()
        counts = {"rows": self._rows, "new": self._new, "updated": distinct - self._new, "fields": len(new_fields)}
        if self._affected or new_fields or self._retagged:
            snapshot = transaction.commit(commit, counts)
        else:
            snapshot = transaction.abandon()
        return CommitReport(snapshot, self._rows, self._new, distinct - self._new, new_fields)

    def _create_fields(self, fields: Sequence[Field]) -> None:
        transaction = self._transaction
        missing = [field for field in fields if transaction.definition.get(field.name) is None]
        if missing:
            tagged = [field.with_tags((*field.tags, *self._tags.get(field.name, ()))) for field in missing]
            transaction.definition = add_columns(
                transaction.cursor, transaction.table, definition=transaction.definition, fields=tagged
            )

    def _tag_fields(self) -> None:
        transaction = self._transaction
        for name, tags in self._tags.items():
            column = transaction.definition.get(name)
            if column is None or set(tags) <= set(column.field.tags):
                continue
            tagged = Column(
                column.field.with_tags((*column.field.tags, *tags)), column.name, column.zone, column.written
            )
            update_definition(transaction.cursor, transaction.table, column=tagged)
            transaction.definition = transaction.definition.with_columns([tagged])
            self._retagged = True

    def _note_paths(self, paths: pa.Table) -> None:
        """Keep the hashes of all paths, so that one in several pieces is counted once."""
        parts = [paths]
        if self._first_paths is not None:
            self._transaction.run("CREATE TEMP TABLE given_paths (h UBIGINT)")
            parts.insert(0, self._first_paths)
            self._first_paths, self._several = None, True
        for part in parts:
            with self._transaction.staged("noted", part) as noted:
                self._transaction.run(f"INSERT INTO given_paths SELECT hash(p) FROM {noted}")

    def _count_paths(self) -> int:
        if not self._several:
            return self._distinct
        # One range of hashes after the other, because counting holds in memory what it has seen.
        parts = 1 + self._rows // CHUNK_ROWS
        bounds = [(1 << 64) * part // parts for part in range(parts + 1)]
        return sum(
            self._transaction.number(
                f"SELECT count(DISTINCT h) FROM given_paths WHERE h BETWEEN {low}::UBIGINT AND {high - 1}::UBIGINT"
            )
            for low, high in itertools.pairwise(bounds)
        )

    def _statement(self, source: str, columns: Sequence[tuple[GivenColumn, Column]]) -> str:
        names = [ID_COLUMN, PATH_COLUMN, MISSING_COLUMN]
        inserted = ["s.id", "s.p", "false"]
        updates: list[str] = []
        changes: list[str] = []
        for number, (_, column) in enumerate(columns):
            old, new = f"t.{column.quoted}", f"s.c{number}"
            fresh = new
            if column.field.multiple and self._lists == "union":
                fresh = _without_doubles(new)
                new = _joined(old, new)
            updates.append(f"{column.quoted} = coalesce({new}, {old})")
            change = f"{new} IS DISTINCT FROM {old}"
            names.append(column.quoted)
            inserted.append(fresh)
            if column.quoted_zone:
                zone = f"t.{column.quoted_zone}"
                updates.append(f"{column.quoted_zone} = CASE WHEN s.c{number} IS NULL THEN {zone} ELSE s.z{number} END")
                change = f"({change} OR s.z{number} IS DISTINCT FROM {zone})"
                names.append(column.quoted_zone)
                inserted.append(f"s.z{number}")
            changes.append(f"(s.c{number} IS NOT NULL AND {change})")
        matched = f"WHEN MATCHED AND ({' OR '.join(changes)}) THEN UPDATE SET {', '.join(updates)} " if changes else ""
        return (
            f"MERGE INTO {data_table(self._transaction.table)} AS t USING {source} AS s ON t.{PATH_COLUMN} = s.p "
            f"{matched}WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({', '.join(inserted)})"
        )


def _without_doubles(values: str) -> str:
    """Return SQL for a list in which each element stays where it is first."""
    return f"list_filter({values}, lambda {ELEMENT}, {POSITION}: list_position({values}, {ELEMENT}) = {POSITION})"


def _joined(old: str, new: str) -> str:
    """Return SQL for a stored list with what it does not have yet appended in the given order."""
    return (
        f"CASE WHEN {new} IS NULL THEN {old} WHEN {old} IS NULL THEN {_without_doubles(new)} "
        f"ELSE list_concat({old}, list_filter({new}, "
        f"lambda {ELEMENT}, {POSITION}: list_position({new}, {ELEMENT}) = {POSITION} "
        f"AND NOT list_contains({old}, {ELEMENT}))) END"
    )
