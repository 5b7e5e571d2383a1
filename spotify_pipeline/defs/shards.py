"""Assets of the audio analysis: each shard reduced, then ingested.

Two assets, partitioned over the shard names. The reduction needs no database, so several run side
by side; the ingestion has the database to itself, in a pool.

Belongs here: wiring and metadata. Does not belong here: the work (`dump.reduction`,
`store.ingestion`).
"""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from spotify_pipeline.defs.resources import Database, DataHome, ProgressSource, reported_as_failure
from spotify_pipeline.settings import TrainsChoice
from spotify_pipeline.shards import SHARDS

if TYPE_CHECKING:
    from spotify_pipeline.store.checks import ShardCheck

__all__ = ["AUDIO_POOL", "SHARD_PARTITIONS", "ingest_job", "ingested_shard", "reduced_shard"]

AUDIO_POOL = "audio_database"
"""Whatever opens ``audio.duckdb`` stands in this pool: DuckDB lets in one process that writes."""

SHARD_PARTITIONS = dg.StaticPartitionsDefinition(list(SHARDS))


CHECKS = [
    ("ledger_equals_table", True, "The ledger counts the rows that there are."),
    ("ids_unique_and_well_formed", True, "Track ids are base62, the shard's, and there once."),
    ("codes_in_range", True, "Every stored fingerprint unpacks to onsets and codes in range."),
    ("fingerprints_present", False, "As many tracks as usual have each fingerprint that is kept."),
]
"""Name, whether what is downstream must wait, description."""

USUAL_SHARE = 0.9
"""Of tracks with a fingerprint, at the least."""


class Keep(dg.Config):
    """What to keep of documents beside the detection fields, instead of what the settings say."""

    parts: list[str] | None = None


@dg.asset(
    partitions_def=SHARD_PARTITIONS,
    group_name="audio_analysis",
    kinds={"parquet"},
    output_required=False,
)
def reduced_shard(
    context: dg.AssetExecutionContext,
    config: Keep,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
) -> Iterator[dg.MaterializeResult]:
    """Stream a shard from the incoming folder to the fields that detection needs, in staging.

    ``XX.jsonl.zst`` is never unpacked to disk. A file that turns out to be incomplete waits:
    nothing is materialised, and nothing failed.
    """
    from spotify_pipeline.dump.claims import claimed
    from spotify_pipeline.dump.compression import IncompleteFileError
    from spotify_pipeline.dump.failure import noting_failure
    from spotify_pipeline.dump.incoming import find_shard
    from spotify_pipeline.dump.parts import check_parts
    from spotify_pipeline.dump.reduction import reduce_shard, space_needed

    settings, shard = data_home.settings, context.partition_key
    guard = progress.guard(context, settings)
    with reported_as_failure(), claimed(settings.locks, shard, context.log.warning):
        try:
            with noting_failure(settings.staging, shard):
                parts = check_parts(settings.parts if config.parts is None else config.parts)
                source = find_shard(settings.incoming, shard)
                total = source.stat().st_size
                needed, what = space_needed(total, parts), f"reducing shard {shard}"
                guard.wait_for(settings.staging, needed, what)
                report = guard.watching(
                    settings.staging, needed, what, progress.reporter(context, "MB")
                )
                started = time.monotonic()
                reduction = reduce_shard(
                    source,
                    shard,
                    settings.staging,
                    lambda done: report(done, total, source.name),
                    parts,
                )
        except IncompleteFileError as error:
            context.log.warning(f"shard {shard} waits: {error}")
            return
    summary = reduction.summary()
    seconds = time.monotonic() - started
    yield dg.MaterializeResult(
        metadata={
            "source": dg.MetadataValue.path(summary.source),
            "source_bytes": summary.source_bytes,
            "reduced_bytes": reduction.size,
            "bytes_per_track": reduction.size / max(summary.tracks, 1),
            "lines": summary.lines,
            "tracks": summary.tracks,
            "rejects": summary.rejects,
            "duplicates": summary.duplicates,
            "parts": ", ".join(summary.parts),
            "seconds": seconds,
            "megabytes_per_second": summary.source_bytes / 1e6 / seconds,
        }
    )


@dg.asset(
    partitions_def=SHARD_PARTITIONS,
    deps=[reduced_shard],
    group_name="audio_analysis",
    kinds={"duckdb"},
    pool=AUDIO_POOL,
    check_specs=[
        dg.AssetCheckSpec(name, asset="ingested_shard", blocking=blocking, description=what)
        for name, blocking, what in CHECKS
    ],
)
def ingested_shard(
    context: dg.AssetExecutionContext,
    data_home: DataHome,
    audio_database: Database,
    progress: dg.ResourceParam[ProgressSource],
) -> dg.MaterializeResult:
    """Append a shard to ``audio.duckdb``; delete its file, or what is set, once it is committed."""
    from spotify_pipeline.dump.claims import claimed
    from spotify_pipeline.dump.failure import noting_failure
    from spotify_pipeline.dump.incoming import SourcePolicy
    from spotify_pipeline.dump.reduction import require_reduction
    from spotify_pipeline.store.audio import count_rejects, create_audio_database
    from spotify_pipeline.store.checks import check_shard
    from spotify_pipeline.store.ingestion import ingest_reduction, space_needed

    settings, shard = data_home.settings, context.partition_key
    with (
        reported_as_failure(),
        claimed(settings.locks, shard, context.log.warning),
        noting_failure(settings.staging, shard),
    ):
        policy = SourcePolicy.parse(settings.sources)
        reduction = require_reduction(settings.staging, shard)
        progress.guard(context, settings).wait_for(
            settings.home, space_needed(reduction), f"appending shard {shard}"
        )
        started = time.monotonic()
        create_audio_database(settings.audio_database)
        with audio_database.get_connection() as connection:
            ingestion = ingest_reduction(
                connection,
                reduction,
                context.run.run_id,
                policy=policy,
                reject_limit=settings.reject_limit,
                keep=settings.kept_trains,
            )
            rejects = count_rejects(connection, shard)
            check = check_shard(connection, shard)
    row, seconds = ingestion.row, time.monotonic() - started
    if ingestion.kept_because:
        context.log.warning(f"{row.source} was kept: {ingestion.kept_because}")
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": row.tracks,
            "source_bytes": row.source_bytes,
            "lines": row.lines,
            "tracks": row.tracks,
            "rejects": row.rejects,
            "reject_reasons": dg.MetadataValue.json(rejects),
            "duplicates": row.duplicates,
            "source_kept_because": ingestion.kept_because or "",
            "database_bytes": settings.audio_database.stat().st_size,
            "seconds": seconds,
            "tracks_per_second": row.tracks / seconds,
        },
        check_results=_check_results(check, settings.kept_trains),
    )


def _check_results(check: "ShardCheck", kept: TrainsChoice) -> list[dg.AssetCheckResult]:
    """Word what was counted as asset checks, in the order of `CHECKS`."""
    shares = {
        "echoprint": check.with_echoprint / max(check.tracks, 1),
        "rhythm": check.with_rhythm / max(check.tracks, 1),
    }
    expected = [share for kind, share in shares.items() if kept in (kind, TrainsChoice.BOTH)]
    passed = [
        check.ledger_tracks == check.tracks,
        check.different_ids == check.tracks and check.ill_formed_ids == 0,
        check.damaged == 0,
        check.tracks == 0 or min(expected) >= USUAL_SHARE,
    ]
    metadata: list[dict[str, float]] = [
        {"ledger": check.ledger_tracks or 0, "table": check.tracks},
        {"different": check.different_ids, "ill_formed": check.ill_formed_ids},
        {"damaged": check.damaged, "kept_as_codes": check.unrecovered},
        shares,
    ]
    return [
        dg.AssetCheckResult(
            check_name=name,
            passed=result,
            metadata=found,
            severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        )
        for (name, blocking, _), result, found in zip(CHECKS, passed, metadata, strict=True)
    ]


ingest_job = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets(reduced_shard, ingested_shard),
    description="Ingest shards: reduce each, append it to audio.duckdb, delete its file.",
)
