"""The text index as an asset: which words find which tracks.

Belongs here: wiring and metadata. Does not belong here: the work (`catalog.text_index`).
"""

import dagster as dg

from spotify_pipeline.catalog.text_terms import TEXT_TABLES
from spotify_pipeline.defs.metadata import METADATA_POOL
from spotify_pipeline.defs.resources import DataHome, ProgressSource, reported_as_failure
from spotify_pipeline.ingest.due import TEXT_JOB

__all__ = ["text_index", "text_job"]


@dg.asset(deps=list(TEXT_TABLES), group_name="metadata", kinds={"tantivy"}, pool=METADATA_POOL)
def text_index(
    context: dg.AssetExecutionContext,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
) -> dg.MaterializeResult:
    """The text index: which words find which tracks, artists and albums of ``meta.duckdb``.

    It is swapped in when it is whole. What it finds: ``docs/lookup.md``.
    """
    from spotify_pipeline.catalog.text_index import build_text_index

    settings = data_home.settings
    with reported_as_failure(retry=progress.retries):
        made = build_text_index(
            settings.metadata_database,
            settings.text_index,
            progress=progress.reporter(context, "tracks"),
            guard=progress.guard(context, settings),
        )
    return dg.MaterializeResult(
        metadata={
            "tracks": made.tracks,
            "index_bytes": made.size,
            "bytes_per_track": made.size / max(made.tracks, 1),
            "seconds": made.seconds,
            "tracks_per_second": made.tracks / made.seconds,
        }
    )


text_job = dg.define_asset_job(
    TEXT_JOB,  # its asset's name is taken, by Dagster's own rule
    selection=dg.AssetSelection.assets(text_index),
    description="Make the text index anew, of the tables in meta.duckdb.",
)
