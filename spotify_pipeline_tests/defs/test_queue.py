"""Which of the runs that wait Dagster's daemon starts next, by the settings that ship."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)

from spotify_pipeline.defs import build_defs
from spotify_pipeline.defs.instance import INSTANCE_SETTINGS
from spotify_pipeline.defs.sensors import AFTER_PEOPLE
from spotify_pipeline.settings import Settings
from spotify_pipeline.shards import SHARDS

QUEUED, STARTED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED

REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("any"), "__repository__")

SHARDS_AT_ONCE = 4

BACKFILL = SHARDS[:7]

CONFIG: dict[str, dict[str, object]] = {
    "detect": {"recordings": ["clip.mp3"]},
    "evaluation": {"music": "music"},
}


class Queue:
    """Runs that wait on an instance, and what the daemon makes of them."""

    def __init__(self, instance: dg.DagsterInstance, definitions: dg.Definitions) -> None:
        self.instance = instance
        self.definitions = definitions
        self.daemon = QueuedRunCoordinatorDaemon(interval_seconds=5, page_size=3)

    def add(
        self,
        job: str,
        shard: str | None = None,
        status: dg.DagsterRunStatus = QUEUED,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Put a run of a job in."""
        found = self.definitions.resolve_job_def(job)
        partition = {"dagster/partition": shard} if shard else {}
        tags = {**found.tags, **partition, **(tags or {})}
        self.instance.create_run_for_job(
            found,
            status=status,
            tags=tags,
            run_config=CONFIG.get(job),
            remote_job_origin=RemoteJobOrigin(REPOSITORY, job),
        )

    def next(self) -> list[str]:
        """Name the jobs of the runs that the daemon would start now, the first one first."""
        return [run.job_name for run in self.runs()]

    def runs(self) -> Sequence[dg.DagsterRun]:
        """Give the runs that the daemon would start now, the first one first."""
        concurrency = self.instance.get_concurrency_config()
        return self.daemon._get_runs_to_dequeue(self.instance, concurrency, None)


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs(Settings.from_environment({}))


@pytest.fixture
def queue(tmp_path: Path, definitions: dg.Definitions) -> Iterator[Queue]:
    (tmp_path / "dagster.yaml").write_text(INSTANCE_SETTINGS)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield Queue(instance, definitions)


def test_four_shards_of_a_backfill_are_in_work_at_once(queue: Queue) -> None:
    for shard in BACKFILL:
        queue.add("ingest", shard)
    assert queue.next() == ["ingest"] * SHARDS_AT_ONCE


def test_a_shard_that_a_person_asks_for_starts_before_those_that_the_sensor_requested(
    queue: Queue,
) -> None:
    *waiting, asked_for = BACKFILL
    for shard in waiting:
        queue.add("ingest", shard, tags=AFTER_PEOPLE)
    queue.add("ingest", asked_for)
    started = [run.tags["dagster/partition"] for run in queue.runs()]
    assert started == [asked_for, *waiting[: SHARDS_AT_ONCE - 1]]


def test_detection_and_evaluation_start_beside_a_backfill_that_is_in_work(queue: Queue) -> None:
    for number, shard in enumerate(BACKFILL):
        queue.add("ingest", shard, STARTED if number < SHARDS_AT_ONCE else QUEUED)
    queue.add("evaluation")
    queue.add("detect")
    assert queue.next() == ["detect", "evaluation"]


def test_detection_starts_beside_all_else_that_can_be_in_work(queue: Queue) -> None:
    for shard in BACKFILL[:SHARDS_AT_ONCE]:
        queue.add("ingest", shard, STARTED)
    for job in ("index", "metadata", "evaluation"):
        queue.add(job, status=STARTED)
    queue.add("metadata")
    queue.add("ingest", BACKFILL[-1])
    queue.add("detect")
    assert queue.next()[0] == "detect"


def test_detection_stands_in_no_pool(definitions: dg.Definitions) -> None:
    nodes = definitions.resolve_job_def("detect").all_node_defs
    assert not any(node.pool for node in nodes if isinstance(node, dg.OpDefinition))


def test_the_checkout_and_a_data_home_have_the_same_settings() -> None:
    root = Path(__file__).parents[2]
    checkout = yaml.safe_load((root / "dagster.yaml").read_text())
    home = yaml.safe_load(INSTANCE_SETTINGS)
    where_things_lie = {"storage", "local_artifact_storage", "compute_logs"}
    assert home == {key: value for key, value in checkout.items() if key not in where_things_lie}
