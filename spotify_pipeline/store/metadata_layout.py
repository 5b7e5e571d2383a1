"""How the rows of ``meta.duckdb`` lie, so that look-ups read little of a file that fits no memory.

DuckDB keeps the least and greatest value of each column for every stretch of rows, and passes over
stretches that can't hold what is asked for. So whatever is asked for must lie in order:

- the tables by their ``rowid``, as they come; link tables by their left key (`LINK_KEYS`), and rows
  of one key in the source's order, which is the order of a track's credits;
- for every other way to ask there is a narrow *key table* in the schema ``keys``, sorted by its
  first column, that leads to rowids (`KEY_TABLES`). Texts stand there as 64 bits of their MD5
  (`text_key`): a third of the space, and a third of the time to read.

An index in memory, as a PRIMARY KEY needs, would take tens of gigabytes; this takes none.

Belongs here: which orders there are, and sorting, outside memory. Does not belong here: loading
rows (`metadata`) and asking for them (`spotify_pipeline.catalog`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import md5

import duckdb

__all__ = [
    "KEY_SCHEMA",
    "KEY_TABLES",
    "LINK_KEYS",
    "ROW_GROUP_ROWS",
    "SORT_MEMORY",
    "KeyTable",
    "build_key_tables",
    "sort_links",
    "text_key",
    "text_key_of",
]

KEY_SCHEMA = "keys"

ROW_GROUP_ROWS = 8192
"""Rows whose least and greatest values are kept: a look-up reads a group for each of its keys."""

SORT_MEMORY = "2GB"
"""Of memory for sorting; what is beyond it goes to DuckDB's temporary files."""

LINK_KEYS: Mapping[str, str] = {
    "album_images": "album_rowid",
    "artist_genres": "artist_rowid",
    "artist_images": "artist_rowid",
    "track_artists": "track_rowid",
    "artist_albums": "artist_rowid",
}
"""Tables without a rowid of their own, and the column that they are sorted by."""


@dataclass(frozen=True)
class KeyTable:
    """A table of keys and the rowids that they lead to.

    Attributes
    ----------
    name
        In the schema `KEY_SCHEMA`.
    source
        The table that it is made of.
    query
        Gives its columns, the key first, in any order of rows.
    """

    name: str
    source: str
    query: str


def text_key(text: str) -> int:
    """Give the key of a text; two of 256 million share one once in five hundred catalogues."""
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:8], "little")


def text_key_of(expression: str) -> str:
    """Give the SQL expression for the key of a text."""
    return f"md5_number_upper({expression})"


def _texts(name: str, source: str, target: str, expression: str) -> KeyTable:
    query = (
        f'SELECT {text_key_of(expression)} AS key, "rowid" AS {target} FROM {source}'
        f" WHERE {expression} IS NOT NULL"
    )
    return KeyTable(name, source, query)


KEY_TABLES: Mapping[str, KeyTable] = {
    table.name: table
    for table in (
        _texts("tracks_by_id", "tracks", "track_rowid", "id"),
        _texts("albums_by_id", "albums", "album_rowid", "id"),
        _texts("artists_by_id", "artists", "artist_rowid", "id"),
        _texts(
            "tracks_by_isrc", "tracks", "track_rowid", "upper(replace(external_id_isrc, '-', ''))"
        ),
        _texts("albums_by_upc", "albums", "album_rowid", "ltrim(external_id_upc, '0')"),
        _texts("features_by_track", "track_audio_features", "features_rowid", "track_id"),
        KeyTable(
            "album_tracks",
            "tracks",
            'SELECT album_rowid, "rowid" AS track_rowid FROM tracks WHERE album_rowid IS NOT NULL',
        ),
        KeyTable(
            "artist_tracks",
            "track_artists",
            "SELECT artist_rowid, -popularity AS unpopularity, track_rowid FROM track_artists"
            ' JOIN tracks ON tracks."rowid" = track_rowid WHERE artist_rowid IS NOT NULL',
        ),
        KeyTable(
            "album_artists",
            "artist_albums",
            "SELECT album_rowid, artist_rowid FROM artist_albums WHERE album_rowid IS NOT NULL"
            " AND NOT is_appears_on AND NOT is_implicit_appears_on",
        ),
    )
}
"""An ISRC has the key of its capitals without hyphens, a UPC without the zeros that pad it. An
artist's tracks lie with the most popular first: the best of a hundred thousand lie together."""


def sort_links(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Sort a link table by its key, keeping the order within a key; nothing if it lies so."""
    key = LINK_KEYS[table]
    found = connection.execute(
        f"SELECT bool_and(ordered) FROM (SELECT {key} >= lag({key}) OVER () AS ordered"
        f" FROM {table})"
    ).fetchone()
    if found is None or found[0] is not False:
        return
    # Over DuckDB's own row number, which these tables have no column to hide.
    connection.execute(
        f"CREATE TABLE sorted_links AS SELECT * FROM {table} ORDER BY {key} NULLS LAST, rowid"
    )
    connection.execute(f"DROP TABLE {table}")
    connection.execute(f"ALTER TABLE sorted_links RENAME TO {table}")


def build_key_tables(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Make all key tables; give each one's name once it is made."""
    connection.execute(f"CREATE SCHEMA {KEY_SCHEMA}")
    for table in KEY_TABLES.values():
        connection.execute(f"CREATE TABLE {KEY_SCHEMA}.{table.name} AS {table.query} ORDER BY ALL")
        yield table.name
