"""Recordings that stand in the catalogue several times.

Belongs here: finding them, by ISRC in ``meta.duckdb`` and by fingerprint in ``audio.duckdb``. Both
are sorted by DuckDB, on disk where memory is short, and given one by one. Does not belong here: the
other releases of one track (`lookup`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from spotify_pipeline.catalog.errors import CatalogError
from spotify_pipeline.store.database import connect

__all__ = ["Duplicate", "DuplicatedRecording", "same_fingerprint", "same_isrc"]

ROWS = 2048

_BY_ISRC = """
SELECT external_id_isrc, tracks.id, tracks.name, albums.name, tracks.popularity, duration_ms
FROM tracks
LEFT JOIN albums ON albums.rowid = album_rowid
WHERE external_id_isrc IN (
    SELECT external_id_isrc FROM tracks GROUP BY external_id_isrc HAVING count(*) > 1
)
ORDER BY external_id_isrc, tracks.popularity DESC, tracks.id
"""

# 128 bits: that two of 256 million differ and are taken for the same has a chance of 1 in 10^22
_BY_FINGERPRINT = """
WITH hashed AS (
    SELECT md5_number(rhythm || '|'::BLOB || echoprint) AS hash, track_id, duration
    FROM tracks
    WHERE octet_length(rhythm) > $least OR octet_length(echoprint) > $least
)
SELECT hash, track_id, NULL, NULL, NULL, CAST(1000 * duration AS BIGINT)
FROM hashed
WHERE hash IN (SELECT hash FROM hashed GROUP BY hash HAVING count(*) > 1)
ORDER BY hash, track_id
"""

LEAST_BYTES = 64
"""Packed trains of no more than this are nearly silent, and alike for that."""


@dataclass(frozen=True)
class Duplicate:
    """One of the tracks of a recording; names are None where only its sound is known."""

    track_id: str
    title: str | None
    album: str | None
    popularity: int | None
    duration_ms: int | None


@dataclass(frozen=True)
class DuplicatedRecording:
    """Tracks of one recording, the most popular first; `isrc` is None if their sound tells it."""

    isrc: str | None
    tracks: tuple[Duplicate, ...]


def same_isrc(database: Path) -> Iterator[DuplicatedRecording]:
    """Give the tracks that share an ISRC, in the order of ISRCs, out of ``meta.duckdb``.

    Raises
    ------
    CatalogError
        The tables are missing.
    DatabaseError
        The database is missing, damaged or busy.
    """
    with connect(database, read_only=True) as connection:
        for isrc, tracks in _groups(connection, _BY_ISRC, {}):
            yield DuplicatedRecording(isrc, tracks)


def same_fingerprint(database: Path) -> Iterator[DuplicatedRecording]:
    """Give the tracks whose onset trains are equal, onset by onset, out of ``audio.duckdb``.

    All fingerprints are read, which takes as long as the disk needs for the whole file.

    Raises
    ------
    CatalogError
        The tables are missing.
    DatabaseError
        The database is missing, damaged or busy.
    """
    with connect(database, read_only=True) as connection:
        for _, tracks in _groups(connection, _BY_FINGERPRINT, {"least": LEAST_BYTES}):
            yield DuplicatedRecording(None, tracks)


def _groups(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]
) -> Iterator[tuple[Any, tuple[Duplicate, ...]]]:
    try:
        found = connection.execute(query, parameters)
    except duckdb.CatalogException as error:
        raise CatalogError(f"tables are missing: run 'ingest' first ({error})") from error

    def rows() -> Iterator[tuple[Any, ...]]:
        while some := found.fetchmany(ROWS):
            yield from some

    for key, group in groupby(rows(), key=lambda row: row[0]):
        yield key, tuple(Duplicate(*row[1:]) for row in group)
