"""From a mix of composed pieces to a timeline with names."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from spotify_pipeline.cli import main
from spotify_pipeline.demo.composer import compose
from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.timeline import Timeline, timeline_files
from spotify_pipeline.recording import read_for_fingerprint
from spotify_pipeline.settings import HOME_VARIABLE, Settings
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.documents import make_track_id
from spotify_pipeline_tests.metadata_file import TRACK_IDS, write_metadata
from spotify_pipeline_tests.tracks import Track, publish_tracks

FADE = 5.0
UNKNOWN = 1
"""The piece that is not indexed."""

MIX = (0, 2, UNKNOWN, 3)
PIECE_SECONDS = 40
"""Of each, from its beginning."""

TWO = (0, UNKNOWN)
"""Of a shorter mix, for the commands."""

IDS = {0: TRACK_IDS[0], 2: make_track_id("0a", 2), 3: make_track_id("0a", 3)}
"""The catalogue knows the first."""

TRACK_KEYS = "track_id title artists album isrc confidence position duration also_at".split()


def cross_faded(pieces: list[Float32s], rate: int) -> tuple[Float64s, list[float]]:
    """Play pieces one after the other; gives the seconds, too, at which the fades are half done."""
    overlap = round(FADE * rate)
    ramp = np.linspace(0, 1, overlap)
    mixed = np.asarray(pieces[0], np.float64)
    borders = []
    for piece in pieces[1:]:
        borders.append(len(mixed) / rate - FADE / 2)
        both = piece[:overlap] * ramp + mixed[-overlap:] * ramp[::-1]
        mixed = np.concatenate((mixed[:-overlap], both, piece[overlap:]))
    return mixed, borders


class Home:
    """A mix of pieces, all but one of which are indexed."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings.from_environment({HOME_VARIABLE: str(folder)})
        self.settings.create_folders()
        pieces = {number: compose(number) for number in MIX}
        rate = pieces[0].sample_rate
        parts = {n: piece.samples[: PIECE_SECONDS * rate] for n, piece in pieces.items()}
        self.mix, self.two = folder / "mix.flac", folder / "two.flac"
        mixed, self.borders = cross_faded([parts[number] for number in MIX], rate)
        soundfile.write(self.mix, mixed, rate)
        soundfile.write(self.two, cross_faded([parts[number] for number in TWO], rate)[0], rate)
        self.seconds = len(mixed) / rate
        tracks = []
        for number, track_id in IDS.items():
            source = folder / "piece.flac"
            soundfile.write(source, pieces[number].samples, rate)
            piece = read_for_fingerprint(source)
            found = fingerprint(piece.samples)
            tracks.append(Track(track_id, piece.duration, found.rhythm, found.echoprint))
        publish_tracks(self.settings.index, tracks)
        source = write_metadata(folder / "source.sqlite3")
        build_metadata(source, folder, self.settings.metadata_database)

    def results(self, *files: Path) -> list[Timeline | Failure]:
        """Give the timelines of files."""
        return list(timeline_files(files, self.settings.index, self.settings.metadata_database))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def timeline(home: Home) -> Timeline:
    (found,) = home.results(home.mix)
    assert isinstance(found, Timeline)
    return found


def test_the_pieces_of_a_mix_are_found_and_what_is_not_indexed_is_unknown(
    timeline: Timeline,
) -> None:
    found = [entry.track and entry.track.track_id for entry in timeline.timeline]
    assert found == [IDS.get(number) for number in MIX]


def test_borders_lie_within_the_cross_fades(home: Home, timeline: Timeline) -> None:
    starts = [entry.start for entry in timeline.timeline]
    ends = [entry.end for entry in timeline.timeline]
    assert timeline.duration == pytest.approx(home.seconds, abs=0.001)
    assert starts[0] == 0
    assert ends == [*starts[1:], timeline.duration]
    assert starts[1:] == pytest.approx(home.borders, abs=3)


def test_positions_are_those_of_the_cross_fades(timeline: Timeline) -> None:
    for number, entry in enumerate(timeline.timeline):
        if entry.track is not None:
            assert entry.track.position == pytest.approx(FADE / 2 if number else 0, abs=3)
            assert entry.track.confidence >= THRESHOLD
            assert entry.track.duration is not None
            assert entry.track.position + entry.end - entry.start <= entry.track.duration + 0.5


def test_tracks_have_the_names_that_the_catalogue_knows(timeline: Timeline) -> None:
    first, second = timeline.timeline[0].track, timeline.timeline[1].track
    assert first is not None
    assert second is not None
    assert (first.title, first.album, first.isrc) == ("Δέλτα", "Ænima", "USABC9600001")
    assert first.artists == ("Abba\x00nul", "Zoë", "")
    assert (second.title, second.artists, second.album, second.isrc) == (None, (), None, None)


def test_the_json_has_these_keys_in_this_order(timeline: Timeline) -> None:
    line = msgspec.json.decode(msgspec.json.encode(timeline))
    assert list(line) == ["file", "duration", "timeline", "elapsed"]
    assert [list(entry) for entry in line["timeline"]] == [["start", "end", "track"]] * len(MIX)
    assert list(line["timeline"][0]["track"]) == TRACK_KEYS
    assert line["timeline"][MIX.index(UNKNOWN)]["track"] is None


def test_a_short_recording_and_a_silent_one_are_a_timeline_too(home: Home, tmp_path: Path) -> None:
    lengths = {"moment": 0.01, "second": 1.0, "silence": 30.0}
    files = []
    for name, seconds in lengths.items():
        files.append(tmp_path / f"{name}.wav")
        soundfile.write(files[-1], np.zeros(round(seconds * 8000)), 8000)
    for found, seconds in zip(home.results(*files), lengths.values(), strict=True):
        assert isinstance(found, Timeline)
        assert found.duration == pytest.approx(seconds, abs=0.001)
        (entry,) = found.timeline
        assert (entry.start, entry.end, entry.track) == (0, found.duration, None)


def test_a_file_that_cannot_be_read_does_not_stop_the_rest(home: Home, tmp_path: Path) -> None:
    empty, text, good = tmp_path / "empty.wav", tmp_path / "text.mp3", tmp_path / "good.wav"
    empty.touch()
    text.write_text("no audio\n" * 1000)
    soundfile.write(good, np.zeros(8000), 8000)
    *failures, found = home.results(tmp_path / "missing.flac", empty, text, good)
    reasons = ["no such file", "the file is empty", "text.mp3"]
    for failure, reason in zip(failures, reasons, strict=True):
        assert isinstance(failure, Failure)
        assert reason in failure.error
    assert isinstance(found, Timeline)


def test_the_command_shows_what_plays_when(home: Home) -> None:
    runner = CliRunner(env={HOME_VARIABLE: str(home.settings.home)})
    shown = runner.invoke(main, ["identify", "--timeline", str(home.two)])
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert lines[0] == str(home.two)
    assert lines[1].startswith("    0:00.00 to ")
    assert "Δέλτα by" in lines[1]
    assert sum(line.endswith("unknown") for line in lines) == 1


def test_the_command_gives_json_and_fails_at_the_end(home: Home) -> None:
    runner = CliRunner(env={HOME_VARIABLE: str(home.settings.home)})
    arguments = ["identify", "--timeline", "--json", "missing.wav", str(home.two)]
    shown = runner.invoke(main, arguments)
    missing, found = (msgspec.json.decode(line) for line in shown.stdout.splitlines())
    assert shown.exit_code == 1
    assert "no such file" in missing["error"]
    assert len(found["timeline"]) == len(TWO)
