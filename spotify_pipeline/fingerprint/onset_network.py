"""The neural network that tells onset LLRs: its layers, its file, what comes out.

Belongs here: the network, and the one that is shipped. Does not belong here: what it is given
(`onset_features`); what its LLRs mean (`onset_llr`); the file (`model_file`); how it is trained
(`training.network`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.model_file import shipped_model
from spotify_pipeline.fingerprint.onset_features import (
    BIN_CONTEXT,
    BINS_OF_BAND,
    LLR_BIN_FRAMES,
    NEAR_FRAMES,
    OnsetFeatures,
)
from spotify_pipeline.fingerprint.trains import BANDS

__all__ = ["OnsetModel", "inferring_with", "onset_model"]

LLR_BINS_AT_ONCE = 32
"""What the network makes of so many stays in a processor's cache."""

LLR_BINS_SIDE_BY_SIDE = 4
"""Bins' units are inferred for so many LLR bins with one row of a product."""


@dataclass(frozen=True)
class OnsetModel:
    """A neural network with two hidden layers of rectified linear units, the same for every band.

    Each bin of the spectrum has units of its own before, the same for every bin; a band's bins are
    averaged. The first layer is given that and the envelopes, of the band and the bands above and
    below, and what the envelopes of all bands are on the average.

    Attributes
    ----------
    bin_context, bin_figures, bin_biases
        float32 of shapes (`BIN_CONTEXT`, bin units), (`BIN_FIGURES`, bin units) and (bin units,).
    bins, bins_above, bins_below
        float32 of shape (bin units, units), for the band and those beside it.
    own, mean
        float32 of shape (figures, units), for the envelopes of the band and the average.
    above, below
        float32 of shape (near frames, units), for those beside it.
    biases
        float32 of shape (8, units): this is what bands have of their own.
    hidden_weights, hidden_biases
        float32 of shapes (units, second units) and (second units,).
    weights, bias
        float32 of shapes (second units, 4) and (8, 4): what comes out, for each frame of an LLR
        bin.
    """

    bin_context: Float32s
    bin_figures: Float32s
    bin_biases: Float32s
    bins: Float32s
    bins_above: Float32s
    bins_below: Float32s
    own: Float32s
    mean: Float32s
    above: Float32s
    below: Float32s
    biases: Float32s
    hidden_weights: Float32s
    hidden_biases: Float32s
    weights: Float32s
    bias: Float32s

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> "OnsetModel":
        """Take arrays by the attributes' names."""
        return cls(**{name: arrays[name].astype(np.float32) for name in cls.__annotations__})

    def arrays(self) -> dict[str, np.ndarray]:
        """Give what `of` takes, with 16 bits a weight."""
        return {name: getattr(self, name).astype(np.float16) for name in self.__annotations__}

    def frame_llr(self, features: OnsetFeatures) -> Float32s:
        """Give LLRs, float32 of shape (4 x llr_bins, 8).

        An LLR is the logarithm of the odds that the band has an onset in just this frame, against
        none in its LLR bin, less those of any frame of any music.
        """
        if len(features) == 0:
            return np.empty((0, BANDS), np.float32)
        bins = self._inferred_in_bins(features)
        llr = np.empty((len(features), LLR_BIN_FRAMES, BANDS), np.float32)
        for first in range(0, len(features), LLR_BINS_AT_ONCE):
            some = slice(first, first + LLR_BINS_AT_ONCE)
            llr[some] = self._llr_of_bins(features.envelopes[some], bins[some])
        return llr.reshape(-1, BANDS)

    def _llr_of_bins(self, envelopes: Float32s, bins: Float32s) -> Float32s:
        """Give LLRs of LLR bins, float32 of shape (llr_bins, 4, 8)."""
        near = envelopes[:, :, : len(NEAR_FRAMES)]
        inputs = np.concatenate((envelopes, bins, *_beside(bins), *_beside(near)), axis=2)
        hidden = _times(inputs, self._first_weights)
        hidden += (envelopes.mean(axis=1) @ self.mean)[:, None] + self.biases
        second = _times(np.maximum(hidden, 0, out=hidden), self.hidden_weights)
        second += self.hidden_biases
        llr = _times(np.maximum(second, 0, out=second), self.weights) + self.bias
        return llr.transpose(0, 2, 1)

    @cached_property
    def _first_weights(self) -> Float32s:
        """Put the first layer's weights together, as `_llr_of_bins` puts its input together."""
        return np.concatenate(
            (self.own, self.bins, self.bins_above, self.bins_below, self.above, self.below)
        )

    def _inferred_in_bins(self, features: OnsetFeatures) -> Float32s:
        """Average the bins' units over each band; float32 of shape (llr_bins, 8, bin units)."""
        weights, units = self._side_by_side, self.bin_context.shape[1]
        missing = -len(features) % LLR_BINS_SIDE_BY_SIDE
        spectrum = np.pad(features.spectrum, ((0, missing), (0, 0)))
        width = BIN_CONTEXT + LLR_BINS_SIDE_BY_SIDE - 1
        around = sliding_window_view(spectrum, width, axis=0)[::LLR_BINS_SIDE_BY_SIDE]
        # the figures and the 1 that biases are times of stay; the spectrum moves on
        at_once = LLR_BINS_AT_ONCE // LLR_BINS_SIDE_BY_SIDE
        rows = np.ones((at_once, BANDS * BINS_OF_BAND, len(weights)), np.float32)
        rows[:, :, width:-1] = features.bins
        found = np.empty((rows.shape[0] * rows.shape[1], weights.shape[1]), np.float32)
        mean = np.full((1, BINS_OF_BAND), 1 / BINS_OF_BAND, np.float32)
        band_units = np.empty((len(around), BANDS, LLR_BINS_SIDE_BY_SIDE, units), np.float32)
        for first in range(0, len(around), at_once):
            some = around[first : first + at_once]
            rows[: len(some), :, :width] = some
            np.matmul(rows.reshape(len(found), -1), weights, out=found)
            np.maximum(found, 0, out=found)
            # a product is the quickest way to a mean
            of_bands = (mean @ found.reshape(-1, BINS_OF_BAND, found.shape[-1])).reshape(
                -1, *band_units.shape[1:]
            )
            band_units[first : first + at_once] = of_bands[: len(some)]
        return band_units.transpose(0, 2, 1, 3).reshape(-1, BANDS, units)[: len(features)]

    @cached_property
    def _side_by_side(self) -> Float32s:
        """Lay the bins' weights out for so many LLR bins at once, each an LLR bin later."""
        shape = LLR_BINS_SIDE_BY_SIDE, self.bin_context.shape[1]
        laid = np.zeros((BIN_CONTEXT + LLR_BINS_SIDE_BY_SIDE - 1, *shape), np.float32)
        for later in range(LLR_BINS_SIDE_BY_SIDE):
            laid[later : later + BIN_CONTEXT, later] = self.bin_context
        same = np.vstack((self.bin_figures, self.bin_biases))[:, None]
        return np.concatenate((laid, np.broadcast_to(same, (len(same), *shape)))).reshape(
            -1, LLR_BINS_SIDE_BY_SIDE * shape[1]
        )


def onset_model() -> OnsetModel:
    """Give the network in use: the one that is shipped, but inside `inferring_with`."""
    return _other_model.get() or _shipped()


@contextmanager
def inferring_with(model: OnsetModel) -> Iterator[None]:
    """Have another network in use meanwhile: to measure it."""
    token = _other_model.set(model)
    try:
        yield
    finally:
        _other_model.reset(token)


def _beside(bands: Float32s) -> tuple[Float32s, Float32s]:
    """Give what the bands above and below have, of shape (llr_bins, 8, n) as they come."""
    above, below = np.zeros_like(bands), np.zeros_like(bands)
    above[:, :-1], below[:, 1:] = bands[:, 1:], bands[:, :-1]
    return above, below


def _times(rows: Float32s, weights: Float32s) -> Float32s:
    """Multiply the last axis of an array of shape (llr_bins, bands, n): faster as one matrix."""
    product = rows.reshape(-1, rows.shape[-1]) @ weights
    return np.asarray(product.reshape(*rows.shape[:2], weights.shape[1]), np.float32)


_other_model: ContextVar[OnsetModel | None] = ContextVar("_other_model", default=None)


@cache
def _shipped() -> OnsetModel:
    return OnsetModel.of(shipped_model().section("network"))
