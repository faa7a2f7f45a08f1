"""Quoting: the one place where a name or a constant becomes SQL text.

Values of users never come here; they are bound. What is quoted are column names of definitions, names of tables made
from numbers, and settings of whoever runs the engine.
"""

from __future__ import annotations

from pathlake.lake.base import TableRef

LAKE = "lake"
"""Name under which the lake is attached."""


def identifier(name: str) -> str:
    """Return `name` as a quoted identifier.

    Example:
        >>> identifier('the "big" one')
        '"the ""big"" one"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as a string constant, for the few statements that take no bound values (ATTACH, SET)."""
    return "'" + text.replace("'", "''") + "'"


def schema_name(table: TableRef) -> str:
    """Return the name of the schema that holds a repo's tables."""
    return f"repo_{table.repo_id:d}"


def table_name(table: TableRef) -> str:
    """Return the name of a datasource's table, without its schema."""
    return f"ds_{table.datasource_id:d}"


def data_table(table: TableRef) -> str:
    """Return the qualified name of the table of datapoints."""
    return f"{LAKE}.{schema_name(table)}.{table_name(table)}"


def fields_table(table: TableRef) -> str:
    """Return the qualified name of the table of field definitions."""
    return f"{data_table(table)}_fields"


def counter_table(table: TableRef) -> str:
    """Return the qualified name of the table that holds the next free datapoint id."""
    return f"{data_table(table)}_counter"


def at_snapshot(snapshot: int | None) -> str:
    """Return the clause that reads a table as of a snapshot; empty for the transaction's own."""
    return "" if snapshot is None else f" AT (VERSION => {snapshot:d})"
