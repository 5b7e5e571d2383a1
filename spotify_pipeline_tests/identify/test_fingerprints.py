"""Recordings to lines of fingerprint strings, which are queries in their turn."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from spotify_pipeline.fingerprint import codes_of_trains, decode_echoprint, decode_rhythm
from spotify_pipeline.fingerprint import fingerprint as compute
from spotify_pipeline.identify.answers import Failure
from spotify_pipeline.identify.fingerprints import FingerprintStrings, fingerprint_files
from spotify_pipeline.identify.query import read_query
from spotify_pipeline.recording import read_for_fingerprint

KEYS = "file duration echoprintstring echoprint_version rhythmstring rhythm_version".split()
SECONDS = 12.0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    noise = np.random.default_rng(1).normal(size=round(SECONDS * 22_050))
    bursts = noise * np.exp(-8 * (np.arange(len(noise)) / 22_050 % 0.45))
    soundfile.write(tmp_path / "bursts.flac", 0.2 * bursts, 22_050)
    return tmp_path / "bursts.flac"


def fingerprinted(file: Path) -> FingerprintStrings:
    (found,) = fingerprint_files([file])
    assert isinstance(found, FingerprintStrings)
    return found


def test_the_strings_are_those_of_the_recording(recording: Path) -> None:
    found = fingerprinted(recording)
    expected = compute(read_for_fingerprint(recording).samples)
    assert len(expected.rhythm) > 100
    assert decode_rhythm(found.rhythmstring) == expected.rhythm
    assert decode_echoprint(found.echoprintstring) == codes_of_trains(expected.echoprint)
    assert (found.file, found.duration) == (str(recording), SECONDS)
    assert (found.echoprint_version, found.rhythm_version) == (4.12, 1.0)


def test_the_json_has_these_keys_in_this_order(recording: Path) -> None:
    assert list(msgspec.json.decode(msgspec.json.encode(fingerprinted(recording)))) == KEYS


def test_a_line_is_a_query_for_the_same_recording(recording: Path, tmp_path: Path) -> None:
    found = fingerprinted(recording)
    (tmp_path / "line.json").write_bytes(msgspec.json.encode(found) + b"\n")
    query, original = read_query(tmp_path / "line.json"), read_query(recording)
    assert query.duration == original.duration
    assert query.fingerprint.rhythm == original.fingerprint.rhythm
    codes = [codes_of_trains(q.fingerprint.echoprint) for q in (query, original)]
    assert codes[0] == codes[1]


def test_silence_has_empty_strings(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(11_025), 11_025)
    found = fingerprinted(tmp_path / "silence.wav")
    assert (found.echoprintstring, found.rhythmstring, found.duration) == ("", "", 1.0)


def test_a_file_that_cannot_be_read_does_not_stop_the_rest(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    files = [tmp_path / "missing.wav", tmp_path / "empty.mp3", recording]
    missing, empty, found = fingerprint_files(files)
    assert missing == Failure(str(files[0]), f"{files[0]}: no such file")
    assert empty == Failure(str(files[1]), f"{files[1]}: the file is empty")
    assert isinstance(found, FingerprintStrings)
