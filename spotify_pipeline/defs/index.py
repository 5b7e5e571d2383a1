"""The feature index as assets: the segment of each shard, and the index of all.

Belongs here: wiring and metadata. Does not belong here: the work (`index.building.update`).
"""

import time
from typing import TYPE_CHECKING, Any

import dagster as dg

from spotify_pipeline.defs.partitions import SHARD_PARTITIONS
from spotify_pipeline.defs.resources import Database, DataHome, ProgressSource, reported_as_failure
from spotify_pipeline.defs.shards import AUDIO_POOL, ingested_shard
from spotify_pipeline.ingest.due import INDEX_JOB

if TYPE_CHECKING:
    from spotify_pipeline.index.building.update import IndexSetting, ShardSegment
    from spotify_pipeline.settings import Settings

__all__ = ["INDEX_POOL", "feature_index", "index_job", "shard_segment"]

INDEX_POOL = "feature_index"
"""What merges segments stands in this pool: two merges would wait for each other anyhow."""


@dg.asset(
    partitions_def=SHARD_PARTITIONS,
    deps=[ingested_shard],
    group_name="index",
    kinds={"numpy"},
    pool=AUDIO_POOL,
)
def shard_segment(
    context: dg.AssetExecutionContext, data_home: DataHome, audio_database: Database
) -> dg.MaterializeResult:
    """The index segment of a shard, of its committed rows, in place of what was indexed of it.

    `feature_index` makes those of all shards that need it, and notes it here. The files:
    ``docs/formats.md``.
    """
    from spotify_pipeline.index.building.update import index_shard
    from spotify_pipeline.store.audio import create_audio_database

    settings = data_home.settings
    with reported_as_failure():
        create_audio_database(settings.audio_database)
        with audio_database.get_connection() as connection:
            made = index_shard(
                connection, settings.index, context.partition_key, _index_setting(settings)
            )
    return dg.MaterializeResult(metadata=_segment_metadata(made))


@dg.op(
    ins={"segments": dg.In(dg.Nothing)},
    pool=AUDIO_POOL,
    description="Index shards that are new or changed, drop those that are gone.",
)
def segments_of_shards(
    context: dg.OpExecutionContext,
    data_home: DataHome,
    audio_database: Database,
    progress: dg.ResourceParam[ProgressSource],
) -> dict[str, Any]:
    """Make the segments that the index lacks; gives figures of what was done."""
    from spotify_pipeline.index.building.update import ShardSegment, index_shards
    from spotify_pipeline.store.audio import create_audio_database

    def note(made: ShardSegment) -> None:
        context.log_event(
            dg.AssetMaterialization(
                shard_segment.key, partition=made.shard, metadata=_segment_metadata(made)
            )
        )

    settings = data_home.settings
    setting, report = _index_setting(settings), progress.reporter(context, "")
    started = time.monotonic()
    with reported_as_failure(retry=progress.retries):
        create_audio_database(settings.audio_database)
        with audio_database.get_connection() as connection:
            update = index_shards(connection, settings.index, setting, report, note)
    return {
        "shards_added": update.added,
        "shards_dropped": update.dropped,
        "tracks_added": update.tracks_added,
        "seconds": time.monotonic() - started,
    }


@dg.op(
    out=dg.Out(dg.Nothing),
    pool=INDEX_POOL,
    description="Merge segments, which leaves audio.duckdb to others.",
)
def merged_segments(
    context: dg.OpExecutionContext,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
    figures: dict[str, Any],
) -> dg.Output[None]:
    """Merge the segments of the index until they are few."""
    from spotify_pipeline.index.building.update import merge_index

    settings = data_home.settings
    started = time.monotonic()
    with reported_as_failure(retry=progress.retries):
        index, merges = merge_index(
            settings.index, _index_setting(settings), progress.reporter(context, "")
        )
    return dg.Output(
        None,
        metadata={
            "tracks": index.tracks,
            "postings": index.postings,
            "shards": len(index.shards),
            "shards_added": figures["shards_added"],
            "shards_dropped": figures["shards_dropped"],
            "segments": len(index.segments),
            "merges": merges,
            "index_bytes": index.size,
            "bytes_per_track": index.size / max(index.tracks, 1),
            "tracks_added": figures["tracks_added"],
            "seconds": figures["seconds"] + time.monotonic() - started,
        },
    )


@dg.graph_asset(
    ins={"segments": dg.AssetIn(shard_segment.key, dagster_type=dg.Nothing)},
    group_name="index",
    kinds={"numpy"},
)
def feature_index(segments: Any) -> Any:  # noqa: ANN401  # what Dagster wires, not what is computed
    """The index that detection searches: the segments of all ingested shards, merged to a few.

    Shards that are new are indexed, and those that are gone dropped. The files:
    ``docs/formats.md``. ``spotify-pipeline serve`` searches it, at [its page](http://localhost:8765/)
    unless it was given another port.
    """
    return merged_segments(segments_of_shards(segments))


def _index_setting(settings: "Settings") -> "IndexSetting":
    from spotify_pipeline.index.building.update import IndexSetting

    return IndexSetting(settings.indexed_trains, settings.index_memory)


def _segment_metadata(made: "ShardSegment") -> dict[str, float]:
    return {
        "dagster/partition_row_count": made.tracks,
        "tracks": made.tracks,
        "postings": made.postings,
        "segment_bytes": made.size,
        "bytes_per_track": made.size / max(made.tracks, 1),
        "seconds": made.seconds,
        "tracks_per_second": made.tracks / made.seconds,
    }


index_job = dg.define_asset_job(
    INDEX_JOB,
    selection=dg.AssetSelection.assets(feature_index),
    description="Bring the feature index up to date with audio.duckdb.",
)
