"""Onset trains to quantised features: what the index looks up.

A feature is a band and the next few gaps of its train, each gap as the cell that it falls in. Gaps
do not depend on where a recording begins, and coarse cells survive that an onset moves by a frame.
The rhythm trains have five times as many onsets as the Echoprint ones, so a short clip shows
several times as many of its track's features; the Echoprint trains serve tracks and queries that
have nothing else.

All features are numbers below `FEATURES`: the rhythm ones come first, then the Echoprint ones.

Belongs here: features of a track. Does not belong here: those of a query (`likely_features`), where
they are stored (`segment`) and how hits are counted (`search`).
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
    "NO_CELL",
    "RHYTHM_FEATURES",
    "FeatureSetting",
    "features",
    "write_features",
]

NO_CELL = 255
"""Of a gap that is too long for a feature."""


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
