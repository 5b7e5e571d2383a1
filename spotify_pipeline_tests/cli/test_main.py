"""The command line as a person meets it, whatever the command."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.settings import HOME_VARIABLE, INCOMING_VARIABLE
from spotify_pipeline.store.database import connect
from spotify_pipeline_tests.catalogue_made import make_home, track_id
from spotify_pipeline_tests.documents import make_document
from spotify_pipeline_tests.tracks import make_tracks, publish_tracks

COMMANDS = (
    "demo",
    "download",
    "fingerprint",
    "identify",
    "ingest",
    "lookup",
    "sample-dump",
    "serve",
    "status",
    "ui",
    "warm-up",
)


NO_FOLDER = {INCOMING_VARIABLE: "torrents"}

UNDONE: list[tuple[list[str], dict[str, str], str]] = [
    (["demo"], {}, "README was not made by the demo"),
    (["download", "missing.torrent", "--list"], {}, "missing.torrent"),
    (["fingerprint", "missing.wav"], {}, "missing.wav"),
    (["identify", "missing.wav"], {}, "index"),
    (["ingest"], NO_FOLDER, "torrents: no such folder"),
    (["lookup", "yesterday"], {}, "there is no catalogue"),
    (["sample-dump", "music", "dump"], {}, "left out: text.wav"),
    (["serve", "--host", "203.0.113.1"], {}, "can't listen on 203.0.113.1, port 8765"),
    (["status"], NO_FOLDER, "torrents: no such folder"),
    (["ui"], {"DAGSTER_HOME": "bare"}, "this Dagster instance was not set up"),
]
"""Commands that can't do or read something, their environment, and what they name.

``warm-up`` reads and writes nothing of a user's.
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the current folder, with a home that is no demo's, and music of which a file is none."""
    for name in ("home", "bare", "music"):
        (tmp_path / name).mkdir()
    (tmp_path / "home" / "README").touch()
    (tmp_path / "music" / "text.wav").write_text("hello")
    clicks = np.random.default_rng(0).normal(size=13 * 16_000)
    clicks *= np.exp(-8 * (np.arange(len(clicks)) / 16_000 % 0.45))
    soundfile.write(tmp_path / "music" / "clicks.wav", 0.2 * clicks, 16_000)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("arguments", "variables", "named"), UNDONE)
def test_a_command_that_cannot_do_or_read_something_names_it_and_exits_with_1(
    runner: CliRunner, folder: Path, arguments: list[str], variables: dict[str, str], named: str
) -> None:
    result = runner.invoke(main, arguments, env={HOME_VARIABLE: str(folder / "home"), **variables})
    assert result.exit_code == 1
    assert named in result.output


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "ui"])
def test_a_command_that_cannot_be_understood_exits_with_2(runner: CliRunner, command: str) -> None:
    # 'ui' passes on what it does not know
    result = runner.invoke(main, [command, "--no-such-option"])
    assert result.exit_code == 2
    assert "--no-such-option" in result.stderr


def test_every_command_is_among_those_that_are_tried() -> None:
    assert sorted(COMMANDS) == sorted(main.commands)
    assert {command for (command, *_), *_ in UNDONE} == set(COMMANDS) - {"warm-up"}


def test_help_names_every_command(runner: CliRunner) -> None:
    shown = runner.invoke(main, ["--help"]).output
    assert all(command in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(runner: CliRunner, command: str) -> None:
    result = runner.invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


@pytest.mark.parametrize("command", ["ingest", "status"])
def test_a_mistyped_incoming_folder_is_an_error_and_not_created(
    runner: CliRunner, tmp_path: Path, command: str
) -> None:
    mistyped = tmp_path / "torents"
    result = runner.invoke(main, [command], env={INCOMING_VARIABLE: str(mistyped)})
    assert result.exit_code == 1
    assert f"Error: {mistyped}: no such folder, but {INCOMING_VARIABLE} names it" in result.output
    assert not mistyped.exists()


def test_escapes_in_titles_and_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    publish_tracks(home.index, make_tracks(2))
    with connect(home.metadata_database) as connection:
        connection.execute("UPDATE tracks SET name = 'One' || chr(27) || '[2J' WHERE rowid = 1")
    for folder in ("\x1b[31m", "b"):
        shard = home.incoming / folder / "0a.jsonl.zst"
        shard.parent.mkdir(parents=True)
        shard.write_text("anything")
    clip = tmp_path / "clip\x1b[2J.json"
    clip.write_bytes(msgspec.json.encode(make_document(track_id(0), duration=60.0)))
    runner = CliRunner(env={HOME_VARIABLE: str(home.home), INCOMING_VARIABLE: None})
    commands = (
        ["lookup", "achtung", "one"],
        ["identify", str(clip)],
        ["identify", str(tmp_path / "none\x1b[2J.wav")],
        ["status"],
        ["ingest"],
    )
    for command in commands:
        shown = runner.invoke(main, command).output  # not a terminal: without styles
        assert "\\x1b[" in shown
        assert "\x1b" not in shown
    exact = runner.invoke(main, ["identify", "--json", str(clip)]).stdout
    assert json.loads(exact)["file"] == str(clip)
    assert json.loads(exact)["matches"][0]["title"] == "One\x1b[2J"


@pytest.mark.parametrize(
    "arguments", [["lookup", "--year", "..3000", "--json"], ["lookup", "--duplicates"], ["status"]]
)
def test_a_command_that_nobody_reads_from_any_more_ends_quietly(
    tmp_path: Path, arguments: list[str]
) -> None:
    home = make_home(tmp_path / "home")
    command = [sys.executable, "-c", "from spotify_pipeline.cli import main; main()", *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, HOME_VARIABLE: str(home.home)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE
