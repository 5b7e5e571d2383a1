"""The network as it is trained is the network that runs."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint import BANDS
from spotify_pipeline.fingerprint.onset_features import (
    BIN_CONTEXT,
    BIN_FIGURES,
    BINS_OF_BAND,
    ENVELOPE_FIGURES,
    OnsetFeatures,
)
from spotify_pipeline.fingerprint.onset_llr import bin_llr
from spotify_pipeline.fingerprint.onset_network import OnsetModel

jax = pytest.importorskip("jax", reason="pip install -e '.[training]'")
pytest.importorskip("optax", reason="pip install -e '.[training]'")

LLR_BINS = 30


def stretch(seed: int) -> "Example":
    rng = np.random.default_rng(seed)
    bins = BANDS * BINS_OF_BAND
    features = OnsetFeatures(
        rng.normal(size=(LLR_BINS, BANDS, ENVELOPE_FIGURES)).astype(np.float32),
        rng.normal(size=(LLR_BINS + BIN_CONTEXT - 1, bins)).astype(np.float32),
        rng.normal(size=(bins, BIN_FIGURES)).astype(np.float32),
    )
    onsets = rng.choice([-1, 0, 1, 2, 3], size=(LLR_BINS, BANDS), p=[0.8, 0.05, 0.05, 0.05, 0.05])
    return Example.of(features, onsets.astype(np.int8))


from training import network as room  # noqa: E402
from training.examples import Example  # noqa: E402
from training.network import (  # noqa: E402
    first_layers,
    load_of,
    loss,
    model_of,
    onset_rates,
    scale_of,
    trained,
)


def cost_when_it_runs(model: OnsetModel, example: Example, prior: np.ndarray) -> float:
    """Give the cross-entropy of a stretch's onsets, by what the network says when it runs."""
    llr = model.frame_llr(example.features).reshape(-1, 4, BANDS) + prior
    weights = np.concatenate((np.ones((len(llr), 1, BANDS)), np.exp(llr)), axis=1)
    target = np.take_along_axis(weights, example.onsets[:, None].astype(int) + 1, axis=1)[:, 0]
    return float(-np.log(target / weights.sum(axis=1)).sum(axis=1).mean())


@pytest.mark.parametrize("filled_up", [0, 20])
def test_the_loss_is_the_cross_entropy_of_what_the_network_says_when_it_runs(
    filled_up: int,
) -> None:
    example = stretch(1)
    layers = first_layers(3)
    scale = scale_of([stretch(2)])
    rates = onset_rates([example])
    prior = np.log(rates / (1 - rates) / 4)
    cost = float(loss(layers, scale, prior, load_of([example], LLR_BINS + filled_up)))
    model = model_of(jax.tree.map(np.asarray, layers), scale)
    assert cost == pytest.approx(cost_when_it_runs(model, example, prior), 1e-2)


def test_a_trained_network_says_what_it_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in {"RUN_LLR_BINS": 16, "RUNS": 2, "LOAD": 2, "UNITS": 32}.items():
        monkeypatch.setattr(room, name, size)
    shown = [stretch(seed) for seed in range(3)]
    prior = np.full(BANDS, np.log(0.2 / 0.8 / 4))
    before, after = (trained(shown, epochs, 0, 0) for epochs in (1, 40))
    assert cost_when_it_runs(after, shown[0], prior) < 0.9 * cost_when_it_runs(
        before, shown[0], prior
    )


def test_ranking_puts_the_right_train_above_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"RUN_LLR_BINS": 16, "RUNS": 2, "OTHERS": 3, "LOAD": 2, "UNITS": 32}
    for name, size in sizes.items():
        monkeypatch.setattr(room, name, size)
    shown = [stretch(seed) for seed in range(3)]
    struck = np.stack([example.onsets >= 0 for example in shown])

    def margin(model: OnsetModel) -> float:
        llr = np.stack([bin_llr(model.frame_llr(example.features)) for example in shown])
        sums = np.einsum("itb,jtb->ij", llr, struck)
        return float(sums.diagonal().mean() - sums[~np.eye(3, dtype=bool)].mean())

    before, after = (trained(shown, 5, epochs, 0) for epochs in (0, 30))
    assert margin(after) > margin(before) + 10
