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
    """Index the quantised features of all ingested tracks, for detection to search."""
    from spotify_pipeline.index.build import build_index
    from spotify_pipeline.status import size_on_disk
    from spotify_pipeline.store.audio import create_audio_database

    settings = data_home.settings
    report = progress.reporter(context, "tracks")
    started = time.monotonic()
    with reported_as_failure():
        create_audio_database(settings.audio_database)
        with audio_database.get_connection() as connection:
            build = build_index(
                connection, settings.index, lambda tracks: report(tracks, 0, "feature index")
            )
    seconds = time.monotonic() - started
    size = size_on_disk(settings.index)
    return dg.MaterializeResult(
        metadata={
            "tracks": build.info.tracks,
            "postings": build.info.postings,
            "shards": len(build.info.shards),
            "tracks_without_echoprint_onsets": build.unrecovered,
            "index_bytes": size,
            "bytes_per_track": size / max(build.info.tracks, 1),
            "tracks_per_second": build.info.tracks / seconds,
        }
    )


index_job = dg.define_asset_job(
    "index",
    selection=dg.AssetSelection.assets(feature_index),
    description="Build the feature index from audio.duckdb.",
)
