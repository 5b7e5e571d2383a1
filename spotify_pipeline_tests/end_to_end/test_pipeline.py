"""From a dump to identified recordings, through the commands that a user runs."""

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from spotify_pipeline.demo.excerpt import write_noisy_excerpt
from spotify_pipeline.dump.incoming import find_shards
from spotify_pipeline.store.database import connect
from spotify_pipeline_tests.end_to_end.conftest import FilledHome
from spotify_pipeline_tests.processes import DAGSTER, SPOTIFY_PIPELINE, run


def excerpt(source: Path, folder: Path, start: float) -> Path:
    """Cut ten noisy seconds."""
    target = folder / f"{source.stem} {start}.mp3"
    write_noisy_excerpt(source, target, start=start, seconds=10, noise_decibel=15, seed=1)
    return target


def all_tracks(home: Path) -> list[tuple[object, ...]]:
    with connect(home / "audio.duckdb", read_only=True) as connection:
        return connection.execute("SELECT * FROM tracks ORDER BY track_id").fetchall()


def test_ingest_commits_every_track_and_deletes_the_sources(filled: FilledHome) -> None:
    assert {row[0] for row in all_tracks(filled.home)} == {t.track_id for t in filled.dump.tracks}
    assert find_shards(filled.home / "incoming") == {}
    assert not list((filled.home / "staging").iterdir())
    for shard in {track.shard for track in filled.dump.tracks}:
        assert f"ingest {shard}: done" in filled.output


def test_a_second_ingest_finds_nothing_to_do(filled: FilledHome) -> None:
    again = run(filled.home, SPOTIFY_PIPELINE, "ingest")
    assert again.returncode == 0
    assert "nothing waits" in again.stdout


def test_the_same_shard_again_changes_nothing(filled: FilledHome) -> None:
    before = all_tracks(filled.home)
    shard = filled.dump.tracks[0].shard
    name = f"audio_analysis/{shard}.jsonl.zst"
    shutil.copy(filled.dump_folder / name, filled.home / "incoming" / name)
    again = run(filled.home, SPOTIFY_PIPELINE, "ingest")
    assert again.returncode == 0, again.stderr
    assert all_tracks(filled.home) == before
    assert find_shards(filled.home / "incoming") == {}


def test_noisy_excerpts_are_named_with_their_position(filled: FilledHome, tmp_path: Path) -> None:
    files = [excerpt(filled.music / t.file, tmp_path, 21.5) for t in filled.dump.tracks]
    answered = run(filled.home, SPOTIFY_PIPELINE, "identify", "--json", *map(str, files))
    assert answered.returncode == 0, answered.stderr
    answers = [json.loads(line) for line in answered.stdout.splitlines()]
    for track, answer in zip(filled.dump.tracks, answers, strict=True):
        best = answer["matches"][0]
        assert answer["identified"]
        assert (best["track_id"], best["title"]) == (track.track_id, track.title)
        assert best["artists"] == [track.artist]
        assert best["offset"] == pytest.approx(21.5, abs=0.1)
        assert best["confidence"] >= 0.9


def test_an_unreadable_file_is_reported_and_the_others_are_answered(
    filled: FilledHome, tmp_path: Path
) -> None:
    text = tmp_path / "not audio.mp3"
    text.write_text("hello")
    unknown = excerpt(filled.unknown, tmp_path, 30.0)
    answered = run(filled.home, SPOTIFY_PIPELINE, "identify", "--json", str(text), str(unknown))
    first, second = (json.loads(line) for line in answered.stdout.splitlines())
    assert answered.returncode == 1
    assert first.keys() == {"file", "error"}
    assert (second["identified"], second["matches"]) == (False, [])


def test_the_detect_job_prints_matches_on_stdout(filled: FilledHome, tmp_path: Path) -> None:
    track = filled.dump.tracks[0]
    config = tmp_path / "detect.yaml"
    config.write_text(json.dumps({"recordings": [str(filled.music / track.file)]}))
    job = ["job", "execute", "-m", "spotify_pipeline.definitions", "-j", "detect"]
    finished = run(filled.home, DAGSTER, *job, "-c", str(config))
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["matches"][0]["track_id"] == track.track_id


def test_the_web_ui_sees_what_the_command_line_ingested(filled: FilledHome) -> None:
    with dg.DagsterInstance.from_config(str(filled.home / "dagster-home")) as instance:
        partitions = instance.get_materialized_partitions(dg.AssetKey("ingested_shard"))
        assert partitions == {track.shard for track in filled.dump.tracks}
        assert instance.get_latest_materialization_event(dg.AssetKey("albums")) is not None


def test_status_tells_what_is_there(filled: FilledHome) -> None:
    status = json.loads(run(filled.home, SPOTIFY_PIPELINE, "status", "--json").stdout)
    assert status["shards"]["ingested"] == len({track.shard for track in filled.dump.tracks})
    assert status["tracks"] == status["indexed_tracks"] == len(filled.dump.tracks)
    assert status["metadata_tables"] == 9
    assert (status["text_tracks"], status["text_index_is_current"]) == (status["tracks"], True)
    assert status["index_is_current"]


def test_a_track_is_looked_up_by_its_title_and_known_to_have_a_fingerprint(
    filled: FilledHome,
) -> None:
    track = filled.dump.tracks[0]
    asked = run(filled.home, SPOTIFY_PIPELINE, "lookup", "--json", *track.title.split())
    assert asked.returncode == 0, asked.stderr
    found = json.loads(asked.stdout.splitlines()[0])
    assert (found["track_id"], found["title"]) == (track.track_id, track.title)
    assert found["indexed"]
    assert found["features"]["tempo"] is not None
