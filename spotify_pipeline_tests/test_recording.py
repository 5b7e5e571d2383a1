"""Audio files of every kind decoded, and files that are no audio refused.

Files are written by libsndfile. Where the real ffmpeg would be called, a small program of that name
stands in for it: it understands one synthetic format and fails in ffmpeg's way at anything else.
"""

import os
import sys
import tracemalloc
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr

from spotify_pipeline.errors import PipelineError
from spotify_pipeline.recording import (
    RecordingError,
    printable,
    read_for_fingerprint,
    read_recording,
    stream_for_fingerprint,
    stream_recording,
)
from spotify_pipeline.resampling import analyzer_samples

RATE = 11025
Floats = npt.NDArray[np.floating]


def sine(seconds: float, rate: int, hertz: float = 300.0) -> Floats:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write(path: Path, samples: Floats, rate: int = RATE, subtype: str | None = None) -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


@pytest.fixture(autouse=True)
def without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64"])
def test_a_file_is_decoded_at_its_length_and_level(tmp_path: Path, suffix: str) -> None:
    recording = read_recording(write(tmp_path / f"a.{suffix}", sine(2, 44100), 44100), RATE)
    assert recording.sample_rate == RATE
    assert recording.samples.dtype == np.float32
    assert recording.samples.ndim == 1
    assert recording.duration == pytest.approx(2, abs=0.01)
    assert recording.duration == len(recording.samples) / RATE
    middle = recording.samples[RATE // 2 : -RATE // 2]
    assert np.sqrt((middle**2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_full_scale_is_one_at_every_width(tmp_path: Path, subtype: str) -> None:
    path = write(tmp_path / "a.wav", sine(1, RATE), subtype=subtype)
    expected = sine(1, RATE)
    np.testing.assert_allclose(read_recording(path, RATE).samples, expected, atol=0.01)


@pytest.mark.parametrize("rate", [1000, 8000, 22050, 48000, 96000])
def test_another_rate_is_resampled(tmp_path: Path, rate: int) -> None:
    found = read_recording(write(tmp_path / "a.wav", sine(2, rate), rate), RATE).samples
    assert len(found) == 2 * RATE
    edge = RATE // 4
    np.testing.assert_allclose(found[edge:-edge], sine(2, RATE)[edge:-edge], atol=0.01)


def test_the_rate_asked_for_is_given(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path / "a.wav", sine(1, 44100), 44100), 22050)
    assert recording.sample_rate == len(recording.samples) == 22050


def test_samples_at_the_rate_asked_for_are_left_as_they_are(tmp_path: Path) -> None:
    integers = np.random.default_rng(0).integers(-(2**15), 2**15, 5000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", integers, RATE)
    found = read_recording(tmp_path / "a.wav", RATE).samples
    np.testing.assert_array_equal(found, (integers / 32768).astype(np.float32))


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    levels = np.linspace(0.1, 0.6, channels)
    samples = np.outer(np.sign(sine(1, RATE)), levels)
    found = read_recording(write(tmp_path / "a.wav", samples, subtype="FLOAT"), RATE).samples
    np.testing.assert_allclose(np.abs(found[1:]).mean(), levels.mean(), rtol=0.01)


def test_channels_that_cancel_out_are_silence(tmp_path: Path) -> None:
    opposed = np.stack((sine(1, RATE), -sine(1, RATE)), axis=1)
    found = read_recording(write(tmp_path / "a.wav", opposed, subtype="FLOAT"), RATE).samples
    assert np.abs(found).max() < 1e-6


def test_a_single_sample_is_a_recording(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path / "a.wav", np.array([0.5])), RATE)
    assert recording.samples.tolist() == [0.5]
    assert recording.duration == 1 / RATE


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", sine(1, RATE)).rename(tmp_path / "a.mp3")
    assert read_recording(path, RATE).duration == 1


@pytest.mark.skipif(sys.platform == "darwin", reason="names are Unicode there")
def test_a_name_that_is_not_utf_8_is_read(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe.wav")
    write(tmp_path / "a.wav", sine(1, RATE)).rename(path)
    assert read_recording(path, RATE).duration == 1


@pytest.mark.skipif(sys.platform == "darwin", reason="names are Unicode there")
def test_an_error_about_a_name_that_is_not_utf_8_can_be_written_as_utf_8(
    tmp_path: Path,
) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe.txt")
    path.write_text("no audio")
    with pytest.raises(RecordingError) as caught:
        read_recording(path, RATE)
    assert printable(path) in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("name", ["plain.wav", "Δέλτα 🎹.flac", 'quo"te.mp3'])
def test_a_name_that_is_text_is_printed_as_it_is(name: str) -> None:
    assert printable(Path(name)) == name


def assert_refused(path: Path, reason: str) -> None:
    with pytest.raises(RecordingError, match=reason) as caught:
        read_recording(path, RATE)
    assert isinstance(caught.value, PipelineError)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.wav", "no such file")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", sine(1, RATE))
    assert_refused(tmp_path, "is a folder; name the files in it")


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert_refused(Path("a\0b.wav"), "no such file")


def test_a_name_longer_than_the_disk_takes_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / ("a" * 300), "name too long|no such file")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.touch()
    assert_refused(path, "the file is empty")


@pytest.mark.parametrize("name", ["a.txt", "a.wav", "a.mp3", "a.raw", "a"])
def test_a_text_file_is_refused_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("This is no audio.\n" * 100)
    assert_refused(path, "not a format that libsndfile reads.*install ffmpeg")


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    assert_refused(write(tmp_path / "a.wav", np.empty(0)), "holds no audio")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_sample_that_is_not_finite_is_refused(tmp_path: Path, bad: float, channels: int) -> None:
    samples = np.stack([sine(1, RATE)] * channels, axis=1)
    samples[100, 0] = bad
    path = write(tmp_path / "a.wav", samples, subtype="DOUBLE")
    assert_refused(path, "NaN or infinite")


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("sample", [1e10, 1e25, 3e38])
@pytest.mark.parametrize(("channels", "rate"), [(2, RATE), (1, 8000), (1, RATE)])
def test_samples_that_would_overflow_on_the_way_are_refused(
    tmp_path: Path, channels: int, rate: int, sample: float
) -> None:
    samples = np.full((8000, channels), sample)
    path = write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    assert_refused(path, "a sample is .*, where 1 is full scale|NaN or infinite")


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 2.0**31])
def test_samples_of_another_scale_are_read(tmp_path: Path, scale: float) -> None:
    samples = sine(1, RATE) * scale
    found = read_recording(write(tmp_path / "a.wav", samples, subtype="FLOAT"), RATE).samples
    np.testing.assert_array_equal(found, samples.astype(np.float32))


def test_a_thousand_channels_are_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((20_000, 1000), np.int16), RATE)
    tracemalloc.start()
    try:
        assert read_recording(path, RATE).duration == 20_000 / RATE
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_sample_rate_that_would_stretch_it_beyond_memory_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros(1_000_000), 1)
    assert_refused(path, "no recording has 1 samples a second")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_damaged_file_is_read_in_part_or_refused(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"a.{suffix}", sine(1, RATE)).read_bytes()
    generator = np.random.default_rng(0)
    path = tmp_path / f"damaged.{suffix}"
    for _ in range(40):
        content = bytearray(whole[: generator.integers(1, len(whole) + 1)])
        for position in generator.integers(0, len(content), 3):
            content[position] = generator.integers(256)
        path.write_bytes(content)
        try:
            recording = read_recording(path, RATE)
        except RecordingError:
            continue
        assert np.isfinite(recording.samples).all()


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_what_is_streamed_equals_the_whole_resampled_at_once(
    tmp_path: Path, suffix: str, rate: int
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (40 * rate, 2))
    path = write(tmp_path / f"a.{suffix}", noise, rate)
    whole = soundfile.read(path, dtype="float32")[0].mean(axis=1)
    blocks = list(stream_recording(path, RATE))
    np.testing.assert_array_equal(np.concatenate(blocks), soxr.resample(whole, rate, RATE))
    np.testing.assert_array_equal(np.concatenate(blocks), read_recording(path, RATE).samples)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100])
def test_what_is_streamed_for_fingerprints_equals_the_whole(tmp_path: Path, rate: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (20 * rate, 2))
    path = write(tmp_path / "a.wav", noise, rate)
    whole = soundfile.read(path, dtype="float32")[0].mean(axis=1)
    blocks = np.concatenate(list(stream_for_fingerprint(path)))
    np.testing.assert_array_equal(blocks, analyzer_samples(whole, rate))
    recording = read_for_fingerprint(path)
    np.testing.assert_array_equal(recording.samples, blocks)
    assert (recording.sample_rate, recording.duration) == (RATE, 20)


def test_a_long_recording_is_streamed_in_little_memory(tmp_path: Path) -> None:
    minutes = 10
    path = write(tmp_path / "a.wav", sine(60 * minutes, 44100), 44100)
    tracemalloc.start()
    try:
        seconds = sum(len(block) for block in stream_recording(path, RATE)) / RATE
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds == pytest.approx(60 * minutes)
    assert peak < 0.1 * path.stat().st_size


def test_what_is_wrong_deep_in_a_file_is_reported_where_it_is_reached(tmp_path: Path) -> None:
    samples = sine(60, RATE)
    samples[-1] = np.nan
    stream = stream_recording(write(tmp_path / "a.wav", samples, subtype="FLOAT"), RATE)
    assert len(next(stream)) > 0
    with pytest.raises(RecordingError, match="NaN or infinite"):
        list(stream)


STAND_IN = """
import array, pathlib, sys
arguments = sys.argv[1:]
name = arguments[arguments.index("-i") + 1]
rate = int(arguments[arguments.index("-ar") + 1])
if ":" in name and "/" not in name.split(":")[0]:
    sys.exit(f"{name}: Protocol not found")
content = pathlib.Path(name).read_bytes()
if content.startswith(b"#EXTM3U") and "hls" not in arguments[
    arguments.index("-format_whitelist") + 1
].split(","):
    sys.exit("Format not on whitelist")
if content == b"only pictures":
    sys.exit(0)
if not content.startswith(b"made-up format "):
    sys.exit(f"[demuxer] some detail\\n{name}: Invalid data found when processing input")
sample = float(content.split()[-1])
second = array.array("f", [sample] * rate).tobytes()
sys.stdout.buffer.write(second)
while b"endless" in content:
    sys.stdout.buffer.write(second)
if b"damaged" in content:
    sys.exit("[demuxer] some detail\\n" * 10_000 + "damaged")
"""
"""Gives a second of the sample that the file names; takes a name before a colon for a protocol."""


@pytest.fixture
def ffmpeg(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in for ffmpeg on the path, and nothing else."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "stand_in.py").write_text(STAND_IN)
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{folder / 'stand_in.py'}' \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_another_format_is_read(ffmpeg: None, tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(b"made-up format 0.25")
    recording = read_recording(path, 22050)
    assert recording.samples.dtype == np.float32
    assert recording.samples.tolist() == [0.25] * 22050
    assert (recording.sample_rate, recording.duration) == (22050, 1.0)


def test_a_playlist_which_names_other_files_is_refused(ffmpeg: None, tmp_path: Path) -> None:
    path = tmp_path / "a.m3u8"
    path.write_bytes(b"#EXTM3U\nfile:///etc/passwd\n")
    assert_refused(path, "not on whitelist")


def test_a_file_without_header_by_its_name_is_read(ffmpeg: None, tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(b"made-up format 0.25")
    assert read_recording(path, RATE).duration == 1


@pytest.mark.parametrize("name", ["Mozart: Requiem.m4a", "-y.m4a", "a b'c\".m4a", "http:x.m4a"])
def test_any_relative_name_is_read(
    ffmpeg: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(b"made-up format 0.25")
    assert read_recording(Path(name), RATE).duration == 1


def test_the_last_line_of_what_ffmpeg_says_is_the_reason(ffmpeg: None, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("no audio")
    with pytest.raises(RecordingError, match=r"ffmpeg can't read it: .*Invalid data") as caught:
        read_recording(path, RATE)
    assert str(caught.value).startswith(f"{path}: ")
    assert "some detail" not in str(caught.value)


def test_a_file_without_audio_is_refused(ffmpeg: None, tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"only pictures")
    with pytest.raises(RecordingError, match="no audio"):
        read_recording(path, RATE)


def test_a_sample_that_is_not_finite_is_refused_from_ffmpeg_too(
    ffmpeg: None, tmp_path: Path
) -> None:
    path = tmp_path / "a.mka"
    path.write_bytes(b"made-up format nan")
    with pytest.raises(RecordingError, match="NaN or infinite"):
        read_recording(path, RATE)


def test_a_stream_from_ffmpeg_can_be_left_before_its_end(ffmpeg: None, tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(b"made-up format endless 0.25")
    stream = stream_recording(path, RATE)
    blocks = list(islice(stream, 3))
    assert all((block == 0.25).all() for block in blocks)
    stream.close()


def test_damage_is_reported_once_the_stream_from_ffmpeg_gets_there(
    ffmpeg: None, tmp_path: Path
) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(b"made-up format damaged 0.25")
    stream = stream_recording(path, RATE)
    assert next(stream).tolist() == [0.25] * RATE
    with pytest.raises(RecordingError, match="ffmpeg can't read it: damaged"):
        next(stream)


def test_libsndfile_goes_first(ffmpeg: None, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", sine(2, RATE))
    assert read_recording(path, RATE).duration == 2
