"""``identify`` as a person meets it, on an index of two tracks."""

import csv
import io
import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.fingerprint import encode_rhythm
from spotify_pipeline_tests.documents import make_document
from spotify_pipeline_tests.processes import SPOTIFY_PIPELINE, environment, run
from spotify_pipeline_tests.tracks import fingerprint_of, make_tracks, publish_tracks, worn


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    """Index two tracks; give the fingerprints of both, and before them a file that is broken."""
    tracks = make_tracks(2)
    publish_tracks(tmp_path / "home" / "index", tracks)
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    paths = [tmp_path / f"{number}.json" for number in range(len(tracks))]
    for path, track in zip(paths, tracks, strict=True):
        path.write_bytes(msgspec.json.encode(make_document(track.track_id, duration=60.0)))
    return [broken, *paths]


def test_identify_without_an_index_says_what_to_do(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(main, ["identify", str(tmp_path / "clip.mp3")])
    assert result.exit_code == 1
    assert "there is no index yet" in result.output


def test_identify_says_how_much_of_an_earlier_index_is_made_again(
    runner: CliRunner, tmp_path: Path
) -> None:
    folder = tmp_path / "home" / "index"
    folder.mkdir(parents=True)
    segment = {"file": "segment-earlier.bin", "shards": {"0a": "", "0b": ""}}
    earlier = json.dumps({"version": 2, "segments": [segment]})
    (folder / "manifest.json").write_text(earlier)
    recording = tmp_path / "0.json"
    (track,) = make_tracks(1)
    recording.write_bytes(msgspec.json.encode(make_document(track.track_id, duration=60.0)))
    refused = runner.invoke(main, ["identify", "--json", str(recording)])
    assert refused.exit_code == 1
    assert "has to be made again of audio.duckdb; run the job 'index'" in refused.stderr
    publish_tracks(folder, [track])
    answered = runner.invoke(main, ["identify", "--json", str(recording)])
    assert answered.exit_code == 0
    assert "only 1 of 2 shards are searched" in answered.stderr
    assert json.loads(answered.stdout)["identified"]
    assert (folder / "manifest.json").read_text() == earlier


def test_identify_without_a_recording_says_what_to_name(runner: CliRunner) -> None:
    result = runner.invoke(main, ["identify"])
    assert result.exit_code == 2
    assert "name a recording, a folder of them, or a --list" in result.output


def test_identify_writes_csv_and_fails_at_the_end(
    runner: CliRunner, recordings: list[Path]
) -> None:
    result = runner.invoke(main, ["identify", "--csv", *map(str, recordings)])
    broken, first, second = csv.DictReader(io.StringIO(result.stdout))
    assert result.exit_code == 1
    assert "no fingerprint" in broken["error"]
    assert (first["match"], first["offset"]) == (second["match"], second["offset"]) == ("1", "0.0")


def test_identify_takes_a_list_from_stdin(runner: CliRunner, recordings: list[Path]) -> None:
    names = "".join(f"{path}\n" for path in recordings[1:])
    result = runner.invoke(main, ["identify", "--json", "--list", "-"], input=names)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [answer["file"] for answer in answers] == [str(path) for path in recordings[1:]]


@pytest.mark.parametrize(("terminal", "shown"), [("1", True), ("0", False)])
def test_identify_shows_on_a_terminal_how_far_it_is(
    runner: CliRunner, recordings: list[Path], terminal: str, shown: bool
) -> None:
    command = ["identify", "--json", *map(str, recordings[1:])]
    result = runner.invoke(main, command, env={"TTY_COMPATIBLE": terminal})
    assert ("50%" in result.stderr) == shown
    assert all(json.loads(line)["identified"] for line in result.stdout.splitlines())


@pytest.mark.usefixtures("recordings")
def test_identify_gives_less_the_fewer_false_accepts_are_allowed(
    runner: CliRunner, tmp_path: Path
) -> None:
    recording = worn(fingerprint_of(make_tracks(1)[0], 20, 3).rhythm, 1, lost=0.5, moved=1)
    clip = tmp_path / "clip.json"
    clip.write_bytes(msgspec.json.encode({"rhythmstring": encode_rhythm(recording)}))
    for allowed, identified in (("0.01", True), ("1e-9", False)):
        shown = runner.invoke(main, ["identify", str(clip), "--json", "--false-accepts", allowed])
        assert json.loads(shown.output)["identified"] is identified


@pytest.mark.parametrize("name", ["answers.csv", "answers.jsonl"])
def test_identify_goes_on_with_a_file_of_answers(
    runner: CliRunner, recordings: list[Path], tmp_path: Path, name: str
) -> None:
    output = tmp_path / name
    command = ["identify", "--output", str(output)]
    first = runner.invoke(main, [*command, *map(str, recordings[:2])])
    before = output.read_bytes()
    second = runner.invoke(main, [*command, *map(str, recordings)])
    added = output.read_bytes().removeprefix(before)
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert first.stdout == second.stdout == ""
    assert "3 recordings answered, 2 of them in an earlier run" in second.stderr
    assert "1 could not be read" in second.stderr
    assert added.count(b"\n") == 1
    assert str(recordings[2]).encode() in added


def test_identify_does_not_overwrite_another_file(
    runner: CliRunner, recordings: list[Path], tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("mine\n")
    command = ["identify", str(recordings[1]), "--output", str(notes)]
    unnamed, refused = runner.invoke(main, command), runner.invoke(main, [*command, "--csv"])
    assert (unnamed.exit_code, refused.exit_code) == (1, 1)
    assert "say --json or --csv" in unnamed.output
    assert "does not hold answers as CSV" in refused.output
    assert notes.read_text() == "mine\n"


def test_identify_draws_what_can_be_read(
    runner: CliRunner, recordings: list[Path], tmp_path: Path
) -> None:
    command = ["identify", *map(str, recordings), "--plot"]
    plots = tmp_path / "plots"
    assert runner.invoke(main, [*command, str(plots)]).exit_code == 1
    assert sorted(path.name for path in plots.iterdir()) == ["0.json.png", "1.json.png"]
    assert "name a folder" in runner.invoke(main, [*command, str(tmp_path / "plot.png")]).output


def test_identify_does_not_take_another_picture_for_a_folder(
    runner: CliRunner, recordings: list[Path], tmp_path: Path
) -> None:
    plot = tmp_path / "plot.JPG"
    result = runner.invoke(main, ["identify", str(recordings[1]), "--plot", str(plot)])
    assert result.exit_code == 2
    assert "plots are PNG pictures; name FILE.png, or a folder" in result.stderr
    assert not plot.exists()


def test_identify_says_why_silence_and_half_a_second_are_unknown(
    runner: CliRunner, recordings: list[Path], tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * 11_025)
    clips = {"silence": 0 * noise, "short": noise[:5512], "noise": noise}
    for name, samples in clips.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, 11_025)
    files = [str(tmp_path / f"{name}.wav") for name in clips]
    shown = runner.invoke(main, ["identify", *files]).stdout.splitlines()
    assert shown == [
        files[0],
        "  unknown: no onset is heard in it: it is silent, or one steady sound",
        files[1],
        "  unknown: 0.5 s are too short; it takes a few seconds",
        files[2],
        "  unknown",
    ]


def open_for_a_reader(pipe: Path, reader: "subprocess.Popen[bytes]") -> int:
    """Open a named pipe for writing once a process reads it, which it must do before it ends."""
    while reader.poll() is None:
        with suppress(OSError):  # nobody reads it yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    pytest.fail("the process has ended")


def test_a_file_of_answers_is_written_by_one_process_at_a_time(
    recordings: list[Path], tmp_path: Path
) -> None:
    output, slow = tmp_path / "answers.jsonl", tmp_path / "slow.json"
    os.mkfifo(slow)
    command = [SPOTIFY_PIPELINE, "identify", "--output", str(output)]
    first = subprocess.Popen(
        [*command, str(slow)], env=environment(tmp_path / "home"), stderr=subprocess.DEVNULL
    )
    with open(open_for_a_reader(slow, first), "wb") as written:  # so the first is at work
        second = run(tmp_path / "home", *command, str(recordings[1]))
        before = output.read_bytes()
        written.write(recordings[2].read_bytes())
    assert first.wait(timeout=120) == 0
    third = run(tmp_path / "home", *command, str(recordings[1]))
    assert (second.returncode, before) == (1, b"")
    assert f"{output} is being written by another process" in second.stderr
    assert third.returncode == 0, third.stderr
    answered = [json.loads(line)["file"] for line in output.read_text().splitlines()]
    assert answered == [str(slow), str(recordings[1])]
