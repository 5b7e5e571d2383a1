"""The network: what it is given reaches it, and its file holds all of it."""

from pathlib import Path

import numpy as np
import pytest

from spotify_pipeline.fingerprint import BANDS, LLR_BIN_FRAMES, SAMPLE_RATE, onset_llr
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.model_file import ModelFile, read_model_file
from spotify_pipeline.fingerprint.onset_features import (
    BIN_CONTEXT,
    BIN_FIGURES,
    BINS_OF_BAND,
    ENVELOPE_FIGURES,
    NEAR_FRAMES,
    OnsetFeatures,
)
from spotify_pipeline.fingerprint.onset_network import LLR_BINS_AT_ONCE, OnsetModel, inferring_with

LLR_BINS = LLR_BINS_AT_ONCE + 3


def network(units: int = 5, bin_units: int = 4) -> OnsetModel:
    """Draw a network of weights that 16 bits hold."""
    rng = np.random.default_rng(1)
    shapes = {
        "bin_context": (BIN_CONTEXT, bin_units),
        "bin_figures": (BIN_FIGURES, bin_units),
        "bin_biases": (bin_units,),
        "bins": (bin_units, units),
        "bins_above": (bin_units, units),
        "bins_below": (bin_units, units),
        "own": (ENVELOPE_FIGURES, units),
        "mean": (ENVELOPE_FIGURES, units),
        "above": (len(NEAR_FRAMES), units),
        "below": (len(NEAR_FRAMES), units),
        "biases": (BANDS, units),
        "hidden_weights": (units, 3),
        "hidden_biases": (3,),
        "weights": (3, LLR_BIN_FRAMES),
        "bias": (BANDS, LLR_BIN_FRAMES),
    }
    return OnsetModel.of({name: rng.integers(-8, 9, shape) / 8 for name, shape in shapes.items()})


def some_features() -> OnsetFeatures:
    rng = np.random.default_rng(2)

    def drawn(*shape: int) -> Float32s:
        return rng.normal(size=shape).astype(np.float32)

    bins = BANDS * BINS_OF_BAND
    return OnsetFeatures(
        drawn(LLR_BINS, BANDS, ENVELOPE_FIGURES),
        drawn(LLR_BINS + BIN_CONTEXT - 1, bins),
        drawn(bins, BIN_FIGURES),
    )


def bins_of(model: OnsetModel, features: OnsetFeatures, llr_bin: int, band: int) -> Float32s:
    """Tell what is heard in the bins of a band, and nothing of a band that there is not."""
    if not 0 <= band < BANDS:
        return np.zeros_like(model.bin_biases)
    around = features.spectrum[llr_bin : llr_bin + BIN_CONTEXT]
    units = [
        around[:, position] @ model.bin_context
        + features.bins[position] @ model.bin_figures
        + model.bin_biases
        for position in range(band * BINS_OF_BAND, (band + 1) * BINS_OF_BAND)
    ]
    return np.asarray(np.maximum(units, 0).mean(axis=0), np.float32)


def test_a_band_hears_itself_those_beside_it_and_the_average_of_all() -> None:
    model, features = network(), some_features()
    near = np.pad(features.envelopes[:, :, : len(NEAR_FRAMES)], ((0, 0), (1, 1), (0, 0)))
    llr = model.frame_llr(features)
    assert llr.shape == (LLR_BINS * LLR_BIN_FRAMES, BANDS)
    for llr_bin in (0, 1, LLR_BINS_AT_ONCE, LLR_BINS - 1):
        for band in range(BANDS):
            hidden = (
                features.envelopes[llr_bin, band] @ model.own
                + features.envelopes[llr_bin].mean(axis=0) @ model.mean
                + near[llr_bin, band + 2] @ model.above
                + near[llr_bin, band] @ model.below
                + bins_of(model, features, llr_bin, band) @ model.bins
                + bins_of(model, features, llr_bin, band + 1) @ model.bins_above
                + bins_of(model, features, llr_bin, band - 1) @ model.bins_below
                + model.biases[band]
            ).clip(0)
            second = (hidden @ model.hidden_weights + model.hidden_biases).clip(0)
            expected = second @ model.weights + model.bias[band]
            frames = llr[llr_bin * LLR_BIN_FRAMES : (llr_bin + 1) * LLR_BIN_FRAMES, band]
            assert frames == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_part_has_the_llr_of_its_llr_bins() -> None:
    model, features = network(), some_features()
    part = model.frame_llr(features.part(5, 9))
    whole = model.frame_llr(features)[5 * LLR_BIN_FRAMES : 9 * LLR_BIN_FRAMES]
    np.testing.assert_allclose(part, whole, rtol=1e-4, atol=1e-4)


def test_a_network_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = network()
    ModelFile({"network": model.arrays()}, {}).write(tmp_path / "network.npz")
    read = OnsetModel.of(read_model_file(tmp_path / "network.npz").section("network"))
    for name, array in vars(model).items():
        np.testing.assert_array_equal(getattr(read, name), array)


def test_another_network_hears_only_meanwhile() -> None:
    samples = np.random.default_rng(3).normal(0, 0.1, 3 * SAMPLE_RATE).astype(np.float32)
    llr = onset_llr(samples)
    with inferring_with(network()):
        assert not np.array_equal(onset_llr(samples), llr)
    np.testing.assert_array_equal(onset_llr(samples), llr)
