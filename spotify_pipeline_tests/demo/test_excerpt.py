"""Noisy excerpts: the length, the place and the noise that were asked for."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from spotify_pipeline.demo.excerpt import EXCERPT_RATE, write_noisy_excerpt
from spotify_pipeline.recording import RecordingError, read_recording

FREQUENCY = 440.0
SECONDS = 6.0


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a tone that is silent in its first two seconds."""
    path = tmp_path_factory.mktemp("tone") / "tone.wav"
    time = np.arange(int(SECONDS * EXCERPT_RATE)) / EXCERPT_RATE
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * FREQUENCY * time) * (time >= 2), EXCERPT_RATE)
    return path


def excerpt_of(
    source: Path, folder: Path, *, start: float, seconds: float, noise: float = 10.0, seed: int = 1
) -> npt.NDArray[np.float32]:
    target = folder / "excerpt.mp3"
    write_noisy_excerpt(
        source, target, start=start, seconds=seconds, noise_decibel=noise, seed=seed
    )
    assert soundfile.info(target).format == "MP3"
    return read_recording(target, EXCERPT_RATE).samples


def tone_to_noise(samples: npt.NDArray[np.float32]) -> float:
    """Give the level of the tone above all the rest, in dB."""
    time = np.arange(len(samples)) / EXCERPT_RATE
    basis = np.exp(-2j * np.pi * FREQUENCY * time)
    power = 2 * abs(np.mean(samples * basis)) ** 2
    return float(10 * np.log10(power / (np.mean(samples**2) - power)))


@pytest.mark.parametrize("seconds", [0.5, 3.0, 3.7])
def test_the_mp3_has_the_length_that_was_asked_for(
    tone: Path, tmp_path: Path, seconds: float
) -> None:
    assert len(excerpt_of(tone, tmp_path, start=1, seconds=seconds)) == round(
        seconds * EXCERPT_RATE
    )


def test_an_excerpt_ends_where_its_source_ends(tone: Path, tmp_path: Path) -> None:
    assert len(excerpt_of(tone, tmp_path, start=SECONDS - 1, seconds=10)) == EXCERPT_RATE


def test_the_excerpt_begins_where_it_was_asked_to(tone: Path, tmp_path: Path) -> None:
    samples = excerpt_of(tone, tmp_path, start=1.5, seconds=2, noise=40)
    loud = np.abs(samples) > 0.15
    assert np.argmax(loud) / EXCERPT_RATE == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("noise", [0.0, 10.0, 20.0])
def test_the_noise_is_as_far_below_the_signal_as_asked(
    tone: Path, tmp_path: Path, noise: float
) -> None:
    samples = excerpt_of(tone, tmp_path, start=2.5, seconds=3, noise=noise)
    # the MP3 leaves out the noise's highest part and adds a little of its own
    assert tone_to_noise(samples) == pytest.approx(noise, abs=1)


def test_a_loud_mix_is_turned_down_and_not_clipped(tmp_path: Path) -> None:
    time = np.arange(2 * EXCERPT_RATE) / EXCERPT_RATE
    soundfile.write(tmp_path / "loud.wav", np.sin(2 * np.pi * FREQUENCY * time), EXCERPT_RATE)
    samples = excerpt_of(tmp_path / "loud.wav", tmp_path, start=0, seconds=2, noise=3)
    assert np.abs(samples).max() < 1
    assert tone_to_noise(samples) == pytest.approx(3, abs=1)


def test_the_same_seed_gives_the_same_file_and_another_one_does_not(
    tone: Path, tmp_path: Path
) -> None:
    first, again, other = (
        excerpt_of(tone, tmp_path, start=2, seconds=1, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_silence_can_be_cut(tone: Path, tmp_path: Path) -> None:
    samples = excerpt_of(tone, tmp_path, start=0, seconds=1)
    assert len(samples) == EXCERPT_RATE
    assert np.abs(samples).max() < 1e-3


@pytest.mark.parametrize("start", [SECONDS, 100.0])
def test_an_excerpt_behind_the_end_is_an_error(tone: Path, tmp_path: Path, start: float) -> None:
    with pytest.raises(RecordingError, match=r"tone\.wav: is over before"):
        excerpt_of(tone, tmp_path, start=start, seconds=1)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.wav"):
        excerpt_of(tmp_path / "none.wav", tmp_path, start=0, seconds=1)
