"""How likely a band of a track has an onset at each moment of a recording of it.

A detector decides: there is an onset, or there is none. Noise, a room, a codec, a cut hide onsets
and make others, and once it has decided, a faint onset is as lost as none. Here a small neural
network (`onset_network`) gives odds instead, for each frame. It was trained on music that was
played through noise, rooms, codecs, at other speeds (`training.network`); its target is the rhythm
onsets of another encoding of the whole piece.

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
    "cell_odds",
    "frame_odds",
    "frame_odds_of_onsets",
    "information",
    "moments",
    "odds_at_speed",
    "odds_of_onsets",
    "onset_odds",
    "probabilities",
    "silence",
]

ANY_ODDS = -3.4
"""Logarithm of the odds that a cell of a band of any music has an onset."""

ODDS_NEAR_ONSET = (3.3, 2.4, 1.5, 0.9, 0.6, 0.4)
ODDS_ELSEWHERE = -0.5
"""In the frame of a recording's own onset, in those so many frames away, and in all others, where
nothing else is known. Set by hand; `training.onset_distances` measures them."""


def frame_odds(samples: Float32s, cells: slice = slice(None)) -> Float32s:
    """Tell how likely a track has onsets in each frame of a recording of it.

    Parameters
    ----------
    samples
        As of `audio.fingerprint`.
    cells
        Those that are told, of `ODDS_CELL_FRAMES` frames each; the rest is only heard.

    Returns
    -------
    float32 of shape (frames, 8)
        A log-likelihood ratio: natural logarithm of the odds that the band has an onset in just
        this frame, against none in its cell, less those of any frame of any music.
    """
    return onset_model().frame_odds(onset_features(samples, cells))


def cell_odds(frames: Float32s) -> Float32s:
    """Join frames to cells: an onset is as likely in one as in the other.

    Parameters
    ----------
    frames
        As `frame_odds` gives them; those of a last cell that is not whole are left out.

    Returns
    -------
    As of `onset_odds`.
    """
    cells = len(frames) // ODDS_CELL_FRAMES
    parts = frames[: cells * ODDS_CELL_FRAMES].reshape(cells, ODDS_CELL_FRAMES, BANDS)
    most = parts.max(axis=1)
    sums = np.exp(parts - most[:, None]).mean(axis=1)
    return np.asarray(np.log(sums) + most, np.float32)


def onset_odds(samples: Float32s, cells: slice = slice(None)) -> Float32s:
    """Tell how likely a track has onsets in each cell of a recording of it.

    Parameters
    ----------
    samples, cells
        As of `frame_odds`.

    Returns
    -------
    float32 of shape (cells, 8)
        A cell has `ODDS_CELL_FRAMES` frames. Natural logarithm of the odds that the band has an
        onset in the cell, less those of any cell of any music: so it is a likelihood ratio's.
    """
    return cell_odds(frame_odds(samples, cells))


def frame_odds_of_onsets(trains: OnsetTrains, cells: int | None = None) -> Float32s:
    """Tell as much as `frame_odds` where only the onsets of a recording are known.

    Parameters
    ----------
    trains
        Of the recording, of either setting.
    cells
        Of the recording; None if it ends with the last onset.

    Returns
    -------
    As of `frame_odds`.
    """
    reach = len(ODDS_NEAR_ONSET) - 1
    if cells is None:
        last = int(trains.frames.max(initial=-1))
        cells = 0 if last < 0 else last // ODDS_CELL_FRAMES + 2
    length = cells * ODDS_CELL_FRAMES
    odds = np.full((length + 2 * reach, BANDS), ODDS_ELSEWHERE, np.float32)
    bands = np.repeat(np.arange(BANDS), trains.counts)
    inside = (trains.frames >= 0) & (trains.frames < length)
    places, bands = trains.frames[inside] + reach, bands[inside]
    for distance in range(reach, -1, -1):
        for apart in {-distance, distance}:
            odds[places + apart, bands] = ODDS_NEAR_ONSET[distance]
    return odds[reach : reach + length]


def odds_of_onsets(trains: OnsetTrains, cells: int | None = None) -> Float32s:
    """Tell as much as `onset_odds` where only the onsets of a recording are known.

    Parameters
    ----------
    trains, cells
        As of `frame_odds_of_onsets`.

    Returns
    -------
    As of `onset_odds`.
    """
    return cell_odds(frame_odds_of_onsets(trains, cells))


def probabilities(odds: Float32s) -> Float64s:
    """Give the probability of an onset in each band of each cell, float64 of the same shape."""
    return np.asarray(1 / (1 + np.exp(-(odds.astype(np.float64) + ANY_ODDS))), np.float64)


def moments(frames: Float32s) -> tuple[Float64s, Float64s]:
    """Tell what the odds at a track's onsets come to, if these are as likely as the odds say.

    Parameters
    ----------
    frames
        As `frame_odds` gives them.

    Returns
    -------
    mean, variance : float64 of shape (cells, 8)
        In nats, for each band of each cell.
    """
    cells = len(frames) // ODDS_CELL_FRAMES
    odds = frames[: cells * ODDS_CELL_FRAMES].reshape(cells, ODDS_CELL_FRAMES, BANDS)
    odds = odds.astype(np.float64)
    absolute = odds + (ANY_ODDS - math.log(ODDS_CELL_FRAMES))
    most = np.maximum(absolute.max(axis=1, keepdims=True), 0)
    weights = np.exp(absolute - most)
    likely = weights / (weights.sum(axis=1, keepdims=True) + np.exp(-most))
    mean = (likely * odds).sum(axis=1)
    return mean, (likely * odds**2).sum(axis=1) - mean**2


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
    """Make a recording longer by a factor, which is played at so many times the track's speed.

    Each cell has the odds of the one that it is nearest to: a mean of two would be less than either
    is expected to tell.
    """
    if speed == 1 or len(odds) == 0:
        return odds
    places = ((np.arange(int(len(odds) * speed)) + 0.5) / speed).astype(np.int64)
    nearest: Float32s = odds[np.minimum(places, len(odds) - 1)]
    return nearest
