"""The asset above the shards: each one's file, fetched by torrent if it is not there.

Belongs here: wiring. Does not belong here: the work (`torrent.shard_file`).
"""

from collections.abc import Iterator

import dagster as dg

from spotify_pipeline.defs.fetching import TORRENT_POOL, Fetching, shown
from spotify_pipeline.defs.partitions import SHARD_PARTITIONS
from spotify_pipeline.defs.resources import DataHome, ProgressSource, reported_as_failure

__all__ = ["DOWNLOAD_JOB", "fetches_shards", "shard_file"]

DOWNLOAD_JOB = "download"


@dg.asset(
    partitions_def=SHARD_PARTITIONS,
    group_name="audio_analysis",
    kinds={"file"},
    output_required=False,
    pool=TORRENT_POOL,
)
def shard_file(
    context: dg.AssetExecutionContext,
    config: Fetching,
    data_home: DataHome,
    progress: dg.ResourceParam[ProgressSource],
) -> Iterator[dg.MaterializeResult]:
    """The file of a shard in the incoming folder, fetched by torrent if it is not there.

    SPOTIFY_PIPELINE_TORRENT names the torrent. Without one, or if the shard is ingested, nothing is
    fetched, and the run ends without failing. A download that stalls lets others have its turn, and
    is tried again. What goes on: ``docs/torrent.md``.
    """
    from spotify_pipeline.torrent.shard_file import provide_shard_file

    with reported_as_failure(retry=progress.retries):
        provided = provide_shard_file(
            data_home.settings,
            context.partition_key,
            again=config.again,
            guard=progress.guard(context, data_home.settings),
            report=progress.reporter(context, "MB"),
            say=context.log.warning,
        )
    yield from shown(context, provided)


def fetches_shards(run: dg.DagsterRun) -> bool:
    """Tell whether a run fetches shards, as part of its job or because the asset was selected."""
    if run.asset_selection:
        return shard_file.key in run.asset_selection
    return run.job_name == DOWNLOAD_JOB
