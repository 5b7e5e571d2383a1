"""The instruments are in tune, and no two strokes of a drum are the same."""

import numpy as np
import pytest

from spotify_pipeline.demo.instruments import INSTRUMENTS, SAMPLE_RATE, draw_drum_kit


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
@pytest.mark.parametrize("frequency", [98.0, 440.0])
def test_instruments_are_in_tune(name: str, frequency: float) -> None:
    rng = np.random.default_rng(5)
    tone = INSTRUMENTS[name](rng)(frequency, 1.0, rng)
    assert np.isfinite(tone).all()
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), 1 << 19))
    hertz = np.arange(len(spectrum)) * SAMPLE_RATE / (1 << 19)
    near = np.abs(np.log2(np.maximum(hertz, 1) / frequency)) < 1 / 12
    assert 1200 * abs(np.log2(hertz[near][spectrum[near].argmax()] / frequency)) < 15


@pytest.mark.parametrize("drum", ["kick", "snare", "hat", "tom", "crash"])
def test_strokes_of_a_drum_differ(drum: str) -> None:
    rng = np.random.default_rng(5)
    play = draw_drum_kit(rng)[drum]
    first, second = play(0.0, 0.0, rng), play(0.0, 0.0, rng)
    assert np.abs(first).max() > 0.05
    assert not np.array_equal(first, second)
