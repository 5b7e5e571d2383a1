"""The text index: which tracks have which terms, in a folder of its own beside ``meta.duckdb``.

The engine is tantivy. A build streams the catalogue into a new folder; then a new manifest takes
the place of the old one, which is atomic, and what it does not name is removed. Who has opened the
previous index keeps it.

Tracks stand in tiers by popularity, each an index of its own and several times as large as the one
before. Whatever is asked for, the most popular come first: a search that finds enough of them in a
small tier, as one for a single letter does, never touches the large ones.

Layout of the folder::

    manifest.json       a `TextManifest`
    terms-<12 hex>/     what it names: in the folder 0 the engine's first tier, and so on
    text.lock           held by whoever builds

Belongs here: building and publishing. Does not belong here: opening (`text_tiers`), what a track is
found by (`text_terms`, `text_tracks`), and how words are looked for (`text_search`).
"""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

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
from spotify_pipeline.catalog.text_terms import TEXT_TABLES
from spotify_pipeline.catalog.text_tiers import FIELD_POPULARITY, FIELD_ROWID, FIELD_TERMS
from spotify_pipeline.catalog.text_tracks import count_by_popularity, track_terms
from spotify_pipeline.progress import Report
from spotify_pipeline.space import AT_ONCE, SpaceGuard, naming_a_full_disk
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata_ledger import loaded_source
from spotify_pipeline.syncing import sync

__all__ = ["build_text_index", "engine_schema", "tiers_of"]

FIRST_TIER = 1 << 16
"""Tracks of the first tier, at the least."""

TIER_GROWTH = 16
"""A tier to the one before."""

WRITER_BYTES = 400_000_000
"""What the engine may take before it writes a segment, for each tier."""

BYTES_PER_TRACK = 150
"""At the most while it is built, merges included."""

_FOLDERS = "terms-*"


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
            total = _count_tracks(connection)
            needed = BYTES_PER_TRACK * total
            guard.wait_for(folder, needed, "the text index")
            report = guard.watching(folder, needed, "the text index", progress or (lambda *_: None))
            tracks, tiers = _index_tracks(
                connection, fresh, lambda done: report(done, total, "text index")
            )
        files = [file for file in fresh.rglob("*") if file.is_file()]
        for path in (*files, *fresh.iterdir()):
            sync(path)
        manifest = TextManifest(
            format=FORMAT,
            folder=fresh.name,
            sources=sources,
            tiers=tiers,
            tracks=tracks,
            size=sum(file.stat().st_size for file in files),
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
) -> tuple[int, int]:
    """Write the terms of all tracks, tier by tier; count tracks and tiers."""
    tiers = tiers_of(count_by_popularity(connection))
    with ExitStack() as stack:
        writers = [
            stack.enter_context(_writing(target / str(k)))
            for k in range(max(tiers.values(), default=0) + 1)
        ]
        done = 0
        for tracks in track_terms(connection):
            for rowid, popularity, terms in tracks:
                document = tantivy.Document()
                document.add_unsigned(FIELD_ROWID, rowid)
                document.add_unsigned(FIELD_POPULARITY, popularity)
                document.add_text(FIELD_TERMS, terms)
                writers[tiers[popularity]].add_document(document)
            done += len(tracks)
            report(done)
        report(done)
        for writer in writers:
            writer.commit()
    return done, len(writers)


@contextmanager
def _writing(folder: Path) -> Iterator[tantivy.IndexWriter]:
    """Write a new index of the engine."""
    folder.mkdir()
    # one thread: other cores make the terms
    writer = tantivy.Index(engine_schema(), str(folder)).writer(WRITER_BYTES, num_threads=1)
    try:
        yield writer
    finally:
        writer.wait_merging_threads()  # else they write on, into a folder that is to be removed


def tiers_of(counts: Mapping[int, int]) -> dict[int, int]:
    """Tell which tier tracks of each popularity stand in.

    Parameters
    ----------
    counts
        Tracks of each popularity, the highest first.
    """
    tiers: dict[int, int] = {}
    tier, wanted, room = 0, FIRST_TIER, FIRST_TIER
    for popularity, count in counts.items():
        if room <= 0:
            tier, wanted = tier + 1, wanted * TIER_GROWTH
            room = wanted
        tiers[popularity] = tier
        room -= count
    return tiers


def engine_schema() -> tantivy.Schema:
    """Give the engine's fields: the terms as a set, and what it gives and sorts by."""
    schema = tantivy.SchemaBuilder()
    schema.add_text_field(FIELD_TERMS, tokenizer_name="whitespace", index_option="basic")
    schema.add_unsigned_field(FIELD_ROWID, fast=True)
    schema.add_unsigned_field(FIELD_POPULARITY, fast=True)
    return schema.build()


def _count_tracks(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT count(*) FROM tracks").fetchone()
    assert row is not None, "a count always gives a row"
    return int(row[0])
