"""The types of the catalogue's columns in ``meta.duckdb``, and the way back to SQLite's.

SQLite has integers, reals and texts. Here a moment is a timestamp, a flag a boolean, a list of
markets a list, and a count has the width that it needs. Nothing is lost: the views of the schema
``source`` give every value as it was.

Belongs here: which type a column has, and converting both ways. Does not belong here: reading
SQLite (`dump.metadata`) and the order of rows (`metadata_layout`).

==============================================  ===========================  =====================
column                                          type                         values that are refused
==============================================  ===========================  =====================
``fetched_at``                                  TIMESTAMP_MS, UTC            outside years 1 to 9999
``explicit``, ``is_appears_on``,                BOOLEAN                      neither 0 nor 1
``is_implicit_appears_on``, ``null_response``
``available_markets``                           VARCHAR[]; no text, no item  none
``followers_total``                             BIGINT                       none
other integers                                  INTEGER                      beyond 32 bits
reals                                           DOUBLE                       none
texts                                           VARCHAR                      none
==============================================  ===========================  =====================

A value that is refused stops the load: rounding it, or making NULL of it, would be a guess.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.tables import Column, TableDefinition

__all__ = ["SOURCE_SCHEMA", "database_type", "source_view", "typed_batch", "typed_schema"]

SOURCE_SCHEMA = "source"
"""The database's schema with views of the tables as they are in SQLite."""

MOMENTS = frozenset({"fetched_at"})
FLAGS = frozenset({"explicit", "is_appears_on", "is_implicit_appears_on", "null_response"})
LISTS = frozenset({"available_markets"})
WIDE = frozenset({"followers_total"})

_FIRST_MOMENT = round(datetime(1, 1, 1, tzinfo=UTC).timestamp() * 1000)
_LAST_MOMENT = round(datetime(9999, 12, 31, tzinfo=UTC).timestamp() * 1000)

_DATABASE_TYPES: Mapping[pa.DataType, str] = {
    pa.timestamp("ms"): "TIMESTAMP_MS",
    pa.bool_(): "BOOLEAN",
    pa.list_(pa.string()): "VARCHAR[]",
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
}

_WAYS_BACK: Mapping[pa.DataType, str] = {
    pa.timestamp("ms"): "epoch_ms({}::TIMESTAMP)",
    pa.bool_(): "{}::BIGINT",
    pa.list_(pa.string()): "array_to_string({}, ',')",
    pa.int32(): "{}::BIGINT",
}

_RANGES: Mapping[pa.DataType, tuple[int, int, str]] = {
    pa.timestamp("ms"): (_FIRST_MOMENT, _LAST_MOMENT, "milliseconds since 1970, up to year 9999,"),
    pa.bool_(): (0, 1, "0 or 1"),
    pa.int32(): (-(2**31), 2**31 - 1, "an integer of 32 bits"),
}


def arrow_type(column: Column) -> pa.DataType:
    """Give the Arrow type that a column has in ``meta.duckdb``."""
    if column.declared_type == "TEXT":
        return pa.list_(pa.string()) if column.name in LISTS else pa.string()
    if column.declared_type == "REAL":
        return pa.float64()
    if column.name in MOMENTS:
        return pa.timestamp("ms")
    if column.name in FLAGS:
        return pa.bool_()
    return pa.int64() if column.name in WIDE else pa.int32()


def database_type(column: Column) -> str:
    """Give the name of a column's type in DuckDB."""
    return _DATABASE_TYPES[arrow_type(column)]


def typed_schema(table: TableDefinition) -> pa.Schema:
    """Give a table's schema as it is in ``meta.duckdb``; every field admits NULL."""
    return pa.schema([(column.name, arrow_type(column)) for column in table.columns])


def typed_batch(
    batch: pa.RecordBatch, table: TableDefinition, first_row: int, database: Path
) -> pa.RecordBatch:
    """Convert a batch of SQLite's types.

    Parameters
    ----------
    batch
        With the schema of the table's definition.
    table
        Its table.
    first_row
        The number of its first row in the table, from 1.
    database
        The file that it was read from; both are named in an error.

    Raises
    ------
    MetadataError
        A value cannot be had in its column's type.
    """
    values = []
    for column in table.columns:
        wrong = _first_refused(batch[column.name], column)
        if wrong is not None:
            row, what = wrong
            raise MetadataError(
                f"{database}: table {table.name}, column {column.name}, row {first_row + row}: "
                f"{batch[column.name][row].as_py()} where {what} belongs: fetch the file again"
            )
        values.append(_typed(batch[column.name], column))
    return pa.record_batch(values, schema=typed_schema(table))


def source_view(table: TableDefinition) -> str:
    """Write the statement that makes the view of a table as it is in SQLite."""
    columns = ", ".join(
        f"{_WAYS_BACK.get(arrow_type(c), '{}').format(_quoted(c.name))} AS {_quoted(c.name)}"
        for c in table.columns
    )
    name = _quoted(table.name)
    return f"CREATE VIEW {SOURCE_SCHEMA}.{name} AS SELECT {columns} FROM main.{name}"


def _first_refused(values: pa.Array, column: Column) -> tuple[int, str] | None:
    """Find the first value that its column's type does not hold, and say what belongs there."""
    limits = _RANGES.get(arrow_type(column))
    if limits is None:
        return None
    low, high, what = limits
    found = pc.min_max(values).as_py()
    if found["min"] is None or (low <= found["min"] and found["max"] <= high):
        return None
    wrong = pc.or_(pc.less(values, low), pc.greater(values, high))
    return pc.index(wrong, True).as_py(), what


def _typed(values: pa.Array, column: Column) -> pa.Array:
    if column.name in LISTS:
        return _split_lists(values)
    wanted = arrow_type(column)
    return values if values.type == wanted else values.cast(wanted)


def _split_lists(values: pa.Array) -> pa.Array:
    """Split texts at commas; an empty text is an empty list."""
    texts = values.to_pylist()
    lists = [text.split(",") if text else text if text is None else [] for text in texts]
    return pa.array(lists, pa.list_(pa.string()))


def _quoted(name: str) -> str:
    return f'"{name}"'
