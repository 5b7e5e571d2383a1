"""Shards on their way to the database: written, reduced, ready to be appended.

Belongs here: a home with an incoming folder, a staging folder and ``audio.duckdb``, and what tests
of several rooms read from that database. Does not belong here: the documents (`documents`).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from spotify_pipeline.dump.incoming import find_shard
from spotify_pipeline.dump.staged_extract import StagedExtract, reduce_shard
from spotify_pipeline.settings import Settings
from spotify_pipeline.shards import SHARD_SUFFIX
from spotify_pipeline_tests.documents import Document, json_line, write_lines

__all__ = ["Content", "read_database", "reduce_documents", "reduce_lines", "settings_of"]

Content = dict[str, list[tuple[object, ...]]]
"""The rows of each table."""


def settings_of(folder: Path) -> Settings:
    """Make the settings of a home in a folder, and its folders."""
    settings = Settings(folder, folder / "incoming")
    settings.create_folders()
    return settings


def reduce_lines(settings: Settings, shard: str, lines: Iterable[bytes]) -> StagedExtract:
    """Write a shard of lines to the incoming folder and reduce it."""
    write_lines(settings.incoming / f"{shard}{SHARD_SUFFIX}", lines)
    return reduce_shard(find_shard(settings.incoming, shard), shard, settings.staging)


def reduce_documents(
    settings: Settings, shard: str, documents: Sequence[Document]
) -> StagedExtract:
    """Write a shard of documents to the incoming folder and reduce it."""
    return reduce_lines(settings, shard, map(json_line, documents))


def read_database(connection: duckdb.DuckDBPyConnection) -> Content:
    """Read everything that is in the database, in an order that depends on the content alone."""
    tables = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    return {name: connection.execute(f"FROM {name} ORDER BY ALL").fetchall() for (name,) in tables}
