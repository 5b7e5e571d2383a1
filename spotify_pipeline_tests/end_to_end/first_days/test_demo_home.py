"""The demo and a user's own data, side by side in the folder where both are run."""

import json
import shutil
import subprocess
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import soundfile

from spotify_pipeline.defs.web_ui import ready_instance
from spotify_pipeline.settings import HOME_VARIABLE, Settings
from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.metadata_file import pack, write_metadata
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, environment


def run_in(folder: Path, *command: str, home: str | None = None) -> str:
    """Run a command in a folder, where no variable names a data home unless one is given."""
    values = environment(folder)  # with the Dagster instance that real data has
    del values[HOME_VARIABLE]
    finished = subprocess.run(
        command,
        env=values | ({HOME_VARIABLE: home} if home else {}),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the demo where data of the user's waits, then ingest that."""
    folder = tmp_path_factory.mktemp("checkout")
    music = folder / "music"
    music.mkdir()
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(size=13 * 16_000)
        noise *= np.exp(-8 * (np.arange(len(noise)) / 16_000 % 0.45))
        soundfile.write(music / f"{seed}.wav", 0.2 * noise, 16_000)
    incoming = folder / "data" / "incoming"
    write_shard(incoming, "7O", make_documents("7O", 2))
    pack(write_metadata(folder / "plain.sqlite3"), incoming / "spotify_clean.sqlite3.zst")
    before = files_below(folder / "data")
    shown = run_in(folder, SPOTIFY_PIPELINE, "demo", "--music", str(music))
    assert files_below(folder / "data") == before
    (folder / "shown.txt").write_text(shown)
    shutil.copytree(folder / "data-demo", folder / "demo-before", symlinks=True)
    run_in(folder, SPOTIFY_PIPELINE, "ingest")
    return folder


def test_the_demo_says_where_its_data_lies_and_how_to_look_at_it(folder: Path) -> None:
    shown = (folder / "shown.txt").read_text()
    assert "SPOTIFY_PIPELINE_HOME=data-demo make ui" in shown
    status = json.loads(run_in(folder, SPOTIFY_PIPELINE, "status", "--json", home="data-demo"))
    assert (status["tracks"], status["metadata_tables"]) == (2, 9)


def test_data_that_waited_while_the_demo_ran_is_loaded(folder: Path) -> None:
    status = json.loads(run_in(folder, SPOTIFY_PIPELINE, "status", "--json"))
    assert (status["tracks"], status["text_tracks"], status["metadata_waiting"]) == (2, 3, False)
    assert files_below(folder / "data-demo").keys() == {
        folder / "data-demo" / path.relative_to(folder / "demo-before")
        for path in files_below(folder / "demo-before")
    }


def test_the_runs_of_the_demo_are_none_of_the_datas(folder: Path) -> None:
    key = dg.AssetKey("ingested_shard")
    with dg.DagsterInstance.from_config(str(folder / "dagster-home")) as instance:
        assert instance.get_materialized_partitions(key) == {"7O"}
        assert instance.get_runs_count() == 3
    with dg.DagsterInstance.from_config(str(folder / "data-demo" / "dagster")) as instance:
        assert instance.get_latest_materialization_event(key) is not None


@pytest.mark.parametrize(
    ("home", "instance"), [("data-demo", "data-demo/dagster"), ("data", "dagster-home")]
)
def test_the_web_ui_is_given_the_instance_of_its_home(
    folder: Path, monkeypatch: pytest.MonkeyPatch, home: str, instance: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "dagster-home"))
    readied = ready_instance(Settings(folder / home, folder / home / "incoming"))
    assert readied == str(folder / instance)
