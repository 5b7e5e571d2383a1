"""From a query's features to the tracks that are worth aligning.

A track's own clip shows many of its features, all at one time offset; another track shows few, at
any offset. So hits are weighed by rarity and summed for each track and offset.

Belongs here: ranking candidates. Does not belong here: verifying them (`alignment`).
"""

import numpy as np

from spotify_pipeline.fingerprint import OnsetTrains
from spotify_pipeline.fingerprint.arrays import Int64s
from spotify_pipeline.index.channel import Channel
from spotify_pipeline.index.features import FeatureSetting, probes

__all__ = ["OFFSET_BIN", "candidates"]

OFFSET_BIN = 16
"""Frames; hits within two adjacent bins count together."""

_BIAS = 2**30


def candidates(channel: Channel, setting: FeatureSetting, query: OnsetTrains, limit: int) -> Int64s:
    """Rank tracks by the weight of their features that agree on a time offset.

    Parameters
    ----------
    channel, setting
        Where to search, and how its features are made.
    query
        Onset trains of the channel's kind.
    limit
        Tracks to give at the most.

    Returns
    -------
    int64 of shape (tracks,): numbers of tracks, best first.
    """
    hits = channel.look_up(*probes(query, setting))
    if len(hits.tracks) == 0:
        return np.empty(0, np.int64)
    bins = (hits.offsets.astype(np.int64) + _BIAS) // OFFSET_BIN
    keys = hits.tracks.astype(np.int64) << 32 | bins
    distinct, places = np.unique(keys, return_inverse=True)
    votes = np.bincount(places, hits.weights)
    adjacent = np.flatnonzero(np.diff(distinct) == 1)
    pairs = votes.copy()
    pairs[adjacent] += votes[adjacent + 1]
    tracks = distinct >> 32
    firsts = np.flatnonzero(np.diff(tracks, prepend=-1))
    best = np.maximum.reduceat(pairs, firsts)
    order = np.argsort(-best, kind="stable")[:limit]
    ranked: Int64s = tracks[firsts[order]]
    return ranked
