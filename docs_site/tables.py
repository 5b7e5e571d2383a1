"""The tables of both databases, with their columns, taken from the code that makes them.

Belongs here: definitions to Markdown. Does not belong here: what the tables are for; docstrings say
that (`docstrings`).
"""

from spotify_pipeline.dump.tables import ALL_TABLES, Column
from spotify_pipeline.store import audio
from spotify_pipeline.store.metadata_types import database_type

__all__ = ["audio_tables", "catalogue_tables"]


def audio_tables() -> str:
    """Give the SQL that makes the tables of ``audio.duckdb``, as Markdown."""
    return f"```sql\n{audio._SCHEMA.strip()}\n```"


def catalogue_tables() -> str:
    """List the tables of ``meta.duckdb``, with the columns and types of each, as Markdown."""
    lines = ["| Table | Columns |", "|---|---|"]
    for name, table in ALL_TABLES.items():
        lines.append(f"| `{name}` | {', '.join(map(_described, table.columns))} |")
    return "\n".join(lines)


def _described(column: Column) -> str:
    return f"`{column.name}` {database_type(column)}"
