"""The command line as a person meets it, where no data or little is needed."""

import csv
import io
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
from spotify_pipeline.demo.composer import write_pieces
from spotify_pipeline.fingerprint import encode_rhythm
from spotify_pipeline.settings import HOME_VARIABLE, INCOMING_VARIABLE
from spotify_pipeline.store.audio import create_audio_database
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.catalogue_made import artist_id, make_home, track_id
from spotify_pipeline_tests.disks import mounted_read_only
from spotify_pipeline_tests.documents import make_document
from spotify_pipeline_tests.metadata_file import write_metadata
from spotify_pipeline_tests.processes import held_open_by_another_process
from spotify_pipeline_tests.tracks import fingerprint_of, make_tracks, publish_tracks, worn

COMMANDS = (
    "demo",
    "fingerprint",
    "identify",
    "ingest",
    "lookup",
    "sample-dump",
    "status",
    "ui",
    "warm-up",
)


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    return CliRunner(env={HOME_VARIABLE: str(tmp_path / "home"), INCOMING_VARIABLE: None})


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
    heard = worn(fingerprint_of(make_tracks(1)[0], 20, 3).rhythm, 1, lost=0.5, moved=1)
    clip = tmp_path / "clip.json"
    clip.write_bytes(msgspec.json.encode({"rhythmstring": encode_rhythm(heard)}))
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
        told = json.loads(runner.invoke(main, ["status", "--json"]).output)
    assert "unknown ingested, 0 waiting, 0 failed" in shown
    assert "tracks       unknown (unknown lines rejected)" in shown
    assert "audio.duckdb is being written by another process" in shown
    assert (told["shards"]["ingested"], told["tracks"], told["index_is_current"]) == (None,) * 3


def test_fingerprint_gives_a_line_a_file_and_fails_at_the_end(
    runner: CliRunner, tmp_path: Path
) -> None:
    (piece,) = write_pieces(tmp_path, 1)
    result = runner.invoke(main, ["fingerprint", str(tmp_path / "none.wav"), str(piece)])
    first, second = result.stdout.splitlines()
    assert result.exit_code == 1
    assert "no such file" in first
    assert '"echoprint_version":4.12' in second


def test_fingerprint_takes_a_folder(runner: CliRunner, tmp_path: Path) -> None:
    for name in ("b.wav", "a/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, np.zeros(11_025), 11_025)
    result = runner.invoke(main, ["fingerprint", str(tmp_path)])
    assert result.exit_code == 0
    shown = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert shown == [str(tmp_path / "a" / "c.wav"), str(tmp_path / "b.wav")]


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


def test_an_ingest_locks_others_out_in_the_folder_for_that(
    runner: CliRunner, tmp_path: Path
) -> None:
    assert runner.invoke(main, ["ingest"]).exit_code == 0
    home = tmp_path / "home"
    assert list(home.rglob("*.lock")) == [home / "locks" / "ingest.lock"]


@pytest.mark.parametrize("command", ["ingest", "status"])
def test_a_mistyped_incoming_folder_is_an_error_and_not_created(
    runner: CliRunner, tmp_path: Path, command: str
) -> None:
    mistyped = tmp_path / "torents"
    result = runner.invoke(main, [command], env={INCOMING_VARIABLE: str(mistyped)})
    assert result.exit_code == 1
    assert f"Error: {mistyped}: no such folder, but {INCOMING_VARIABLE} names it" in result.output
    assert not mistyped.exists()


def test_a_home_that_is_a_file_is_a_message(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("")
    result = CliRunner(env={HOME_VARIABLE: str(home)}).invoke(main, ["ingest"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> CliRunner:
    home = make_home(tmp_path_factory.mktemp("home")).home
    return CliRunner(env={HOME_VARIABLE: str(home), INCOMING_VARIABLE: None})


def test_lookup_shows_a_track_and_its_other_releases(catalogue: CliRunner) -> None:
    result = catalogue.invoke(main, ["lookup", "beatles", "yesterday"])
    assert result.exit_code == 0
    assert result.stdout == (
        "Yesterday - Remastered 2009 by The Beatles\n"
        "    from 1 (Remastered) (2000-11-13, Apple)\n"
        "    2:05, popularity 83, british invasion, rock, explicit\n"
        "    no fingerprint in the index\n"
        f"    track {track_id(3)}, ISRC GBAYE6500521\n"
        f"    also on Help! ({track_id(2)}, 1965)\n"
    )


def test_lookup_writes_json_and_csv(catalogue: CliRunner) -> None:
    asked = ["lookup", "--artist", "u2", "--year", "1990..", "--limit", "1"]
    (line,) = catalogue.invoke(main, [*asked, "--json"]).stdout.splitlines()
    (row,) = csv.DictReader(io.StringIO(catalogue.invoke(main, [*asked, "--csv"]).stdout))
    found = json.loads(line)
    assert (found["title"], found["artists"][0]["name"]) == ("One", "U2")
    assert (row["title"], row["artists"], row["cover"]) == (
        "One",
        "U2",
        "https://i.example/achtung",
    )
    assert "markets" not in found


def test_lookup_shows_images_and_markets_when_asked(catalogue: CliRunner) -> None:
    shown = catalogue.invoke(main, ["lookup", "one", "--images", "--markets"]).stdout
    assert "cover 640 x 640: https://i.example/achtung" in shown
    assert "U2 160 x 160: https://i.example/u2-160" in shown
    assert "3 markets: DE FR US" in shown


def test_lookup_takes_an_address_among_the_words(catalogue: CliRunner) -> None:
    address = f"https://open.spotify.com/intl-de/artist/{artist_id(1)}?si=0"
    result = catalogue.invoke(main, ["lookup", address, "blindness", "--json"])
    assert [json.loads(line)["title"] for line in result.stdout.splitlines()] == [
        "Love Is Blindness"
    ]


def test_lookup_passes_over_a_byte_order_mark(catalogue: CliRunner, tmp_path: Path) -> None:
    batch = tmp_path / "ids.txt"
    batch.write_text(f"{track_id(5)}\n", encoding="utf-8-sig")
    result = catalogue.invoke(main, ["lookup", "--json", "--batch", str(batch)])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["asked"] == track_id(5)


@pytest.mark.parametrize("option", [["-"], ["--batch", "-"]])
def test_lookup_answers_a_batch_and_says_what_is_unknown(
    catalogue: CliRunner, option: list[str]
) -> None:
    lines = f"{track_id(5)}\nUSXXX0000000\nGBAYE6500521\n"
    result = catalogue.invoke(main, ["lookup", "--json", *option], input=lines)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [answer["asked"] for answer in answers] == lines.split()
    assert answers[1] == {"asked": "USXXX0000000", "error": "not in the catalogue"}
    assert answers[2]["title"] == "Yesterday - Remastered 2009"


def test_lookup_answers_the_rest_of_a_batch_and_fails_if_a_line_cannot_be_read(
    catalogue: CliRunner,
) -> None:
    result = catalogue.invoke(main, ["lookup", "-"], input=f"nonsense\n{track_id(5)}\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("nonsense: neither an id, an address")
    assert track_id(5) in result.stdout


def test_lookup_finds_what_is_as_long_as_a_recording(catalogue: CliRunner, tmp_path: Path) -> None:
    recording = tmp_path / "long.wav"
    soundfile.write(recording, np.zeros(8000 * 264, np.int16), 8000)
    result = catalogue.invoke(main, ["lookup", "--similar-duration", str(recording), "--json"])
    assert [json.loads(line)["title"] for line in result.stdout.splitlines()] == [
        "Love Is Blindness"
    ]


def test_lookup_lists_recordings_that_are_there_several_times(catalogue: CliRunner) -> None:
    (line,) = catalogue.invoke(main, ["lookup", "--duplicates", "--json"]).stdout.splitlines()
    found = json.loads(line)
    assert found["isrc"] == "GBAYE6500521"
    assert [track["track_id"] for track in found["tracks"]] == [track_id(3), track_id(2)]


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (["xyzzyx"], 0, "nothing found"),
        (["--isrc", "USXXX0000000"], 0, "nothing found"),
        ([], 2, "name words, an id, or any of the options"),
        (["--year", "x"], 2, "neither a whole number nor a span"),
        (["--year", "2000..1990"], 2, "'2000..1990' ends before it begins"),
        (["one", "--json", "--csv"], 2, "name one of --json and --csv"),
        (["--id", "nonsense"], 1, "neither an id, an address"),
        (["--similar-duration", "missing.wav"], 1, "missing.wav"),
        (["--duplicates", "isrc", "--csv"], 2, "--duplicates goes with --json"),
    ],
)
def test_lookup_says_what_is_wrong(
    catalogue: CliRunner, asked: list[str], code: int, message: str
) -> None:
    result = catalogue.invoke(main, ["lookup", *asked])
    assert result.exit_code == code
    assert message in result.stderr


def test_lookup_without_a_catalogue_says_what_to_do(runner: CliRunner) -> None:
    result = runner.invoke(main, ["lookup", "yesterday"])
    assert result.exit_code == 1
    assert "put spotify_clean.sqlite3.zst into the incoming folder" in result.stderr


def test_lookup_by_words_fails_when_the_text_index_is_of_an_earlier_catalogue(
    tmp_path: Path,
) -> None:
    home = make_home(tmp_path)
    source = write_metadata(tmp_path / "other.sqlite3")
    build_metadata(source, home.staging, home.metadata_database)
    runner = CliRunner(env={HOME_VARIABLE: str(home.home), INCOMING_VARIABLE: None})
    result = runner.invoke(main, ["lookup", "one"])
    assert result.exit_code == 1
    assert "is of an earlier catalogue than the one that is loaded" in result.stderr
    assert runner.invoke(main, ["lookup", "--isrc", "USABC9600001"]).exit_code == 0


def test_lookup_works_where_nothing_can_be_written(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    with mounted_read_only(home.home, tmp_path / "read only") as shown:
        runner = CliRunner(env={HOME_VARIABLE: str(shown), INCOMING_VARIABLE: None})
        result = runner.invoke(main, ["lookup", "hells", "bells"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Hells Bells by AC/DC")


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
