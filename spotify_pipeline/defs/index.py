"""The feature index as an asset.

Belongs here: wiring and metadata. Does not belong here: the work (`index.build`).
"""

import time

import dagster as dg

from spotify_pipeline.defs.resources import Database, DataHome, ProgressSource, reported_as_failure
from spotify_pipeline.defs.shards import AUDIO_POOL, ingested_shard

__all__ = ["feature_index", "index_job"]


@dg.asset(deps=[ingested_shard], group_name="index", kinds={"numpy"}, pool=AUDIO_POOL)
def feature_index(
    context: dg.AssetExecutionContext,
    data_home: DataHome,
    audio_database: Database,
    progress: dg.ResourceParam[ProgressSource],
) -> dg.MaterializeResult:
    """Index the quantised features of shards that are new, for detection to search."""
    from spotify_pipeline.index.build import IndexSetting, update_index
    from spotify_pipeline.store.audio import create_audio_database

    settings = data_home.settings
    setting = IndexSetting(settings.indexed_trains, settings.index_memory)
    report = progress.reporter(context, "")
    started = time.monotonic()
    with reported_as_failure():
        create_audio_database(settings.audio_database)
        with audio_database.get_connection() as connection:
            update = update_index(connection, settings.index, setting, report)
    seconds = time.monotonic() - started
    index = update.manifest
    return dg.MaterializeResult(
        metadata={
            "tracks": index.tracks,
            "postings": index.postings,
            "shards": len(index.shards),
            "shards_added": update.added,
            "shards_dropped": update.dropped,
            "segments": len(index.segments),
            "merges": update.merges,
            "index_bytes": index.size,
            "bytes_per_track": index.size / max(index.tracks, 1),
            "tracks_added": update.tracks_added,
            "tracks_added_per_second": update.tracks_added / seconds,
        }
    )


index_job = dg.define_asset_job(
    "index",
    selection=dg.AssetSelection.assets(feature_index),
    description="Bring the feature index up to date with audio.duckdb.",
)
