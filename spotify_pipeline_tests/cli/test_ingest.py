"""``ingest`` as a person meets it."""

from pathlib import Path

from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.settings import HOME_VARIABLE


def test_a_shard_that_lies_there_twice_waits_and_both_places_are_named(
    runner: CliRunner, tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        path = tmp_path / "home" / "incoming" / folder / "0a.jsonl.zst"
        path.parent.mkdir(parents=True)
        path.write_text("anything")
    result = runner.invoke(main, ["ingest"])
    assert result.exit_code == 0
    assert "ingest 0a: waits, it lies at" in result.output
    assert result.output.count("0a.jsonl.zst") == 2


def test_an_ingest_locks_others_out_in_the_folder_for_that(
    runner: CliRunner, tmp_path: Path
) -> None:
    assert runner.invoke(main, ["ingest"]).exit_code == 0
    home = tmp_path / "home"
    assert list(home.rglob("*.lock")) == [home / "locks" / "ingest.lock"]


def test_a_home_that_is_a_file_is_a_message(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("")
    result = CliRunner(env={HOME_VARIABLE: str(home)}).invoke(main, ["ingest"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
