"""Runs that were ended from outside are told from others, and hold no slot."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.events import JobFailureData, RunFailureReason

from spotify_pipeline.defs import dead_runs
from spotify_pipeline.defs.dead_runs import ALIVE, ENDED_TAG, fail_dead_runs, process_tag
from spotify_pipeline.defs.executor import tagging_executor

STARTED = dg.DagsterRunStatus.STARTED


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def start(instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.DagsterRun:
    """Make a run that counts as started, and has a slot of its own."""
    run = instance.create_run_for_job(a_job_that_looks_at_its_tags(), status=STARTED, tags=tags)
    storage = instance.event_log_storage
    storage.set_concurrency_slots(run.run_id, 1)
    assert storage.claim_concurrency_slot(run.run_id, run.run_id, "step").is_claimed
    return run


def has_slot(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    info = instance.event_log_storage.get_concurrency_info(run.run_id)
    return info.active_run_ids == {run.run_id}


def is_tagged(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    (found,) = instance.get_runs(dg.RunsFilter(run_ids=[run.run_id]))
    return ENDED_TAG.items() <= found.tags.items()


def tag_of_a_process_that_has_ended() -> dict[str, str]:
    code = "import spotify_pipeline.defs.dead_runs as d; print(*d.process_tag().items())"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    (item,) = [ast.literal_eval(finished.stdout.decode())]
    return dict([item])


def test_a_run_whose_process_is_gone_is_ended_and_one_that_is_alive_is_left_alone(
    instance: dg.DagsterInstance,
) -> None:
    alive, dead = start(instance, process_tag()), start(instance, tag_of_a_process_that_has_ended())
    just_launched = start(instance, {})
    assert fail_dead_runs(instance) == [dead.run_id]
    assert (is_tagged(instance, dead), has_slot(instance, dead)) == (True, False)
    left = {run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=ALIVE))}
    assert left == {alive.run_id, just_launched.run_id}
    assert has_slot(instance, alive)
    assert fail_dead_runs(instance) == []


def test_a_run_that_never_tagged_itself_is_ended_after_a_while(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    untagged = start(instance, {})
    monkeypatch.setattr(dead_runs, "TAGGED_WITHIN", timedelta(0))
    assert fail_dead_runs(instance) == [untagged.run_id]


@pytest.mark.parametrize(
    ("data", "ended"),
    [
        (None, True),  # as a code server does whose run process is gone
        (JobFailureData(None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION), True),
        (JobFailureData(None, failure_reason=RunFailureReason.RUN_WORKER_RESTART), True),
        (JobFailureData(None, failure_reason=RunFailureReason.STEP_FAILURE), False),
        (JobFailureData(None, failure_reason=RunFailureReason.RUN_EXCEPTION), False),
    ],
)
def test_a_failed_run_was_ended_from_outside_unless_it_says_why_it_failed(
    instance: dg.DagsterInstance, data: JobFailureData | None, ended: bool
) -> None:
    run = start(instance, process_tag())
    instance.report_run_failed(run, job_failure_data=data)
    assert fail_dead_runs(instance) == [run.run_id] * ended
    assert is_tagged(instance, run) == ended
    assert has_slot(instance, run) != ended
    assert fail_dead_runs(instance) == []


@dg.op
def look_at_the_tags(context: dg.OpExecutionContext) -> None:
    (run,) = context.instance.get_runs(dg.RunsFilter(run_ids=[context.run_id]))
    assert process_tag().items() <= run.tags.items()


def a_job_that_looks_at_its_tags() -> dg.JobDefinition:
    @dg.job(executor_def=tagging_executor)
    def looks() -> None:
        look_at_the_tags()

    return looks


def test_a_run_has_the_tag_of_its_process_before_its_first_step(
    instance: dg.DagsterInstance,
) -> None:
    job = dg.reconstructable(a_job_that_looks_at_its_tags)
    in_process: dict[str, object] = {"execution": {"config": {"in_process": {}}}}
    with dg.execute_job(job, instance, run_config=in_process, raise_on_error=True) as result:
        assert result.success
