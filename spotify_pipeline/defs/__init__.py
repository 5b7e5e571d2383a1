"""The Dagster layer: assets, jobs and resources over the rooms below; no logic of its own.

Bodies import the rooms when they run, so that a code location loads fast.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from spotify_pipeline.defs.detect import detect_job
from spotify_pipeline.defs.evaluation import detection_evaluation, evaluation_job
from spotify_pipeline.defs.executor import tagging_executor
from spotify_pipeline.defs.index import feature_index, index_job, shard_segment
from spotify_pipeline.defs.metadata import (
    EXTRA_JOBS,
    artist_redirects,
    download_metadata_job,
    metadata_job,
    metadata_tables,
    track_audio_features,
)
from spotify_pipeline.defs.metadata_checks import catalogue_checks, tracks_cover_audio
from spotify_pipeline.defs.metadata_files import METADATA_FILES
from spotify_pipeline.defs.resources import Database, DataHome, RunLogProgress
from spotify_pipeline.defs.sensors import (
    finished_shards,
    ingested_shards,
    interrupted_downloads,
    new_extras,
    new_metadata,
)
from spotify_pipeline.defs.shard_files import shard_file
from spotify_pipeline.defs.shards import download_job, ingest_job, ingested_shard, reduced_shard
from spotify_pipeline.defs.text import text_index, text_job
from spotify_pipeline.settings import Settings

__all__ = ["build_defs"]

OWNERS = ["team:maintainers"]


def build_defs(
    settings: Settings, *, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Assemble everything that Dagster sees, over one data home."""
    resources = {
        "data_home": DataHome.of(settings),
        "audio_database": Database(database=str(settings.audio_database)),
        "progress": RunLogProgress(),
    }
    return dg.Definitions(
        assets=dg.map_asset_specs(
            lambda spec: spec.replace_attributes(owners=OWNERS),
            [
                shard_file,
                *METADATA_FILES.values(),
                reduced_shard,
                ingested_shard,
                metadata_tables,
                track_audio_features,
                artist_redirects,
                text_index,
                shard_segment,
                feature_index,
                detection_evaluation,
            ],
        ),
        asset_checks=[catalogue_checks, tracks_cover_audio],
        jobs=[
            ingest_job,
            download_job,
            metadata_job,
            download_metadata_job,
            *EXTRA_JOBS.values(),
            text_job,
            index_job,
            detect_job,
            evaluation_job,
        ],
        sensors=[
            finished_shards,
            interrupted_downloads,
            new_metadata,
            *new_extras,
            ingested_shards,
        ],
        resources={**resources, **(resource_overrides or {})},
        executor=tagging_executor,
    )
