"""Input features of a recording: notes in their frequency bins and LLR bins, however loud."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint import BANDS, FRAME_SAMPLES, LLR_BIN_FRAMES, SAMPLE_RATE
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.onset_features import (
    BIN_CONTEXT,
    BIN_WINDOW,
    BINS_OF_BAND,
    CONTEXT_BEFORE,
    onset_features,
)

BEGINS = 2 * SAMPLE_RATE
NOTE_BIN = 50


def a_note(seconds: int = 4) -> Float32s:
    """Make noise, in which a sine of the middle of a bin begins."""
    samples = np.random.default_rng(1).normal(0, 0.01, seconds * SAMPLE_RATE)
    times = np.arange(len(samples) - BEGINS) / SAMPLE_RATE
    samples[BEGINS:] += 0.1 * np.sin(2 * np.pi * NOTE_BIN * SAMPLE_RATE / BIN_WINDOW * times)
    return samples.astype(np.float32)


def test_a_note_rises_in_its_bin_where_it_begins() -> None:
    spectrum = onset_features(a_note()).spectrum
    begins = round(BEGINS / (FRAME_SAMPLES * LLR_BIN_FRAMES)) + CONTEXT_BEFORE
    rise = spectrum[begins + 2 : begins + 20].mean(axis=0) - spectrum[:begins].mean(axis=0)
    assert rise.argmax() == NOTE_BIN
    steps = np.diff(spectrum[begins - 8 : begins + 8, NOTE_BIN])
    assert steps.argmax() - 8 == pytest.approx(0, abs=3)


def test_a_bin_with_a_note_is_louder_than_its_band_and_changes_more() -> None:
    bins = onset_features(a_note()).bins
    assert bins[:, 0].argmax() == NOTE_BIN
    assert bins[:, 1].argmax() == NOTE_BIN


@pytest.mark.parametrize("loudness", [0.03, 10.0])
def test_loudness_does_not_matter(loudness: float) -> None:
    plain, scaled = onset_features(a_note()), onset_features(np.float32(loudness) * a_note())
    np.testing.assert_allclose(scaled.spectrum, plain.spectrum, atol=0.1)
    np.testing.assert_allclose(scaled.bins, plain.bins, atol=0.1)


@pytest.mark.parametrize("samples", [0, 100, 191, 500, 5000])
def test_short_recordings_have_as_much_spectrum_as_llr_bins(samples: int) -> None:
    features = onset_features(a_note()[:samples])
    assert features.spectrum.shape == (len(features) + BIN_CONTEXT - 1, BANDS * BINS_OF_BAND)
    assert np.isfinite(features.spectrum).all()
    assert np.isfinite(features.bins).all()
