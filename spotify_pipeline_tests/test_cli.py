"""The command line as a person meets it, where no data is needed."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.demo.composer import write_pieces
from spotify_pipeline.settings import HOME_VARIABLE, INCOMING_VARIABLE

COMMANDS = ("demo", "fingerprint", "identify", "ingest", "sample-dump", "status")


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    return CliRunner(env={HOME_VARIABLE: str(tmp_path / "home"), INCOMING_VARIABLE: None})


def test_help_names_every_command(runner: CliRunner) -> None:
    shown = runner.invoke(main, ["--help"]).output
    assert all(command in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(runner: CliRunner, command: str) -> None:
    result = runner.invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


def test_identify_without_an_index_says_what_to_do(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(main, ["identify", str(tmp_path / "clip.mp3")])
    assert result.exit_code == 1
    assert "there is no index yet" in result.output


def test_status_of_an_empty_home_is_all_zero(runner: CliRunner) -> None:
    result = runner.invoke(main, ["status"])
    assert result.exit_code == 0
    assert "0 ingested, 0 waiting, 0 failed (484 in the whole dump)" in result.output


def test_fingerprint_gives_a_line_a_file_and_fails_at_the_end(
    runner: CliRunner, tmp_path: Path
) -> None:
    (piece,) = write_pieces(tmp_path, 1)
    result = runner.invoke(main, ["fingerprint", str(tmp_path / "none.wav"), str(piece)])
    first, second = result.stdout.splitlines()
    assert result.exit_code == 1
    assert "no such file" in first
    assert '"echoprint_version":4.12' in second


def test_sample_dump_names_an_unknown_shard(runner: CliRunner, tmp_path: Path) -> None:
    arguments = ["sample-dump", str(tmp_path), str(tmp_path / "out"), "--shards", "zz"]
    result = runner.invoke(main, arguments)
    assert result.exit_code == 1
    assert "zz" in result.output


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


def test_a_home_that_is_a_file_is_a_message(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("")
    result = CliRunner(env={HOME_VARIABLE: str(home)}).invoke(main, ["ingest"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
