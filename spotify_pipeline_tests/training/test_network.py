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


from training.examples import Example  # noqa: E402
from training.network import first_layers, loss, model_of, onset_rates, scale_of  # noqa: E402


def test_the_loss_is_the_cross_entropy_of_what_the_network_says_when_it_runs() -> None:
    example = stretch(1)
    layers = first_layers(3)
    scale = scale_of([stretch(2)])
    rates = onset_rates([example])
    prior = np.log(rates / (1 - rates) / 4)
    batch = Example(*(np.asarray(part)[None] for part in example))
    trained = float(loss(layers, scale, prior, batch))
    model = model_of(jax.tree.map(np.asarray, layers), scale)
    llr = model.frame_llr(example.features).reshape(LLR_BINS, 4, BANDS) + prior
    weights = np.concatenate((np.ones((LLR_BINS, 1, BANDS)), np.exp(llr)), axis=1)
    target = np.take_along_axis(weights, example.onsets[:, None].astype(int) + 1, axis=1)[:, 0]
    assert trained == pytest.approx(-np.log(target / weights.sum(axis=1)).sum(axis=1).mean(), 1e-2)
