"""Stretches that the network learns from: the targets lie where the stretch has its onsets."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from spotify_pipeline.demo.composer import compose
from spotify_pipeline.evaluation.degradations import RATE
from spotify_pipeline.fingerprint import LLR_BINS_PER_SECOND
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.onset_features import ONSET_FRAMES
from training import examples as room
from training.examples import NO_ONSET, VERSIONS, Example, examples_of
from training.playback import Played, at_speed


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = compose(3)
    file = tmp_path_factory.mktemp("music") / "piece.flac"
    soundfile.write(file, made.samples[: 40 * made.sample_rate], made.sample_rate)
    return file


def as_it_is(samples: Float32s, rng: np.random.Generator) -> Played:
    return Played(samples, 1.0)


def fraction_of_own(example: Example) -> float:
    """Fraction of the targets that are an onset of the stretch itself, within a frame."""
    own = example.envelopes[:, :, -len(ONSET_FRAMES) :]
    first = -int(ONSET_FRAMES[0])
    near = [
        own[example.onsets == position][:, first + position - 1 : first + position + 2].max(axis=1)
        for position in range(4)
    ]
    return float(np.concatenate(near).mean())


@pytest.mark.parametrize("speed", [1.0, 1.02])
def test_targets_lie_on_the_onsets_of_an_undisturbed_stretch(piece: Path, speed: float) -> None:
    def undisturbed(samples: Float32s, rng: np.random.Generator) -> Played:
        return at_speed(samples, speed) if speed != 1 else Played(samples, 1.0)

    for example in examples_of([piece], 0, 0, 3, undisturbed):
        assert (example.onsets != NO_ONSET).mean() > 0.01
        assert example.onsets.shape == example.envelopes.shape[:2]
        assert fraction_of_own(example) > 0.6


def test_the_same_numbers_give_the_same_examples(piece: Path) -> None:
    first, again, other = (
        examples_of([piece] * 7, number, 1, 1, as_it_is)[0] for number in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.onsets, again.onsets)
    np.testing.assert_array_equal(first.envelopes, again.envelopes)
    assert not np.array_equal(first.envelopes[:200], other.envelopes[:200])


def test_a_mix_has_onsets_of_its_own(piece: Path) -> None:
    mix = len(VERSIONS)
    for example in examples_of([piece], 0, mix, 3, as_it_is):
        assert (example.onsets != NO_ONSET).mean() > 0.01
        assert fraction_of_own(example) > 0.6


def test_some_stretches_are_short(piece: Path) -> None:
    made = examples_of([piece] * 3, 2, 0, 12, as_it_is)
    seconds = [len(one.onsets) / LLR_BINS_PER_SECOND for one in made]
    assert min(seconds) < 8 < max(seconds)


def test_before_the_music_begins_there_is_nothing_to_find(
    piece: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SILENT", 1.0)
    recording: list[Float32s] = []

    def kept(samples: Float32s, rng: np.random.Generator) -> Played:
        recording.append(samples)
        return Played(samples, 1.0)

    for example, samples in zip(examples_of([piece] * 4, 3, 0, 4, kept), recording, strict=True):
        silent = int(np.flatnonzero(samples)[0]) / RATE
        begun = np.flatnonzero((example.onsets != NO_ONSET).any(axis=1))
        # a stretch is heard from up to a second after it begins
        assert begun[0] / LLR_BINS_PER_SECOND >= silent - 1.05
        assert fraction_of_own(example) > 0.6
