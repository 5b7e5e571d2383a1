"""Onset trains to quantised features: what the index looks up.

A feature is a band and the next few gaps of its train, each gap as the cell that it falls in. Gaps
do not depend on where a recording begins, and coarse cells survive that an onset moves by a frame.
The rhythm trains have five times as many onsets as the Echoprint ones, so a short clip shows
several times as many of its track's features; the Echoprint trains serve tracks and queries that
have nothing else.

All features are numbers below `FEATURES`: the rhythm ones come first, then the Echoprint ones.

Belongs here: features of a track and the wider set looked up for a query. Does not belong here:
where they are stored (`segment`) and how hits are counted (`search`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt8s, UInt32s

__all__ = [
    "ECHOPRINT_FEATURES",
    "FEATURES",
    "KINDS",
    "RHYTHM_FEATURES",
    "FeatureSetting",
    "features",
    "probes",
    "write_features",
]

NO_CELL = 255


@dataclass(frozen=True)
class FeatureSetting:
    """How features are made of a train.

    Attributes
    ----------
    first
        Number of the first feature.
    gaps
        Consecutive gaps in a feature.
    cell_bits
        There are ``2 ** cell_bits`` cells a gap.
    shortest
        Frames at which the first cell begins; shorter gaps fall into it.
    fine_cells, step
        So many cells have `step` frames each, and those after them twice as many. A gap beyond the
        last one has no cell, and no feature.
    """

    first: int
    gaps: int
    cell_bits: int
    shortest: int
    fine_cells: int
    step: int

    @property
    def count(self) -> int:
        """Features that there can be."""
        return BANDS << (self.cell_bits * self.gaps)

    @cached_property
    def cell_of_gap(self) -> UInt8s:
        """The cell of each gap, uint8 of shape (frames,); `NO_CELL` in the last place."""
        cells = 1 << self.cell_bits
        widths = [self.step] * self.fine_cells + [2 * self.step] * (cells - self.fine_cells)
        cells_of_gaps = np.repeat(np.arange(cells, dtype=np.uint8), widths)
        return np.concatenate(
            (np.zeros(self.shortest, np.uint8), cells_of_gaps, [np.uint8(NO_CELL)])
        )

    @property
    def arguments(self) -> tuple[int, int, int, UInt8s]:
        """What kernels take: first, gaps, cell_bits, cell_of_gap."""
        return self.first, self.gaps, self.cell_bits, self.cell_of_gap


RHYTHM_FEATURES = FeatureSetting(first=0, gaps=2, cell_bits=6, shortest=40, fine_cells=32, step=4)
ECHOPRINT_FEATURES = FeatureSetting(
    first=RHYTHM_FEATURES.count, gaps=2, cell_bits=7, shortest=128, fine_cells=64, step=8
)

KINDS = {"rhythm": RHYTHM_FEATURES, "echoprint": ECHOPRINT_FEATURES}
"""The setting of each kind of trains, by its name in a `Fingerprint` and in a segment."""

FEATURES = sum(setting.count for setting in KINDS.values())


def features(trains: OnsetTrains, setting: FeatureSetting) -> tuple[UInt32s, Int32s]:
    """Make the features of a track.

    Returns
    -------
    features : uint32 of shape (n,)
    frames : int32 of shape (n,)
        The frame at which each begins.
    """
    out = np.empty(len(trains), np.uint32), np.empty(len(trains), np.int32)
    count = write_features(trains.frames, trains.bounds, *setting.arguments, *out)
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
    count = _write_probes(trains.frames, trains.bounds, *setting.arguments, *out)
    pairs = np.unique(out[0][:count].astype(np.int64) << 32 | out[1][:count])
    return (pairs >> 32).astype(np.uint32), (pairs & 0xFFFFFFFF).astype(np.int32)


@njit(cache=True, nogil=True)
def write_features(
    frames: Int32s,
    bounds: Int64s,
    first: int,
    count_gaps: int,
    cell_bits: int,
    cell_of_gap: UInt8s,
    out: UInt32s,
    out_frames: Int32s,
) -> int:
    """Write the features of all bands and count them; see `features` and `FeatureSetting`."""
    count = 0
    longest = len(cell_of_gap) - 1
    bits = cell_bits * count_gaps
    mask = (1 << bits) - 1
    for band in range(BANDS):
        known = 0  # gaps in a row that have a cell
        packed = 0
        for onset in range(bounds[band] + 1, bounds[band + 1]):
            cell = int(cell_of_gap[min(frames[onset] - frames[onset - 1], longest)])
            known = 0 if cell == NO_CELL else known + 1
            packed = (packed << cell_bits | cell) & mask
            if known >= count_gaps:
                out[count] = first + (band << bits | packed)
                out_frames[count] = frames[onset - count_gaps]
                count += 1
    return count


@njit(cache=True, nogil=True)
def _pack(first: int, band: int, gaps: Int64s, cell_bits: int, cell_of_gap: UInt8s) -> int:
    """Give the number of the feature of a band and gaps; -1 if a gap has no cell."""
    packed = band
    for gap in gaps:
        cell = cell_of_gap[min(max(gap, 0), len(cell_of_gap) - 1)]
        if cell == NO_CELL:
            return -1
        packed = packed << cell_bits | cell
    return first + packed


@njit(cache=True, nogil=True)
def _write_probes(
    frames: Int32s,
    bounds: Int64s,
    first: int,
    count_gaps: int,
    cell_bits: int,
    cell_of_gap: UInt8s,
    out: UInt32s,
    out_frames: Int32s,
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
                packed = _pack(first, band, gaps, cell_bits, cell_of_gap)
                if packed >= 0:
                    out[count] = packed
                    out_frames[count] = frames[onset]
                    count += 1
            for k in range(count_gaps):
                gaps[k] = frames[onset + k + 1] - frames[onset + k]
            for k in range(count_gaps):
                for change in (-1, 1):
                    gaps[k] += change
                    packed = _pack(first, band, gaps, cell_bits, cell_of_gap)
                    gaps[k] -= change
                    if packed >= 0:
                        out[count] = packed
                        out_frames[count] = frames[onset]
                        count += 1
    return count
