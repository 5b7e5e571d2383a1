"""The file of a shard as an asset: what lies there is left alone, what does not is fetched."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
import yaml

from spotify_pipeline.defs import build_defs, resources
from spotify_pipeline.defs.dead_runs import ENDED_TAG
from spotify_pipeline.defs.instance import INSTANCE_SETTINGS
from spotify_pipeline.defs.resources import DataHome
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.torrent.seeders import Seeder, made_torrent, seeding

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FAILURE, STARTED = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED
SUCCESS = dg.DagsterRunStatus.SUCCESS


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Seeder]]:
    """Seed two shards; gives the torrent file and the seeder."""
    folder = tmp_path_factory.mktemp("seeded")
    for shard in ("0a", "0A"):
        write_shard(folder / "dump", shard, make_documents(shard, 3))
    torrent = made_torrent(folder / "dump", piece_bytes=1 << 14)
    (folder / "dump.torrent").write_bytes(torrent)
    with seeding(torrent, folder) as seeder:
        yield folder / "dump.torrent", seeder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(tmp_path, tmp_path / "incoming")
    found.create_folders()
    return found


@pytest.fixture
def with_torrent(settings: Settings, seeded: tuple[Path, Seeder]) -> Settings:
    path, seeder = seeded
    return replace(settings, torrent=str(path), torrent_peers=(seeder.address,))


def download(settings: Settings, shard: str) -> dg.ExecuteInProcessResult:
    return (
        build_defs(settings)
        .resolve_job_def("download")
        .execute_in_process(run_config=QUIET, partition_key=shard, raise_on_error=False)
    )


def materialised(result: dg.ExecuteInProcessResult) -> list[str]:
    events = result.get_asset_materialization_events()
    return [event.asset_key.to_user_string() for event in events if event.asset_key]


def test_a_shard_is_fetched_ingested_and_gone_and_not_fetched_again(
    with_torrent: Settings, seeded: tuple[Path, Seeder]
) -> None:
    result = download(with_torrent, "0A")
    assert materialised(result) == ["shard_file", "reduced_shard", "ingested_shard"]
    (fetched,) = result.asset_materializations_for_node("shard_file")
    (ingested,) = result.asset_materializations_for_node("ingested_shard")
    assert fetched.metadata["source_bytes"].value == ingested.metadata["source_bytes"].value
    assert ingested.metadata["tracks"].value == 3
    assert list(with_torrent.incoming.iterdir()) == []
    uploaded = seeded[1].uploaded
    again = download(with_torrent, "0A")
    assert again.success
    assert materialised(again) == []
    assert seeded[1].uploaded == uploaded


def test_a_file_that_lies_there_is_ingested_without_a_torrent(settings: Settings) -> None:
    write_shard(settings.incoming, "0a", make_documents("0a", 2))
    result = download(settings, "0a")
    assert materialised(result) == ["shard_file", "reduced_shard", "ingested_shard"]
    assert read_ledger(settings.audio_database)["0a"].tracks == 2


def test_without_file_and_torrent_nothing_happens_and_nothing_fails(settings: Settings) -> None:
    result = download(settings, "0a")
    assert result.success
    assert materialised(result) == []


def test_a_stalled_download_lets_go_of_its_turn_and_is_tried_again(
    with_torrent: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "RETRIES", 1)
    monkeypatch.setattr(resources, "RETRY_SECONDS", 0.1)
    nobody = replace(with_torrent, torrent_peers=("127.0.0.1:1",), torrent_stall_minutes=0.01)
    result = download(nobody, "0a")
    assert not result.success
    retried = [event for event in result.all_events if event.is_step_up_for_retry]
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert len(retried) == 1
    error = failed.step_failure_data.error
    assert error is not None
    assert "0a.jsonl.zst stalls at 0 of" in error.to_string()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(settings=yaml.safe_load(INSTANCE_SETTINGS)) as found:
        yield found


def interrupted(settings: Settings, instance: dg.DagsterInstance) -> tuple[list[str | None], str]:
    """Let the sensor look; gives the shards with which it goes on, and else why not."""
    definitions = build_defs(settings)
    context = dg.build_sensor_context(
        instance=instance,
        definitions=definitions,
        resources={"data_home": DataHome.of(settings)},
    )
    with context:
        ticked = definitions.resolve_sensor_def("interrupted_downloads").evaluate_tick(context)
    shards = [request.partition_key for request in ticked.run_requests or []]
    return shards, ticked.skip_message or ""


def create_run(
    instance: dg.DagsterInstance, job: str, shard: str, status: dg.DagsterRunStatus, **tags: str
) -> None:
    found = build_defs(Settings.from_environment({})).resolve_job_def(job)
    instance.create_run_for_job(found, status=status, tags={"dagster/partition": shard} | tags)


def test_a_download_whose_run_was_ended_from_outside_is_gone_on_with_until_it_is_done(
    settings: Settings, instance: dg.DagsterInstance
) -> None:

    (settings.downloads / "0A_").mkdir(parents=True)
    assert interrupted(settings, instance) == ([], "nobody goes on with 0A; materialise them")
    create_run(instance, "download", "0A", FAILURE, **ENDED_TAG)
    create_run(instance, "download", "0b", FAILURE, **ENDED_TAG)  # it waited for its turn
    create_run(instance, "ingest", "0c", FAILURE, **ENDED_TAG)  # nobody asked for its download
    assert set(interrupted(settings, instance)[0]) == {"0A", "0b"}
    create_run(instance, "download", "0A", STARTED)
    assert interrupted(settings, instance)[0] == ["0b"]
    write_shard(settings.incoming, "0b", make_documents("0b", 1))
    assert interrupted(settings, instance)[0] == []
    (settings.incoming / "0b.jsonl.zst").unlink()
    create_run(instance, "ingest", "0b", SUCCESS)
    assert interrupted(settings, instance) == ([], "none was interrupted")
