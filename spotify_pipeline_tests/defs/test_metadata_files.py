"""Metadata files as assets: what lies there is left alone, what does not is fetched and loaded."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
import yaml

from spotify_pipeline.defs import build_defs
from spotify_pipeline.defs.dead_runs import ENDED_TAG
from spotify_pipeline.defs.instance import INSTANCE_SETTINGS
from spotify_pipeline.defs.resources import DataHome
from spotify_pipeline.dump.tables import CATALOGUE, TABLES
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.metadata_ledger import loaded_source
from spotify_pipeline_tests.metadata_file import pack, write_metadata, write_redirects
from spotify_pipeline_tests.torrent.seeders import Seeder, made_torrent, seeding

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FETCHED = {"metadata_file", "artist_redirects_file"}
LOADED = {*TABLES, "artist_redirects", "text_index"}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Seeder]]:
    """Seed the catalogue and the redirects; gives the torrent file and the seeder."""
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "meta").mkdir()
    pack(write_metadata(folder / "plain.sqlite3"), folder / "meta" / CATALOGUE.packed)
    write_redirects(folder / "meta" / "spotify_artist_redirects.json")
    torrent = made_torrent(folder / "meta", piece_bytes=1 << 14)
    (folder / "meta.torrent").write_bytes(torrent)
    with seeding(torrent, folder) as seeder:
        yield folder / "meta.torrent", seeder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(tmp_path, tmp_path / "incoming")
    found.create_folders()
    return found


def download(settings: Settings) -> set[str]:
    """Run the job; gives the assets that were materialised."""
    job = build_defs(settings).resolve_job_def("download_metadata")
    result = job.execute_in_process(run_config=QUIET)
    events = result.get_asset_materialization_events()
    return {event.asset_key.to_user_string() for event in events if event.asset_key}


def test_files_are_fetched_and_loaded_and_not_fetched_again(
    settings: Settings, seeded: tuple[Path, Seeder]
) -> None:
    torrent, seeder = seeded
    named = replace(settings, metadata_torrent=str(torrent), torrent_peers=(seeder.address,))
    assert download(named) == FETCHED | LOADED  # no audio features are in the torrent
    assert loaded_source(settings.metadata_database).keys() == {*TABLES, "artist_redirects"}
    for path in settings.incoming.iterdir():
        path.unlink()
    uploaded = seeder.uploaded
    assert download(named) == set()
    assert seeder.uploaded == uploaded


def test_files_that_lie_there_are_loaded_without_a_torrent(settings: Settings) -> None:
    write_redirects(settings.incoming / "spotify_artist_redirects.json")
    assert download(settings) == {"artist_redirects_file", "artist_redirects"}


def test_a_download_that_was_ended_goes_on_and_no_sensor_loads_beside_it(
    settings: Settings,
) -> None:
    definitions = build_defs(settings)
    (settings.downloads / f"{CATALOGUE.packed}").mkdir(parents=True)
    write_redirects(settings.incoming / "spotify_artist_redirects.json")
    with dg.DagsterInstance.ephemeral(settings=yaml.safe_load(INSTANCE_SETTINGS)) as instance:

        def tick(name: str) -> tuple[list[str | None], str | None]:
            context = dg.build_sensor_context(
                instance=instance,
                definitions=definitions,
                resources={"data_home": DataHome.of(settings)},
            )
            with context:
                ticked = definitions.resolve_sensor_def(name).evaluate_tick(context)
            return [each.job_name for each in ticked.run_requests or []], ticked.skip_message

        requests, why = tick("interrupted_downloads")
        assert requests == []
        assert why == f"nobody goes on with {CATALOGUE.packed}; materialise them"
        job = definitions.resolve_job_def("download_metadata")
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE, tags=ENDED_TAG)
        assert tick("interrupted_downloads")[0] == ["download_metadata"]
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert tick("interrupted_downloads") == ([], "none was interrupted")
        assert tick("new_redirects") == ([], "a run fetches metadata, and loads it")
