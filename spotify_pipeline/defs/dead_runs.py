"""Runs whose process is gone: a power cut or ``kill -9`` leaves them started for ever.

Such a run keeps its slot in a pool, and whatever waits for the slot waits for ever too. So each run
is tagged with its process, and runs of this machine whose process is not there are ended.

Belongs here: telling and ending dead runs. Does not belong here: trying again (`sensors`).
"""

import multiprocessing
import os
import socket

import dagster as dg
import psutil

__all__ = ["ENDED_TAG", "fail_dead_runs", "process_tag"]

PROCESS_TAG = "spotify-pipeline/process"

ENDED_TAG = {"spotify-pipeline/ended": "from outside"}
"""Of runs that were marked as failed here: nothing is wrong with what they did."""

ALIVE = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def process_tag() -> dict[str, str]:
    """Give the tag of a run that this process executes, or whose step it was started for."""
    parent = multiprocessing.parent_process()
    pid = os.getpid() if parent is None or parent.pid is None else parent.pid
    return {PROCESS_TAG: f"{socket.gethostname()} {pid} {_started(pid)}"}


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """End the runs whose process is gone, and free their slots; gives their ids."""
    failed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=ALIVE)):
        if _is_dead(run.tags.get(PROCESS_TAG)):
            instance.add_run_tags(run.run_id, ENDED_TAG)
            instance.report_run_failed(run, "The process that ran this was ended from outside.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            failed.append(run.run_id)
    return failed


def _is_dead(tag: str | None) -> bool:
    if tag is None:
        return False
    host, pid, started = tag.rsplit(maxsplit=2)
    return host == socket.gethostname() and _started(int(pid)) != started


def _started(pid: int) -> str:
    """Tell when a process was started, which no later one of the same number shares."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.0f}"
    except psutil.NoSuchProcess:
        return ""
