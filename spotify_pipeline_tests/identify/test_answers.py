"""From files to answers with names: composed music, noisy excerpts of it, and fingerprint files."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import soundfile

from spotify_pipeline.demo.composer import compose
from spotify_pipeline.demo.excerpt import write_noisy_excerpt
from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.identify.answers import Failure, answer_files
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.detector import Answer
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.recording import read_for_fingerprint
from spotify_pipeline.store.database import DatabaseError
from spotify_pipeline.store.metadata import build_metadata
from spotify_pipeline_tests.documents import make_document, make_track_id
from spotify_pipeline_tests.metadata_file import TRACK_IDS, write_metadata
from spotify_pipeline_tests.tracks import NO_ONSETS, Track, make_track, publish_tracks

ANSWER_KEYS = ["file", "duration", "identified", "matches", "elapsed", "complete"]
MATCH_KEYS = (
    "track_id title artists album isrc confidence score offset duration popularity recording"
    " speed also_at"
).split()  # the order in which they are printed

EXCERPT_START = 21.5
EXCERPT_SECONDS = 8.0

NAMED = TRACK_IDS[0]
"""The indexed track that the catalogue knows: composed piece 0."""

TWINS = make_track_id("0a", 5), make_track_id("0b", 5)
"""Two ids of one synthetic recording; the catalogue knows neither."""

NO_DURATION = make_track_id("0a", 6)


class Home:
    """An index, a catalogue and files to identify, made once for the module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = folder / "index"
        self.catalogue = folder / "meta.duckdb"
        self.known = self._excerpt(0)
        self.unknown = self._excerpt(1)
        build_metadata(write_metadata(folder / "source.sqlite3"), folder, self.catalogue)
        piece = read_for_fingerprint(folder / "piece 0.flac")
        found = fingerprint(piece.samples)
        twin, silent = make_track(5), make_track(6)
        tracks = [Track(NAMED, piece.duration, found.rhythm, found.echoprint)]
        tracks += [Track(name, 60.0, twin.rhythm, twin.echoprint) for name in TWINS]
        tracks.append(Track(NO_DURATION, None, silent.rhythm, silent.echoprint))
        publish_tracks(self.index, tracks)

    def _excerpt(self, seed: int) -> Path:
        """Compose a piece and cut an excerpt of it."""
        piece, target = compose(seed), self.folder / f"excerpt {seed}.mp3"
        source = self.folder / f"piece {seed}.flac"
        soundfile.write(source, piece.samples, piece.sample_rate)
        write_noisy_excerpt(
            source,
            target,
            start=EXCERPT_START,
            seconds=EXCERPT_SECONDS,
            noise_decibel=10,
            seed=1,
        )
        return target

    def document(self, track_id: str) -> Path:
        """Write the document of a synthetic track."""
        path = self.folder / f"{track_id}.json"
        path.write_bytes(msgspec.json.encode(make_document(track_id, duration=60.0)))
        return path

    def answer(self, file: Path, *, catalogue: Path | None = None) -> Answer:
        """Identify one file that can be read."""
        (found,) = answer_files([file], self.index, catalogue or self.catalogue)
        assert isinstance(found, Answer)
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


def test_a_noisy_excerpt_is_named_with_its_offset(home: Home) -> None:
    found = home.answer(home.known)
    assert found.identified
    assert found.file == str(home.known)
    assert found.duration == pytest.approx(EXCERPT_SECONDS, abs=0.001)
    match = found.matches[0]
    assert (match.track_id, match.title, match.album) == (NAMED, "Δέλτα", "Ænima")
    assert match.artists == ("Abba\x00nul", "Zoë", "")
    assert match.isrc == "USABC9600001"
    assert match.offset == pytest.approx(EXCERPT_START, abs=0.1)
    assert THRESHOLD <= match.confidence <= 1
    assert match.score > 0
    assert match.duration is not None
    assert 60 < match.duration < 95


def test_a_query_of_trains_that_the_index_lacks_is_an_error_and_not_an_unknown(
    tmp_path: Path, home: Home
) -> None:
    track = make_track(5)
    publish_tracks(tmp_path / "index", [Track(TWINS[0], 60.0, track.rhythm, NO_ONSETS)])
    document = make_document(TWINS[0], duration=60.0)
    del document["track"]["rhythmstring"]
    query = tmp_path / "echoprint.json"
    query.write_bytes(msgspec.json.encode(document))
    [answer] = answer_files([query], tmp_path / "index", home.catalogue)
    assert isinstance(answer, Failure)
    assert "SPOTIFY_PIPELINE_INDEX=both" in answer.error


def test_an_excerpt_of_an_unknown_piece_has_no_matches(home: Home) -> None:
    found = home.answer(home.unknown)
    assert not found.identified
    assert found.matches == ()
    assert found.duration == pytest.approx(EXCERPT_SECONDS, abs=0.001)


def test_silence_is_unknown(home: Home) -> None:
    silence = home.folder / "silence.wav"
    soundfile.write(silence, [0.0] * 22_050, 11_025)
    assert not home.answer(silence).identified


def test_the_json_has_these_keys_in_this_order(home: Home) -> None:
    line = msgspec.json.decode(msgspec.json.encode(home.answer(home.known)))
    assert list(line) == ANSWER_KEYS
    assert list(line["matches"][0]) == MATCH_KEYS
    unknown = msgspec.json.decode(msgspec.json.encode(home.answer(home.unknown)))
    assert list(unknown) == ANSWER_KEYS
    assert (unknown["identified"], unknown["matches"]) == (False, [])


def test_without_a_catalogue_a_match_has_no_names(home: Home, tmp_path: Path) -> None:
    match = home.answer(home.known, catalogue=tmp_path / "none.duckdb").matches[0]
    assert match.track_id == NAMED
    assert (match.title, match.artists, match.album, match.isrc) == (None, (), None, None)
    assert not (tmp_path / "none.duckdb").exists()


def test_a_track_that_the_catalogue_does_not_know_has_no_names(home: Home) -> None:
    match = home.answer(home.document(TWINS[0])).matches[0]
    assert match.track_id in TWINS
    assert (match.title, match.artists, match.album, match.isrc) == (None, (), None, None)
    assert match.duration == 60.0


def test_a_track_without_a_duration_is_given_without(home: Home) -> None:
    match = home.answer(home.document(NO_DURATION)).matches[0]
    assert (match.track_id, match.duration) == (NO_DURATION, None)


def test_no_more_matches_are_given_than_asked_for(home: Home) -> None:
    document = home.document(TWINS[0])
    everything = home.answer(document)
    assert {match.track_id for match in everything.matches} == set(TWINS)
    assert [match.recording for match in everything.matches] == [0, 0]
    (limited,) = answer_files([document], home.index, home.catalogue, limit=1)
    assert isinstance(limited, Answer)
    assert len(limited.matches) == 1


def test_a_match_below_the_threshold_is_not_given(home: Home) -> None:
    confidence = home.answer(home.known).matches[0].confidence
    answers = [
        next(answer_files([home.known], home.index, home.catalogue, threshold=threshold))
        for threshold in (confidence - 0.01, 1.01)
    ]
    assert [isinstance(found, Answer) and found.identified for found in answers] == [True, False]


def test_a_file_that_cannot_be_read_does_not_stop_the_rest(home: Home) -> None:
    broken = home.folder / "broken.json"
    broken.write_text("{")
    files = [home.folder / "missing.wav", broken, home.known]
    missing, unread, answer = answer_files(files, home.index, home.catalogue)
    assert isinstance(missing, Failure)
    assert isinstance(unread, Failure)
    assert isinstance(answer, Answer)
    assert (missing.file, unread.file) == (str(files[0]), str(broken))
    assert "missing.wav: no such file" in missing.error
    assert "broken.json: no fingerprint" in unread.error
    assert answer.identified
    assert list(msgspec.json.decode(msgspec.json.encode(missing))) == ["file", "error"]


def test_answers_come_as_the_files_are_given(home: Home) -> None:
    def files() -> Iterator[Path]:
        yield home.known
        pytest.fail("the second file was asked for before the first was answered")

    assert isinstance(next(answer_files(files(), home.index, home.catalogue)), Answer)


def test_a_name_of_any_bytes_can_be_written(home: Home) -> None:
    good, broken = (
        Path(os.fsdecode(bytes(home.folder) + b"/%b\xff.json" % n)) for n in (b"g", b"b")
    )
    good.write_bytes(home.document(TWINS[0]).read_bytes())
    broken.write_text("{")
    for path, key in ((good, b"matches"), (broken, b"error")):
        (found,) = answer_files([path], home.index, home.catalogue)
        assert key in msgspec.json.encode(found)


def test_without_an_index_the_error_says_what_to_do(home: Home, tmp_path: Path) -> None:
    with pytest.raises(FeatureIndexError, match="run 'spotify-pipeline ingest'"):
        next(answer_files([home.known], tmp_path, home.catalogue))


def test_a_damaged_catalogue_is_an_error(home: Home, tmp_path: Path) -> None:
    (tmp_path / "meta.duckdb").write_bytes(b"x" * 50_000)
    with pytest.raises(DatabaseError, match=r"meta\.duckdb"):
        home.answer(home.known, catalogue=tmp_path / "meta.duckdb")
