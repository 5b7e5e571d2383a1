"""The text index: which tracks have which terms, in a folder of its own beside ``meta.duckdb``.

The engine is tantivy. A build streams the catalogue into a new folder; then a new manifest takes
the place of the old one, which is atomic, and what it does not name is removed. Who has opened the
previous index keeps it.

Layout of the folder::

    manifest.json       a `TextManifest`
    terms-<12 hex>/     the engine's files that it names
    text.lock           held by whoever builds

Belongs here: building, publishing and opening. Does not belong here: what a track is found by
(`text_terms`), and how words are looked for (`text_search`).
"""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import tantivy
from filelock import FileLock, Timeout

from spotify_pipeline.catalog.text_manifest import (
    FORMAT,
    TextIndexError,
    TextManifest,
    publish_text_manifest,
    read_text_manifest,
    text_sources,
)
from spotify_pipeline.catalog.text_terms import TEXT_TABLES, terms_of
from spotify_pipeline.progress import Report
from spotify_pipeline.space import AT_ONCE, SpaceGuard, naming_a_full_disk
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import loaded_source
from spotify_pipeline.syncing import sync

__all__ = ["build_text_index", "engine_schema", "open_text_index", "track_texts"]

FIELD_TERMS, FIELD_ROWID, FIELD_POPULARITY = "terms", "rowid", "popularity"

CHUNK = 1_000_000
"""Tracks, by their row numbers, that are read at a time."""

BATCH = 2048
"""Rows that are Python objects at a time."""

REPORTED = 1000
"""Tracks from one report of progress to the next."""

WRITER_BYTES = 400_000_000
"""What the engine may take before it writes a segment."""

BYTES_PER_TRACK = 150
"""At the most while it is built, merges included."""

_FOLDERS = "terms-*"

_GENRES = """
CREATE TEMP TABLE genres AS
SELECT artist_rowid, string_agg(genre, chr(31)) AS genres
FROM artist_genres
WHERE genre IS NOT NULL
GROUP BY artist_rowid
"""

_CHUNK_OF_TRACKS = """
WITH chunk AS (
    SELECT rowid, name, album_rowid, popularity, duration_ms
    FROM tracks
    WHERE rowid BETWEEN $first AND $last
),
credits AS (
    SELECT
        track_rowid,
        string_agg(artists.name, chr(31) ORDER BY position) AS names,
        string_agg(genres.genres, chr(31)) AS genres
    FROM (
        SELECT track_artists.rowid AS position, track_rowid, artist_rowid
        FROM track_artists
        WHERE track_rowid BETWEEN $first AND $last
    ) AS credit
    JOIN artists ON artists.rowid = credit.artist_rowid
    LEFT JOIN genres USING (artist_rowid)
    WHERE artists.name IS NOT NULL
    GROUP BY track_rowid
)
SELECT
    chunk.rowid,
    coalesce(chunk.popularity, 0),
    coalesce(chunk.name, ''),
    coalesce(credits.names, ''),
    coalesce(credits.genres, ''),
    coalesce(albums.name, ''),
    coalesce(albums.label, ''),
    coalesce(left(albums.release_date, 4), ''),
    chunk.duration_ms
FROM chunk
LEFT JOIN credits ON credits.track_rowid = chunk.rowid
LEFT JOIN albums ON albums.rowid = chunk.album_rowid
"""


def open_text_index(folder: Path) -> tuple[tantivy.Index, TextManifest]:
    """Open the index in service.

    Raises
    ------
    TextIndexError
        There is none, or it is damaged.
    """
    manifest = read_text_manifest(folder)
    for _ in range(10):
        if manifest is None:
            break
        try:
            return tantivy.Index.open(str(folder / manifest.folder)), manifest
        except (OSError, ValueError) as error:
            # a build may have replaced it since the manifest was read
            again = read_text_manifest(folder)
            if again == manifest:
                raise TextIndexError(
                    f"{folder / manifest.folder}: the text index is damaged ({error}); remove"
                    f" {folder} and run 'ingest', or the job 'text'"
                ) from error
            manifest = again
    raise TextIndexError(
        f"{folder}: there is no text index, so words can't be looked for; make it by 'ingest', or"
        " by the job 'text'"
    )


def build_text_index(
    database: Path,
    folder: Path,
    *,
    progress: Report | None = None,
    guard: SpaceGuard = AT_ONCE,
) -> TextManifest:
    """Index all tracks of the catalogue and put the new index in service.

    Parameters
    ----------
    database
        ``meta.duckdb``; it is read as it is now, whatever takes its place meanwhile.
    folder
        Of the text index; it is made if need be.
    progress
        Called with tracks done, all tracks and a name.
    guard
        What to wait for space with.

    Raises
    ------
    TextIndexError
        The catalogue lacks tables, or another process builds here.
    SpaceError
        The disk has too little room, for longer than the guard's patience, or is full.
    DatabaseError
        The catalogue is missing, damaged or busy.

    After any failure the previous index is still in service.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _building(folder) as fresh, naming_a_full_disk(folder):
        started = time.monotonic()
        sources = text_sources(loaded_source(database))
        missing = [table for table in TEXT_TABLES if table not in sources]
        if missing:
            raise TextIndexError(
                f"{database}: there is nothing to index, for these tables are not loaded:"
                f" {', '.join(missing)}; load them by 'ingest', or by the job 'metadata'"
            )
        with connect(database, read_only=True) as connection:
            total = _scalar(connection, "SELECT count(*) FROM tracks") or 0
            needed = BYTES_PER_TRACK * total
            guard.wait_for(folder, needed, "the text index")
            report = guard.watching(folder, needed, "the text index", progress or (lambda *_: None))
            tracks = _index_tracks(
                connection, fresh, lambda done: report(done, total, "text index")
            )
        for file in fresh.iterdir():
            sync(file)
        manifest = TextManifest(
            format=FORMAT,
            folder=fresh.name,
            sources=sources,
            tracks=tracks,
            size=sum(file.stat().st_size for file in fresh.iterdir()),
            seconds=time.monotonic() - started,
        )
        publish_text_manifest(folder, manifest)
    return manifest


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """Give a new folder to build in; remove it, and what killed builds left, unless published."""
    try:
        with FileLock(folder / "text.lock", timeout=0):
            _discard_unnamed(folder)
            fresh = folder / f"terms-{uuid.uuid4().hex[:12]}"
            fresh.mkdir()
            try:
                yield fresh
            finally:
                _discard_unnamed(folder)
    except Timeout as error:
        raise TextIndexError(f"{folder}: another process builds the text index") from error


def _discard_unnamed(folder: Path) -> None:
    try:
        manifest = read_text_manifest(folder)
    except TextIndexError:
        manifest = None  # of another format, or damaged: the build replaces it
    for left in folder.glob(_FOLDERS):
        if manifest is None or left.name != manifest.folder:
            shutil.rmtree(left, ignore_errors=True)


def _index_tracks(
    connection: duckdb.DuckDBPyConnection, target: Path, report: Callable[[int], None]
) -> int:
    """Write the terms of all tracks, and count these."""
    index = tantivy.Index(engine_schema(), str(target))
    # one thread: another core makes the terms
    writer = index.writer(WRITER_BYTES, num_threads=1)
    try:
        done = 0
        for rowid, popularity, *text in track_texts(connection):
            document = tantivy.Document()
            document.add_unsigned(FIELD_ROWID, rowid)
            document.add_unsigned(FIELD_POPULARITY, max(popularity, 0))
            document.add_text(FIELD_TERMS, terms_of(*text))
            writer.add_document(document)
            done += 1
            if done % REPORTED == 0:
                report(done)
        report(done)
        writer.commit()
    finally:
        writer.wait_merging_threads()  # else they write on, into a folder that is to be removed
    return done


def engine_schema() -> tantivy.Schema:
    """Give the engine's fields: the terms as a set, and what it gives and sorts by."""
    schema = tantivy.SchemaBuilder()
    schema.add_text_field(FIELD_TERMS, tokenizer_name="whitespace", index_option="basic")
    schema.add_unsigned_field(FIELD_ROWID, fast=True)
    schema.add_unsigned_field(FIELD_POPULARITY, fast=True)
    return schema.build()


def track_texts(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """Give what is indexed of each track: row number, popularity, what `terms_of` takes.

    A part of the tracks is in memory at a time.
    """
    connection.execute(_GENRES)
    first = _scalar(connection, "SELECT min(rowid) FROM tracks")
    while first is not None:
        last = first + CHUNK - 1
        found = connection.execute(_CHUNK_OF_TRACKS, {"first": first, "last": last})
        while rows := found.fetchmany(BATCH):
            yield from rows
        first = _scalar(connection, "SELECT min(rowid) FROM tracks WHERE rowid > ?", last)


def _scalar(connection: duckdb.DuckDBPyConnection, query: str, *values: int) -> int | None:
    row = connection.execute(query, list(values)).fetchone()
    return None if row is None else row[0]
