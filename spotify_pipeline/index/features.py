"""Onset trains to quantised features: what the index looks up.

A feature is a band and the next few gaps of its train, each gap divided by a step and rounded down.
Gaps do not depend on where a recording begins, and coarse gaps survive that an onset moves by a
frame. The rhythm trains have five times as many onsets as the Echoprint ones, so a short clip shows
several times as many of its track's features; the Echoprint trains serve tracks and queries that
have nothing else, and confirm the rest.

Belongs here: features of a track and the wider set looked up for a query. Does not belong here:
where they are stored (`channel`) and how hits are counted (`search`).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt32s

__all__ = ["ECHOPRINT_FEATURES", "RHYTHM_FEATURES", "FeatureSetting", "features", "probes"]

CELLS = 128
"""Cells a gap; a longer gap than `step` times this has no feature."""


@dataclass(frozen=True)
class FeatureSetting:
    """How features are made of a train.

    Attributes
    ----------
    gaps
        Consecutive gaps in a feature.
    step
        Frames in a cell.
    """

    gaps: int
    step: int


RHYTHM_FEATURES = FeatureSetting(gaps=3, step=4)
ECHOPRINT_FEATURES = FeatureSetting(gaps=2, step=16)


def features(trains: OnsetTrains, setting: FeatureSetting) -> tuple[UInt32s, Int32s]:
    """Make the features of a track.

    Returns
    -------
    features : uint32 of shape (n,)
        Band and cells, packed.
    frames : int32 of shape (n,)
        The frame at which each begins.
    """
    out = np.empty(len(trains), np.uint32), np.empty(len(trains), np.int32)
    count = _write_features(trains.frames, trains.bounds, setting.gaps, setting.step, *out)
    return out[0][:count], out[1][:count]


def probes(trains: OnsetTrains, setting: FeatureSetting) -> tuple[UInt32s, Int32s]:
    """Make the features to look up for a query: its own, and those of slightly different trains.

    A clip's onsets differ from its track's by a frame here and there, and some are missing on
    either side. So each feature is also tried with one gap a frame shorter or longer (which only
    matters at the border of a cell) and with one onset left out.

    Returns
    -------
    The same as `features`; each pair of feature and frame once.
    """
    capacity = len(trains) * (1 + 3 * setting.gaps)
    out = np.empty(capacity, np.uint32), np.empty(capacity, np.int32)
    count = _write_probes(trains.frames, trains.bounds, setting.gaps, setting.step, *out)
    pairs = np.unique(out[0][:count].astype(np.int64) << 32 | out[1][:count])
    return (pairs >> 32).astype(np.uint32), (pairs & 0xFFFFFFFF).astype(np.int32)


@njit(cache=True, nogil=True)
def _pack(band: int, gaps: Int64s, step: int) -> int:
    """Pack a band and gaps into one number; -1 if a gap is too long."""
    packed = band
    for k in range(len(gaps)):
        cell = gaps[k] // step
        if cell < 0 or cell >= CELLS:
            return -1
        packed = packed * CELLS + cell
    return packed


@njit(cache=True, nogil=True)
def _write_features(
    frames: Int32s, bounds: Int64s, count_gaps: int, step: int, out: UInt32s, out_frames: Int32s
) -> int:
    """Write the features of all bands and count them."""
    count = 0
    gaps = np.empty(count_gaps, np.int64)
    for band in range(BANDS):
        for onset in range(bounds[band], bounds[band + 1] - count_gaps):
            for k in range(count_gaps):
                gaps[k] = frames[onset + k + 1] - frames[onset + k]
            packed = _pack(band, gaps, step)
            if packed >= 0:
                out[count] = packed
                out_frames[count] = frames[onset]
                count += 1
    return count


@njit(cache=True, nogil=True)
def _write_probes(
    frames: Int32s, bounds: Int64s, count_gaps: int, step: int, out: UInt32s, out_frames: Int32s
) -> int:
    """Write the features of all bands, their neighbours and those with an onset skipped."""
    count = 0
    gaps = np.empty(count_gaps, np.int64)
    for band in range(BANDS):
        end = bounds[band + 1]
        for onset in range(bounds[band], end - count_gaps):
            # skip == count_gaps + 1 leaves nothing out
            for skip in range(1, count_gaps + 2):
                if skip <= count_gaps and onset + count_gaps + 1 >= end:
                    continue
                here = onset
                for k in range(count_gaps):
                    there = here + 2 if here + 1 == onset + skip else here + 1
                    gaps[k] = frames[there] - frames[here]
                    here = there
                packed = _pack(band, gaps, step)
                if packed >= 0:
                    out[count] = packed
                    out_frames[count] = frames[onset]
                    count += 1
            for k in range(count_gaps):
                gaps[k] = frames[onset + k + 1] - frames[onset + k]
            for k in range(count_gaps):
                for change in (-1, 1):
                    gaps[k] += change
                    packed = _pack(band, gaps, step)
                    gaps[k] -= change
                    if packed >= 0:
                        out[count] = packed
                        out_frames[count] = frames[onset]
                        count += 1
    return count
