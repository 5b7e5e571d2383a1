"""The analyzer's step from 22050 to 11025 Hz, against its reference, whole and in blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.decimation import ANALYSIS_RATE, Decimator, sixteen_bits


def decimated(samples: Float32s) -> Float32s:
    return Decimator().push(samples, last=True)


def noise(count: int, level: float = 0.2) -> Float32s:
    return (level * np.random.default_rng(0).standard_normal(count)).astype(np.float32)


def libresample(levels: np.ndarray) -> np.ndarray:
    """Halve the rate as libresample's low quality says, tap by tap, in double precision."""
    nmult, rolloff, beta, npc = 11, 0.9, 6.0, 4096
    length = npc * (nmult - 1) // 2

    def coefficient(position: int) -> float:
        angle = np.pi * position / npc
        sinc = rolloff if position == 0 else np.sin(rolloff * angle) / angle
        return float(sinc * np.i0(beta * np.sqrt(1 - (position / (length - 1)) ** 2)) / np.i0(beta))

    found = []
    for middle in range(0, len(levels), 2):
        total = 0.0
        for sample in range(max(middle - 20, 0), min(middle + 21, len(levels))):
            position = abs(sample - middle) * npc // 2
            total += coefficient(position) * levels[sample] if position < length else 0.0
        found.append(total / 2)
    return np.array(found)


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 21, 300, 301])
def test_it_is_libresamples_low_quality(count: int) -> None:
    samples = noise(count)
    np.testing.assert_allclose(decimated(samples), libresample(samples), atol=1e-6)


@given(cuts=st.lists(st.integers(0, 300), max_size=8))
def test_blocks_of_any_length_give_what_the_whole_gives(cuts: list[int]) -> None:
    samples = noise(300)
    decimator = Decimator()
    parts = [decimator.push(part) for part in np.split(samples, sorted(cuts))]
    parts.append(decimator.push(np.empty(0, np.float32), last=True))
    np.testing.assert_array_equal(np.concatenate(parts), decimated(samples))


def test_half_as_many_samples_come_out_rounded_up() -> None:
    assert [len(decimated(noise(count))) for count in range(6)] == [0, 1, 1, 2, 2, 3]


def test_what_sixteen_bits_hold_is_left_as_it_is_and_the_rest_is_cut_off() -> None:
    levels = np.arange(-32768, 32768).astype(np.float32) / np.float32(32768)
    np.testing.assert_array_equal(sixteen_bits(levels), levels)
    assert sixteen_bits(np.array([-7, 7], np.float32)).tolist() == [-1, 32767 / 32768]
    between = np.array([1.7, -1.7, 0.9], np.float32) / np.float32(32768)
    assert (32768 * sixteen_bits(between)).tolist() == [1, -1, 0]


def test_a_tone_far_above_the_new_band_folds_back_faintly_and_one_near_it_does_not_vanish() -> None:
    times = np.arange(ANALYSIS_RATE) / ANALYSIS_RATE

    def level(hertz: float) -> float:
        tone = (0.5 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)
        return float(np.std(decimated(tone)) / np.std(tone))

    assert level(1000) == pytest.approx(1, abs=0.01)
    assert 0.05 < level(6000) < 0.2
    assert level(10_000) < 0.002
