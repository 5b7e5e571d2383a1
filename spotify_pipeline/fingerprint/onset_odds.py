"""How likely a band of a track has an onset at each moment of a recording of it.

A detector decides: there is an onset, or there is none. Noise, a room, a codec, a cut hide onsets
and make others, and once it has decided, a faint onset is as lost as none. Here a small neural
network (`onset_network`) listens around a moment and gives odds instead. It was taught on music
that was played through noise, rooms, codecs, at other speeds (`benchmarks/onset_model.py`), with
the rhythm onsets of the clean, whole pieces as what it has to tell.

Belongs here: recordings and onsets to odds, and what odds mean. Does not belong here: what the
network is given (`onset_features`); sums of odds (`index.likelihood`).
"""

import math

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.fingerprint.onset_features import ODDS_CELL_FRAMES, onset_features
from spotify_pipeline.fingerprint.onset_network import onset_model
from spotify_pipeline.fingerprint.trains import BANDS, OnsetTrains

__all__ = [
    "expected",
    "information",
    "odds_at_speed",
    "odds_of_onsets",
    "onset_odds",
    "probabilities",
    "silence",
]

ANY_ODDS = -3.4
"""Logarithm of the odds that a cell of a band of any music has an onset."""

ODDS_AT_ONSET, ODDS_BESIDE, ODDS_ELSEWHERE = 2.5, 0.7, -0.4
"""In the cell of a recording's onset, in the ones before and after, and in all others. A third of
a noisy recording's onsets are the track's."""


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
    return onset_model().odds(onset_features(samples, cells))


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
