"""Everything that waits, run through the Dagster jobs in this process, one after the other.

For the command line: the same assets as in the web UI, recorded in the same Dagster instance, so
that the UI shows what was done here.

Belongs here: running jobs, and their outcome. Does not belong here: which are due (`ingest.due`),
and what they do.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
from dagster import DagsterExecutionInterruptedError
from filelock import FileLock, Timeout

from spotify_pipeline.defs import build_defs
from spotify_pipeline.defs.dead_runs import fail_dead_runs, process_tag
from spotify_pipeline.defs.instance import open_instance
from spotify_pipeline.defs.resources import Context
from spotify_pipeline.defs.shards import UNLESS_INGESTED, WHOLE_FILE
from spotify_pipeline.dump.passed_over import passed_over
from spotify_pipeline.dump.readiness import survey_incoming
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.ingest.due import INGEST_JOB, LOADING_JOBS, Seen, due
from spotify_pipeline.ingest.shard import finish_shard
from spotify_pipeline.progress import Report
from spotify_pipeline.settings import Settings
from spotify_pipeline.space import SpaceError, SpaceGuard
from spotify_pipeline.status import look
from spotify_pipeline.store.ledger import LedgerRow, read_ledger

__all__ = ["JobOutcome", "run_waiting"]

SPACE_PATIENCE = 600.0
"""Seconds that a command waits for space on disk; the daemon waits for as long as it takes."""


NOTHING: Mapping[str, Any] = {}

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""What a person should know is shown by the command."""


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended.

    Attributes
    ----------
    job, shard
        What ran; `shard` is None for jobs without partitions, and where files are passed over.
    error
        What went wrong, None after success.
    note
        What a person should know though nothing went wrong: why the shard waits, or why its file
        is kept; else None.
    disk_full
        Whether it failed for want of space on disk.
    """

    job: str
    shard: str | None
    error: str | None = None
    note: str | None = None
    disk_full: bool = False


@dataclass(frozen=True)
class _FixedProgress:
    """Hands the same callbacks to every step."""

    retries: ClassVar[bool] = False

    report: Report
    say: Callable[[str], None]

    def reporter(self, context: Context, unit: str) -> Report:
        return self.report

    def guard(self, context: Context, settings: Settings) -> SpaceGuard:
        def say(message: str) -> None:
            context.log.warning(message)
            self.say(message)

        return SpaceGuard(settings.reserve, say, SPACE_PATIENCE)


def run_waiting(
    settings: Settings, report: Report, say: Callable[[str], None]
) -> Iterator[JobOutcome]:
    """Ingest the shards that wait, load waiting metadata, and bring both indexes up to date.

    A shard that fails does not stop the others, unless it lacks space on disk. One whose rows are
    committed already, by a run that was killed before it could retire the file, is not read again.

    Parameters
    ----------
    settings
        The installation.
    report
        Called with how far the work is.
    say
        Called with why it waits, when it does.

    Raises
    ------
    PipelineError
        The installation can't be looked at, or another process does the same on it.
    """
    settings.create_folders()
    try:
        with FileLock(settings.locks / "ingest.lock", timeout=0):
            yield from _Runs(settings, _FixedProgress(report, say)).everything()
    except Timeout as error:
        raise PipelineError(
            f"another ingest is running on {settings.home}; wait for it, or stop it"
        ) from error


class _Runs:
    """Runs over one data home, one at a time."""

    def __init__(self, settings: Settings, progress: _FixedProgress) -> None:
        self.settings = settings
        self.definitions = build_defs(settings, resource_overrides={"progress": progress})
        self.disk_full = False

    def everything(self) -> Iterator[JobOutcome]:
        """Run whatever waits."""
        with open_instance(self.settings) as self.instance:
            fail_dead_runs(self.instance)
            for name, reason in passed_over(self.settings).items():
                text = f"{name} is passed over: {reason}"
                whole = name == str(self.settings.incoming)  # and that is an error
                yield JobOutcome(INGEST_JOB, None, text if whole else None, None if whole else text)
            yield from self.shards()
            yield from self.metadata_and_indexes()

    def shards(self) -> Iterator[JobOutcome]:
        """Ingest the shards that are finished."""
        survey = survey_incoming(self.settings.incoming, self.settings.sizes)
        ledger = read_ledger(self.settings.audio_database)
        found = due(Seen(shards=survey, ledger=ledger))
        for shard, reason in found.waiting.items():
            yield JobOutcome(INGEST_JOB, shard, note=f"waits, {reason}")
        for shard in found.finished:
            yield self.finish(ledger[shard], survey.ready[shard])
        for shard in found.shards:
            if not self.disk_full:  # else it would wait as long as the one before, for nothing
                returned = UNLESS_INGESTED if shard in found.returned else {}
                outcome = self.run(INGEST_JOB, shard, returned)
                self.disk_full = outcome.disk_full
                yield outcome

    def metadata_and_indexes(self) -> Iterator[JobOutcome]:
        """Load the metadata files that are new, and bring the indexes up to date."""
        seen = look(self.settings)
        for database, found in (
            (self.settings.audio_database, seen.ledger),
            (self.settings.metadata_database, seen.loaded),
        ):
            if found is None:
                note = f"{database.name} is being written; come back later"
                yield JobOutcome(INGEST_JOB, None, note=note)
        for job in due(seen).jobs:
            if not (self.disk_full and job in LOADING_JOBS.values()):
                yield self.run(job)

    def finish(self, row: LedgerRow, path: Path) -> JobOutcome:
        """Let go of a file whose rows are in the database, if they are sound."""
        kept = finish_shard(self.settings, row, path)
        if kept is None:
            return JobOutcome(INGEST_JOB, row.shard)
        text = f"is in the database already; its file is kept: {kept}"
        if row.failed_checks:
            return JobOutcome(INGEST_JOB, row.shard, error=text)
        return JobOutcome(INGEST_JOB, row.shard, note=text)

    def run(
        self, job: str, shard: str | None = None, config: Mapping[str, Any] = NOTHING
    ) -> JobOutcome:
        """Run a job to its end; an interrupt ends everything."""
        try:
            result = self.definitions.resolve_job_def(job).execute_in_process(
                run_config={**QUIET, **config},
                instance=self.instance,
                partition_key=shard,
                tags=process_tag(),
            )
        except DagsterExecutionInterruptedError as error:
            raise KeyboardInterrupt from error
        except dg.Failure as failure:
            disk_full = isinstance(failure.__cause__, SpaceError)
            return JobOutcome(job, shard, error=failure.description, disk_full=disk_full)
        except Exception as error:  # whatever it was, the next job may do better
            return JobOutcome(job, shard, error=_root_cause(error))
        return JobOutcome(job, shard, note=_not_ingested_because(result) or _kept_because(result))


def _not_ingested_because(result: dg.ExecuteInProcessResult) -> str | None:
    """Say why a shard was not ingested, though nothing failed."""
    for check in result.get_asset_check_evaluations():
        if check.check_name == WHOLE_FILE and check.description:
            return check.description if check.passed else f"waits, {check.description}"
    return None


def _kept_because(result: dg.ExecuteInProcessResult) -> str | None:
    """Say why an ingested shard's file was kept, if it was."""
    for event in result.get_asset_materialization_events():
        metadata = event.step_materialization_data.materialization.metadata
        reason = metadata.get("source_kept_because")
        if reason is not None and reason.value:
            return f"done; its file is kept: {reason.value}"
    return None


def _root_cause(error: BaseException) -> str:
    """Say what first went wrong."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__
