"""``status`` as a person meets it."""

import json
from pathlib import Path

from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline_tests.processes import held_open_by_another_process


def test_status_of_an_empty_home_is_all_zero(runner: CliRunner) -> None:
    result = runner.invoke(main, ["status"])
    assert result.exit_code == 0
    assert "0 ingested, 0 waiting, 0 failed (484 in the whole dump)" in result.output


def test_status_says_unknown_of_what_another_process_is_writing(
    runner: CliRunner, tmp_path: Path
) -> None:
    create_audio_database(tmp_path / "home" / "audio.duckdb")
    with held_open_by_another_process(tmp_path / "home" / "audio.duckdb"):
        shown = runner.invoke(main, ["status"]).output
        reported = json.loads(runner.invoke(main, ["status", "--json"]).output)
    assert "unknown ingested, 0 waiting, 0 failed" in shown
    assert "tracks       unknown (unknown lines rejected)" in shown
    assert "audio.duckdb is being written by another process" in shown
    assert (reported["shards"]["ingested"], reported["tracks"], reported["index_is_current"]) == (
        None,
    ) * 3
