"""Fields made, described and emptied; datapoints removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from pathlake.errors import AutomaticFieldError, DatapointNotFoundError, FieldTypeError
from pathlake.lake.base import CommitInfo, CommitReport, TableRef
from pathlake.lake.definitions import ID_COLUMN, Column, add_columns, update_definition
from pathlake.lake.sql import data_table
from pathlake.lake.transaction import Transactions, WriteTransaction
from pathlake.types import AUTOMATIC_NAMES, Field, checked_field_name


def put_fields(
    transactions: Transactions, table: TableRef, *, fields: Sequence[Field], commit: CommitInfo
) -> CommitReport:
    """Create fields, or set tags and description of those that are there; see `Lake.put_fields`."""
    with transactions.write(table) as transaction:
        new: list[Field] = []
        changed = 0
        for field in fields:
            stored = transaction.definition.get(field.name)
            if stored is None:
                checked_field_name(field.name)
                created = replace(field.with_tags(field.tags), automatic=False)
                transaction.definition = add_columns(
                    transaction.cursor, table, definition=transaction.definition, fields=[created]
                )
                new.append(created)
                continue
            _check_same_type(field, stored.field)
            described = replace(stored.field.with_tags(field.tags), description=field.description)
            if described != stored.field:
                column = replace(stored, field=described)
                update_definition(transaction.cursor, table, column=column)
                transaction.definition = transaction.definition.with_columns([column])
                changed += 1
        if not new and not changed:
            return CommitReport(transaction.abandon())
        snapshot = transaction.commit(commit, {"fields": len(new), "described": changed})
        return CommitReport(snapshot, new_fields=tuple(new))


def delete_values(
    transactions: Transactions, table: TableRef, *, values: Sequence[tuple[int, str]], commit: CommitInfo
) -> CommitReport:
    """Remove stored values; see `Lake.delete_values`."""
    by_field: dict[str, set[int]] = {}
    for datapoint_id, name in values:
        by_field.setdefault(name, set()).add(datapoint_id)
    with transactions.write(table) as transaction:
        columns = [(_writable(transaction, name), ids) for name, ids in by_field.items()]
        _check_ids(transaction, {datapoint_id for datapoint_id, _ in values})
        changed = 0
        for column, ids in columns:
            cleared = [column.quoted, *([column.quoted_zone] if column.quoted_zone else [])]
            with transaction.staged("chosen", _id_table(ids)) as chosen:
                changed += transaction.change(
                    f"UPDATE {data_table(table)} SET {', '.join(f'{name} = NULL' for name in cleared)} "
                    f"WHERE {column.quoted} IS NOT NULL AND {ID_COLUMN} IN (SELECT id FROM {chosen})"
                )
        touched = len({datapoint_id for datapoint_id, _ in values})
        if not changed:
            return CommitReport(transaction.abandon(), rows=len(values))
        snapshot = transaction.commit(commit, {"rows": len(values), "values": changed})
        return CommitReport(snapshot, rows=len(values), updated_datapoints=touched)


def delete_datapoints(
    transactions: Transactions, table: TableRef, *, datapoint_ids: Sequence[int], commit: CommitInfo
) -> CommitReport:
    """Remove datapoints with all their metadata; see `Lake.delete_datapoints`."""
    ids = set(datapoint_ids)
    with transactions.write(table) as transaction:
        _check_ids(transaction, ids)
        if not ids:
            return CommitReport(transaction.abandon())
        with transaction.staged("chosen", _id_table(ids)) as chosen:
            transaction.change(f"DELETE FROM {data_table(table)} WHERE {ID_COLUMN} IN (SELECT id FROM {chosen})")
        return CommitReport(transaction.commit(commit, {"deleted": len(ids)}), rows=len(ids))


def _writable(transaction: WriteTransaction, name: str) -> Column:
    if name in AUTOMATIC_NAMES or name in ("path", "datapoint_id"):
        raise AutomaticFieldError(
            f"The field {name!r} is read from the files by scans; its values cannot be removed.", {"field": name}
        )
    return transaction.definition.resolve(name)


def _check_ids(transaction: WriteTransaction, ids: set[int]) -> None:
    with transaction.staged("chosen", _id_table(ids)) as chosen:
        unknown = transaction.run(
            f"SELECT id FROM {chosen} ANTI JOIN {data_table(transaction.table)} ON {ID_COLUMN} = id ORDER BY id LIMIT 6"
        ).fetchall()
    if unknown:
        names = ", ".join(str(row[0]) for row in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        raise DatapointNotFoundError(
            f"There is no datapoint with the id {names}.", {"ids": [row[0] for row in unknown]}
        )


def _id_table(ids: set[int]) -> pa.Table:
    fitting = [datapoint_id for datapoint_id in ids if -(2**63) <= datapoint_id < 2**63]
    if len(fitting) < len(ids):
        unknown = next(iter(ids - set(fitting)))
        raise DatapointNotFoundError(f"There is no datapoint with the id {unknown}.", {"ids": [str(unknown)]})
    return pa.table({"id": pa.array(sorted(fitting), pa.int64())})


def _check_same_type(given: Field, stored: Field) -> None:
    if (given.type, given.multiple) == (stored.type, stored.multiple):
        return
    if stored.automatic:
        raise AutomaticFieldError(
            f"The field {stored.name!r} is read from the files by scans; choose another name.", {"field": stored.name}
        )
    raise FieldTypeError(
        f"The field {stored.name!r} is {stored.type_name} and cannot become {given.type_name}: "
        "the type of a field never changes.",
        {"field": stored.name, "stored": stored.type_name, "given": given.type_name},
    )
