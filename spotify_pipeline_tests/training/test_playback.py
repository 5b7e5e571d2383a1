"""What happens to stretches of music: as long as before, finite, and in place."""

import numpy as np
import pytest

from spotify_pipeline.evaluation.degradations import RATE
from spotify_pipeline.fingerprint.arrays import Float32s
from training import rooms
from training.playback import at_speed, in_noise, played, through_a_loudspeaker, with_automatic_gain


def clicks(seconds: float = 2.0) -> Float32s:
    """Make a burst every half second."""
    generator = np.random.default_rng(1)
    samples = 0.001 * generator.standard_normal(round(seconds * RATE))
    for start in range(0, len(samples) - 2000, RATE // 2):
        samples[start : start + 2000] += 0.5 * np.exp(-np.arange(2000) / 300)
    return samples.astype(np.float32)


@pytest.mark.parametrize("link", [in_noise, through_a_loudspeaker, with_automatic_gain])
def test_a_link_keeps_length_and_place(link: object) -> None:
    assert callable(link)
    samples = clicks()
    for seed in range(2):
        out = link(samples, np.random.default_rng(seed))
        assert out.dtype == np.float32
        assert out.shape == samples.shape
        assert np.isfinite(out).all()
        lags = np.fft.irfft(np.fft.rfft(np.abs(out)) * np.conj(np.fft.rfft(np.abs(samples))))
        late = int(lags.argmax())
        assert min(late % (RATE // 2), RATE // 2 - late % (RATE // 2)) < RATE // 100


def test_silence_stays_finite_under_automatic_gain() -> None:
    out = with_automatic_gain(np.zeros(RATE, np.float32), np.random.default_rng(0))
    assert (out == 0).all()


def test_a_faster_recording_is_shorter() -> None:
    out = at_speed(clicks(3), 1.04)
    assert out.speed == 1.04
    assert len(out.samples) == pytest.approx(3 * RATE / 1.04, abs=2)


def test_any_chain_gives_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.playback.reverberated", lambda samples, rate, rng: samples)
    for seed in range(6):
        out = played(clicks(1), np.random.default_rng(seed))
        assert np.isfinite(out.samples).all()
        assert len(out.samples) == pytest.approx(1 * RATE / out.speed, abs=20)
        assert out.samples.std() > 0


def test_rooms_begin_with_the_direct_sound_and_die_away() -> None:
    pytest.importorskip("pyroomacoustics", reason="pip install -e '.[training]'")
    for number in range(4):
        response = rooms._shoebox(number, RATE)
        assert response[0] == 1
        assert np.isfinite(response).all()
        quarter = len(response) // 4
        assert np.sum(response[-quarter:] ** 2) < 0.1 * np.sum(response**2)
