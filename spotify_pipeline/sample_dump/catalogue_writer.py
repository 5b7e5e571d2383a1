"""Writing a catalogue database with the tables of the dump's ``spotify_clean.sqlite3``.

Belongs here: the schema, and how the tags of a user's own files fill it. Does not belong here:
reading tags (`tags`), and the compression of the finished file (`writing`).
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.sample_dump.tags import Tags
from spotify_pipeline.shards import BASE62, TRACK_ID_LENGTH

__all__ = ["CatalogueTrack", "base62", "write_catalogue"]

SCHEMA = """
BEGIN;
CREATE TABLE artists (rowid integer PRIMARY KEY NOT NULL, id text NOT NULL,
    fetched_at integer NOT NULL, name text NOT NULL, followers_total integer NOT NULL,
    popularity integer NOT NULL);
CREATE TABLE artist_genres (artist_rowid integer NOT NULL, genre text NOT NULL);
CREATE TABLE artist_images (artist_rowid integer NOT NULL, width integer NOT NULL,
    height integer NOT NULL, url text NOT NULL);
CREATE TABLE artist_albums (artist_rowid integer NOT NULL, album_rowid integer NOT NULL,
    is_appears_on integer NOT NULL, is_implicit_appears_on integer NOT NULL,
    index_in_album integer);
CREATE TABLE available_markets (rowid integer PRIMARY KEY NOT NULL,
    available_markets text NOT NULL);
CREATE TABLE albums (rowid integer PRIMARY KEY NOT NULL, id text NOT NULL,
    fetched_at integer NOT NULL, name text NOT NULL, album_type text NOT NULL,
    available_markets_rowid integer NOT NULL, external_id_upc text, external_id_amgid text,
    copyright_c text, copyright_p text, label text NOT NULL, popularity integer NOT NULL,
    release_date text NOT NULL, release_date_precision text NOT NULL,
    total_tracks integer NOT NULL);
CREATE TABLE album_images (album_rowid integer NOT NULL, width integer NOT NULL,
    height integer NOT NULL, url text NOT NULL);
CREATE TABLE tracks (rowid integer PRIMARY KEY NOT NULL, id text NOT NULL,
    fetched_at integer NOT NULL, name text NOT NULL, preview_url text,
    album_rowid integer NOT NULL, track_number integer NOT NULL, external_id_isrc text,
    external_id_ean text, external_id_upc text, popularity integer NOT NULL,
    available_markets_rowid integer NOT NULL, disc_number integer NOT NULL,
    duration_ms integer NOT NULL, explicit integer NOT NULL);
CREATE TABLE track_artists (track_rowid integer NOT NULL, artist_rowid integer NOT NULL);

CREATE UNIQUE INDEX artists_id ON artists (id);
CREATE UNIQUE INDEX albums_id ON albums (id);
CREATE UNIQUE INDEX tracks_id ON tracks (id);
CREATE UNIQUE INDEX available_markets_available_markets ON available_markets (available_markets);
CREATE INDEX artists_name ON artists (name);
CREATE INDEX artists_popularity ON artists (popularity);
CREATE INDEX artists_followers_total ON artists (followers_total);
CREATE INDEX albums_name ON albums (name);
CREATE INDEX albums_popularity ON albums (popularity);
CREATE INDEX tracks_popularity ON tracks (popularity);
CREATE INDEX tracks_album_rowid ON tracks (album_rowid);
CREATE INDEX tracks_external_id_isrc ON tracks (external_id_isrc);
CREATE INDEX artist_genres_artist_rowid ON artist_genres (artist_rowid);
CREATE INDEX artist_genres_genre ON artist_genres (genre);
CREATE INDEX track_artists_track_rowid ON track_artists (track_rowid);
CREATE INDEX track_artists_artist_rowid ON track_artists (artist_rowid);
CREATE INDEX artist_albums_artist_rowid ON artist_albums (artist_rowid);
CREATE INDEX artist_albums_album_rowid ON artist_albums (album_rowid);
CREATE INDEX artist_images_artist_rowid ON artist_images (artist_rowid);
CREATE INDEX album_images_album_rowid ON album_images (album_rowid);
"""

MARKETS = "DE,FR,GB,JP,US"
"""Stands in the one row of ``available_markets``: a file of one's own has no markets."""

UNKNOWN_GENRE = "unknown"
UNKNOWN_DATE = "0000"
DATE_PRECISION = {4: "year", 7: "month", 10: "day"}
ARTIST_IMAGE_SIZES = (640, 320, 160)
ALBUM_IMAGE_SIZES = (640, 300, 64)


@dataclass(frozen=True)
class CatalogueTrack:
    """One track to be written; ``duration_ms`` is in milliseconds."""

    track_id: str
    tags: Tags
    duration_ms: int


def write_catalogue(
    path: Path, tracks: Iterable[CatalogueTrack], *, fetched_at: int | None = None
) -> None:
    """Write a catalogue of tracks as a plain SQLite file with the dump's nine tables.

    Ids of artists and albums are derived from their names. What no file can tell is written as the
    dump writes it for the least known: popularity and followers 0, no preview, release ``0000``.

    Parameters
    ----------
    path
        The file to write; one that is there already is replaced.
    tracks
        The tracks; each id once. They are written as they come.
    fetched_at
        Time of the look-up in milliseconds since 1970 (default: now).

    Raises
    ------
    PipelineError
        The file cannot be written, or a track id comes twice.
    """
    moment = time.time_ns() // 1_000_000 if fetched_at is None else fetched_at
    try:
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(SCHEMA)
            writer = _Writer(connection, moment)
            for track in tracks:
                writer.add(track)
            writer.finish()
    except (OSError, sqlite3.Error) as error:
        raise PipelineError(
            f"cannot write the catalogue {path}: {error}; check that its folder can be written to, "
            "that the disk has room, and that no track id is given twice"
        ) from error


def base62(number: int, length: int) -> str:
    """Write a number's lowest digits in base 62, as Spotify spells its ids.

    >>> base62(62, 3)
    '010'
    """
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(BASE62))
        digits.append(BASE62[digit])
    return "".join(reversed(digits))


def _id(kind: str, *names: str) -> str:
    """Derive the 22 characters of an artist's or album's id from its names."""
    digest = hashlib.sha256("\0".join((kind, *names)).encode()).digest()
    return base62(int.from_bytes(digest), TRACK_ID_LENGTH)


class _Writer:
    """Fills the tables of one open database, within the transaction of its caller."""

    def __init__(self, connection: sqlite3.Connection, fetched_at: int) -> None:
        self.connection = connection
        self.fetched_at = fetched_at
        self.markets = self._insert("available_markets", available_markets=MARKETS)

    def add(self, track: CatalogueTrack) -> None:
        """Write a track, with its artists and its album where they are new."""
        tags = track.tags
        album = self._album(tags)
        row = self._insert(
            "tracks",
            id=track.track_id,
            fetched_at=self.fetched_at,
            name=tags.title,
            album_rowid=album,
            track_number=tags.track_number,
            external_id_isrc=tags.isrc,
            popularity=0,
            available_markets_rowid=self.markets,
            disc_number=tags.disc_number,
            duration_ms=track.duration_ms,
            explicit=0,
        )
        for name in tags.artists:
            artist = self._artist(name)
            self._insert("track_artists", track_rowid=row, artist_rowid=artist)
            self._link(artist, album, is_appears_on=1, is_implicit_appears_on=1)
            self._genres(artist, tags.genres)

    def finish(self) -> None:
        """Write what is known only after the last track."""
        self.connection.execute(
            "UPDATE albums SET total_tracks ="
            " (SELECT count(*) FROM tracks WHERE album_rowid = albums.rowid)"
        )
        self.connection.execute(
            "INSERT INTO artist_genres SELECT rowid, ? FROM artists"
            " WHERE rowid NOT IN (SELECT artist_rowid FROM artist_genres)",
            (UNKNOWN_GENRE,),
        )

    def _album(self, tags: Tags) -> int:
        """Give the row of a track's album; a track without one is a single of its own name."""
        artist_name = tags.album_artist or tags.artists[0]
        name = tags.album or tags.title
        album_id = _id("album", artist_name, name)
        found = self._row_of("albums", album_id)
        if found is not None:
            return found
        date = tags.date or UNKNOWN_DATE
        row = self._insert(
            "albums",
            id=album_id,
            fetched_at=self.fetched_at,
            name=name,
            album_type="album" if tags.album else "single",
            available_markets_rowid=self.markets,
            label=tags.label or "",
            popularity=0,
            release_date=date,
            release_date_precision=DATE_PRECISION[len(date)],
            total_tracks=0,
        )
        self._images("album_images", "album_rowid", row, album_id, ALBUM_IMAGE_SIZES)
        artist = self._artist(artist_name)
        self._link(artist, row, is_appears_on=0, is_implicit_appears_on=0, index_in_album=0)
        return row

    def _artist(self, name: str) -> int:
        """Give the row of an artist."""
        artist_id = _id("artist", name)
        found = self._row_of("artists", artist_id)
        if found is not None:
            return found
        row = self._insert(
            "artists",
            id=artist_id,
            fetched_at=self.fetched_at,
            name=name,
            followers_total=0,
            popularity=0,
        )
        self._images("artist_images", "artist_rowid", row, artist_id, ARTIST_IMAGE_SIZES)
        return row

    def _link(self, artist: int, album: int, **columns: int) -> None:
        """Join an artist and an album, once."""
        if not self._has("artist_albums", artist_rowid=artist, album_rowid=album):
            self._insert("artist_albums", artist_rowid=artist, album_rowid=album, **columns)

    def _genres(self, artist: int, genres: Iterable[str]) -> None:
        for genre in genres:
            if not self._has("artist_genres", artist_rowid=artist, genre=genre):
                self._insert("artist_genres", artist_rowid=artist, genre=genre)

    def _images(
        self, table: str, owner_column: str, owner: int, owner_id: str, sizes: Iterable[int]
    ) -> None:
        """Write image rows whose addresses have the real form but lead nowhere."""
        for size in sizes:
            name = hashlib.sha1(f"{owner_id} {size}".encode(), usedforsecurity=False).hexdigest()
            url = f"https://i.scdn.co/image/{name}"
            self._insert(table, **{owner_column: owner}, width=size, height=size, url=url)

    def _row_of(self, table: str, identifier: str) -> int | None:
        found = self.connection.execute(f"SELECT rowid FROM {table} WHERE id = ?", (identifier,))
        row = found.fetchone()
        return None if row is None else int(row[0])

    def _has(self, table: str, **columns: int | str) -> bool:
        condition = " AND ".join(f"{column} = ?" for column in columns)
        query = f"SELECT 1 FROM {table} WHERE {condition}"
        return self.connection.execute(query, tuple(columns.values())).fetchone() is not None

    def _insert(self, table: str, **columns: int | str | None) -> int:
        """Insert a row and give its number."""
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        cursor = self.connection.execute(statement, tuple(columns.values()))
        assert cursor.lastrowid is not None, "an INSERT always sets it"
        return cursor.lastrowid
