"""Chroma: chords are heard as their pitch classes, at any speed and beside what always sounds."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint import SAMPLE_RATE
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.harmony import chroma
from spotify_pipeline.harmony.chroma import HOP_SECONDS, Spectrum, analyzer_pitches

C_MAJOR, F_SHARP_MINOR = (60, 64, 67), (54, 57, 61)


def chord(notes: tuple[int, ...], seconds: float, speed: float = 1.0) -> Float32s:
    """Play MIDI notes."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tones = [np.sin(2 * np.pi * 440 * 2 ** ((n - 69) / 12) * speed * times) for n in notes]
    return np.asarray(sum(tones) / len(notes), np.float32)


def strongest(strengths: Float32s, count: int = 3) -> set[int]:
    return set(np.argsort(-strengths)[:count].tolist())


@pytest.mark.parametrize("notes", [C_MAJOR, F_SHARP_MINOR])
def test_a_chord_is_its_pitch_classes(notes: tuple[int, ...]) -> None:
    pitches = analyzer_pitches(chord(notes, 2.0))
    assert strongest(pitches[20]) == {note % 12 for note in notes}


@pytest.mark.parametrize("speed", [0.96, 1.0, 1.04])
def test_at_its_speed_a_recording_is_in_its_key(speed: float) -> None:
    samples = np.concatenate([chord(C_MAJOR, 1.0, speed), chord(F_SHARP_MINOR, 1.0, speed)] * 2)
    recording = Spectrum.of(samples).chroma(speed)
    for second, notes in enumerate((C_MAJOR, F_SHARP_MINOR)):
        frame = round((second + 0.5) / HOP_SECONDS)
        assert strongest(recording[frame]) == {note % 12 for note in notes}


def test_what_sounds_all_the_time_is_not_heard() -> None:
    hum = 2 * chord((45,), 4.0)
    samples = hum + np.concatenate([chord(C_MAJOR, 1.0), chord((62,), 3.0)])
    recording = Spectrum.of(samples).chroma()
    assert strongest(recording[round(0.5 / HOP_SECONDS)]) == {0, 4, 7}
    assert strongest(analyzer_pitches(samples)[round(0.5 / HOP_SECONDS)], 1) == {9}


def test_a_long_recording_is_the_same_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(1).standard_normal(3 * SAMPLE_RATE).astype(np.float32)
    whole = Spectrum.of(samples).power
    monkeypatch.setattr(chroma, "BLOCK_FRAMES", 7)
    assert np.array_equal(Spectrum.of(samples).power, whole)


@pytest.mark.parametrize("samples", [0, 1, 100])
def test_of_next_to_nothing_there_is_a_frame(samples: int) -> None:
    nothing = np.zeros(samples, np.float32)
    assert Spectrum.of(nothing).chroma().shape == (1, 12)
    assert np.isfinite(Spectrum.of(nothing).chroma()).all()
    assert analyzer_pitches(nothing).shape == (1, 12)
