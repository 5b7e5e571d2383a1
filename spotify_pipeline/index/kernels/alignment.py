"""How well a query's onsets line up with a track's, at every time offset.

Belongs here: counts of onsets. Does not belong here: how likely a track is by them (`likelihood`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Bools, Int32s, Int64s

__all__ = [
    "NEIGHBOURHOOD",
    "TOLERANCES",
    "aligned_onsets",
    "lines_up",
    "offset_histogram",
    "same_recording",
]

TOLERANCES = {"rhythm": 1, "echoprint": 4}
"""Frames by which an onset may be off, by the kind of trains: recovered ones are known to a few."""

NEIGHBOURHOOD = 12
"""Frames around a peak that belong to it. Set by hand."""

SAME_FRACTION = 0.5
"""Two tracks of one recording have at least this part of their onsets in common, at one offset. Set
by hand."""


def offset_histogram(
    query: OnsetTrains, track: OnsetTrains, tolerance: int
) -> tuple[Int64s, Int32s]:
    """Count the onsets aligned at every offset at which one can be.

    Parameters
    ----------
    query, track
        Onset trains of one detector setting; without onsets, the arrays are empty.
    tolerance
        Frames by which an onset may be off.

    Returns
    -------
    offsets : int64 of shape (n,), frames
    aligned : int32 of shape (n,)
    """
    if len(query) == 0 or len(track) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int32)
    query_end, track_end = int(query.frames.max()), int(track.frames.max())
    middle = (track_end - query_end) // 2
    # the window of the last offset reaches that much further
    reach = (track_end + query_end) // 2 + 1 + 2 * tolerance
    counts = _counts_near(query.frames, query.bounds, track.frames, track.bounds, middle, reach)
    return np.arange(middle - reach, middle + reach + 1), _windowed(counts, tolerance)


def aligned_onsets(query: OnsetTrains, track: OnsetTrains, tolerance: int, offset: int) -> Bools:
    """Tell which onsets of a query have one of the track's beside them, at one offset.

    Parameters
    ----------
    query, track, tolerance
        As of `offset_histogram`.
    offset
        Frame of the track at which the query begins.

    Returns
    -------
    bool of shape (onsets,), in the order of ``query.frames``.
    """
    bands = []
    for band in range(BANDS):
        wanted, there = query.band(band) + offset, track.band(band)
        first = np.searchsorted(there, wanted - tolerance)
        bands.append(first < np.searchsorted(there, wanted + tolerance, side="right"))
    return np.concatenate(bands)


def same_recording(first: OnsetTrains, second: OnsetTrains, kind: str) -> bool:
    """Tell whether trains of a kind are of one recording: most onsets line up at one offset."""
    _, aligned = offset_histogram(first, second, TOLERANCES[kind])
    most = int(aligned.max(initial=0))
    return most > 0 and most >= SAME_FRACTION * min(len(first), len(second))


def lines_up(query: OnsetTrains, track: OnsetTrains, offset: int, tolerance: int) -> bool:
    """Tell the same of one offset alone, as of `aligned_onsets`."""
    aligned = int(aligned_onsets(query, track, tolerance, offset).sum())
    return aligned > 0 and aligned >= SAME_FRACTION * min(len(query), len(track))


@njit(cache=True, nogil=True)
def _counts_near(
    query: Int32s,
    query_bounds: Int64s,
    track: Int32s,
    track_bounds: Int64s,
    offset: int,
    reach: int,
) -> Int32s:
    """Count pairs of onsets by how far they are apart, from offset - reach to offset + reach."""
    counts = np.zeros(2 * reach + 1, np.int32)
    for band in range(BANDS):
        first, last = track_bounds[band], track_bounds[band + 1]
        for i in range(query_bounds[band], query_bounds[band + 1]):
            earliest = np.int64(query[i]) + offset - reach
            while first < last and track[first] < earliest:
                first += 1
            for j in range(first, last):
                position = track[j] - earliest
                if position > 2 * reach:
                    break
                counts[position] += 1
    return counts


@njit(cache=True, nogil=True)
def _windowed(counts: Int32s, tolerance: int) -> Int32s:
    """Sum counts over 2 * tolerance + 1 neighbours."""
    out = np.zeros_like(counts)
    acc = np.int32(0)
    width = 2 * tolerance + 1
    for k in range(len(counts)):
        acc += counts[k]
        if k >= width:
            acc -= counts[k - width]
        if k >= tolerance:
            out[k - tolerance] = acc
    return out
