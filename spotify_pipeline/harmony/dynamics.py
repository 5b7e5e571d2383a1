"""How well a recording's loudness rises and falls with the segments of a track, once aligned.

A segment begins where the sound changes, so all music has a peak of its loudness at the start of a
segment; how high one peak is beside the others is the track's own. The highest loudness in each
segment of the track is correlated with what the analyzer said it was. That is told from little:
noise, rooms and telephones leave it, an automatic gain takes some of it.

Belongs here: the correlation, and what it is worth. Does not belong here: loudness (`loudness`).
"""

import math

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.harmony.likelihood_ratio import likelihood_ratio
from spotify_pipeline.harmony.loudness import LOUDNESS_HOP_SECONDS

__all__ = ["compare_loudness", "loudness_nats"]

EARLIER = 3
"""Frames (35 ms) by which a segment is taken to begin and end earlier than its track says: where
its end lies late by an alignment, the next attack is in it, which costs far more than the end of
its own sound. Set by hand, by what a late end costs (`benchmarks/results/segment-figures.md`)."""

SHORTEST = 0.1
"""Seconds: a segment that begins nearer to the end of the recording is not compared. Set by hand.
"""

FEWEST_SEGMENTS = 5
"""Compared, before loudness tells anything. Set by hand."""

CHANCE = 1.6
"""The Fisher transform of a correlation over n segments has a variance of this by n - 3, by chance;
1 if segments told nothing of each other (``benchmarks.segment_figures``)."""

RIGHT, SPREAD = 1.2, 0.4
"""Mean and standard deviation of the right track's Fisher transform, chance apart. (Excerpts of two
recordings whose documents are known, 3 to 20 s, clean, in noise and rooms, by telephone:
``benchmarks.segment_figures``.)"""

LEAST_NATS = -2.0
"""An automatic gain can turn loudness round: it speaks against a track by no more. Set by hand."""


def loudness_nats(correlations: Float64s, segments: Float64s) -> Float64s:
    """Tell how much likelier a recording's loudness is if it is each track.

    Parameters
    ----------
    correlations, segments
        float64 of shape (n,): as `compare_loudness` gives them.

    Returns
    -------
    float64 of shape (n,): natural logarithms of likelihood ratios; 0 where too little was compared.
    """
    found = np.arctanh(np.clip(correlations, -0.999, 0.999))
    deviation = np.sqrt(CHANCE / np.maximum(segments - 3, 1))
    ratio = np.maximum(likelihood_ratio(found, deviation, RIGHT, SPREAD), LEAST_NATS)
    return np.where(segments >= FEWEST_SEGMENTS, ratio, 0.0)


@njit(cache=True, nogil=True)
def compare_loudness(
    levels: Float32s, starts: Float64s, loudness: Float32s, offset: float, speed: float
) -> tuple[float, float]:
    """Correlate a recording's loudness with a track's.

    Parameters
    ----------
    levels
        float32 of shape (frames,), as of `loudness.loudness`.
    starts, loudness
        Of the track, as of `Segments`.
    offset, speed
        As of `agreement.agreement`.

    Returns
    -------
    correlation, segments : float
        0 and 0 where too little can be compared. A segment of no length is not.
    """
    first = int(np.searchsorted(starts, offset))
    last = offset + speed * (len(levels) * LOUDNESS_HOP_SECONDS - SHORTEST)
    behind = int(np.searchsorted(starts, last))
    count = 0
    x, y = 0.0, 0.0
    xx, yy, xy = 0.0, 0.0, 0.0
    for segment in range(first, behind):
        begin = _frame(starts[segment], offset, speed)
        end = len(levels)
        if segment + 1 < len(starts):
            end = min(_frame(starts[segment + 1], offset, speed), len(levels))
        if end <= begin:
            continue
        # less what one of them has: sums of squares of like numbers lose digits
        own = np.float64(loudness[segment] - loudness[first])
        heard = np.float64(levels[begin])
        for frame in range(begin + 1, end):
            heard = max(heard, levels[frame])
        heard -= levels[0]
        count += 1
        x, y = x + own, y + heard
        xx, yy, xy = xx + own * own, yy + heard * heard, xy + own * heard
    if count < FEWEST_SEGMENTS:
        return 0.0, 0.0
    variances = (xx - x * x / count) * (yy - y * y / count)
    if variances < 1e-9:
        return 0.0, 0.0
    return (xy - x * y / count) / math.sqrt(variances), float(count)


@njit(cache=True, nogil=True)
def _frame(start: float, offset: float, speed: float) -> int:
    """Give the frame at which a segment is taken to begin."""
    return max(round((start - offset) / speed / LOUDNESS_HOP_SECONDS) - EARLIER, 0)
