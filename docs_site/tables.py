"""The tables of both databases, with their columns, taken from the code that makes them.

Belongs here: definitions to Markdown. Does not belong here: what the tables are for; docstrings say
that (`docstrings`).
"""

from collections.abc import Iterable

import duckdb

from spotify_pipeline.dump.tables import ALL_TABLES
from spotify_pipeline.store import audio
from spotify_pipeline.store.metadata_types import database_type

__all__ = ["audio_tables", "catalogue_tables"]

COLUMNS = """
SELECT table_name, list((column_name, data_type) ORDER BY column_index)
FROM duckdb_columns() WHERE NOT internal GROUP BY table_name ORDER BY min(table_oid)
"""


def audio_tables() -> str:
    """List the tables of ``audio.duckdb``, with the columns and types of each, as Markdown."""
    with duckdb.connect() as connection:
        connection.execute(audio._SCHEMA)
        return _listed(connection.execute(COLUMNS).fetchall())


def catalogue_tables() -> str:
    """List the tables of ``meta.duckdb``, with the columns and types of each, as Markdown."""
    return _listed(
        (name, [(column.name, database_type(column)) for column in table.columns])
        for name, table in ALL_TABLES.items()
    )


def _listed(tables: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> str:
    lines = ["| Table | Columns |", "|---|---|"]
    for name, columns in tables:
        described = ", ".join(f"`{column}` {kind}" for column, kind in columns)
        lines.append(f"| `{name}` | {described} |")
    return "\n".join(lines)
