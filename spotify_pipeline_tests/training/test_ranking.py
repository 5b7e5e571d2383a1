"""LLRs are learned to be high where the right track has onsets and other tracks have none."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint import BANDS

jax = pytest.importorskip("jax", reason="pip install -e '.[training]'")
pytest.importorskip("optax", reason="pip install -e '.[training]'")

from training.ranking import Trains, ranking_loss, scores  # noqa: E402

RUNS, LLR_BINS = 3, 200
LENGTHS = np.full(RUNS, LLR_BINS, np.int32)


def trains(seed: int, count: int = RUNS, rate: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    frames = rng.integers(4, size=(count, LLR_BINS, BANDS))
    return np.where(rng.random(frames.shape) < rate, frames, -1).astype(np.int8)


def unmoved(onsets: np.ndarray) -> Trains:
    return Trains(onsets, np.zeros(len(onsets), np.int32))


def cost(llr: np.ndarray, onsets: np.ndarray) -> float:
    others = trains(9, 5)
    key = jax.random.key(0)
    return float(ranking_loss(0.0, llr, LENGTHS, unmoved(onsets), others, key))


def test_scores_are_the_sums_of_llrs_at_the_onsets_of_every_train_at_every_shift() -> None:
    llr = np.random.default_rng(1).normal(size=(RUNS, LLR_BINS, BANDS)).astype(np.float32)
    struck = np.asarray(unmoved(trains(2, 4)).struck())
    found = np.asarray(scores(llr, struck))
    assert found.shape == (RUNS, 4, LLR_BINS)
    for run, train, shift in ((0, 0, 0), (1, 3, 17), (2, 1, LLR_BINS - 1)):
        expected = (llr[run] * np.roll(struck[train], -shift, axis=0)).sum()
        assert found[run, train, shift] == pytest.approx(expected, abs=1e-2)


@pytest.mark.parametrize(
    ("frame", "moved", "llr_bin"), [(3, 1, 6), (0, -1, 4), (1, 2, 5), (2, -2, 5)]
)
def test_an_offset_that_misses_moves_onsets_to_the_llr_bin_beside(
    frame: int, moved: int, llr_bin: int
) -> None:
    onsets = np.full((1, LLR_BINS, BANDS), -1, np.int8)
    onsets[0, 5, 2] = frame
    struck = np.asarray(Trains(onsets, np.array([moved], np.int32)).struck())
    assert np.argwhere(struck[0]).tolist() == [[llr_bin, 2]]


def test_llrs_that_tell_the_right_train_cost_less_than_those_that_tell_nothing() -> None:
    onsets = trains(3)
    told = np.where(onsets >= 0, 3.0, -1.0).astype(np.float32)
    assert cost(told, onsets) < 0.1 * cost(np.zeros_like(told), onsets)


def test_to_tell_how_dense_onsets_are_is_worth_nothing() -> None:
    onsets = trains(3)
    denser = onsets.copy()
    denser[:, ::2] = trains(4, rate=0.6)[:, ::2]
    dense = np.where(np.arange(LLR_BINS) % 2 == 0, 1.0, -1.0).astype(np.float32)
    llr = np.broadcast_to(dense[:, None], onsets.shape)
    # at every even shift the run's own train is as dense in the same places
    assert cost(llr, denser) > cost(np.zeros_like(llr), denser)


def test_a_train_is_not_wrong_near_its_right_place() -> None:
    onsets = trains(5)
    exact = np.where(onsets >= 0, 3.0, -1.0).astype(np.float32)
    blurred = np.maximum(exact, np.maximum(np.roll(exact, 1, axis=1), np.roll(exact, 30, axis=1)))
    far = np.maximum(exact, np.maximum(np.roll(exact, 1, axis=1), np.roll(exact, 90, axis=1)))
    assert cost(blurred, onsets) < cost(far, onsets)
