"""The neural network that tells onset odds: its layers, its file, what comes out.

Belongs here: the network, and the one that is shipped. Does not belong here: what it is given
(`onset_features`); what its odds mean (`onset_odds`); the file (`model_file`); how it is trained
(`training.network`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.fingerprint.model_file import shipped_model
from spotify_pipeline.fingerprint.onset_features import (
    BIN_CELLS,
    BINS_OF_BAND,
    NEAR_FRAMES,
    OnsetFeatures,
)
from spotify_pipeline.fingerprint.trains import BANDS

__all__ = ["OnsetModel", "hearing_with", "onset_model"]

CELLS_AT_ONCE = 64
"""What the network makes of so many stays in a processor's cache."""


@dataclass(frozen=True)
class OnsetModel:
    """A neural network with two hidden layers of rectified linear units, the same for every band.

    Each bin of the spectrum has units of its own before, the same for every bin; a band's bins are
    averaged. The first layer is given that and the envelopes, of the band and the bands above and
    below, and what the envelopes of all bands are on the average.

    Attributes
    ----------
    bin_cells, bin_figures, bin_biases
        float32 of shapes (`BIN_CELLS`, bin units), (`BIN_FIGURES`, bin units) and (bin units,).
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
        float32 of shapes (second units, 4) and (8, 4): what comes out, for each frame of a cell.
    """

    bin_cells: Float32s
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

    def frame_odds(self, features: OnsetFeatures) -> Float32s:
        """Give logarithms of odds, float32 of shape (4 x cells, 8).

        That is of the odds that the band has an onset in just this frame, against none in its cell,
        less those of any frame of any music.
        """
        firsts = range(0, len(features), CELLS_AT_ONCE)
        parts = [self._frame_odds(features.part(first, first + CELLS_AT_ONCE)) for first in firsts]
        return np.concatenate(parts) if parts else np.empty((0, BANDS), np.float32)

    def _frame_odds(self, features: OnsetFeatures) -> Float32s:
        envelopes, bins = features.envelopes, self._heard_in_bins(features)
        near = envelopes[:, :, : len(NEAR_FRAMES)]
        hidden = _times(envelopes, self.own)
        hidden += _times(bins, self.bins)
        hidden += (envelopes.mean(axis=1) @ self.mean)[:, None]
        hidden[:, :-1] += _times(near[:, 1:], self.above)
        hidden[:, :-1] += _times(bins[:, 1:], self.bins_above)
        hidden[:, 1:] += _times(near[:, :-1], self.below)
        hidden[:, 1:] += _times(bins[:, :-1], self.bins_below)
        hidden += self.biases
        second = _times(np.maximum(hidden, 0, out=hidden), self.hidden_weights)
        second += self.hidden_biases
        odds = _times(np.maximum(second, 0, out=second), self.weights) + self.bias
        return odds.transpose(0, 2, 1).reshape(-1, BANDS)

    def _heard_in_bins(self, features: OnsetFeatures) -> Float32s:
        """Average the bins' units over each band; float32 of shape (cells, 8, bin units)."""
        around = sliding_window_view(features.spectrum, BIN_CELLS, axis=0)
        units = _times(around, self.bin_cells)
        units += features.bins @ self.bin_figures + self.bin_biases
        np.maximum(units, 0, out=units)
        of_band = units.reshape(len(units), BANDS, BINS_OF_BAND, -1)
        return np.asarray(of_band.mean(axis=2), np.float32)


def onset_model() -> OnsetModel:
    """Give the network in use: the one that is shipped, but inside `hearing_with`."""
    return _other_model.get() or _shipped()


@contextmanager
def hearing_with(model: OnsetModel) -> Iterator[None]:
    """Have another network in use meanwhile: to measure it."""
    token = _other_model.set(model)
    try:
        yield
    finally:
        _other_model.reset(token)


def _times(rows: Float32s, weights: Float32s) -> Float32s:
    """Multiply the last axis of an array of shape (cells, bands, n): faster as one matrix."""
    product = rows.reshape(-1, rows.shape[-1]) @ weights
    return np.asarray(product.reshape(*rows.shape[:2], weights.shape[1]), np.float32)


_other_model: ContextVar[OnsetModel | None] = ContextVar("_other_model", default=None)


@cache
def _shipped() -> OnsetModel:
    return OnsetModel.of(shipped_model().section("network"))
