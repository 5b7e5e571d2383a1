"""What a user hands in: audio, a document of the dump, or a line of fingerprint strings."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from spotify_pipeline.fingerprint import SAMPLE_RATE, codes_of_trains, fingerprint
from spotify_pipeline.identify.query import read_query
from spotify_pipeline.recording import RecordingError, read_for_fingerprint
from spotify_pipeline_tests.documents import (
    echoprint_trains,
    make_document,
    make_track_id,
    rhythm_trains,
)
from spotify_pipeline_tests.tracks import NO_ONSETS

TRACK_ID = make_track_id("0a", 1)
NO_FINGERPRINT = "holds neither an echoprintstring nor a rhythmstring"
BROKEN = "no fingerprint can be read from it"


def write_json(folder: Path, content: object, name: str = "query.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else msgspec.json.encode(content))
    return path


def strings(**changes: Any) -> dict[str, Any]:
    """Give the two strings of a document and its duration, some of them changed."""
    track = make_document(TRACK_ID)["track"]
    kept = {key: track[key] for key in ("duration", "echoprintstring", "rhythmstring")}
    return kept | changes


def test_audio_is_fingerprinted(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(size=3 * SAMPLE_RATE)
    soundfile.write(tmp_path / "noise.wav", 0.2 * noise, SAMPLE_RATE)
    query = read_query(tmp_path / "noise.wav")
    assert query.fingerprint == fingerprint(read_for_fingerprint(tmp_path / "noise.wav").samples)
    assert len(query.fingerprint.rhythm) > 0
    assert query.duration == pytest.approx(3.0)


def test_an_analysis_document_is_a_query(tmp_path: Path) -> None:
    query = read_query(write_json(tmp_path, make_document(TRACK_ID), "document.JSON"))
    assert query.fingerprint.rhythm == rhythm_trains(TRACK_ID)
    codes = codes_of_trains(query.fingerprint.echoprint)
    assert codes == codes_of_trains(echoprint_trains(TRACK_ID))
    assert query.duration == 30.0


def test_a_line_of_strings_is_a_query(tmp_path: Path) -> None:
    query = read_query(write_json(tmp_path, strings(file="somewhere.mp3", rhythm_version=1)))
    assert query.fingerprint.rhythm == rhythm_trains(TRACK_ID)
    assert len(query.fingerprint.echoprint) > 0
    assert query.duration == 30.0


@pytest.mark.parametrize("absent", ["", None])
def test_one_string_is_enough(tmp_path: Path, absent: str | None) -> None:
    rhythm = read_query(write_json(tmp_path, strings(echoprintstring=absent))).fingerprint
    echoprint = read_query(write_json(tmp_path, strings(rhythmstring=absent))).fingerprint
    assert rhythm.echoprint == echoprint.rhythm == NO_ONSETS
    assert len(rhythm.rhythm) > len(echoprint.echoprint) > 0


@pytest.mark.parametrize("duration", [None, 177, 177.25])
def test_any_duration_or_none_is_taken(tmp_path: Path, duration: float | None) -> None:
    assert read_query(write_json(tmp_path, strings(duration=duration))).duration == duration
    without = strings()
    del without["duration"]
    assert read_query(write_json(tmp_path, without)).duration is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", BROKEN),
        (b"[]", BROKEN),
        (b"null", BROKEN),
        (b"\xff\xfe{", BROKEN),
        (b'{"rhythmstring": "', BROKEN),
        (b'{"rhythmstring": "\xff"}', BROKEN),
        (b'{"other": ' + 100_000 * b"[", BROKEN),
        (strings(duration="long"), BROKEN),
        (strings(rhythmstring=5), BROKEN),
        (strings(rhythmstring="no string"), BROKEN),
        (strings(echoprintstring=strings()["echoprintstring"][:-40]), BROKEN),
        (strings(echoprintstring=strings()["rhythmstring"]), BROKEN),
        ({}, NO_FINGERPRINT),
        ({"track": {"echoprintstring": "", "rhythmstring": ""}}, NO_FINGERPRINT),
        ({"track": {}} | strings(), NO_FINGERPRINT),
    ],
)
def test_a_broken_fingerprint_file_is_named(tmp_path: Path, content: object, reason: str) -> None:
    with pytest.raises(RecordingError, match=rf"query\.json: {reason}"):
        read_query(write_json(tmp_path, content))


@pytest.mark.parametrize("name", ["missing.json", "missing.wav", "folder.json"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(RecordingError, match=name):
        read_query(tmp_path / name)


def test_a_decoder_that_gives_nonsense_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = tmp_path / "bin" / "ffmpeg"
    decoder.parent.mkdir()
    decoder.write_text(
        f"#!{sys.executable}\nimport sys\nsys.stdout.buffer.write(b'\\xff' * 4000)\n"
    )
    decoder.chmod(0o755)
    monkeypatch.setenv("PATH", str(decoder.parent))
    (tmp_path / "film.mkv").write_bytes(b"not a format of libsndfile")
    with pytest.raises(RecordingError, match=r"film\.mkv: a sample is NaN"):
        read_query(tmp_path / "film.mkv")
