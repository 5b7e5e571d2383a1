"""What the sensors request, on a real instance and a small data home."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from spotify_pipeline.defs import build_defs
from spotify_pipeline.defs.dead_runs import PROCESS_TAG, fail_dead_runs
from spotify_pipeline.defs.instance import INSTANCE_SETTINGS
from spotify_pipeline.defs.resources import DataHome
from spotify_pipeline.dump.failure import noting_failure
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.metadata_file import write_metadata
from spotify_pipeline_tests.processes import held_open_by_another_process

REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("any"), "__repository__")

SENSORS_WITHOUT_PARTITIONS = [("new_metadata", "metadata"), ("ingested_shards", "index")]


def set_up_instance() -> dg.DagsterInstance:
    """Make an instance that the sensors may act on."""
    return dg.DagsterInstance.ephemeral(settings=yaml.safe_load(INSTANCE_SETTINGS))


class Watch:
    """Sensors over one data home, each remembering its cursor from look to look."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings = settings
        self.instance = instance
        self.definitions = build_defs(settings)
        self.cursors: dict[str, str | None] = {}

    def look(self, sensor: str) -> Any:
        """Evaluate a sensor once."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(sensor),
            definitions=self.definitions,
            resources={"data_home": DataHome.of(self.settings)},
        )
        with context:
            data = self.definitions.resolve_sensor_def(sensor).evaluate_tick(context)
        self.cursors[sensor] = data.cursor
        return data

    def requested(self, sensor: str) -> list[tuple[str | None, str | None]]:
        """Give partition and run key of what a sensor requests."""
        requests = self.look(sensor).run_requests or []
        return [(request.partition_key, request.run_key) for request in requests]

    def start(self, sensor: str, job: str, tags: dict[str, str]) -> dg.DagsterRun:
        """Create the run of its job that a sensor requests, as one that has started."""
        (request,) = self.look(sensor).run_requests
        return self.instance.create_run_for_job(
            self.definitions.resolve_job_def(job),
            status=dg.DagsterRunStatus.STARTED,
            tags=dict(request.tags) | {"dagster/run_key": request.run_key} | tags,
        )

    def run(self, job: str, shard: str | None = None) -> None:
        """Run a job to its end."""
        self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=shard
        )


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    settings = Settings(tmp_path, tmp_path / "incoming")
    settings.create_folders()
    with set_up_instance() as instance:
        yield Watch(settings, instance)


def add_shard(watch: Watch, shard: str) -> Path:
    return write_shard(watch.settings.incoming, shard, make_documents(shard, 2))


def test_a_shard_is_requested_at_the_second_look_and_once(watch: Watch) -> None:
    add_shard(watch, "0A")
    assert watch.requested("finished_shards") == []
    ((partition, run_key),) = watch.requested("finished_shards")
    assert partition == "0A"
    assert watch.requested("finished_shards") == [("0A", run_key)]


def test_a_shard_is_requested_behind_what_people_ask_for(watch: Watch) -> None:
    add_shard(watch, "0a")
    watch.look("finished_shards")
    (request,) = watch.look("finished_shards").run_requests
    assert request.tags["dagster/priority"] == "-1"


def test_the_file_that_was_ingested_is_left_alone_and_a_changed_one_is_requested(
    watch: Watch,
) -> None:
    watch.settings = replace(watch.settings, sources="keep")
    watch.definitions = build_defs(watch.settings)
    source = add_shard(watch, "0a")
    watch.run("ingest", "0a")
    assert source.exists()
    watch.look("finished_shards")
    result = watch.look("finished_shards")
    assert not result.run_requests
    assert "ingested already" in (result.skip_message or "")
    write_shard(watch.settings.incoming, "0a", make_documents("0a", 3))
    watch.look("finished_shards")
    assert [shard for shard, _ in watch.requested("finished_shards")] == ["0a"]


def test_the_ledger_tells_what_is_ingested_whatever_runs_are_remembered(watch: Watch) -> None:
    watch.settings = replace(watch.settings, sources="keep")
    watch.definitions = build_defs(watch.settings)
    add_shard(watch, "0a")
    watch.run("ingest", "0a")
    watch.look("finished_shards")
    with held_open_by_another_process(watch.settings.audio_database):
        assert "is not known now" in (watch.look("finished_shards").skip_message or "")
        assert "is not known now" in (watch.look("ingested_shards").skip_message or "")
    with set_up_instance() as watch.instance:
        assert watch.requested("finished_shards") == []
    watch.settings.audio_database.unlink()
    with set_up_instance() as watch.instance:
        assert [shard for shard, _ in watch.requested("finished_shards")] == ["0a"]


def test_a_failed_shard_is_tried_again_later_under_another_run_key(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_shard(watch, "0a")
    watch.look("finished_shards")
    ((_, first_key),) = watch.requested("finished_shards")
    with pytest.raises(PipelineError), noting_failure(watch.settings.staging, "0a"):
        raise PipelineError("the disk is full")
    result = watch.look("finished_shards")
    assert not result.run_requests
    assert "tried again later; the disk is full" in (result.skip_message or "")
    monkeypatch.setattr("spotify_pipeline.defs.sensors.time.time", lambda: 1e12)
    ((_, second_key),) = watch.requested("finished_shards")
    assert second_key != first_key


def test_a_shard_that_comes_back_as_long_as_before_is_compared_before_it_is_read_again(
    watch: Watch,
) -> None:
    compared = {"ops": {"reduced_shard": {"config": {"unless_ingested": True}}}}
    for documents, config in ((2, {}), (2, compared), (3, {})):
        write_shard(watch.settings.incoming, "0a", make_documents("0a", documents))
        watch.look("finished_shards")
        (request,) = watch.look("finished_shards").run_requests
        assert request.run_config == config
        if documents == 2:
            watch.run("ingest", "0a")


def queue_run(watch: Watch, shard: str, asset: str | None) -> dg.DagsterRun:
    """Let a run for a shard wait in the queue, of the job or of one asset."""
    job = "ingest" if asset is None else "__ASSET_JOB"
    return watch.instance.create_run_for_job(
        watch.definitions.resolve_implicit_global_asset_job_def()
        if asset
        else watch.definitions.resolve_job_def(job),
        status=dg.DagsterRunStatus.QUEUED,
        tags={"dagster/partition": shard},
        asset_selection=frozenset([dg.AssetKey(asset)]) if asset else None,
        remote_job_origin=RemoteJobOrigin(REPOSITORY, job),
    )


def status_of(watch: Watch, run: dg.DagsterRun) -> dg.DagsterRunStatus | None:
    found = watch.instance.get_run_by_id(run.run_id)
    return None if found is None else found.status


def test_runs_that_wait_for_shards_that_are_not_there_are_skipped_with_the_reason(
    watch: Watch,
) -> None:
    write_shard(watch.settings.incoming, "0b", make_documents("0b", 1)).write_bytes(b"")
    add_shard(watch, "0c")
    selected = {"job": None, "asset": "reduced_shard", "index": "shard_segment"}
    runs = {
        (what, shard): queue_run(watch, shard, asset)
        for shard in ("0a", "0b", "0c", "0d")
        for what, asset in selected.items()
    }
    said = watch.look("finished_shards").skip_message or ""
    assert "4 runs were skipped for shards whose files are not there" in said
    skipped = {
        key for key, run in runs.items() if status_of(watch, run) == dg.DagsterRunStatus.CANCELED
    }
    assert skipped == {(what, shard) for what in ("job", "asset") for shard in ("0a", "0d")}
    others = [status_of(watch, run) for key, run in runs.items() if key not in skipped]
    assert others == [dg.DagsterRunStatus.QUEUED] * len(others)
    log = watch.instance.all_logs(runs["job", "0a"].run_id)
    reason = f"skipped: 0a.jsonl.zst is not in {watch.settings.incoming} or a folder below it"
    assert reason in [entry.message for entry in log]


def test_a_shard_is_not_requested_while_a_run_works_on_it(watch: Watch) -> None:
    write_shard(watch.settings.incoming, "0a", make_documents("0a", 1))
    watch.look("finished_shards")
    run = watch.instance.create_run_for_job(
        watch.definitions.resolve_job_def("ingest"),
        status=dg.DagsterRunStatus.STARTING,
        tags={"dagster/partition": "0a"},
    )
    assert watch.requested("finished_shards") == []
    watch.instance.report_run_failed(run)
    assert [shard for shard, _ in watch.requested("finished_shards")] == ["0a"]


def test_a_shard_whose_run_was_ended_from_outside_is_tried_again(watch: Watch) -> None:
    write_shard(watch.settings.incoming, "0a", make_documents("0a", 1))
    watch.look("finished_shards")
    [(_, first_key)] = watch.requested("finished_shards")
    watch.instance.create_run_for_job(
        watch.definitions.resolve_job_def("ingest"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "0a", PROCESS_TAG: f"{socket.gethostname()} 1 0"},
    )
    [(shard, second_key)] = watch.requested("finished_shards")
    assert shard == "0a"
    assert second_key != first_key


def start_what_is_due(watch: Watch, sensor: str, job: str, tags: dict[str, str]) -> dg.DagsterRun:
    """Ingest a shard, let metadata come, and start the run that the sensor asks for."""
    add_shard(watch, "0a")
    watch.run("ingest", "0a")
    write_metadata(watch.settings.incoming / "spotify_clean.sqlite3")
    watch.look(sensor)
    return watch.start(sensor, job, tags)


@pytest.mark.parametrize(("sensor", "job"), SENSORS_WITHOUT_PARTITIONS)
def test_a_load_or_build_that_was_ended_from_outside_is_requested_again(
    watch: Watch, sensor: str, job: str
) -> None:
    first = start_what_is_due(watch, sensor, job, {PROCESS_TAG: f"{socket.gethostname()} 1 0"})
    fail_dead_runs(watch.instance)
    assert watch.requested(sensor) != [(None, first.tags["dagster/run_key"])]


@pytest.mark.parametrize(("sensor", "job"), SENSORS_WITHOUT_PARTITIONS)
def test_a_load_or_build_that_failed_by_itself_is_not_requested_again(
    watch: Watch, sensor: str, job: str
) -> None:
    first = start_what_is_due(watch, sensor, job, {})
    of_a_step = JobFailureData(None, failure_reason=RunFailureReason.STEP_FAILURE)
    watch.instance.report_run_failed(first, job_failure_data=of_a_step)
    fail_dead_runs(watch.instance)
    assert watch.requested(sensor) == [(None, first.tags["dagster/run_key"])]


def test_what_is_passed_over_is_reported_at_each_look(watch: Watch) -> None:
    stray = watch.settings.incoming / "0a.jsonl"
    stray.touch()
    assert str(stray) in (watch.look("finished_shards").skip_message or "")


def test_an_older_metadata_file_is_reported_and_does_not_count(watch: Watch) -> None:
    older = watch.settings.incoming / "metadata" / "spotify_clean.sqlite3.zst"
    older.parent.mkdir()
    older.touch()
    os.utime(older, ns=(1, 1))
    source = write_metadata(watch.settings.incoming / "spotify_clean.sqlite3")
    build_metadata(source, watch.settings.staging, watch.settings.metadata_database)
    watch.run("text")
    said = watch.look("new_metadata").skip_message or ""
    assert f"{source} is loaded already; {older} is older" in said
    assert str(older) in (watch.look("finished_shards").skip_message or "")


def test_metadata_is_requested_once_it_stays_the_same(watch: Watch) -> None:
    assert watch.requested("new_metadata") == []
    source = watch.settings.incoming / "spotify_clean.sqlite3.zst"
    source.write_bytes(b"x")
    assert watch.requested("new_metadata") == []
    assert len(watch.requested("new_metadata")) == 1
    source.write_bytes(b"xx")
    assert watch.requested("new_metadata") == []


def test_metadata_that_is_loaded_already_is_left_alone(watch: Watch) -> None:
    source = write_metadata(watch.settings.incoming / "spotify_clean.sqlite3")
    build_metadata(source, watch.settings.staging, watch.settings.metadata_database)
    watch.run("text")
    watch.look("new_metadata")
    assert "is loaded already" in (watch.look("new_metadata").skip_message or "")


def test_words_that_are_not_indexed_after_a_load_are_requested_once_and_not_beside_another_run(
    watch: Watch,
) -> None:
    source = write_metadata(watch.settings.incoming / "spotify_clean.sqlite3")
    build_metadata(source, watch.settings.staging, watch.settings.metadata_database)
    source.unlink()
    job = watch.definitions.resolve_job_def("metadata")
    load = watch.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert watch.requested("new_metadata") == []
    watch.instance.report_run_failed(load)
    (request,) = watch.look("new_metadata").run_requests
    assert request.job_name == "text"
    failed = watch.instance.create_run_for_job(
        watch.definitions.resolve_job_def("text"),
        status=dg.DagsterRunStatus.STARTED,
        tags=request.tags | {"dagster/run_key": request.run_key},
    )
    watch.instance.report_run_failed(failed)
    assert watch.requested("new_metadata") == [(None, request.run_key)]
    watch.run("text")
    assert watch.requested("new_metadata") == []


def test_whether_metadata_is_loaded_is_not_known_while_it_is_being_written(watch: Watch) -> None:
    source = write_metadata(watch.settings.incoming / "spotify_clean.sqlite3")
    build_metadata(source, watch.settings.staging, watch.settings.metadata_database)
    with held_open_by_another_process(watch.settings.metadata_database):
        assert "is not known now" in (watch.look("new_metadata").skip_message or "")


def test_the_index_follows_a_shard_and_not_too_often(watch: Watch) -> None:
    assert watch.requested("ingested_shards") == []
    add_shard(watch, "0a")
    watch.run("ingest", "0a")
    assert len(watch.requested("ingested_shards")) == 1
    watch.run("index")
    assert "holds what is ingested" in (watch.look("ingested_shards").skip_message or "")
    add_shard(watch, "0b")
    watch.run("ingest", "0b")
    assert "due in" in (watch.look("ingested_shards").skip_message or "")


def test_no_build_of_the_index_is_requested_beside_another(watch: Watch) -> None:
    add_shard(watch, "0a")
    watch.run("ingest", "0a")
    job = watch.definitions.resolve_job_def("index")
    build = watch.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert "brings the index up to date" in (watch.look("ingested_shards").skip_message or "")
    watch.instance.report_run_failed(build)
    assert len(watch.requested("ingested_shards")) == 1


@pytest.mark.parametrize("sensor", ["finished_shards", "new_metadata", "ingested_shards"])
def test_nothing_runs_by_itself_on_an_instance_that_nobody_set_up(
    watch: Watch, sensor: str
) -> None:
    source = add_shard(watch, "0a")
    watch.run("ingest", "0a")
    add_shard(watch, "0a")
    write_metadata(watch.settings.incoming / "spotify_clean.sqlite3")
    with dg.DagsterInstance.ephemeral() as watch.instance:
        for _ in range(2):
            looked = watch.look(sensor)
            assert not looked.run_requests
            assert "start the web UI by 'spotify-pipeline ui'" in (looked.skip_message or "")
    assert source.exists()
