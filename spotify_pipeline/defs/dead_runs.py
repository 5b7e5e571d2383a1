"""Runs that were ended from outside: by ``kill -9``, for want of memory, by a power cut.

Such a run keeps its slot in a pool, and after a power cut it even counts as started for ever; what
waits for it waits for ever too. So each run is tagged with its process (by `executor`), and runs of
this machine whose process is not there are ended. Where the code server of a run lives on, it has
marked the run as failed, but has freed nothing.

Belongs here: telling and ending dead runs. Does not belong here: trying again (`sensors`).
"""

import os
import socket
from datetime import UTC, datetime, timedelta

import dagster as dg
import psutil

__all__ = ["ENDED_TAG", "fail_dead_runs", "process_tag"]

PROCESS_TAG = "spotify-pipeline/process"

ENDED_TAG = {"spotify-pipeline/ended": "from outside"}
"""Of runs that were ended from outside: nothing is wrong with what they did."""

ALIVE = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

TAGGED_WITHIN = timedelta(minutes=10)
"""A run that has no tag for longer ended before its process could set it, which takes seconds. Set
by hand: beside twenty other busy processes, it took more than a minute."""

LOOK_BACK = timedelta(days=30)
"""How old a failure may be that is looked at."""

REASON_TAG = "dagster/failure_reason"
"""What Dagster says of a run that did not fail at its work, or has none of it to say."""

FROM_OUTSIDE = (None, "UNEXPECTED_TERMINATION", "RUN_WORKER_RESTART")
"""Reasons of runs whose process is gone, that were interrupted as where the machine shuts down, and
whose process began so late, on a busy machine, that the run was in the queue again."""


def process_tag() -> dict[str, str]:
    """Give the tag of a run that this process executes."""
    return {PROCESS_TAG: f"{socket.gethostname()} {os.getpid()} {_started(os.getpid())}"}


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """End the runs whose process is gone, and free their slots; gives their ids."""
    dead = _dead_runs(instance)
    for run in dead:
        instance.add_run_tags(run.run_id, ENDED_TAG)
        instance.report_run_failed(run, "The process that ran this was ended from outside.")
    ended = dead + _failed_from_outside(instance)
    for run in ended:
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        instance.add_run_tags(run.run_id, ENDED_TAG)
    return [run.run_id for run in ended]


def _dead_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Find the runs that count as alive, and whose process is gone."""
    records = instance.get_run_records(dg.RunsFilter(statuses=ALIVE))
    return [record.dagster_run for record in records if _is_dead(record)]


def _is_dead(record: dg.RunRecord) -> bool:
    tag = record.dagster_run.tags.get(PROCESS_TAG)
    if tag is None:
        return datetime.now(UTC) - record.update_timestamp > TAGGED_WITHIN
    host, pid, started = tag.rsplit(maxsplit=2)
    return host == socket.gethostname() and _started(int(pid)) != started


def _failed_from_outside(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Find the runs that were marked as failed, not by themselves, and are not tagged yet."""
    since = datetime.now(UTC) - LOOK_BACK
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
    return [
        run
        for run in instance.get_runs(failed)
        if run.tags.get(REASON_TAG) in FROM_OUTSIDE and not ENDED_TAG.items() <= run.tags.items()
    ]


def _started(pid: int) -> str:
    """Tell when a process was started, which no later one of the same number shares."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.0f}"
    except psutil.NoSuchProcess:
        return ""
