"""Everything that waits, run through the Dagster jobs in this process, one after the other.

For the command line: the same assets as in the web UI, recorded in the same Dagster instance, so
that the UI shows what was done here.

Belongs here: which jobs to run, and their outcome. Does not belong here: what the jobs do.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from spotify_pipeline.defs import build_defs
from spotify_pipeline.dump.failure import failures
from spotify_pipeline.dump.readiness import survey_incoming
from spotify_pipeline.progress import Report
from spotify_pipeline.settings import Settings
from spotify_pipeline.status import gather_status

__all__ = ["JobOutcome", "run_waiting"]


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended.

    Attributes
    ----------
    job, shard
        What ran; `shard` is None for jobs without partitions.
    error
        What went wrong, None after success.
    waits
        Why the shard was not ingested though nothing went wrong, else None.
    """

    job: str
    shard: str | None
    error: str | None = None
    waits: str | None = None


@dataclass(frozen=True)
class _FixedProgress:
    """Hands the same callback to every step."""

    report: Report

    def reporter(self, context: dg.AssetExecutionContext, unit: str) -> Report:
        return self.report


def run_waiting(settings: Settings, report: Report) -> Iterator[JobOutcome]:
    """Ingest the shards that wait, load waiting metadata, and bring the index up to date.

    A shard that fails does not stop the others.

    Raises
    ------
    PipelineError
        The installation can't be looked at.
    """
    settings.create_folders()
    definitions = build_defs(settings, resource_overrides={"progress": _FixedProgress(report)})
    survey = survey_incoming(settings.incoming, settings.sizes)
    waiting = gather_status(settings).waiting
    with _instance(settings) as instance:
        for shard, reason in survey.waiting.items():
            yield JobOutcome("ingest", shard, waits=reason)
        for shard in (shard for shard in survey.ready if shard in waiting):
            yield _ingest(definitions, instance, settings, shard)
        status = gather_status(settings)
        if status.metadata_waiting:
            yield _run(definitions, instance, "metadata")
        if not status.index_is_current:
            yield _run(definitions, instance, "index")


def _instance(settings: Settings) -> dg.DagsterInstance:
    """Open the instance that the web UI uses, or one in the data home."""
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    if Path("dagster.yaml").is_file():
        return dg.DagsterInstance.from_config(str(Path.cwd()))
    folder = settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    return dg.DagsterInstance.from_config(str(folder))


def _ingest(
    definitions: dg.Definitions, instance: dg.DagsterInstance, settings: Settings, shard: str
) -> JobOutcome:
    outcome = _run(definitions, instance, "ingest", shard)
    failure = failures(settings.staging).get(shard)
    if outcome.error is None and failure is not None and failure.incomplete:
        return JobOutcome("ingest", shard, waits=failure.error)
    return outcome


def _run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job: str, shard: str | None = None
) -> JobOutcome:
    result = definitions.resolve_job_def(job).execute_in_process(
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        instance=instance,
        partition_key=shard,
        raise_on_error=False,
    )
    return JobOutcome(job, shard, None if result.success else _error(result))


def _error(result: dg.ExecuteInProcessResult) -> str:
    """Find what a person should read of a failed run."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return data.user_failure_data.description
            if data.error:
                return data.error.message.strip()
    return "the run failed; the Dagster UI has its log"
