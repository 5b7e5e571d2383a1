"""Runs that wait in the queue for a shard whose file is not there, as most of a backfill's do.

Such a run would end at once, but only after its processes have started, which takes some ten
seconds of a core: an hour and a half for the whole dump. So they are ended in the queue.

Belongs here: telling and ending them. Does not belong here: which files are there
(`dump.readiness`).
"""

from collections.abc import Collection
from pathlib import Path

import dagster as dg

from spotify_pipeline.defs.partitions import PARTITION_TAG
from spotify_pipeline.defs.shard_files import fetches_shards
from spotify_pipeline.defs.shards import ingest_job, reduced_shard
from spotify_pipeline.dump.incoming import absent

__all__ = ["skip_doomed_runs"]

MOST_A_TICK = 100
"""Runs that are ended at once; a tick ends within a minute. Set by hand."""


def skip_doomed_runs(
    instance: dg.DagsterInstance, incoming: Path, present: Collection[str]
) -> list[str]:
    """Cancel queued runs that would read a shard that is not there, `MOST_A_TICK` at the most.

    The reason stands in each run's log.

    Parameters
    ----------
    instance
        Where they wait.
    incoming
        The incoming folder, for the reason.
    present
        The shards whose file lies there, finished or not.

    Returns
    -------
    The shards of the runs.
    """
    skipped: list[str] = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])):
        if len(skipped) == MOST_A_TICK:
            break
        shard = run.tags.get(PARTITION_TAG)
        if shard is not None and shard not in present and _reads_a_file(run):
            instance.report_run_canceled(run, f"skipped: {absent(incoming, shard)}")
            skipped.append(shard)
    return skipped


def _reads_a_file(run: dg.DagsterRun) -> bool:
    """Tell whether a run reduces a shard, as part of its job or because the asset was selected.

    One that fetches the file first is not doomed.
    """
    if run.asset_selection:
        return reduced_shard.key in run.asset_selection and not fetches_shards(run)
    return run.job_name == ingest_job.name
