"""The names behind track ids: title, artists, album.

Belongs here: the one query that puts names to a list of ids. Does not belong here: search by text
or ISRC.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb

from spotify_pipeline.store.database import connect

__all__ = ["TrackNames", "track_names"]

# The source has no position of an artist on a track: the order of its rows is the credit's order.
_QUERY = """
WITH wanted AS (
    SELECT rowid AS track_rowid, *
    FROM tracks
    WHERE id IN (SELECT unnest(?::VARCHAR[]))
),
credits AS (
    SELECT track_rowid, list(artists.name ORDER BY position) AS artists
    FROM (
        SELECT track_artists.rowid AS position, track_rowid, artist_rowid
        FROM track_artists
        SEMI JOIN wanted USING (track_rowid)
    ) AS credit
    JOIN artists ON artists.rowid = credit.artist_rowid
    WHERE artists.name IS NOT NULL
    GROUP BY track_rowid
)
SELECT
    wanted.id,
    coalesce(wanted.name, ''),
    coalesce(credits.artists, []),
    coalesce(albums.name, ''),
    external_id_isrc,
    wanted.popularity,
    wanted.duration_ms
FROM wanted
LEFT JOIN credits USING (track_rowid)
LEFT JOIN albums ON albums.rowid = wanted.album_rowid
"""


@dataclass(frozen=True)
class TrackNames:
    """What the catalogue says of one track.

    Attributes
    ----------
    track_id
        22 base62 characters.
    title, album
        Empty where the catalogue has none.
    artists
        Names in the order of the credit.
    isrc
        The recording's ISRC, which several tracks can share.
    popularity
        0 to 100.
    duration_ms
        Length in milliseconds.
    """

    track_id: str
    title: str
    artists: tuple[str, ...]
    album: str
    isrc: str | None
    popularity: int | None
    duration_ms: int | None


def track_names(
    catalog: Path | duckdb.DuckDBPyConnection, track_ids: Sequence[str]
) -> dict[str, TrackNames]:
    """Look up the names of tracks, all in one query.

    Parameters
    ----------
    catalog
        ``meta.duckdb``, which is opened read-only for the length of the call, or a connection.
    track_ids
        Ids in any order; repeated ones count once.

    Returns
    -------
    dict
        Track id to names, in the order of `track_ids`. An id that the catalogue does not know is
        not in it; without a catalogue, or without its tables, it is empty.

    Raises
    ------
    DatabaseError
        The database is damaged, or busy being written.
    """
    if not track_ids or (isinstance(catalog, Path) and not catalog.exists()):
        return {}
    with ExitStack() as stack:
        connection = (
            stack.enter_context(connect(catalog, read_only=True))
            if isinstance(catalog, Path)
            else catalog
        )
        try:
            rows = connection.execute(_QUERY, [list(track_ids)]).fetchall()
        except duckdb.CatalogException:
            return {}
    found = {
        track_id: TrackNames(track_id, title, tuple(artists), *rest)
        for track_id, title, artists, *rest in rows
    }
    return {track_id: found[track_id] for track_id in track_ids if track_id in found}
