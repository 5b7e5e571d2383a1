"""The ledger of ``meta.duckdb``: which file each of its tables came from.

``metadata_loads`` has one row for each table that has been loaded; a table without one is empty.

Belongs here: what tells files apart, and which of them is loaded. Does not belong here: loading
(`metadata`), whose libraries take longer to import than a look-up takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from spotify_pipeline.dump.errors import MetadataError
from spotify_pipeline.dump.tables import CATALOGUE, MetadataSource
from spotify_pipeline.store.database import connect

__all__ = [
    "LEDGER",
    "LEDGER_DEFINITION",
    "SourceFile",
    "is_loaded",
    "loaded_source",
    "sources_of_tables",
]

LEDGER = "metadata_loads"

LEDGER_DEFINITION = f"""
CREATE TABLE {LEDGER} (
    table_name VARCHAR PRIMARY KEY,
    source_name VARCHAR NOT NULL,
    source_bytes BIGINT NOT NULL,
    source_modified_ns BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    loaded_at TIMESTAMP NOT NULL -- UTC
)
"""


@dataclass(frozen=True)
class SourceFile:
    """What tells one version of a source file from another.

    Attributes
    ----------
    name
        The file's name, without its folder.
    size
        Its size in bytes.
    modified_ns
        Its modification time in nanoseconds since 1970.
    """

    name: str
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> "SourceFile":
        """Look at a file.

        Raises
        ------
        MetadataError
            The file is missing or cannot be looked at.
        """
        try:
            status = path.stat()
        except OSError as error:
            raise MetadataError(f"{path}: the metadata file cannot be read ({error})") from error
        return cls(path.name, status.st_size, status.st_mtime_ns)


def loaded_source(target: Path) -> dict[str, SourceFile]:
    """Tell which source each table of the database came from; a missing database has none.

    Raises
    ------
    DatabaseError
        The database is damaged or busy.
    """
    if not target.exists():
        return {}
    with connect(target, read_only=True) as connection:
        return sources_of_tables(connection)


def sources_of_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, SourceFile]:
    """Tell which source each table came from, of a database that is open."""
    try:
        rows = connection.execute(
            f"SELECT table_name, source_name, source_bytes, source_modified_ns FROM {LEDGER}"
        ).fetchall()
    except duckdb.CatalogException:
        return {}
    return {table: SourceFile(name, size, modified) for table, name, size, modified in rows}


def is_loaded(
    source: SourceFile, loaded: Mapping[str, SourceFile], kind: MetadataSource = CATALOGUE
) -> bool:
    """Tell whether all tables of a kind came from a source, by what `loaded_source` says."""
    return all(loaded.get(table) == source for table in kind.tables)
