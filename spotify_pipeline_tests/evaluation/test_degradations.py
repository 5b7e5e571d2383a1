"""What happens to music: as long and about as loud as before, and the same for a seed."""

import numpy as np
import pytest

from spotify_pipeline.evaluation.degradations import DEGRADATIONS, RATE, changes_speed
from spotify_pipeline.fingerprint.arrays import Float32s

SECONDS = 3


@pytest.fixture(scope="module")
def music() -> Float32s:
    """Make a chord whose notes fade, twice a second."""
    times = np.arange(SECONDS * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * times) for pitch in (220.0, 277.2, 329.6, 1760.0))
    return (0.15 * chord * np.exp(-6 * (times % 0.5))).astype(np.float32)


def degraded(name: str, music: Float32s) -> Float32s:
    return DEGRADATIONS[name](music, np.random.default_rng(5))


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_length_and_level_stay(name: str, music: Float32s) -> None:
    recording = degraded(name, music)
    assert recording.dtype == np.float32
    assert np.isfinite(recording).all()
    if not changes_speed(name):
        assert abs(len(recording) - len(music)) <= RATE // 5  # MP3 adds a frame or two
    if name != "telephone":  # which is brought to full scale
        assert 0.4 < recording.std() / music.std() < 2.5


@pytest.mark.parametrize("name", ["white 10", "room", "babble", "applause"])
def test_a_seed_gives_the_same_noise(name: str, music: Float32s) -> None:
    assert np.array_equal(degraded(name, music), degraded(name, music))
    other = DEGRADATIONS[name](music, np.random.default_rng(6))
    assert not np.array_equal(degraded(name, music), other)


@pytest.mark.parametrize("percent", [-4, -2, -1, 1, 2, 4])
def test_a_faster_recording_is_shorter(percent: int, music: Float32s) -> None:
    recording = degraded(f"speed {percent:+d}", music)
    assert len(recording) == pytest.approx(len(music) / (1 + percent / 100), abs=1)


@pytest.mark.parametrize("percent", [-4, 4])
def test_a_faster_tempo_is_shorter_and_keeps_the_pitch(percent: int) -> None:
    times = np.arange(SECONDS * RATE) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    recording = degraded(f"tempo {percent:+d}", tone)
    assert len(recording) == pytest.approx(len(tone) / (1 + percent / 100), abs=1)
    middle = recording[RATE // 2 : RATE // 2 + RATE]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(440, abs=1)


def test_a_telephone_keeps_the_voice_alone(music: Float32s) -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    power = np.abs(np.fft.rfft(degraded("telephone", noise))) ** 2
    assert power[5000:].mean() < power[500:3000].mean() / 1000
    assert power[:100].mean() < power[500:3000].mean() / 100


def test_clipping_cuts_at_a_quarter_of_the_peak(music: Float32s) -> None:
    assert np.abs(degraded("clipped", music)).max() == np.abs(music).max() / 4
