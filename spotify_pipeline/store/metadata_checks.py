"""What must hold of the catalogue's tables once they are in service.

Memory is bounded, whatever the catalogue's size: ids are compared where their keys, which lie in
order, are the same, and joins spill.

Belongs here: looking. Does not belong here: what follows from it (asset checks, in the Dagster
layer).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from spotify_pipeline.dump.tables import ALL_TABLES
from spotify_pipeline.shards import TRACK_ID_LENGTH
from spotify_pipeline.store.metadata_layout import KEY_SCHEMA, text_key_of
from spotify_pipeline.store.metadata_ledger import LEDGER

__all__ = [
    "FOREIGN_KEYS",
    "ID_TABLES",
    "IdCheck",
    "count_rows",
    "count_uncatalogued",
    "count_unresolved",
    "look_at_ids",
]

ID_TABLES: Mapping[str, tuple[str, str]] = {
    "tracks": ("id", "tracks_by_id"),
    "albums": ("id", "albums_by_id"),
    "artists": ("id", "artists_by_id"),
    "track_audio_features": ("track_id", "features_by_track"),
}
"""Tables with an id, its column, and the key tables of their ids."""

FOREIGN_KEYS: Mapping[str, Mapping[str, str]] = {
    "tracks": {"album_rowid": "albums", "available_markets_rowid": "available_markets"},
    "albums": {"available_markets_rowid": "available_markets"},
    "track_artists": {"track_rowid": "tracks", "artist_rowid": "artists"},
    "artist_albums": {"artist_rowid": "artists", "album_rowid": "albums"},
    "album_images": {"album_rowid": "albums"},
    "artist_images": {"artist_rowid": "artists"},
    "artist_genres": {"artist_rowid": "artists"},
}
"""Of each table, the columns that hold a rowid of another one."""


@dataclass(frozen=True)
class IdCheck:
    """Counts over the ids of a table: all, those that stand there again, and the ill-formed."""

    ids: int
    repeated: int
    ill_formed: int


def count_rows(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int | None, int]:
    """Give the rows of a table as its source counted them (None: not loaded), and as it has them.

    Raises
    ------
    KeyError
        There is no such table.
    """
    name = ALL_TABLES[table].name
    ledger = connection.execute(
        f"SELECT row_count FROM {LEDGER} WHERE table_name = ?", [name]
    ).fetchone()
    return None if ledger is None else ledger[0], _count(connection, f"SELECT count(*) FROM {name}")


def look_at_ids(connection: duckdb.DuckDBPyConnection, table: str) -> IdCheck:
    """Look at all ids of a table of `ID_TABLES`."""
    column, keys = ID_TABLES[table]
    found = connection.execute(
        f"""
        WITH same_key AS (
            SELECT COLUMNS('_rowid$') AS "rowid" FROM {KEY_SCHEMA}.{keys}
            QUALIFY key = lag(key) OVER () OR key = lead(key) OVER ()
        )
        SELECT
            count(*),
            (
                SELECT count({column}) - count(DISTINCT {column})
                FROM {table} JOIN same_key USING ("rowid")
            ),
            count(*) FILTER (NOT regexp_full_match({column}, '[0-9A-Za-z]{{{TRACK_ID_LENGTH}}}'))
        FROM {table}
        WHERE {column} IS NOT NULL
        """
    ).fetchone()
    assert found is not None, "a count always gives a row"
    return IdCheck(*found)


def count_unresolved(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    """Count the rows that lead nowhere, by the column of `FOREIGN_KEYS`; NULL leads nowhere."""
    return {
        column: _count(
            connection,
            f'SELECT count(*) FROM {table} ANTI JOIN {target} ON {target}."rowid" = {column}',
        )
        for column, target in FOREIGN_KEYS[table].items()
    }


def count_uncatalogued(
    connection: duckdb.DuckDBPyConnection, audio_database: Path
) -> tuple[int, int]:
    """Count the tracks of ``audio.duckdb``, and those of them that the catalogue does not have.

    Parameters
    ----------
    connection
        To ``meta.duckdb``.
    audio_database
        Attached read-only for the length of the call.

    Raises
    ------
    duckdb.Error
        It cannot be opened: another process may be writing it.
    """
    quoted = str(audio_database.absolute()).replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS audio (READ_ONLY)")
    try:
        return (
            _count(connection, "SELECT count(*) FROM audio.tracks"),
            _count(
                connection,
                "SELECT count(*) FROM audio.tracks AS heard"
                f" ANTI JOIN {KEY_SCHEMA}.tracks_by_id AS known"
                f" ON known.key = {text_key_of('heard.track_id')}",
            ),
        )
    except duckdb.CatalogException:  # no shard has been appended yet
        return 0, 0
    finally:
        connection.execute("DETACH audio")


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    found = connection.execute(query).fetchone()
    assert found is not None, "a count always gives a row"
    return int(found[0])
