"""How well a query's onsets line up with a track's, at every time offset.

Belongs here: the offset histogram and its peaks. Does not belong here: what a peak means
(`identify.decision`).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Bools, Float64s, Int32s, Int64s, UInt8s
from spotify_pipeline.fingerprint.packing import unpack_frames

__all__ = ["Alignment", "align", "aligned_onsets", "count_aligned", "offset_histogram"]

NEIGHBOURHOOD = 12
"""Frames around a peak that belong to it."""


@dataclass(frozen=True)
class Alignment:
    """The best offset of a query in a track.

    Attributes
    ----------
    offset
        Frame of the track at which the query begins; negative if the query begins earlier.
    aligned
        Onsets of the query that have one of the track's within the tolerance, at this offset.
    second
        The same at the best other offset.
    onsets
        Onsets of the query that fall within the track at this offset.
    expected
        Mean of `aligned` over all other offsets at which the query lies within the track.
    """

    offset: int
    aligned: float
    second: float
    onsets: float
    expected: float


def align(query: OnsetTrains, track: OnsetTrains, tolerance: int, starts: int = 1) -> Alignment:
    """Find the best offset of a query in a track.

    Parameters
    ----------
    query, track
        Onset trains of one detector setting.
    tolerance
        Frames by which an onset may be off.
    starts
        The query's onsets are those of so many fingerprints of one recording
        (`fingerprint.other_starts`), joined: counts are means over them. So an onset that only some
        of them have counts for less.
    """
    if len(query) == 0 or len(track) == 0:
        return Alignment(0, 0, 0, 0, 0.0)
    offset, aligned, second, onsets, expected = _align(
        query.frames, query.bounds, track.frames, track.bounds, tolerance
    )
    return Alignment(offset, aligned / starts, second / starts, onsets / starts, expected / starts)


def count_aligned(
    query: OnsetTrains,
    packed: UInt8s,
    firsts: Int64s,
    lasts: Int64s,
    tolerance: int,
    offsets: Int64s,
    reach: int,
    speeds: Float64s,
) -> tuple[Int32s, Int64s]:
    """Count the onsets aligned at the best offset near a given one: a fraction of the work.

    Runs without the GIL.

    Parameters
    ----------
    query, tolerance
        As of `align`.
    packed
        uint8, with the packed trains of n tracks in it (`fingerprint.packing`).
    firsts, lasts
        int64 of shape (n,): the bytes of each track.
    offsets, reach
        int64 of shape (n,), frames: of each track, the offsets from `offset - reach` to
        `offset + reach` are tried.
    speeds
        float64 of shape (s,): by each of them the query's frames are multiplied in turn.

    Returns
    -------
    counts : int32 of shape (n,)
        -1 of a track without onsets.
    best : int64 of shape (n,)
        The place in `speeds` of the one that aligns most, the first of several.
    """
    frames = np.stack([query.at_speed(speed).frames for speed in speeds.tolist()])
    found: tuple[Int32s, Int64s] = _count_aligned(
        frames, query.bounds, packed, firsts, lasts, tolerance, offsets, reach
    )
    return found


def offset_histogram(
    query: OnsetTrains, track: OnsetTrains, tolerance: int
) -> tuple[Int64s, Int32s]:
    """Count the onsets aligned at every offset at which one can be.

    Parameters
    ----------
    query, track, tolerance
        As of `align`; trains without onsets give empty arrays.

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
        As of `align`.
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


@njit(cache=True, nogil=True)
def _count_aligned(
    queries: Int32s,
    query_bounds: Int64s,
    packed: UInt8s,
    firsts: Int64s,
    lasts: Int64s,
    tolerance: int,
    offsets: Int64s,
    reach: int,
) -> tuple[Int32s, Int64s]:
    """Count as of `count_aligned`; `queries` are of shape (s, onsets)."""
    most = np.full(len(offsets), -1, np.int32)
    best = np.zeros(len(offsets), np.int64)
    for k in range(len(offsets)):
        track, bounds = unpack_frames(packed[firsts[k] : lasts[k]])
        if len(track) == 0:
            continue
        for speed in range(len(queries)):
            counts = _counts_near(
                queries[speed], query_bounds, track, bounds, offsets[k], reach + tolerance
            )
            aligned = _windowed(counts, tolerance)[tolerance : len(counts) - tolerance].max()
            if aligned > most[k]:
                most[k] = aligned
                best[k] = speed
    return most, best


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
                place = track[j] - earliest
                if place > 2 * reach:
                    break
                counts[place] += 1
    return counts


@njit(cache=True, nogil=True)
def _align(
    query: Int32s, query_bounds: Int64s, track: Int32s, track_bounds: Int64s, tolerance: int
) -> tuple[int, int, int, int, float]:
    """Give offset, aligned, second, onsets and expected as of `Alignment`."""
    query_end = query.max() + 1
    track_end = track.max() + 1
    origin = query_end + tolerance
    counts = np.zeros(query_end + track_end + 2 * tolerance + 1, np.int32)
    for band in range(BANDS):
        for i in range(query_bounds[band], query_bounds[band + 1]):
            for j in range(track_bounds[band], track_bounds[band + 1]):
                counts[track[j] - query[i] + origin] += 1
    aligned = _windowed(counts, tolerance)
    best = 0
    for k in range(len(aligned)):
        if 2 * aligned[k] + counts[k] > 2 * aligned[best] + counts[best]:
            best = k
    second = 0
    total = 0
    places = 0
    for k in range(len(aligned)):
        if abs(k - best) > NEIGHBOURHOOD:
            second = max(second, aligned[k])
            offset = k - origin
            if 0 <= offset <= max(track_end - query_end, 0):
                total += aligned[k]
                places += 1
    offset = best - origin
    onsets = 0
    for i in range(len(query)):
        onsets += -tolerance <= query[i] + offset < track_end + tolerance
    return offset, aligned[best], second, onsets, total / max(places, 1)


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
