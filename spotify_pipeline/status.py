"""Where an installation stands: shards ingested, waiting and failed, tracks, sizes.

Belongs here: gathering it from the rooms. Does not belong here: showing it (`cli`).
"""

import os
from collections.abc import Mapping, Sized
from contextlib import suppress
from pathlib import Path

import msgspec

from spotify_pipeline.catalog.text_manifest import is_current, read_text_manifest
from spotify_pipeline.dump.failure import failures
from spotify_pipeline.dump.metadata_sources import find_sources
from spotify_pipeline.dump.passed_over import passed_over
from spotify_pipeline.dump.readiness import Survey, survey_incoming
from spotify_pipeline.dump.tables import CATALOGUE, EXTRAS, TABLES
from spotify_pipeline.index.format.manifest import usable_manifest
from spotify_pipeline.ingest.due import LOADING_JOBS, Seen, due
from spotify_pipeline.settings import Settings
from spotify_pipeline.shards import DUMP_SHARDS
from spotify_pipeline.store.database import unless_busy
from spotify_pipeline.store.ledger import LedgerRow, read_ledger
from spotify_pipeline.store.metadata_ledger import SourceFile, loaded_source
from spotify_pipeline.torrent.notes import notes

__all__ = ["Status", "gather_status", "index_is_current", "look", "size_on_disk"]


class ShardCounts(msgspec.Struct, frozen=True):
    """How many shards are where; None where that is unknown, see `Status.busy`."""

    ingested: int | None
    waiting: int | None
    failed: int
    of_the_dump: int


class Sizes(msgspec.Struct, frozen=True):
    """Bytes on disk."""

    incoming: int
    staging: int
    audio_database: int
    metadata_database: int
    index: int
    text_index: int


class Status(msgspec.Struct, frozen=True):
    """Where an installation stands; None is what can't be known, see `busy`.

    Attributes
    ----------
    home
        The data home.
    shards
        Counts.
    waiting
        Names of the shards in the incoming folder; not those that failed, or are kept there by
        choice.
    not_ready
        Why some of those are not ingested yet, by name: their download is not finished.
    failed
        The last error of those whose ingest failed, and the checks that the rows of others fail, by
        name.
    passed_over
        Why other files and folders in the incoming folder are not taken, by path.
    fetching
        How far the fetch of files by torrent is, or why it does not go on, by their name.
    tracks, rejects
        In ``audio.duckdb``.
    tracks_with_harmony
        Those of the tracks whose harmony is kept.
    metadata_tables
        Of the catalogue's nine tables in ``meta.duckdb``, those that are loaded.
    metadata_extras
        Other tables that are loaded.
    metadata_waiting
        Whether a metadata file lies in the incoming folder that is not loaded.
    extras_waiting
        Of the other tables, those of which a file lies there that is not loaded.
    indexed_tracks
        Tracks in the feature index.
    index_is_current
        Whether the index holds just the shards that are ingested.
    text_tracks
        Tracks in the text index.
    text_index_is_current
        Whether it is of the tables that are loaded, where all are that it is made of.
    busy
        Databases that another process is writing; what they hold is unknown.
    """

    home: str
    shards: ShardCounts
    waiting: list[str] | None
    not_ready: dict[str, str]
    failed: dict[str, str]
    passed_over: dict[str, str]
    fetching: dict[str, str]
    tracks: int | None
    rejects: int | None
    tracks_with_harmony: int | None
    metadata_tables: int | None
    metadata_extras: list[str] | None
    metadata_waiting: bool | None
    extras_waiting: list[str] | None
    indexed_tracks: int
    index_is_current: bool | None
    text_tracks: int
    text_index_is_current: bool | None
    sizes: Sizes
    busy: list[str]


def look(settings: Settings) -> Seen:
    """Look at what decides what is due; what a database holds that is being written is unknown.

    Raises
    ------
    PipelineError
        Something that is there can't be read.
    """
    rows = unless_busy(read_ledger, settings.audio_database)
    tables = unless_busy(loaded_source, settings.metadata_database)
    return Seen(
        shards=survey_incoming(settings.incoming, settings.sizes),
        ledger=rows,
        metadata={
            kind: SourceFile.of(sources[0])
            for kind in (CATALOGUE, *EXTRAS)
            if (sources := find_sources(settings, kind))
        },
        loaded=tables,
        text_is_current=None
        if tables is None
        else is_current(read_text_manifest(settings.text_index), tables),
        index_is_current=None if rows is None else index_is_current(settings, rows),
    )


def index_is_current(settings: Settings, rows: Mapping[str, LedgerRow]) -> bool:
    """Tell whether the feature index holds just the shards that are ingested."""
    index = usable_manifest(settings.index)
    ingested = {shard: row.checksum for shard, row in rows.items()}
    return index.current(settings.indexed_trains) == ingested


def gather_status(settings: Settings) -> Status:
    """Look at an installation; nothing is changed, and nothing need be there yet.

    Raises
    ------
    PipelineError
        Something that is there can't be read, or what the settings name is not there.
    """
    settings.require_incoming()
    seen = look(settings)
    survey, rows, tables = seen.shards, seen.ledger, seen.loaded
    jobs = due(seen).jobs
    noted = {
        shard: note for shard, note in failures(settings.staging).items() if shard in survey.states
    }
    failed = _failed_checks(rows or {}) | {
        shard: note.error for shard, note in noted.items() if not note.incomplete
    }
    waiting = _waiting(settings, survey, rows, failed)
    cut_off = {
        shard: noted[shard].error
        for shard in survey.states
        if shard in noted and shard not in failed
    }
    text = read_text_manifest(settings.text_index)
    return Status(
        home=str(settings.home),
        shards=ShardCounts(_count(rows), _count(waiting), len(failed), len(DUMP_SHARDS)),
        waiting=waiting,
        not_ready=cut_off | survey.waiting,
        failed=failed,
        passed_over=passed_over(settings),
        fetching={note.file: str(note) for note in notes(settings.downloads).values()},
        tracks=_sum(rows, "tracks"),
        rejects=_sum(rows, "rejects"),
        tracks_with_harmony=_sum(rows, "with_harmony"),
        metadata_tables=None if tables is None else len(tables.keys() & TABLES.keys()),
        metadata_extras=None if tables is None else sorted(tables.keys() - TABLES.keys()),
        metadata_waiting=None if tables is None else LOADING_JOBS[CATALOGUE] in jobs,
        extras_waiting=None
        if tables is None
        else [kind.tables[0] for kind in EXTRAS if LOADING_JOBS[kind] in jobs],
        indexed_tracks=usable_manifest(settings.index).tracks,
        index_is_current=seen.index_is_current,
        text_tracks=text.tracks if text is not None else 0,
        text_index_is_current=seen.text_is_current,
        sizes=_sizes(settings),
        busy=[
            path.name
            for path, found in (
                (settings.audio_database, rows),
                (settings.metadata_database, tables),
            )
            if found is None
        ],
    )


def _sum(rows: Mapping[str, LedgerRow] | None, figure: str) -> int | None:
    return None if rows is None else sum(getattr(row, figure) for row in rows.values())


def _count(found: Sized | None) -> int | None:
    return None if found is None else len(found)


def _failed_checks(rows: Mapping[str, LedgerRow]) -> dict[str, str]:
    return {
        shard: f"is in the database, but its rows fail {' and '.join(row.failed_checks)}"
        for shard, row in rows.items()
        if row.failed_checks
    }


def _waiting(
    settings: Settings,
    survey: Survey,
    rows: Mapping[str, LedgerRow] | None,
    failed: Mapping[str, str],
) -> list[str] | None:
    """Name the shards that wait; which files are kept by choice, only the ledger tells."""
    kept: set[str] = set()
    if settings.sources == "keep":
        if rows is None:
            return None
        kept = {shard for shard, row in rows.items() if survey.states.get(shard) == row.state}
    return [shard for shard in survey.states if shard not in kept and shard not in failed]


def _sizes(settings: Settings) -> Sizes:
    return Sizes(
        incoming=size_on_disk(settings.incoming),
        staging=size_on_disk(settings.staging),
        audio_database=size_on_disk(settings.audio_database),
        metadata_database=size_on_disk(settings.metadata_database),
        index=size_on_disk(settings.index),
        text_index=size_on_disk(settings.text_index),
    )


def size_on_disk(path: Path) -> int:
    """Count the bytes of a file or folder; what a run deletes meanwhile has none."""
    files = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
    size = 0
    for file in files or [path]:
        with suppress(FileNotFoundError):
            size += file.stat().st_size if file.is_file() else 0
    return size
