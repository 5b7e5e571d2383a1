"""Assets of the audio analysis: each shard reduced, then ingested; its file may be fetched first.

Two assets, partitioned over the shard names. The staged extract needs no database, so several run
side by side; the ingestion has the database to itself, in a pool.

Belongs here: wiring and metadata. Does not belong here: the work (`ingest.shard`).
"""

import warnings
from collections.abc import Iterator, Mapping

import dagster as dg
from pydantic import Field

from spotify_pipeline.defs.partitions import SHARD_PARTITIONS
from spotify_pipeline.defs.resources import Database, DataHome, ProgressSource, reported_as_failure
from spotify_pipeline.defs.shard_files import DOWNLOAD_JOB, shard_file
from spotify_pipeline.ingest.due import INGEST_JOB
from spotify_pipeline.store.findings import CHECKS

__all__ = [
    "AUDIO_POOL",
    "UNLESS_INGESTED",
    "WHOLE_FILE",
    "download_job",
    "ingest_job",
    "ingested_shard",
    "reduced_shard",
]

AUDIO_POOL = "audio_database"
"""Whatever opens ``audio.duckdb`` stands in this pool: DuckDB lets in one process that writes."""

WHOLE_FILE = "file_is_whole"
"""The check of a shard's file; where it fails, the shard waits, and its metadata says why."""


def _check_specs(
    asset: str, descriptions: Mapping[str, str], blocking: bool
) -> list[dg.AssetCheckSpec]:
    """Describe checks of an asset; each partition has its own verdicts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # of partitioned checks
        return [
            dg.AssetCheckSpec(
                name,
                asset=asset,
                blocking=blocking,
                description=description,
                partitions_def=SHARD_PARTITIONS,
            )
            for name, description in descriptions.items()
        ]


class Reading(dg.Config):
    """How a shard is read."""

    parts: list[str] | None = Field(
        default=None,
        description="What to keep of documents beside the detection fields, instead of what the"
        " settings say.",
    )
    unless_ingested: bool = Field(
        default=False,
        description="Let go of a file with the content that was ingested, as after an ingest,"
        " instead of ingesting it again.",
    )


UNLESS_INGESTED = {"ops": {"reduced_shard": {"config": {"unless_ingested": True}}}}
"""The run config for a file that may have the content that was ingested."""


@dg.asset(
    partitions_def=SHARD_PARTITIONS,
    deps=[shard_file],
    group_name="audio_analysis",
    kinds={"parquet"},
    output_required=False,
    check_specs=_check_specs(
        "reduced_shard",
        {WHOLE_FILE: "The shard's file lies in the incoming folder, from its start to its end."},
        blocking=False,
    ),
)
def reduced_shard(
    context: dg.AssetExecutionContext,
    config: Reading,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """The staged extract of a shard: its detection fields as Parquet, in the folder ``staging/``.

    ``XX.jsonl.zst`` is streamed from the incoming folder, never unpacked to disk. A shard whose
    file is not there, or turns out to be incomplete, waits: nothing is materialised, a check warns,
    and the run ends without failing. What is kept of a track: ``docs/dump.md``.
    """
    from spotify_pipeline.dump.compression import IncompleteFileError
    from spotify_pipeline.dump.incoming import AbsentShardError
    from spotify_pipeline.ingest.shard import AlreadyIngested, stage_shard

    settings, shard = data_home.settings, context.partition_key
    with reported_as_failure():
        try:
            staged = stage_shard(
                settings,
                shard,
                parts=config.parts,
                unless_ingested=config.unless_ingested,
                guard=progress.guard(context, settings),
                report=progress.reporter(context, "MB"),
                say=context.log.warning,
            )
        except (AbsentShardError, IncompleteFileError) as error:
            context.log.warning(f"shard {shard} waits: {error}")
            yield dg.AssetCheckResult(
                check_name=WHOLE_FILE,
                passed=False,
                severity=dg.AssetCheckSeverity.WARN,
                description=str(error),
            )
            return
    if isinstance(staged, AlreadyIngested):
        context.log.info(f"shard {shard} is {staged}")
        yield dg.AssetCheckResult(check_name=WHOLE_FILE, passed=True, description=str(staged))
        return
    extract = staged.extract
    summary = extract.summary()
    yield dg.MaterializeResult(
        metadata={
            "source": dg.MetadataValue.path(summary.source),
            "source_bytes": summary.source_bytes,
            "reduced_bytes": extract.size,
            "bytes_per_track": extract.size / max(summary.tracks, 1),
            "lines": summary.lines,
            "tracks": summary.tracks,
            "rejects": summary.rejects,
            "duplicates": summary.duplicates,
            "with_harmony": summary.with_harmony,
            "without_harmony": dg.MetadataValue.json(summary.without_harmony),
            "parts": ", ".join(summary.parts),
            "seconds": staged.seconds,
            "megabytes_per_second": summary.source_bytes / 1e6 / staged.seconds,
        },
        check_results=[dg.AssetCheckResult(check_name=WHOLE_FILE, passed=True)],
    )


@dg.asset(
    partitions_def=SHARD_PARTITIONS,
    deps=[reduced_shard],
    group_name="audio_analysis",
    kinds={"duckdb"},
    tags={"deletes-source-file": ""},
    pool=AUDIO_POOL,
    check_specs=_check_specs("ingested_shard", CHECKS, blocking=True),
)
def ingested_shard(
    context: dg.AssetExecutionContext,
    data_home: DataHome,
    audio_database: Database,
    progress: dg.ResourceParam[ProgressSource],
) -> Iterator[dg.MaterializeResult]:
    """The rows of a shard in ``audio.duckdb``, checked; then its file is deleted.

    SPOTIFY_PIPELINE_SOURCES may say that the file is kept or moved instead. If a check fails, the
    rows are there, the file stays, and the run fails. The tables: ``docs/formats.md``.
    """
    from spotify_pipeline.ingest.shard import append_shard

    settings, shard = data_home.settings, context.partition_key
    with reported_as_failure():
        appended = append_shard(
            settings,
            shard,
            context.run.run_id,
            audio_database.get_connection,
            guard=progress.guard(context, settings),
            say=context.log.warning,
        )
    ingestion, row = appended.ingestion, appended.ingestion.row
    if ingestion.kept_because:
        context.log.warning(f"{row.source} was kept: {ingestion.kept_because}")
    yield dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": row.tracks,
            "source_bytes": row.source_bytes,
            "lines": row.lines,
            "tracks": row.tracks,
            "rejects": row.rejects,
            "reject_reasons": dg.MetadataValue.json(appended.rejects),
            "duplicates": row.duplicates,
            "source_kept_because": ingestion.kept_because or "",
            "database_bytes": settings.audio_database.stat().st_size,
            "seconds": appended.seconds,
            "tracks_per_second": row.tracks / appended.seconds,
        },
        check_results=[
            dg.AssetCheckResult(check_name=found.name, passed=found.passed, metadata=found.figures)
            for found in appended.findings
        ],
    )
    if row.failed_checks:
        raise dg.Failure(
            f"{row.source} was kept: {ingestion.kept_because}; look at the rows of shard {shard} in"
            " the table tracks, and ingest a sound file in their place",
            allow_retries=False,
        )


ingest_job = dg.define_asset_job(
    INGEST_JOB,
    selection=dg.AssetSelection.assets(reduced_shard, ingested_shard),
    description="Ingest shards: reduce each, append it to audio.duckdb, delete its file.",
)

download_job = dg.define_asset_job(
    DOWNLOAD_JOB,
    selection=dg.AssetSelection.assets(shard_file, reduced_shard, ingested_shard),
    description="Fetch shards by torrent unless they lie there, and ingest them: a backfill over"
    " all partitions is the whole way.",
)
