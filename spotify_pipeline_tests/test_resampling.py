"""Recordings of any rate to what the fingerprint's front end takes."""

import numpy as np
import pytest
import soxr

from spotify_pipeline.fingerprint import SAMPLE_RATE
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.decimation import Decimator, sixteen_bits
from spotify_pipeline.resampling import ANALYZER_RATE, analyzer_resampler, analyzer_samples


def noise(seconds: float, rate: int) -> Float32s:
    generator = np.random.default_rng(0)
    return (0.1 * generator.standard_normal(round(seconds * rate))).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_any_rate_goes_the_analyzers_way(rate: int) -> None:
    samples = noise(3, rate)
    at_22050 = soxr.resample(samples, rate, 22_050)
    expected = Decimator().push(sixteen_bits(at_22050), last=True)
    np.testing.assert_array_equal(analyzer_samples(samples, rate), expected)
    assert len(expected) == 3 * ANALYZER_RATE


def test_the_front_ends_rate_is_that_of_fingerprints() -> None:
    assert ANALYZER_RATE == SAMPLE_RATE


def test_samples_at_the_front_ends_rate_are_left_as_they_are() -> None:
    samples = noise(1, ANALYZER_RATE)
    np.testing.assert_array_equal(analyzer_samples(samples, ANALYZER_RATE), samples)


@pytest.mark.parametrize("rate", [11_025, 22_050, 44_100])
def test_blocks_give_what_the_whole_gives(rate: int) -> None:
    samples = noise(2, rate)
    resampler = analyzer_resampler(rate)
    parts = [resampler.push(part) for part in np.array_split(samples, 7)]
    parts.append(resampler.push(np.empty(0, np.float32), last=True))
    np.testing.assert_array_equal(np.concatenate(parts), analyzer_samples(samples, rate))
