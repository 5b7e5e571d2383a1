"""What executes the steps of runs: Dagster's own, after it has tagged the run with its process.

The tag must be there before the run waits for a slot or takes one: a run whose process was killed
is told by it.

Belongs here: when the tag is set. Does not belong here: what follows from it (`dead_runs`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from spotify_pipeline.defs.dead_runs import process_tag

if TYPE_CHECKING:
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan
    from dagster._core.execution.retries import RetryMode

__all__ = ["tagging_executor"]

_OWN = dg.multi_or_in_process_executor
"""What Dagster takes where nothing is said, with its run config."""


class _Tagging(dg.Executor):
    """Another executor, after the tag is set."""

    def __init__(self, executor: dg.Executor) -> None:
        self.executor = executor

    def execute(
        self, plan_context: "PlanOrchestrationContext", execution_plan: "ExecutionPlan"
    ) -> Iterator[dg.DagsterEvent]:
        """Execute the steps of a run."""
        plan_context.instance.add_run_tags(plan_context.run_id, process_tag())
        yield from self.executor.execute(plan_context, execution_plan)

    @property
    def retries(self) -> "RetryMode":
        """Whether steps may be tried again."""
        return self.executor.retries


def _tagging(context: dg.InitExecutorContext) -> dg.Executor:
    assert _OWN.executor_creation_fn is not None
    return _Tagging(_OWN.executor_creation_fn(context))


tagging_executor = dg.ExecutorDefinition(
    name=_OWN.name,
    config_schema=_OWN.config_schema,  # type: ignore[arg-type]  # which it takes as it is
    requirements=_OWN.get_requirements,
    executor_creation_fn=_tagging,
)
