"""How likely a band of a track has an onset at each moment of a recording of it.

A detector decides: there is an onset, or there is none. Noise, a room, a codec, a cut hide onsets
and make others, and once it has decided, a faint onset is as lost as none. Here a small neural
network looks at the envelopes around a moment and gives odds instead. It was taught on music that
was played through noise, rooms, codecs, at other speeds (`benchmarks/onset_model.py`), with the
rhythm onsets of the clean, whole pieces as what it has to tell.

Belongs here: envelopes to odds. Does not belong here: sums of odds (`index.likelihood`).
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.fingerprint.frontend import envelopes, warmed_up
from spotify_pipeline.fingerprint.trains import BANDS, FRAMES_PER_SECOND, OnsetTrains

__all__ = [
    "ODDS_CELLS_PER_SECOND",
    "ODDS_CELL_FRAMES",
    "OnsetModel",
    "expected",
    "hearing_with",
    "information",
    "odds_at_speed",
    "odds_of_onsets",
    "onset_features",
    "onset_odds",
    "probabilities",
    "silence",
    "warm_envelopes",
]

ODDS_CELL_FRAMES = 4
"""Frames in a cell of odds (11.6 ms)."""

ODDS_CELLS_PER_SECOND = FRAMES_PER_SECOND / ODDS_CELL_FRAMES

FAINTEST = 1e-5
"""Envelopes are at least this, so that they have logarithms."""

ANY_ODDS = -3.4
"""Logarithm of the odds that a cell of a band of any music has an onset."""

NEAR_FRAMES = np.arange(-24, 33, 2)
"""Frames around the middle of a cell that are looked at one by one."""

MEAN_FRAMES = 8
MEANS_BEFORE, MEANS_AFTER = 30, 10
"""Before and after the middle, so many means over `MEAN_FRAMES` are looked at."""

ODDS_AT_ONSET, ODDS_BESIDE, ODDS_ELSEWHERE = 2.5, 0.7, -0.4
"""In the cell of a recording's onset, in the ones before and after, and in all others. A third of
a noisy recording's onsets are the track's."""

CELLS_AT_ONCE = 512
"""What the network makes of so many takes little memory."""

FEATURES = len(NEAR_FRAMES) + MEANS_BEFORE + MEANS_AFTER + 1
"""Of a band, in `onset_features`."""

_REACH = MEANS_BEFORE * MEAN_FRAMES + ODDS_CELL_FRAMES


@dataclass(frozen=True)
class OnsetModel:
    """A neural network with two hidden layers of rectified linear units, the same for every band.

    It is given what `onset_features` describes of the band, of the bands above and below, and of
    all bands on the average.

    Attributes
    ----------
    own, mean
        float32 of shape (features, units), for the band and the average.
    above, below
        float32 of shape (near features, units), for the bands beside it.
    biases
        float32 of shape (8, units): this is what bands have of their own.
    hidden_weights, hidden_biases
        float32 of shapes (units, second units) and (second units,).
    weights, bias
        float32 of shapes (second units,) and (8,); what comes out is a natural logarithm of odds.
    """

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

    @classmethod
    def read(cls, file: Path | IO[bytes]) -> "OnsetModel":
        """Read an ``.npz`` file of the attributes."""
        with np.load(file) as arrays:
            return cls.of(arrays)

    def write(self, file: Path) -> None:
        """Write what `read` reads, with 16 bits a weight."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in self.__annotations__}
        np.savez_compressed(file, **arrays)

    def odds(self, features: Float32s) -> Float32s:
        """Give log odds, float32 of shape (cells, 8), of features as `onset_features` gives."""
        parts = np.split(features, range(CELLS_AT_ONCE, len(features), CELLS_AT_ONCE))
        return np.concatenate([self._odds(part) for part in parts])

    def _odds(self, features: Float32s) -> Float32s:
        near = features[:, :, : len(NEAR_FRAMES)]
        hidden = _times(features, self.own)
        hidden += (features.mean(axis=1) @ self.mean)[:, None]
        hidden[:, :-1] += _times(near[:, 1:], self.above)
        hidden[:, 1:] += _times(near[:, :-1], self.below)
        hidden += self.biases
        second = _times(np.maximum(hidden, 0, out=hidden), self.hidden_weights)
        second += self.hidden_biases
        return np.asarray(np.maximum(second, 0, out=second) @ self.weights + self.bias, np.float32)


def onset_odds(samples: Float32s, cells: slice = slice(None)) -> Float32s:
    """Tell how likely a track has onsets in each cell of a recording of it.

    Parameters
    ----------
    samples
        As of `audio.fingerprint`.
    cells
        Those that are told; the rest is only heard.

    Returns
    -------
    float32 of shape (cells, 8)
        A cell has `ODDS_CELL_FRAMES` frames. Natural logarithm of the odds that the band has an
        onset in the cell, less those of any cell of any music: so it is a likelihood ratio's.
    """
    model = _other_model.get() or _model()
    return model.odds(onset_features(warm_envelopes(samples))[cells])


@contextmanager
def hearing_with(model: OnsetModel) -> Iterator[None]:
    """Have `onset_odds` hear with another network meanwhile: to measure it."""
    token = _other_model.set(model)
    try:
        yield
    finally:
        _other_model.reset(token)


def odds_of_onsets(trains: OnsetTrains, length: int | None = None) -> Float32s:
    """Tell as much where only the onsets of a recording are known.

    Parameters
    ----------
    trains
        Of the recording, of either setting.
    length
        Of the recording, in cells; None if it ends with the last onset.

    Returns
    -------
    As of `onset_odds`.
    """
    cells = trains.frames // ODDS_CELL_FRAMES
    last = int(cells.max(initial=-2)) + 2
    length = last if length is None else length
    odds = np.full((max(length, last), BANDS), ODDS_ELSEWHERE, np.float32)
    bands = np.repeat(np.arange(BANDS), trains.counts)
    for apart, odd in ((-1, ODDS_BESIDE), (1, ODDS_BESIDE), (0, ODDS_AT_ONSET)):
        odds[np.maximum(cells + apart, 0), bands] = odd
    return odds[:length]


def probabilities(odds: Float32s) -> Float64s:
    """Give the probability of an onset in each band of each cell, float64 of the same shape."""
    return np.asarray(1 / (1 + np.exp(-(odds.astype(np.float64) + ANY_ODDS))), np.float64)


def expected(odds: Float32s) -> Float64s:
    """Tell what the odds at a track's onsets come to in each cell, if they are as likely as said.

    Parameters
    ----------
    odds
        As `onset_odds` gives them.

    Returns
    -------
    float64 of shape (cells,), nats.
    """
    return np.asarray((probabilities(odds) * odds).sum(axis=1), np.float64)


def silence(odds: Float32s) -> Float64s:
    """Tell how much likelier a recording is where the track has no onset.

    Parameters
    ----------
    odds
        As `onset_odds` gives them.

    Returns
    -------
    float64 of shape (cells, 8), nats: what odds at onsets leave out of a likelihood.
    """
    told = np.log1p(-probabilities(odds)) + math.log1p(math.exp(ANY_ODDS))
    return np.asarray(told, np.float64)


def information(odds: Float32s) -> Float64s:
    """Tell how much each band of each cell is expected to tell of the right track.

    Parameters
    ----------
    odds
        As `onset_odds` gives them.

    Returns
    -------
    float64 of shape (cells, 8), nats: the divergence of an onset as it is likely here from one of
    any music.
    """
    return np.asarray(probabilities(odds) * odds + silence(odds), np.float64)


def odds_at_speed(odds: Float32s, speed: float) -> Float32s:
    """Make a recording longer by a factor, which is played at so many times the track's speed."""
    if speed == 1 or len(odds) == 0:
        return odds
    places = np.arange(int(len(odds) * speed)) / speed
    low = places.astype(np.int64)
    high = np.minimum(low + 1, len(odds) - 1)
    part = (places - low).astype(np.float32)[:, None]
    between: Float32s = odds[low] * (1 - part) + odds[high] * part
    return between


def warm_envelopes(samples: Float32s) -> Float32s:
    """Give the envelopes of a recording as if its beginning had been heard before."""
    longer, frames = warmed_up(samples)
    return envelopes(longer)[frames:]


def onset_features(bands: Float32s) -> Float32s:
    """Describe the envelopes around each cell.

    Parameters
    ----------
    bands
        float32 of shape (frames, 8), as of `frontend.envelopes`.

    Returns
    -------
    float32 of shape (cells, 8, features)
        Of each band, logarithms of the envelope near the middle of the cell and of its means
        further away, all less the mean of what comes before; and that, less the recording's mean.
    """
    levels = np.log(bands + np.float32(FAINTEST))
    cells = len(levels) // ODDS_CELL_FRAMES
    if cells == 0:
        return np.empty((0, BANDS, FEATURES), np.float32)
    levels = np.pad(levels - levels.mean(axis=0), ((_REACH, _REACH), (0, 0)), mode="edge")
    middles = np.arange(cells) * ODDS_CELL_FRAMES + ODDS_CELL_FRAMES // 2 + _REACH
    near = levels[middles[:, None] + NEAR_FRAMES]
    sums = np.concatenate((np.zeros((1, BANDS)), np.cumsum(levels, axis=0, dtype=np.float64)))
    firsts = middles[:, None] + np.arange(-MEANS_BEFORE, MEANS_AFTER) * MEAN_FRAMES
    means = ((sums[firsts + MEAN_FRAMES] - sums[firsts]) / MEAN_FRAMES).astype(np.float32)
    before = means[:, :MEANS_BEFORE].mean(axis=1, keepdims=True)
    described = np.concatenate((near - before, means - before, before), axis=1)
    return np.ascontiguousarray(described.transpose(0, 2, 1))


def _times(rows: Float32s, weights: Float32s) -> Float32s:
    """Multiply the last axis of an array of shape (cells, bands, n): faster as one matrix."""
    product = rows.reshape(-1, rows.shape[-1]) @ weights
    return np.asarray(product.reshape(*rows.shape[:2], weights.shape[1]), np.float32)


_other_model: ContextVar[OnsetModel | None] = ContextVar("_other_model", default=None)


@cache
def _model() -> OnsetModel:
    with files(__package__).joinpath("onset_model.npz").open("rb") as file:
        return OnsetModel.read(file)
