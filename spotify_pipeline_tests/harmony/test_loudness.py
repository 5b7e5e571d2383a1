"""Loudness: it follows what an ear hears, and leaves out what is steady."""

import librosa
import numpy as np
import pytest
from librosa.filters import mel

from spotify_pipeline.fingerprint import SAMPLE_RATE
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.harmony import loudness as module
from spotify_pipeline.harmony.loudness import (
    LOUDNESS_HOP_SECONDS,
    analyzer_loudness,
    loudest_between,
    loudness,
)

SECONDS = 4.0


def tone(hertz: float, decibel: float, begin: float, end: float) -> Float32s:
    """Make a tone that sounds from one moment to another."""
    times = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    sounds = (times >= begin) & (times < end)
    return (10 ** (decibel / 20) * np.sin(2 * np.pi * hertz * times) * sounds).astype(np.float32)


def at(levels: Float32s, seconds: float) -> float:
    return float(levels[round(seconds / LOUDNESS_HOP_SECONDS)])


def test_bands_and_weights_are_those_of_librosa() -> None:
    reach = {"fmin": module.LOWEST, "fmax": module.HIGHEST, "htk": True}
    bank = mel(sr=SAMPLE_RATE, n_fft=module.WINDOW, n_mels=module.BANDS, **reach)
    middles = librosa.mel_frequencies(module.BANDS + 2, **reach)[1:-1]
    assert module._mel_weights() == pytest.approx(bank.T, abs=1e-6)
    gains = 10 * np.log10(module._ear_weights())
    assert gains == pytest.approx(librosa.A_weighting(middles), abs=0.01)


def test_ten_decibel_more_are_ten_decibel_more() -> None:
    levels = analyzer_loudness(tone(1000, -30, 0, 2) + tone(1000, -20, 2, 4))
    assert at(levels, 3) - at(levels, 1) == pytest.approx(10, abs=0.1)


def test_a_low_tone_is_not_as_loud_as_one_that_ears_hear_best() -> None:
    levels = analyzer_loudness(tone(80, -20, 0, 2) + tone(2500, -20, 2, 4))
    assert at(levels, 3) > at(levels, 1) + 10


def test_a_steady_hum_is_left_out_of_a_recording() -> None:
    music = tone(1200, -20, 1, 1.3) + tone(1200, -32, 3, 3.3)
    hum = tone(300, -20, 0, 4)

    def step(levels: Float32s) -> float:
        return at(levels, 1.15) - at(levels, 3.15)

    clean = step(loudness(music))
    assert step(analyzer_loudness(music + hum)) < clean - 4
    assert step(loudness(music + hum)) == pytest.approx(clean, abs=1.5)


@pytest.mark.parametrize("samples", [0, 1, 127, 5000])
def test_silence_and_recordings_of_no_length_have_finite_loudness(samples: int) -> None:
    for of in (loudness, analyzer_loudness):
        levels = of(np.zeros(samples, np.float32))
        assert len(levels) == samples // module.HOP + 1
        assert np.isfinite(levels).all()


def test_a_long_recording_is_as_loud_as_its_parts() -> None:
    rng = np.random.default_rng(2)
    samples = rng.standard_normal(3 * module.BLOCK_FRAMES * module.HOP).astype(np.float32)
    whole = analyzer_loudness(samples)
    begin = 2 * module.BLOCK_FRAMES * module.HOP
    part = analyzer_loudness(samples[begin:])
    assert whole[begin // module.HOP :][4:-4] == pytest.approx(part[4:-4], abs=1e-3)


def test_the_loudest_moment_of_each_segment_is_found() -> None:
    levels = np.array([1, 5, 2, 2, 9, 0, 7], np.float32)
    starts = np.array([0, 2, 5, 5, 100]) * LOUDNESS_HOP_SECONDS
    assert loudest_between(levels, starts).tolist() == [5, 9, 0, 0, 7]
