"""How likely a band of a track has an onset at each moment of a recording of it.

A detector decides: there is an onset, or there is none. Noise, a room, a codec, a cut hide onsets
and make others, and once it has decided, a faint onset is as lost as none. Here a small neural
network (`onset_network`) gives log-likelihood ratios (LLRs) instead, for each frame. It was trained
on music that was played through noise, rooms, codecs, at other speeds (`training.network`); its
target is the rhythm onsets of another encoding of the whole piece, and that these fit better than
those of other tracks: what most tracks share tells none of them.

Belongs here: recordings and onsets to LLRs, and what LLRs mean. Does not belong here: what the
network is given (`onset_features`); sums of LLRs (`index.kernels.likelihood`).
"""

import math

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.fingerprint.onset_features import LLR_BIN_FRAMES, onset_features
from spotify_pipeline.fingerprint.onset_network import onset_model
from spotify_pipeline.fingerprint.trains import BANDS, OnsetTrains

__all__ = [
    "bin_llr",
    "expected_evidence",
    "frame_llr",
    "frame_llr_of_onsets",
    "llr_at_speed",
    "llr_of_onsets",
    "moments",
    "onset_llr",
    "probabilities",
    "silence",
]

PRIOR_LOG_ODDS = -3.4
"""Logarithm of the odds that an LLR bin of a band of any music has an onset."""

LLR_NEAR_ONSET = (3.3, 2.4, 1.5, 0.9, 0.6, 0.4)
LLR_ELSEWHERE = -0.5
"""In the frame of a recording's own onset, in those so many frames away, and in all others, where
nothing else is known. Set by hand; `training.onset_distances` measures them."""


def frame_llr(samples: Float32s, llr_bins: slice = slice(None)) -> Float32s:
    """Tell how likely a track has onsets in each frame of a recording of it.

    Parameters
    ----------
    samples
        As of `audio.fingerprint`.
    llr_bins
        Those that are given, of `LLR_BIN_FRAMES` frames each; the rest is context.

    Returns
    -------
    float32 of shape (frames, 8)
        A log-likelihood ratio: natural logarithm of the odds that the band has an onset in just
        this frame, against none in its LLR bin, less those of any frame of any music.
    """
    return onset_model().frame_llr(onset_features(samples, llr_bins))


def bin_llr(frames: Float32s) -> Float32s:
    """Join frames to LLR bins: an onset is as likely in one as in the other.

    Parameters
    ----------
    frames
        As `frame_llr` gives them; those of a last LLR bin that is not whole are left out.

    Returns
    -------
    As of `onset_llr`.
    """
    llr_bins = len(frames) // LLR_BIN_FRAMES
    parts = frames[: llr_bins * LLR_BIN_FRAMES].reshape(llr_bins, LLR_BIN_FRAMES, BANDS)
    most = parts.max(axis=1)
    sums = np.exp(parts - most[:, None]).mean(axis=1)
    return np.asarray(np.log(sums) + most, np.float32)


def onset_llr(samples: Float32s, llr_bins: slice = slice(None)) -> Float32s:
    """Tell how likely a track has onsets in each LLR bin of a recording of it.

    Parameters
    ----------
    samples, llr_bins
        As of `frame_llr`.

    Returns
    -------
    float32 of shape (llr_bins, 8)
        An LLR bin has `LLR_BIN_FRAMES` frames. Natural logarithm of the odds that the band has an
        onset in the LLR bin, less those of any LLR bin of any music: so it is a likelihood ratio's.
    """
    return bin_llr(frame_llr(samples, llr_bins))


def frame_llr_of_onsets(trains: OnsetTrains, llr_bins: int | None = None) -> Float32s:
    """Tell as much as `frame_llr` where only the onsets of a recording are known.

    Parameters
    ----------
    trains
        Of the recording, of either setting.
    llr_bins
        Of the recording; None if it ends with the last onset.

    Returns
    -------
    As of `frame_llr`.
    """
    reach = len(LLR_NEAR_ONSET) - 1
    if llr_bins is None:
        last = int(trains.frames.max(initial=-1))
        llr_bins = 0 if last < 0 else last // LLR_BIN_FRAMES + 2
    length = llr_bins * LLR_BIN_FRAMES
    llr = np.full((length + 2 * reach, BANDS), LLR_ELSEWHERE, np.float32)
    bands = np.repeat(np.arange(BANDS), trains.counts)
    inside = (trains.frames >= 0) & (trains.frames < length)
    positions, bands = trains.frames[inside] + reach, bands[inside]
    for distance in range(reach, -1, -1):
        for apart in {-distance, distance}:
            llr[positions + apart, bands] = LLR_NEAR_ONSET[distance]
    return llr[reach : reach + length]


def llr_of_onsets(trains: OnsetTrains, llr_bins: int | None = None) -> Float32s:
    """Tell as much as `onset_llr` where only the onsets of a recording are known.

    Parameters
    ----------
    trains, llr_bins
        As of `frame_llr_of_onsets`.

    Returns
    -------
    As of `onset_llr`.
    """
    return bin_llr(frame_llr_of_onsets(trains, llr_bins))


def probabilities(llr: Float32s) -> Float64s:
    """Give the probability of an onset in each band of each LLR bin, float64 of the same shape."""
    return np.asarray(1 / (1 + np.exp(-(llr.astype(np.float64) + PRIOR_LOG_ODDS))), np.float64)


def moments(frames: Float32s) -> tuple[Float64s, Float64s]:
    """Tell what the LLRs at a track's onsets come to, if these are as likely as the LLRs say.

    Parameters
    ----------
    frames
        As `frame_llr` gives them.

    Returns
    -------
    mean, variance : float64 of shape (llr_bins, 8)
        In nats, for each band of each LLR bin.
    """
    llr_bins = len(frames) // LLR_BIN_FRAMES
    llr = frames[: llr_bins * LLR_BIN_FRAMES].reshape(llr_bins, LLR_BIN_FRAMES, BANDS)
    llr = llr.astype(np.float64)
    absolute = llr + (PRIOR_LOG_ODDS - math.log(LLR_BIN_FRAMES))
    most = np.maximum(absolute.max(axis=1, keepdims=True), 0)
    weights = np.exp(absolute - most)
    likely = weights / (weights.sum(axis=1, keepdims=True) + np.exp(-most))
    mean = (likely * llr).sum(axis=1)
    return mean, (likely * llr**2).sum(axis=1) - mean**2


def silence(llr: Float32s) -> Float64s:
    """Tell how much likelier a recording is where the track has no onset.

    Parameters
    ----------
    llr
        As `onset_llr` gives them.

    Returns
    -------
    float64 of shape (llr_bins, 8), nats: what LLRs at onsets leave out of a likelihood.
    """
    absent = np.log1p(-probabilities(llr)) + math.log1p(math.exp(PRIOR_LOG_ODDS))
    return np.asarray(absent, np.float64)


def expected_evidence(llr: Float32s) -> Float64s:
    """Tell how much each band of each LLR bin is expected to tell of the right track.

    Parameters
    ----------
    llr
        As `onset_llr` gives them.

    Returns
    -------
    float64 of shape (llr_bins, 8), nats: the divergence of an onset as it is likely here from one
    of any music.
    """
    return np.asarray(probabilities(llr) * llr + silence(llr), np.float64)


def llr_at_speed(llr: Float32s, speed: float) -> Float32s:
    """Make a recording longer by a factor, which is played at so many times the track's speed.

    Each LLR bin has the LLRs of the one that it is nearest to: a mean of two would be less than
    either is expected to tell.
    """
    if speed == 1 or len(llr) == 0:
        return llr
    positions = ((np.arange(int(len(llr) * speed)) + 0.5) / speed).astype(np.int64)
    nearest: Float32s = llr[np.minimum(positions, len(llr) - 1)]
    return nearest
