"""Odds of onsets: high where a clean recording has them, and never out of bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAME_SAMPLES,
    ODDS_CELL_FRAMES,
    SAMPLE_RATE,
    OnsetTrains,
    cell_odds,
    fingerprint,
    frame_odds_of_onsets,
    odds_at_speed,
    odds_of_onsets,
    onset_odds,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.onset_odds import information, moments
from spotify_pipeline_tests.onset_trains import onset_trains

CELL_SAMPLES = ODDS_CELL_FRAMES * FRAME_SAMPLES


def beats(seconds: int) -> Float32s:
    """Make bursts of noise at random times."""
    generator = np.random.default_rng(5)
    samples = 0.001 * generator.standard_normal(seconds * SAMPLE_RATE)
    for start in generator.integers(0, len(samples) - 3000, 6 * seconds):
        burst = generator.standard_normal(3000) * np.exp(-np.arange(3000) / 600)
        samples[start : start + 3000] += 0.1 * burst
    return samples.astype(np.float32)


def mean_odds(odds: Float32s, trains: OnsetTrains) -> float:
    bands = np.repeat(np.arange(BANDS), trains.counts)
    cells = trains.frames // ODDS_CELL_FRAMES
    inside = cells < len(odds)
    return float(odds[cells[inside], bands[inside]].mean())


@pytest.mark.parametrize("loudness", [0.0, 0.03])
def test_odds_are_high_where_the_clean_recording_has_onsets(loudness: float) -> None:
    clean = beats(12)
    noisy = clean + loudness * np.random.default_rng(1).standard_normal(len(clean))
    odds = onset_odds(noisy.astype(np.float32))
    assert mean_odds(odds, fingerprint(clean).rhythm) > 1
    assert odds.mean() < 0


def test_a_cell_has_its_frames() -> None:
    samples = beats(3)
    assert onset_odds(samples).shape[1] == BANDS
    assert len(onset_odds(samples)) == pytest.approx(len(samples) / CELL_SAMPLES, abs=3)


@given(length=st.integers(0, 4000), level=st.sampled_from([0.0, 1e-6, 1.0]))
@settings(deadline=None, max_examples=30)
def test_any_recording_has_finite_odds(length: int, level: float) -> None:
    samples = level * np.random.default_rng(length).standard_normal(length)
    odds = onset_odds(samples.astype(np.float32))
    assert odds.dtype == np.float32
    assert np.isfinite(odds).all()


@given(trains=onset_trains(longest_gap=120))
@settings(deadline=None, max_examples=30)
def test_known_onsets_are_what_is_likely(trains: OnsetTrains) -> None:
    odds = odds_of_onsets(trains)
    if len(trains) == 0:
        assert odds.shape == (0, BANDS)
    else:
        frames = {(frame, band) for band in range(BANDS) for frame in trains.band(band).tolist()}
        odds = frame_odds_of_onsets(trains)
        assert set(zip(*np.nonzero(odds == odds.max()), strict=True)) == frames


@pytest.mark.parametrize("speed", [0.96, 1.0, 1.03])
def test_odds_at_a_speed_are_as_much_longer(speed: float) -> None:
    odds = np.zeros((1000, BANDS), np.float32)
    odds[500, 3] = 7
    faster = odds_at_speed(odds, speed)
    assert len(faster) == int(1000 * speed)
    assert faster[:, 3].argmax() == pytest.approx(500 * speed, abs=1)
    assert faster.max() <= 7


@pytest.mark.parametrize("speed", [0.962, 0.99, 1.017, 1.04])
def test_a_recording_is_expected_to_tell_as_much_at_another_speed(speed: float) -> None:
    odds = odds_of_onsets(fingerprint(beats(12)).rhythm)
    told = information(odds).sum()
    assert information(odds_at_speed(odds, speed)).sum() == pytest.approx(speed * told, rel=0.08)


def random_frames(cells: int = 50) -> Float32s:
    generator = np.random.default_rng(4)
    return generator.normal(-1, 2, (cells * ODDS_CELL_FRAMES, BANDS)).astype(np.float32)


def test_a_cell_is_as_likely_as_its_frames_together() -> None:
    frames = random_frames()
    cells = cell_odds(frames)
    for cell in (0, 17, 49):
        chances = np.exp(frames[cell * ODDS_CELL_FRAMES : (cell + 1) * ODDS_CELL_FRAMES])
        np.testing.assert_allclose(np.exp(cells[cell]), chances.mean(axis=0), rtol=1e-4)
    assert len(cell_odds(frames[:-1])) == 49


def test_moments_are_those_of_onsets_drawn_as_the_odds_say() -> None:
    frames = random_frames(3)
    mean, variance = moments(frames)
    generator = np.random.default_rng(6)
    any_frame = np.exp(-3.4) / ODDS_CELL_FRAMES
    for cell, band in ((0, 0), (1, 3), (2, 7)):
        odds = frames[cell * ODDS_CELL_FRAMES : (cell + 1) * ODDS_CELL_FRAMES, band]
        weights = np.array([1.0, *(any_frame * np.exp(odds.astype(np.float64)))])
        drawn = generator.choice(5, 200_000, p=weights / weights.sum())
        told = np.array([0.0, *odds])[drawn]
        assert mean[cell, band] == pytest.approx(told.mean(), abs=0.01)
        assert variance[cell, band] == pytest.approx(told.var(), rel=0.05, abs=0.01)


def test_a_cell_without_evidence_tells_nothing() -> None:
    odds = np.zeros((3, BANDS), np.float32)
    odds[1, 2], odds[2, 2] = 4, -2
    told = information(odds).sum(axis=1)
    assert told[0] == pytest.approx(0)
    assert told[1] > told[2] > 0
