"""Noises and their level below the music."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from spotify_pipeline.evaluation.noise import applause, babble, band, pink_noise, with_noise
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s

RATE = 44_100
HEARD = 5512
"""Hz; what lies above does not come into a fingerprint."""


def power_below(samples: Float32s | Float64s, limit: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples - samples.mean())) ** 2
    return float(spectrum[np.fft.rfftfreq(len(samples), 1 / RATE) <= limit].sum())


@settings(max_examples=20, deadline=None)
@given(decibel=st.floats(-10, 30), seed=st.integers(0, 99))
def test_the_ratio_of_signal_to_noise_holds_in_the_band_that_is_heard(
    decibel: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    # half of the signal is where no fingerprint sees it
    times = np.arange(RATE) / RATE
    music = (np.sin(2 * np.pi * 440 * times) + np.sin(2 * np.pi * 15_000 * times)) / 4
    samples = music.astype(np.float32)
    added = with_noise(samples, pink_noise(len(samples), rng), decibel, RATE) - samples
    ratio = power_below(samples, HEARD) / power_below(added, HEARD)
    assert 10 * np.log10(ratio) == pytest.approx(decibel, abs=0.5)


@pytest.mark.parametrize("make", [babble, applause])
def test_people_are_heard_all_the_time_and_the_same_for_a_seed(
    make: Callable[[int, int, np.random.Generator], Float32s | Float64s],
) -> None:
    noise = make(2 * RATE, RATE, np.random.default_rng(3))
    assert noise.shape == (2 * RATE,)
    assert np.isfinite(noise).all()
    assert all(part.std() > 0 for part in np.split(noise, 8))
    assert np.array_equal(noise, make(2 * RATE, RATE, np.random.default_rng(3)))


def test_a_band_keeps_what_lies_in_it_alone() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    frequencies, power = signal.welch(band(noise, 500, 2000, RATE), RATE, nperseg=4096)
    inside = power[(frequencies > 700) & (frequencies < 1500)].mean()
    assert power[frequencies < 200].mean() < inside / 100
    assert power[frequencies > 6000].mean() < inside / 100


def test_pink_noise_falls_by_three_decibel_an_octave() -> None:
    noise = pink_noise(2**18, np.random.default_rng(1))
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [float(np.mean(power[2**k : 2 ** (k + 1)])) for k in range(6, 17)]
    assert 10 * np.log2(octaves[0] / octaves[-1]) / len(octaves[1:]) == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize("length", [1, 2, 1001, 44_100])
def test_pink_noise_has_the_length_and_level_it_should(length: int) -> None:
    noise = pink_noise(length, np.random.default_rng(1))
    assert noise.shape == (length,)
    assert noise.dtype == np.float32
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(1, rel=1e-5)
