"""A small file of the metadata's exact schema, written apart from the code that reads it."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import zstandard

__all__ = [
    "FEATURES",
    "NEW_ID",
    "NULLABLE",
    "OLD_ID",
    "ROWS",
    "SCHEMA",
    "TRACK_IDS",
    "Row",
    "pack",
    "write_features",
    "write_metadata",
    "write_redirects",
]

Row = tuple[object, ...]

SCHEMA = """
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
CREATE UNIQUE INDEX available_markets_text ON available_markets (available_markets);
CREATE INDEX artist_genres_both ON artist_genres (artist_rowid, genre);
CREATE INDEX track_artists_both ON track_artists (track_rowid, artist_rowid);
"""
"""The last two indexes cover their tables, so that SQLite would like to read them instead."""

TRACK_IDS = ("0aAAAAAAAAAAAAAAAAAAA1", "0aAAAAAAAAAAAAAAAAAAA2", "7zZZZZZZZZZZZZZZZZZZZ3")

NULLABLE = {
    "albums": {"external_id_upc", "external_id_amgid", "copyright_c", "copyright_p"},
    "artist_albums": {"index_in_album"},
    "tracks": {"preview_url", "external_id_isrc", "external_id_ean", "external_id_upc"},
}

ROWS: Mapping[str, list[Row]] = {
    "album_images": [(2, 640, 640, "https://i.example/2"), (1, 64, 64, "https://i.example/1")],
    "artist_genres": [(2, "zydeco"), (1, "ambient"), (2, "bossa nova")],
    "available_markets": [(1, ""), (2, "DE,FR,US")],
    "albums": [
        (1, "album1", 1_700_000_000_000, "Ænima", "album", 2, None, None, None, None, "", 9,
         "1996-10-01", "day", 15),
        (2, "album2", 1_700_000_000_001, "夜想曲 🎹", "single", 1, "0123", "R 1", "© it's", "℗",
         'La "bel"', 0, "2001", "year", 1),
    ],
    "artist_images": [(1, 160, 160, "https://i.example/a")],
    "track_artists": [(3, 1), (1, 2), (1, 1), (2, 3), (1, 3)],
    "artist_albums": [(2, 1, 0, 0, None), (1, 2, 1, 0, 0), (1, 1, 0, 1, 7)],
    "artists": [
        (1, "artist1", 1_700_000_000_000, "Zoë", 2**40, 100),
        (2, "artist2", 1_700_000_000_000, "Abba\x00nul", 0, 0),
        (3, "artist3", -62_135_596_800_000, "", 2**63 - 1, 50),
    ],
    "tracks": [
        (1, TRACK_IDS[0], 1, "Δέλτα", None, 1, 1, "USABC9600001", None, None, 44, 2, 1, 61_000, 0),
        (2, TRACK_IDS[1], 2, "", "https://p.example", 2, 1, None, "ean", "upc", 0, 1, 2, 0, 1),
        (3, TRACK_IDS[2], 3, "DROP TABLE", None, 99, 1, "USABC9600001", None, None, 7, 1, 1, 9, 0),
    ],
}  # fmt: skip
"""Rows of every table in their order: NULLs, empty texts, integers at their types' edges."""


FEATURES_SCHEMA = """
CREATE TABLE track_audio_features (rowid integer PRIMARY KEY NOT NULL, track_id text NOT NULL,
    fetched_at integer NOT NULL, null_response integer NOT NULL, duration_ms integer,
    time_signature integer, tempo real, key integer, mode integer, danceability real, energy real,
    loudness real, speechiness real, acousticness real, instrumentalness real, liveness real,
    valence real);
"""

FEATURES: list[Row] = [
    (1, TRACK_IDS[2], 1_700_000_000_000, 1, *[None] * 13),
    (2, TRACK_IDS[0], 1_700_000_000_001, 0, 61_000, 4, 120.5, 7, 0, 0.5, 1.0, -7.25, 0.0, 0.25,
     0.125, 1.0, 0.75),
]  # fmt: skip

OLD_ID, NEW_ID = "0" * 21 + "A", "0" * 21 + "B"


def write_features(path: Path) -> Path:
    """Write a SQLite file of audio features and give its path."""
    return write_metadata(path, {"track_audio_features": FEATURES}, FEATURES_SCHEMA)


def write_redirects(path: Path) -> Path:
    """Write a file of redirects of artists and give its path."""
    path.write_text(json.dumps({OLD_ID: NEW_ID}))
    return path


def write_metadata(
    path: Path, rows: Mapping[str, Iterable[Row]] = ROWS, schema: str = SCHEMA
) -> Path:
    """Write a SQLite file with these rows and give its path."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema)
        for table, table_rows in rows.items():
            for row in table_rows:
                positions = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} VALUES ({positions})", row)
        connection.commit()
    return path


def pack(source: Path, target: Path) -> Path:
    """Compress a file with zstd, its size and checksum written, and give the target."""
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    target.write_bytes(compressor.compress(source.read_bytes()))
    return target
