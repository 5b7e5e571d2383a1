"""One shard's way through an installation: staged, appended, its file let go.

Each step holds the shard's lock, waits for space, and notes a failure beside the staged shards.

Belongs here: the steps as the Dagster assets, the command line and the tests take them. Does not
belong here: whether they are due (`due`), what they read and write (`dump`, `store`, `append`).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from spotify_pipeline.dump import staged_extract as extracts
from spotify_pipeline.dump.failure import noting_failure
from spotify_pipeline.dump.incoming import SourcePolicy, find_shard
from spotify_pipeline.dump.parts import check_parts
from spotify_pipeline.dump.shard_lock import shard_lock
from spotify_pipeline.dump.staged_extract import StagedExtract
from spotify_pipeline.ingest.append import (
    Ingestion,
    ingest_extract,
    retire_ingested,
    space_needed,
)
from spotify_pipeline.ingest.returned import row_of_same_content
from spotify_pipeline.progress import Report
from spotify_pipeline.settings import Settings
from spotify_pipeline.space import AT_ONCE, SpaceGuard
from spotify_pipeline.store.audio import count_rejects, create_audio_database
from spotify_pipeline.store.findings import Finding
from spotify_pipeline.store.ledger import LedgerRow, findings_of

__all__ = [
    "AlreadyIngested",
    "Appended",
    "Staged",
    "append_shard",
    "finish_shard",
    "stage_shard",
]

Connecting = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]
"""Opens ``audio.duckdb`` for writing."""


@dataclass(frozen=True)
class Staged:
    """A shard's staged extract, and the seconds that it took."""

    extract: StagedExtract
    seconds: float


@dataclass(frozen=True)
class AlreadyIngested:
    """A shard whose file has the content that was ingested, and why the file is kept, if it is."""

    kept_because: str | None

    def __str__(self) -> str:
        """Say so."""
        if self.kept_because is None:
            return "already ingested, with the same content; its file went as after an ingest"
        return f"already ingested, with the same content; its file is kept: {self.kept_because}"


@dataclass(frozen=True)
class Appended:
    """What became of a staged shard.

    Attributes
    ----------
    ingestion
        The ledger's row, and why the file is kept, if it is.
    rejects
        Lines that were not taken, counted by the reason.
    findings
        What the checks of its rows found.
    seconds
        That it took.
    """

    ingestion: Ingestion
    rejects: dict[str, int]
    findings: list[Finding]
    seconds: float


def stage_shard(
    settings: Settings,
    shard: str,
    *,
    parts: Sequence[str] | None = None,
    unless_ingested: bool = False,
    guard: SpaceGuard = AT_ONCE,
    report: Report = lambda done, total, what: None,
    say: Callable[[str], None] = lambda message: None,
) -> Staged | AlreadyIngested:
    """Reduce a shard's file from the incoming folder to staging.

    Parameters
    ----------
    settings, shard
        The installation, and the shard's name.
    parts
        What to keep beside the detection fields, instead of what the settings say.
    unless_ingested
        Whether to let go of a file with the content that was ingested, instead of reducing it; see
        `returned.row_of_same_content`.
    guard
        Waits for space, before and meanwhile.
    report
        Called with the compressed bytes read so far, of how many, and the file's name.
    say
        Called with the reason when another process works on the shard and this one waits.

    Raises
    ------
    AbsentShardError, IncompleteFileError
        The file is not there, or not whole: the shard waits.
    PipelineError
        It lies there twice, can't be read, or a part is none. Failures to read it are noted, and
        those of `returned.row_of_same_content`.
    """
    with shard_lock(settings.locks, shard, say):
        source = find_shard(settings.incoming, shard)
        with noting_failure(settings.staging, shard):
            kept = check_parts(settings.parts if parts is None else parts)
            row = row_of_same_content(settings, shard, source, report) if unless_ingested else None
            if row is not None:
                return AlreadyIngested(finish_shard(settings, row, source))
            total = source.stat().st_size
            needed, what = extracts.space_needed(total, kept), f"reducing shard {shard}"
            guard.wait_for(settings.staging, needed, what)
            watched = guard.watching(settings.staging, needed, what, report)
            started = time.monotonic()
            extract = extracts.reduce_shard(
                source,
                shard,
                settings.staging,
                lambda done: watched(done, total, source.name),
                kept,
                settings.keep_harmony,
            )
            return Staged(extract, time.monotonic() - started)


def append_shard(
    settings: Settings,
    shard: str,
    run_id: str,
    connecting: Connecting,
    *,
    guard: SpaceGuard = AT_ONCE,
    say: Callable[[str], None] = lambda message: None,
) -> Appended:
    """Append a staged shard to ``audio.duckdb``, and let its file go once its rows are checked.

    Parameters
    ----------
    settings, shard, guard, say
        As of `stage_shard`.
    run_id
        What the ledger says of who did it.
    connecting
        Opens the database, which is there.

    Raises
    ------
    PipelineError
        The shard is not staged.
    DatabaseError, SpaceError
        See `append.ingest_extract` and `SpaceGuard.wait_for`; the failure is noted.
    """
    with shard_lock(settings.locks, shard, say):
        extract = extracts.require_extract(settings.staging, shard)
        with noting_failure(settings.staging, shard):
            policy = SourcePolicy.parse(settings.sources)
            guard.wait_for(settings.home, space_needed(extract), f"appending shard {shard}")
            started = time.monotonic()
            create_audio_database(settings.audio_database)
            with connecting() as connection:
                ingestion = ingest_extract(
                    connection,
                    extract,
                    run_id,
                    policy=policy,
                    reject_limit=settings.reject_limit,
                    keep=settings.kept_trains,
                )
                rejects = count_rejects(connection, shard)
                findings = findings_of(connection, shard)
            return Appended(ingestion, rejects, findings, time.monotonic() - started)


def finish_shard(settings: Settings, row: LedgerRow, source: Path) -> str | None:
    """Let go of a file whose rows are committed; gives why it is kept, if it is.

    A run that was killed after its commit left the file, and perhaps a staged extract, which goes
    too.

    Parameters
    ----------
    settings
        The installation.
    row
        The shard's row of the ledger.
    source
        Where the file lies now.

    Raises
    ------
    PipelineError
        The settings say nothing that can be done with it.
    """
    policy = SourcePolicy.parse(settings.sources)
    extracts.discard_extract(settings.staging, row.shard)
    return retire_ingested(row, source, policy, settings.reject_limit)
