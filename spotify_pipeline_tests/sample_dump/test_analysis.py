"""What an analysis document looks like, and that no audio breaks it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from spotify_pipeline.fingerprint import fingerprint
from spotify_pipeline.sample_dump.analysis import ANALYSIS_SAMPLE_RATE, Analysis, analyse, document
from spotify_pipeline_tests.shared import shared_path

Samples = npt.NDArray[np.float32]


def clicks(seconds: float, beats_per_minute: float) -> Samples:
    """Noise bursts at a steady pace, every fourth one loud."""
    generator = np.random.default_rng(7)
    samples = np.zeros(round(seconds * ANALYSIS_SAMPLE_RATE), np.float32)
    step = 60 * ANALYSIS_SAMPLE_RATE / beats_per_minute
    for beat, start in enumerate(np.arange(0, len(samples) - 2000, step).astype(int)):
        burst = generator.normal(size=2000) * np.exp(-np.arange(2000) / 300)
        samples[start : start + 2000] += (0.4 if beat % 4 == 0 else 0.15) * burst
    return samples


def chord(seconds: float, frequencies: list[float]) -> Samples:
    times = np.arange(round(seconds * ANALYSIS_SAMPLE_RATE)) / ANALYSIS_SAMPLE_RATE
    tones = [np.sin(2 * np.pi * frequency * times) for frequency in frequencies]
    return np.asarray(0.2 * np.sum(tones, axis=0), np.float32)


def whole_document(analysis: Analysis) -> dict[str, Any]:
    prints = fingerprint(np.zeros(11025, np.float32))
    return document("7Z" + "0" * 20, analysis, prints, timestamp=1684337200, analysis_time=1.5)


def shape(value: Any) -> Any:
    """Give the keys and types of a document, a list being told by its first and last items."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0]), shape(value[-1]), len(value) if len(value) == 12 else "some"]
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_document_has_the_keys_the_order_and_the_types_of_a_real_one() -> None:
    path = shared_path("analysis", "03UrZgTINDqvnUMbbIMhql.json")
    real = json.loads(path.read_text())
    real["meta"]["track_id"] = path.stem
    made = json.loads(json.dumps(whole_document(analyse(clicks(40, 120))), allow_nan=False))
    assert json.dumps(shape(made)) == json.dumps(shape(real))


def test_numbers_are_rounded_as_in_the_dump() -> None:
    decimals: list[int] = []

    def note(text: str) -> float:
        assert "e" not in text
        decimals.append(len(text.partition(".")[2]))
        return float(text)

    json.loads(json.dumps(whole_document(analyse(clicks(20, 100)))), parse_float=note)
    assert max(decimals) == 5


@pytest.fixture(scope="module")
def seventy_seconds() -> Analysis:
    return analyse(clicks(70, 120))


@pytest.mark.parametrize("kind", ["bars", "beats", "sections", "segments", "tatums"])
def test_intervals_follow_one_another_without_gaps_inside_the_track(
    seventy_seconds: Analysis, kind: str
) -> None:
    intervals = getattr(seventy_seconds, kind)
    ends = [interval["start"] + interval["duration"] for interval in intervals]
    starts = [interval["start"] for interval in intervals]
    assert starts[1:] == pytest.approx(ends[:-1], abs=2e-5)
    assert starts[0] >= 0
    assert ends[-1] <= 70 + 1e-5
    assert all(interval["duration"] > 0 for interval in intervals)
    assert all(0 <= interval["confidence"] <= 1 for interval in intervals)


@pytest.mark.parametrize("kind", ["sections", "segments"])
def test_sections_and_segments_cover_the_whole_track(seventy_seconds: Analysis, kind: str) -> None:
    intervals = getattr(seventy_seconds, kind)
    assert intervals[0]["start"] == 0
    assert intervals[-1]["start"] + intervals[-1]["duration"] == pytest.approx(70, abs=2e-5)


def test_steady_clicks_give_their_tempo_and_meter() -> None:
    analysis = analyse(clicks(30, 120))
    assert analysis.track["tempo"] == pytest.approx(120, rel=0.02)
    assert analysis.track["time_signature"] == 4
    assert len(analysis.tatums) == 2 * len(analysis.beats)


def test_a_major_chord_gives_its_key_and_mode() -> None:
    analysis = analyse(chord(5, [293.66, 369.99, 440.0, 587.33]))
    assert (analysis.track["key"], analysis.track["mode"]) == (2, 1)
    assert int(np.argmax(analysis.segments[-1]["pitches"])) == 2


def test_segments_are_a_few_a_second_in_real_music() -> None:
    from spotify_pipeline.recording import read_recording

    music = shared_path("music", "Taiko_1.ogg")
    samples = read_recording(music, ANALYSIS_SAMPLE_RATE).samples[: 40 * ANALYSIS_SAMPLE_RATE]
    segments = analyse(samples).segments
    assert 2 < len(segments) / 40 < 8
    assert all(max(segment["pitches"]) == 1 for segment in segments)
    assert all(-60 <= segment["loudness_max"] < 6 for segment in segments)


def test_fades_are_where_the_silence_ends_and_begins() -> None:
    tone = chord(6, [440.0])
    tone[: 2 * ANALYSIS_SAMPLE_RATE] = 0
    tone[5 * ANALYSIS_SAMPLE_RATE :] = 0
    track = analyse(tone).track
    assert track["end_of_fade_in"] == pytest.approx(2, abs=0.05)
    assert track["start_of_fade_out"] == pytest.approx(5, abs=0.05)


HOSTILE = {
    "nothing": np.empty(0),
    "one sample": np.ones(1),
    "0.3 s of noise": np.random.default_rng(1).normal(size=6615),
    "silence": np.zeros(10 * ANALYSIS_SAMPLE_RATE),
    "a constant": np.full(50_000, 0.5),
    "not finite": np.array([np.nan, np.inf, -np.inf] * 20_000),
    "far beyond full scale": np.random.default_rng(2).normal(size=50_000) * 1e30,
    "one click": np.eye(1, 200_000, 100_000)[0],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_audio_gives_a_document_of_finite_numbers(name: str) -> None:
    analysis = analyse(HOSTILE[name].astype(np.float32))
    json.dumps(whole_document(analysis), allow_nan=False)  # raises on NaN and infinity
    assert analysis.num_samples == len(HOSTILE[name])
    assert analysis.sections
    assert analysis.segments
    assert all(max(segment["pitches"]) == 1 for segment in analysis.segments)


def test_silence_is_at_the_floor_of_loudness_and_has_no_beats() -> None:
    analysis = analyse(np.zeros(10 * ANALYSIS_SAMPLE_RATE, np.float32))
    assert analysis.track["loudness"] == -60
    assert analysis.track["tempo"] == 0
    assert analysis.beats == []


def test_frames_do_not_depend_on_the_blocks_they_are_computed_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = clicks(10, 130)
    whole = analyse(samples)
    monkeypatch.setattr("spotify_pipeline.sample_dump.analysis.BLOCK_FRAMES", 100)
    in_blocks = analyse(samples)
    starts = [segment["start"] for segment in whole.segments]
    assert [segment["start"] for segment in in_blocks.segments] == starts
    assert in_blocks.track == pytest.approx(whole.track, abs=0.01)


def test_nothing_lies_where_others_could_have_put_it_before(tmp_path: Path) -> None:
    code = (
        "import numpy as np; from spotify_pipeline.sample_dump.analysis import analyse;"
        "analyse(np.zeros(22050, np.float32))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
