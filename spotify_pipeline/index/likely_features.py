"""Onset LLRs to the features that the track is likely to have: what is looked up for a recording.

Any three cells of a band may hold three onsets in a row. How likely that is follows from the LLRs:
there is an onset in each of the three, and none between. So faint onsets, missed ones and ones that
are not the track's need no rules of their own.

LLRs tell no better than to a cell when an onset is. Those that the recording itself has, and that
its LLRs believe, are where they are to the frame: so are its own features.

Belongs here: from LLRs to features and their chances. Does not belong here: the LLRs themselves
(`fingerprint.onset_llr`), what a feature is (`features`), which are looked up (`search`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, LLR_BIN_FRAMES, OnsetTrains
from spotify_pipeline.fingerprint.arrays import (
    Float32s,
    Float64s,
    Int32s,
    Int64s,
    UInt8s,
    UInt32s,
)
from spotify_pipeline.fingerprint.onset_llr import probabilities
from spotify_pipeline.index.features import NO_CELL, FeatureSetting

__all__ = ["likely_features", "own_features"]

LEAST_ONSET = 0.03
LEAST_NEXT = 0.02
LEAST_TRIPLE = 0.001
LEAST_FEATURE = 0.001
"""Chances below these are left out: of an onset in a cell, that it is the next one, of three in a
row, of a feature. Set by hand."""

MOST_ONSET = 0.999
MOST_NEXT = 64
"""Cells that are tried for the onset after one. Set by hand."""

DEAD_CELLS = 9
"""No train has a gap of fewer cells."""

SHORTER, SHORTER_CHANCE = -1, 0.375
LONGER, LONGER_CHANCE = 1, 0.625
"""An onset is anywhere in its cell, so a gap of some cells may be shorter or longer than as many
times their frames, and of either of two cells of a feature: frames that tell which."""

EXACT = 0.8
"""Chance that all gaps of a feature are as a recording has them, if the onsets are there. Set by
hand."""


def likely_features(
    llr: Float32s, setting: FeatureSetting, stretch: int
) -> tuple[UInt32s, Int64s, Float32s]:
    """Make the features that the track of a recording is likely to have.

    Parameters
    ----------
    llr
        `fingerprint.onset_llr` of the recording, float32 of shape (cells, 8).
    setting
        Of two gaps.
    stretch
        Frames of a stretch of the recording, in which a feature counts once.

    Returns
    -------
    features : uint32 of shape (n,)
    stretches : int64 of shape (n,)
        In which it begins.
    chances : float32 of shape (n,)
        How many times the track is likely to have it there.
    """
    chances = np.ascontiguousarray(probabilities(llr).T)
    made: tuple[UInt32s, Int64s, Float32s] = _likely_features(
        chances, setting.first, setting.cell_bits, setting.cell_of_gap, stretch // LLR_BIN_FRAMES
    )
    return made


def own_features(
    llr: Float32s, onsets: OnsetTrains, setting: FeatureSetting, stretch: int
) -> tuple[UInt32s, Int64s, Float32s]:
    """Make the features of a recording's own onsets, and tell how likely its track has them.

    Parameters
    ----------
    llr, setting, stretch
        As of `likely_features`.
    onsets
        The recording's, frames from the first cell on.

    Returns
    -------
    As of `likely_features`.
    """
    chances = np.ascontiguousarray(probabilities(llr).T)
    made: tuple[UInt32s, Int64s, Float32s] = _own_features(
        chances,
        onsets.frames,
        onsets.bounds,
        setting.first,
        setting.cell_bits,
        setting.cell_of_gap,
        stretch,
    )
    return made


@njit(cache=True, nogil=True)
def _own_features(
    chances: Float64s,
    frames: Int32s,
    bounds: Int64s,
    first: int,
    cell_bits: int,
    cell_of_gap: UInt8s,
    stretch: int,
) -> tuple[UInt32s, Int64s, Float32s]:
    """Give them as `own_features` does, of chances of shape (8, cells)."""
    features = np.empty(len(frames), np.uint32)
    stretches = np.empty(len(frames), np.int64)
    feature_chances = np.empty(len(frames), np.float32)
    longest = len(cell_of_gap) - 1
    count = 0
    for band in range(BANDS):
        for k in range(bounds[band] + 2, bounds[band + 1]):
            cell = cell_of_gap[min(frames[k - 1] - frames[k - 2], longest)]
            next_cell = cell_of_gap[min(frames[k] - frames[k - 1], longest)]
            if NO_CELL in (cell, next_cell):
                continue
            chance = EXACT
            for onset in range(k - 2, k + 1):
                chance *= _chance_near(chances[band], frames[onset] // LLR_BIN_FRAMES)
            if chance >= LEAST_FEATURE:
                feature = np.int64(cell) << cell_bits | np.int64(next_cell)
                features[count] = first + (band << 2 * cell_bits | feature)
                stretches[count] = frames[k - 2] // stretch
                feature_chances[count] = chance
                count += 1
    return features[:count], stretches[:count], feature_chances[:count]


@njit(cache=True, nogil=True)
def _chance_near(chances: Float64s, cell: int) -> float:
    """Give the chance of an onset in a cell or beside it."""
    none = 1.0
    for near in range(max(cell - 1, 0), min(cell + 2, len(chances))):
        none *= 1 - chances[near]
    return 1 - none


@njit(cache=True, nogil=True)
def _likely_features(
    chances: Float64s, first: int, cell_bits: int, cell_of_gap: UInt8s, stretch: int
) -> tuple[UInt32s, Int64s, Float32s]:
    """Give them as `likely_features` does, of chances of shape (8, cells)."""
    sums = np.zeros(1 << 2 * cell_bits, np.float32)
    summed = np.empty(1 << 2 * cell_bits, np.int64)
    features = np.empty(1 << 12, np.uint32)
    stretches = np.empty(1 << 12, np.int64)
    feature_chances = np.empty(1 << 12, np.float32)
    count = 0
    for band in range(len(chances)):
        onsets, firsts, nexts, next_chances, cells = _next_onsets(chances[band], cell_of_gap)
        onset_chances = chances[band][onsets]
        end = 0
        while end < len(onsets):
            start, place = end, onsets[end] // stretch
            while end < len(onsets) and onsets[end] // stretch == place:
                end += 1
            found = _add_chances(
                start, end, onset_chances, firsts, nexts, next_chances, cells, cell_bits, sums,
                summed,
            )  # fmt: skip
            if count + found > len(features):
                features = np.concatenate((features, np.empty(count + found, np.uint32)))
                stretches = np.concatenate((stretches, np.empty(count + found, np.int64)))
                feature_chances = np.concatenate(
                    (feature_chances, np.empty(count + found, np.float32))
                )
            for feature in summed[:found]:
                if sums[feature] >= LEAST_FEATURE:
                    features[count] = first + (band << 2 * cell_bits | feature)
                    stretches[count] = place
                    feature_chances[count] = sums[feature]
                    count += 1
                sums[feature] = 0
    return features[:count], stretches[:count], feature_chances[:count]


@njit(cache=True, nogil=True)
def _next_onsets(
    chances: Float64s, cell_of_gap: UInt8s
) -> tuple[Int64s, Int64s, Int64s, Float64s, UInt8s]:
    """Find the cells of a band that may have onsets, and for each those that may have the next one.

    Returns
    -------
    onsets : int64 of shape (n,)
        The cells.
    firsts : int64 of shape (n + 1,)
        Where the next ones of each begin in the following.
    nexts : int64 of shape (m,)
        Places in `onsets`.
    next_chances : float64 of shape (m,)
        That there is an onset, and that it is the next one.
    cells : uint8 of shape (m, 2)
        Of a feature, in which the gap falls if it is shorter and if it is longer.
    """
    onsets = np.flatnonzero(chances >= LEAST_ONSET)
    # that there is none before a cell, in logarithms
    none = np.zeros(len(chances) + 1)
    for cell in range(len(chances)):
        chance = chances[cell] if chances[cell] >= LEAST_ONSET else 0.0
        none[cell + 1] = none[cell] + np.log1p(-min(chance, MOST_ONSET))
    too_long = len(cell_of_gap) - 1
    firsts = np.zeros(len(onsets) + 1, np.int64)
    nexts = np.empty(len(onsets) * MOST_NEXT, np.int64)
    next_chances = np.empty(len(onsets) * MOST_NEXT)
    cells = np.empty((len(onsets) * MOST_NEXT, 2), np.uint8)
    count = 0
    for k in range(len(onsets)):
        most = count + MOST_NEXT
        for later in range(k + 1, len(onsets)):
            gap = onsets[later] - onsets[k]
            frames = LLR_BIN_FRAMES * gap
            if frames + SHORTER >= too_long or count == most:
                break
            # an onset shows in the cells beside it, too
            between = none[onsets[later] - 1] - none[onsets[k] + 2]
            chance = chances[onsets[later]] * np.exp(min(between, 0.0))
            if gap >= DEAD_CELLS and chance >= LEAST_NEXT:
                nexts[count], next_chances[count] = later, chance
                cells[count, 0] = cell_of_gap[frames + SHORTER]
                cells[count, 1] = cell_of_gap[min(frames + LONGER, too_long)]
                count += 1
        firsts[k + 1] = count
    return onsets, firsts, nexts[:count], next_chances[:count], cells[:count]


@njit(cache=True, nogil=True)
def _add_chances(
    start: int,
    end: int,
    onset_chances: Float64s,
    firsts: Int64s,
    nexts: Int64s,
    next_chances: Float64s,
    cells: UInt8s,
    cell_bits: int,
    sums: Float32s,
    summed: Int64s,
) -> int:
    """Add the chances of all features that begin at some onsets, by the two cells of each.

    Gives how many there are; `summed` gets which.
    """
    count = 0
    for onset in range(start, end):
        for one in range(firsts[onset], firsts[onset + 1]):
            both = onset_chances[onset] * next_chances[one]
            for other in range(firsts[nexts[one]], firsts[nexts[one] + 1]):
                chance = both * next_chances[other]
                if chance < LEAST_TRIPLE:
                    continue
                for longer in range(4):
                    cell, next_cell = cells[one, longer & 1], cells[other, longer >> 1]
                    if NO_CELL in (cell, next_cell):
                        continue
                    feature = np.int64(cell) << cell_bits | np.int64(next_cell)
                    if sums[feature] == 0:
                        summed[count] = feature
                        count += 1
                    likely = LONGER_CHANCE if longer & 1 else SHORTER_CHANCE
                    likely *= LONGER_CHANCE if longer >> 1 else SHORTER_CHANCE
                    sums[feature] += np.float32(chance * likely)
    return count
