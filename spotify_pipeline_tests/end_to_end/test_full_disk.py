"""A disk that is too full: work waits and says so, and nothing is lost or doubled."""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from spotify_pipeline import space
from spotify_pipeline.defs import build_defs, in_process
from spotify_pipeline.defs.in_process import run_waiting
from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.settings import HOME_VARIABLE, RESERVE_VARIABLE, Settings
from spotify_pipeline.store.ledger import read_ledger
from spotify_pipeline_tests.disks import fill
from spotify_pipeline_tests.documents import make_documents, write_shard
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, environment

TRACKS = 5
SHARDS = ("0a", "0b")
RESERVE_GB = 0.002
LEFT = 1_000_000


@pytest.fixture
def settings(small_disk: Path) -> Settings:
    """Give a home on a disk of 16 MB, of which 2 MB are to be left free, with two shards."""
    home = small_disk / "home"
    found = Settings(home, home / "incoming", reserve_gb=RESERVE_GB)
    found.create_folders()
    for shard in SHARDS:
        write_shard(found.incoming, shard, make_documents(shard, TRACKS))
    return found


@pytest.fixture
def filler(settings: Settings, small_disk: Path) -> Path:
    """Give the file that takes the room."""
    return fill(small_disk, LEFT)


@pytest.fixture
def command(settings: Settings, filler: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start an ingest, and wait until it waits for space."""
    variables = {HOME_VARIABLE: str(settings.home), RESERVE_VARIABLE: str(RESERVE_GB)}
    with subprocess.Popen(
        [SPOTIFY_PIPELINE, "ingest"],
        env=environment(tmp_path) | variables,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("reducing shard 0a waits for space: it needs"), line
        yield process


def ingested(settings: Settings) -> dict[str, int]:
    return {shard: row.tracks for shard, row in read_ledger(settings.audio_database).items()}


def test_a_command_says_that_it_waits_and_goes_on_when_there_is_room(
    command: "subprocess.Popen[str]", settings: Settings, filler: Path
) -> None:
    filler.unlink()
    output, errors = command.communicate(timeout=100)
    assert command.returncode == 0, errors
    assert "waits for space" not in errors
    assert "ingest 0b: done" in output
    assert ingested(settings) == dict.fromkeys(SHARDS, TRACKS)
    assert find_shards(settings.incoming) == {}


def test_a_command_that_waits_can_be_interrupted(
    command: "subprocess.Popen[str]", settings: Settings
) -> None:
    started = time.monotonic()
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=30)
    assert time.monotonic() - started < 15
    assert "Aborted" in errors
    assert find_shards(settings.incoming).keys() == set(SHARDS)
    assert list(settings.staging.iterdir()) == []


def test_a_command_gives_up_once_and_for_all_shards_when_nobody_makes_room(
    settings: Settings, filler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(in_process, "SPACE_PATIENCE", 0.2)
    monkeypatch.setenv("DAGSTER_HOME", environment(filler.parents[1])["DAGSTER_HOME"])
    reported: list[str] = []
    outcomes = list(run_waiting(settings, lambda *_: None, reported.append))
    assert [(outcome.shard, outcome.disk_full) for outcome in outcomes] == [("0a", True)]
    assert str(outcomes[0].error).endswith("make room, then run it again")
    assert len(reported) == 1
    assert find_shards(settings.incoming).keys() == set(SHARDS)
    filler.unlink()
    assert not [o.error for o in run_waiting(settings, lambda *_: None, pytest.fail) if o.error]
    assert ingested(settings) == dict.fromkeys(SHARDS, TRACKS)


@pytest.mark.parametrize("asset", ["reduced_shard", "ingested_shard"])
def test_a_run_says_in_its_log_that_it_waits_and_goes_on_when_there_is_room(
    settings: Settings, small_disk: Path, monkeypatch: pytest.MonkeyPatch, asset: str
) -> None:
    monkeypatch.setattr(space, "LOOK_SECONDS", 0.02)
    definitions = build_defs(replace(settings, sources="keep"))

    def materialise(name: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
        job = definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            asset_selection=[dg.AssetKey(name)], partition_key="0a", instance=instance
        )

    with dg.DagsterInstance.ephemeral() as instance:
        if asset == "ingested_shard":
            materialise("reduced_shard", instance)
        filler = fill(small_disk, LEFT)
        threading.Timer(1, filler.unlink).start()
        result = materialise(asset, instance)
        log = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert result.success
    assert len([line for line in log if "shard 0a waits for space" in line]) == 1
