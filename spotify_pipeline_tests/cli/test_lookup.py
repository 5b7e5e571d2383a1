"""``lookup`` as a person meets it, on a small catalogue."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.settings import HOME_VARIABLE, INCOMING_VARIABLE
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.catalogue_made import artist_id, make_home, track_id
from spotify_pipeline_tests.disks import mounted_read_only
from spotify_pipeline_tests.metadata_file import write_metadata


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
