"""LLRs of onsets: high where a clean recording has them, and never out of bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAME_SAMPLES,
    LLR_BIN_FRAMES,
    SAMPLE_RATE,
    OnsetTrains,
    bin_llr,
    fingerprint,
    frame_llr_of_onsets,
    llr_at_speed,
    llr_of_onsets,
    onset_llr,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.onset_llr import expected_evidence, moments
from spotify_pipeline_tests.onset_trains import onset_trains

LLR_BIN_SAMPLES = LLR_BIN_FRAMES * FRAME_SAMPLES


def beats(seconds: int) -> Float32s:
    """Make bursts of noise at random times."""
    generator = np.random.default_rng(5)
    samples = 0.001 * generator.standard_normal(seconds * SAMPLE_RATE)
    for start in generator.integers(0, len(samples) - 3000, 6 * seconds):
        burst = generator.standard_normal(3000) * np.exp(-np.arange(3000) / 600)
        samples[start : start + 3000] += 0.1 * burst
    return samples.astype(np.float32)


def mean_llr(llr: Float32s, trains: OnsetTrains) -> float:
    bands = np.repeat(np.arange(BANDS), trains.counts)
    llr_bins = trains.frames // LLR_BIN_FRAMES
    inside = llr_bins < len(llr)
    return float(llr[llr_bins[inside], bands[inside]].mean())


@pytest.mark.parametrize("loudness", [0.0, 0.03])
def test_llr_are_high_where_the_clean_recording_has_onsets(loudness: float) -> None:
    clean = beats(12)
    noisy = clean + loudness * np.random.default_rng(1).standard_normal(len(clean))
    llr = onset_llr(noisy.astype(np.float32))
    assert mean_llr(llr, fingerprint(clean).rhythm) > 1
    assert llr.mean() < 0


def test_a_llr_bin_has_its_frames() -> None:
    samples = beats(3)
    assert onset_llr(samples).shape[1] == BANDS
    assert len(onset_llr(samples)) == pytest.approx(len(samples) / LLR_BIN_SAMPLES, abs=3)


@given(length=st.integers(0, 4000), level=st.sampled_from([0.0, 1e-6, 1.0]))
@settings(deadline=None, max_examples=30)
def test_any_recording_has_finite_llr(length: int, level: float) -> None:
    samples = level * np.random.default_rng(length).standard_normal(length)
    llr = onset_llr(samples.astype(np.float32))
    assert llr.dtype == np.float32
    assert np.isfinite(llr).all()


@given(trains=onset_trains(longest_gap=120))
@settings(deadline=None, max_examples=30)
def test_known_onsets_are_what_is_likely(trains: OnsetTrains) -> None:
    llr = llr_of_onsets(trains)
    if len(trains) == 0:
        assert llr.shape == (0, BANDS)
    else:
        frames = {(frame, band) for band in range(BANDS) for frame in trains.band(band).tolist()}
        llr = frame_llr_of_onsets(trains)
        assert set(zip(*np.nonzero(llr == llr.max()), strict=True)) == frames


@pytest.mark.parametrize("speed", [0.96, 1.0, 1.03])
def test_llr_at_a_speed_are_as_much_longer(speed: float) -> None:
    llr = np.zeros((1000, BANDS), np.float32)
    llr[500, 3] = 7
    faster = llr_at_speed(llr, speed)
    assert len(faster) == int(1000 * speed)
    assert faster[:, 3].argmax() == pytest.approx(500 * speed, abs=1)
    assert faster.max() <= 7


@pytest.mark.parametrize("speed", [0.962, 0.99, 1.017, 1.04])
def test_a_recording_is_expected_to_tell_as_much_at_another_speed(speed: float) -> None:
    llr = llr_of_onsets(fingerprint(beats(12)).rhythm)
    evidence = expected_evidence(llr).sum()
    assert expected_evidence(llr_at_speed(llr, speed)).sum() == pytest.approx(
        speed * evidence, rel=0.08
    )


def random_frames(llr_bins: int = 50) -> Float32s:
    generator = np.random.default_rng(4)
    return generator.normal(-1, 2, (llr_bins * LLR_BIN_FRAMES, BANDS)).astype(np.float32)


def test_a_llr_bin_is_as_likely_as_its_frames_together() -> None:
    frames = random_frames()
    llr_bins = bin_llr(frames)
    for llr_bin in (0, 17, 49):
        chances = np.exp(frames[llr_bin * LLR_BIN_FRAMES : (llr_bin + 1) * LLR_BIN_FRAMES])
        np.testing.assert_allclose(np.exp(llr_bins[llr_bin]), chances.mean(axis=0), rtol=1e-4)
    assert len(bin_llr(frames[:-1])) == 49


def test_moments_are_those_of_onsets_drawn_as_the_llr_say() -> None:
    frames = random_frames(3)
    mean, variance = moments(frames)
    generator = np.random.default_rng(6)
    any_frame = np.exp(-3.4) / LLR_BIN_FRAMES
    for llr_bin, band in ((0, 0), (1, 3), (2, 7)):
        llr = frames[llr_bin * LLR_BIN_FRAMES : (llr_bin + 1) * LLR_BIN_FRAMES, band]
        weights = np.array([1.0, *(any_frame * np.exp(llr.astype(np.float64)))])
        drawn = generator.choice(5, 200_000, p=weights / weights.sum())
        evidence = np.array([0.0, *llr])[drawn]
        assert mean[llr_bin, band] == pytest.approx(evidence.mean(), abs=0.01)
        assert variance[llr_bin, band] == pytest.approx(evidence.var(), rel=0.05, abs=0.01)


def test_a_llr_bin_without_evidence_tells_nothing() -> None:
    llr = np.zeros((3, BANDS), np.float32)
    llr[1, 2], llr[2, 2] = 4, -2
    evidence = expected_evidence(llr).sum(axis=1)
    assert evidence[0] == pytest.approx(0)
    assert evidence[1] > evidence[2] > 0
